// SPDX-License-Identifier: MIT
/*
 * A link: two ends between which processes send short messages, each whole or
 * not at all, and with each one a descriptor if need be.
 *
 * An end is a descriptor, to be closed as such.  Nothing here blocks.
 */
#ifndef TG_BASE_LINK_H
#define TG_BASE_LINK_H

#include <stdbool.h>
#include <stddef.h>

enum { TG_LINK_MOST = 4096 }; /* bytes of a message; more are cut off */

struct tg_link_message {
    char text[TG_LINK_MOST];
    size_t len;
    int fd; /* whose owner the receiver is, or -1 */
};

/* Makes a link; false with errno. */
bool tg_link_open(int ends[2]);

/* `fd` stays the caller's; -1: none.  False: the other side has gone, or does
 * not read. */
bool tg_link_send(int end, int fd, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

enum tg_link_state { TG_LINK_MESSAGE, TG_LINK_EMPTY, TG_LINK_GONE };

/* Takes the next message. */
enum tg_link_state tg_link_receive(int end, struct tg_link_message *message);

/* What follows `word` and a space in the message, or ""; NULL: it is another
 * message. */
const char *tg_link_is(const struct tg_link_message *message, const char *word);

#endif
