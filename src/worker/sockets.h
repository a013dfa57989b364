// SPDX-License-Identifier: MIT
/*
 * The listening sockets of one address, one for each thread.
 */
#ifndef TG_WORKER_SOCKETS_H
#define TG_WORKER_SOCKETS_H

struct tg_sockets {
    char *url;  /* "http://127.0.0.1:8080", "unix:/run/tidegate" */
    char *path; /* of a unix socket, or NULL */
    int *fds;   /* one for each thread; -1 once given away */
    int count;
};

/* Binds `address` for `count` threads; `scheme` is for the URL.  Returns NULL,
 * or one sentence, to be freed; then nothing is left open. */
char *tg_sockets_open(struct tg_sockets *sockets, const char *address,
                      int count, const char *scheme);

/* Closes what was not given away, and removes a unix socket. */
void tg_sockets_close(struct tg_sockets *sockets);

#endif
