// SPDX-License-Identifier: MIT
/*
 * A handover: the program is started anew, as it is on the disk by now, gets
 * the listening sockets, and takes the gateway over once it serves.
 *
 * They talk by a link, whose end the new one finds in its environment:
 *
 *     to the new one   socket ADDRESS (descriptor), each of them, or lent
 *                      ADDRESS (descriptor), of a service manager; go: that is
 *                      all; yours: the pid file is free
 *     to the old one   ready: it serves
 */
#ifndef TG_MASTER_HANDOVER_H
#define TG_MASTER_HANDOVER_H

#include <stdbool.h>
#include <sys/types.h>

struct tg_inherited;

struct tg_handover {
    char *program; /* where it was when this one began */
    char **arguments;
    pid_t pid; /* of the new one; 0: none is under way */
    int link;
    double deadline; /* it must be ready by then; tg_clock_now() */
};

void tg_handover_init(struct tg_handover *handover, char **arguments);
void tg_handover_release(struct tg_handover *handover);

/* Starts the program.  NULL, or one sentence, to be freed. */
char *tg_handover_begin(struct tg_handover *handover, double seconds);

/* Gives a socket, and says that there are no more. */
void tg_handover_give(struct tg_handover *handover, int fd, const char *address,
                      bool is_lent);
void tg_handover_go(struct tg_handover *handover);

/* It did not become ready: it is gone, or goes now. */
void tg_handover_give_up(struct tg_handover *handover);

/* In the new one: the link to the old one, or -1: nobody is replaced.  Waits
 * until it has given its sockets. */
int tg_handover_receive(struct tg_inherited *inherited);

/* In the new one, once it serves: says so, and waits until the pid file is
 * free. */
void tg_handover_take(int link);

#endif
