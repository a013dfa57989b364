// SPDX-License-Identifier: MIT
/*
 * Orphans: processes whose parents have gone, which the first process of a
 * container inherits.  It has to wait for their ends, or they stay for ever.
 */
#ifndef TG_MASTER_ORPHANS_H
#define TG_MASTER_ORPHANS_H

#include <stdbool.h>
#include <sys/types.h>

/* Waits for those that have ended, but for none of which `is_ours` says true:
 * somebody else waits for that one. */
void tg_orphans_bury(bool (*is_ours)(pid_t pid, const void *arg),
                     const void *arg);

#endif
