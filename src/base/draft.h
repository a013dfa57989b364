// SPDX-License-Identifier: MIT
/*
 * A draft: a file that is written under a name of its own beside its final one,
 * and gets that when it is whole.  Whoever opens the final name sees all of it,
 * or what was there before.
 */
#ifndef TG_BASE_DRAFT_H
#define TG_BASE_DRAFT_H

#include <stddef.h>

struct tg_draft {
    int fd;                 /* -1: closed */
    char *path, *temporary; /* NULL: nothing is to be removed */
};

/* Zeroed but for `fd`, a draft holds nothing. */
#define TG_DRAFT_NONE ((struct tg_draft){.fd = -1})

/* These return 0 or -errno.  What is there under the final name must be a file
 * or a symbolic link, if anything. */
int tg_draft_open(struct tg_draft *draft, const char *path);
int tg_draft_write(struct tg_draft *draft, const char *data, size_t len);
int tg_draft_commit(struct tg_draft *draft);

/* Removes what was not committed; may be called again. */
void tg_draft_release(struct tg_draft *draft);

#endif
