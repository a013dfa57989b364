// SPDX-License-Identifier: MIT
/*
 * The pid file, and the control socket beside it, by which `tidegate reload`
 * and its kin reach the running gateway.
 *
 * A client sends one line, the command, and gets "ok\n" or "failed\n", then
 * text, and a NUL at its end.
 */
#ifndef TG_MASTER_CONTROL_H
#define TG_MASTER_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { TG_CONTROL_CLIENTS = 16 };

struct tg_control_client {
    int fd; /* -1: free */
    char line[64];
    size_t len;
    double until; /* tg_clock_now() by which the line has to be whole */
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

/* Gives both files to the user whose rights the gateway will have. */
void tg_control_give(struct tg_control *control, uid_t uid, gid_t gid);

/* Closes and removes both files. */
void tg_control_close(struct tg_control *control);

/* Closes them only: another process has them, or will. */
void tg_control_leave(struct tg_control *control);

/* Lets a client in. */
void tg_control_accept(struct tg_control *control);

/* Reads from a client.  True when its line is whole: it is in `line`, without
 * its end. */
bool tg_control_read(struct tg_control_client *client);

/* When the next client is due that has not sent its line, or 0. */
double tg_control_due(const struct tg_control *control);

/* Sends those away that are due: their places are for others. */
void tg_control_expire(struct tg_control *control);

/* Answers and closes. */
void tg_control_answer(struct tg_control_client *client, bool ok,
                       const char *text);

/* Forgets the client, whose descriptor is the caller's now. */
int tg_control_hand_on(struct tg_control_client *client);

/*
 * The other side: sends `command` to the gateway of that pid file and waits
 * for its answer.  Returns 0 for "ok", 1 for "failed" and for an answer that
 * was cut off, -1 when nobody is there; `*text` is to be freed.
 */
int tg_control_call(const char *pid_path, const char *command, char **text);

#endif
