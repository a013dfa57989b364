// SPDX-License-Identifier: MIT
/*
 * The saver is the thread that writes dicts to their files.
 *
 * There is one, from the first dict with a file to the end of the process.
 * Where it was not started, as in `tidegate check`, no file is touched.
 */
#ifndef TG_SHARED_SAVER_H
#define TG_SHARED_SAVER_H

#include <stdbool.h>
#include <stddef.h>

struct tg_mailbox;

/* `shares`: another process may have the files for a while, which ends when
 * this one goes on alone. */
void tg_saver_start(bool shares);

/* Soon writes everything, and then has `box`'s owner call `fn`. */
void tg_saver_save(struct tg_mailbox *box, void (*fn)(void *arg), void *arg);

/* Writes everything and closes the files. */
void tg_saver_stop(void);

/*
 * Has the dict `name` kept by the file, and filled from it first.  False: it
 * cannot be, or is kept otherwise already; `message`, of `size` bytes, says
 * why.  `seconds` are between two saves; 0: as they are, or 1.  May take as
 * long as reading the file.
 */
bool tg_saver_keep(const char *name, const char *path, double seconds,
                   char *message, size_t size);

#endif
