// SPDX-License-Identifier: MIT
/*
 * A bundle written to a file in memory, from which another process of the same
 * program reads it.
 */
#ifndef TG_SCRIPT_BUNDLE_COPY_H
#define TG_SCRIPT_BUNDLE_COPY_H

struct tg_bundle;

/* A descriptor to be closed, or -errno. */
int tg_bundle_write_copy(const struct tg_bundle *bundle);

/* NULL if that is no copy of a bundle.  The descriptor stays the caller's, and
 * may be read again. */
struct tg_bundle *tg_bundle_read_copy(int fd);

#endif
