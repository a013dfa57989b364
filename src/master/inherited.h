// SPDX-License-Identifier: MIT
/*
 * Listening sockets that were open before this process began: a service
 * manager's (sd_listen_fds(3)), or those of the gateway it replaces.
 */
#ifndef TG_MASTER_INHERITED_H
#define TG_MASTER_INHERITED_H

#include <stdbool.h>
#include <sys/socket.h>

struct tg_inherited {
    struct tg_inherited_socket {
        int fd;        /* -1: it was taken */
        char *address; /* as it was asked for, or NULL: by its name alone */
        bool is_lent;  /* the service manager's: its path stays */
    } * sockets;
    int count;
};

/* Takes those of LISTEN_FDS, if they are meant for this process, and clears
 * the variables: they are not for processes that handlers start. */
void tg_inherited_from_manager(struct tg_inherited *inherited);

/* Adds one; takes the descriptor. */
void tg_inherited_add(struct tg_inherited *inherited, int fd,
                      const char *address, bool is_lent);

/* Takes a socket of `address`, or one of that name (NULL: of no name).  -1:
 * there is none, or no more. */
int tg_inherited_take(struct tg_inherited *inherited, const char *address,
                      const struct sockaddr *name, bool *is_lent);

/* The address of a socket, as `listen` has it, to be freed; NULL: it was
 * taken. */
char *tg_inherited_address(const struct tg_inherited *inherited, int i);

/* Closes what was not taken. */
void tg_inherited_release(struct tg_inherited *inherited);

#endif
