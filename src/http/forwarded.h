// SPDX-License-Identifier: MIT
/*
 * The text of Forwarded (RFC 7239) and of X-Forwarded-For: lists to which each
 * proxy adds at the end.  Pure, without allocation.
 *
 * They are read from the right.  What a client sent stands left of what the
 * first proxy added, and must not change how that is read: not by a quote that
 * never ends, nor by anything else.
 */
#ifndef TG_HTTP_FORWARDED_H
#define TG_HTTP_FORWARDED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"

/* A part of the text; `at` is NULL if there is none. */
struct tg_part {
    const char *at;
    size_t len;
};

/* Takes the last element from the end of a list, without white space around
 * it; empty ones are passed over.  False when there is none left. */
bool tg_forwarded_last(struct tg_part *list, struct tg_part *element);

/* As above, of a list of words: a quote means nothing in it. */
bool tg_forwarded_last_word(struct tg_part *list, struct tg_part *element);

/* What one proxy said of a request it received, without quotes. */
struct tg_forwarded {
    struct tg_part node; /* "for": who sent it */
    struct tg_part host;
    struct tg_part proto;
};

/* Reads one element.  False if it breaks the grammar, repeats a parameter, or
 * has a backslash in one of these three, where nobody needs it. */
bool tg_forwarded_parse(struct tg_forwarded *forwarded, struct tg_part element);

/* Reads the address and port of a node: "192.0.2.1", "192.0.2.1:80",
 * "[2001:db8::1]:80".  The port is 0 if there is none or it is hidden.  False
 * for "unknown", for a hidden name, and for what is no node. */
bool tg_forwarded_node(struct tg_address *address, struct tg_part node);

/* As above, of X-Forwarded-For: an IPv6 address may stand without brackets. */
bool tg_forwarded_address(struct tg_address *address, struct tg_part node);

#endif
