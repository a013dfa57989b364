// SPDX-License-Identifier: MIT
/* What differs between two bundles. */
#ifndef TG_WORKER_CHANGES_H
#define TG_WORKER_CHANGES_H

struct tg_bundle;
struct tg_text;

/* Adds "2 files added, 0 removed, 1 changed (handlers/a.lua, ...)"; `before`
 * may be NULL. */
void tg_changes_describe(const struct tg_bundle *before,
                         const struct tg_bundle *after, struct tg_text *out);

#endif
