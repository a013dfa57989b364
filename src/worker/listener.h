// SPDX-License-Identifier: MIT
/*
 * An address the worker listens on, with one socket for each thread.
 */
#ifndef TG_WORKER_LISTENER_H
#define TG_WORKER_LISTENER_H

struct tg_listener {
    char *url;  /* "http://127.0.0.1:8080", "unix:/run/tidegate" */
    char *path; /* of a unix socket, or NULL */
    int *fds;   /* one for each thread; -1 once given away */
    int count;
};

/* Binds `address` for `count` threads.  Returns NULL, or one sentence, to be
 * freed; then nothing is left open. */
char *tg_listener_open(struct tg_listener *listener, const char *address,
                       int count);

/* Closes what was not given away, and removes a unix socket. */
void tg_listener_close(struct tg_listener *listener);

#endif
