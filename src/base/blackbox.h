// SPDX-License-Identifier: MIT
/*
 * A black box: a page of memory in which each thread of a process notes what
 * it is about to do, and that the process which made it can still read when
 * the other one has died.
 *
 * Made before the fork.  A note is written by its own thread only; it is read
 * after that thread's end.
 */
#ifndef TG_BASE_BLACKBOX_H
#define TG_BASE_BLACKBOX_H

#include <stddef.h>

struct tg_blackbox;
struct tg_note;
struct tg_text;

/* For so many threads; NULL if the system has no memory for it. */
struct tg_blackbox *tg_blackbox_new(int threads);
void tg_blackbox_free(struct tg_blackbox *box);

/* The place of a thread, from 1. */
struct tg_note *tg_blackbox_note(struct tg_blackbox *box, int thread);

/* Notes one line of text, as much as fits; a `len` of 0: nothing. */
void tg_note_write(struct tg_note *note, const char *text, size_t len);
void tg_note_clear(struct tg_note *note);

/* Adds "thread 1: GET /x" for each thread that noted something, with "; "
 * between them. */
void tg_blackbox_read(const struct tg_blackbox *box, struct tg_text *out);

#endif
