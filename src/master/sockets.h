// SPDX-License-Identifier: MIT
/*
 * The listening sockets of one address, one for each thread.
 */
#ifndef TG_MASTER_SOCKETS_H
#define TG_MASTER_SOCKETS_H

#include <stdbool.h>

struct tg_inherited;

struct tg_sockets {
    char *url;    /* "http://127.0.0.1:8080", "unix:/run/tidegate" */
    char *path;   /* of a unix socket, or NULL */
    bool is_lent; /* by a service manager, who keeps its path */
    int *fds;
    int count; /* one for each thread, or as many as were inherited */
};

/* Binds `address` for `count` threads, or takes what is inherited of it;
 * `scheme` is for the URL.  Returns NULL, or one sentence, to be freed; then
 * nothing is left open. */
char *tg_sockets_open(struct tg_sockets *sockets, const char *address,
                      int count, const char *scheme,
                      struct tg_inherited *inherited);

/* Closes them.  The path of a unix socket stays if it `is_left` to another
 * process. */
void tg_sockets_close(struct tg_sockets *sockets, bool is_left);

#endif
