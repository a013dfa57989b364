// SPDX-License-Identifier: MIT
/*
 * The certificates of all listeners.  They are read together and replaced
 * together: as a part of each reload's transaction.
 */
#ifndef TG_WORKER_CERTIFICATES_H
#define TG_WORKER_CERTIFICATES_H

#include "base/settings.h"

struct tg_tls;
struct tg_tls_context;

/* One place for each listener; NULL for those in the clear. */
struct tg_certificates {
    struct tg_tls *tls[TG_SETTINGS_LISTEN_MOST];
};

/* What was read for each listener. */
struct tg_certificates_fresh {
    struct tg_tls_context *contexts[TG_SETTINGS_LISTEN_MOST];
};

void tg_certificates_init(struct tg_certificates *certificates,
                          const struct tg_settings *settings);
void tg_certificates_release(struct tg_certificates *certificates);

/* Reads all files; `certificates` may be NULL, when they are only tried.
 * Returns NULL, or one sentence, to be freed; then there is nothing to drop. */
char *tg_certificates_read(const struct tg_certificates *certificates,
                           const struct tg_settings *settings,
                           struct tg_certificates_fresh *fresh);

/* From now on they are shown to clients; from any thread. */
void tg_certificates_commit(struct tg_certificates *certificates,
                            struct tg_certificates_fresh *fresh);
void tg_certificates_drop(struct tg_certificates_fresh *fresh);

#endif
