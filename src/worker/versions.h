// SPDX-License-Identifier: MIT
/* What the gateway is made of. */
#ifndef TG_WORKER_VERSIONS_H
#define TG_WORKER_VERSIONS_H

struct tg_text;

/* Adds a line for the gateway and for each library it stands on. */
void tg_versions_describe(struct tg_text *out);

#endif
