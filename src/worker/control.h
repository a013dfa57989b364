// SPDX-License-Identifier: MIT
/*
 * The pid file, and the control socket beside it, by which `tidegate reload`
 * and its kin reach the running gateway.
 *
 * A client sends one line, the command, and gets "ok\n" or "failed\n" and then
 * text until the end.
 */
#ifndef TG_WORKER_CONTROL_H
#define TG_WORKER_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TG_CONTROL_CLIENTS = 16 };

struct tg_control_client {
    int fd;           /* -1: free */
    uint64_t request; /* of the reload it waits for; 0: none yet */
    char line[64];
    size_t len;
};

struct tg_control {
    char *pid_path, *socket_path;
    int pid_fd, fd;
    struct tg_control_client clients[TG_CONTROL_CLIENTS];
};

/* "x.pid" has "x.sock" beside it.  To be freed. */
char *tg_control_socket_path(const char *pid_path);

/* Takes the pid file and listens; NULL, or one sentence, to be freed. */
char *tg_control_open(struct tg_control *control, const char *pid_path);
void tg_control_close(struct tg_control *control);

/* Lets a client in. */
void tg_control_accept(struct tg_control *control);

/* Reads from a client.  True when its line is whole: it is in `line`, without
 * its end. */
bool tg_control_read(struct tg_control_client *client);

/* Answers and closes. */
void tg_control_answer(struct tg_control_client *client, bool ok,
                       const char *text);

/*
 * The other side: sends `command` to the gateway of that pid file and waits
 * for its answer.  Returns 0 for "ok", 1 for "failed", -1 when nobody is
 * there; `*text` is to be freed.
 */
int tg_control_call(const char *pid_path, const char *command, char **text);

#endif
