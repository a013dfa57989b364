// SPDX-License-Identifier: MIT
#include "worker/certificates.h"

#include <stddef.h>

#include "net/tls.h"

void tg_certificates_init(struct tg_certificates *certificates,
                          const struct tg_settings *settings)
{
    int i;

    *certificates = (struct tg_certificates){0};
    for (i = 0; i < TG_SETTINGS_LISTEN_MOST; i++)
        if (settings->listen[i].tls)
            certificates->tls[i] = tg_tls_new();
}

void tg_certificates_release(struct tg_certificates *certificates)
{
    int i;

    for (i = 0; i < TG_SETTINGS_LISTEN_MOST; i++)
        tg_tls_free(certificates->tls[i]);
    *certificates = (struct tg_certificates){0};
}

char *tg_certificates_read(const struct tg_certificates *certificates,
                           const struct tg_settings *settings,
                           struct tg_certificates_fresh *fresh)
{
    char *error = NULL;
    int i;

    *fresh = (struct tg_certificates_fresh){0};
    for (i = 0; i < TG_SETTINGS_LISTEN_MOST && !error; i++)
        if (settings->listen[i].tls)
            fresh->contexts[i] = tg_tls_context_new(
                settings->listen[i].tls,
                certificates ? certificates->tls[i] : NULL, &error);
    if (error)
        tg_certificates_drop(fresh);
    return error;
}

void tg_certificates_commit(struct tg_certificates *certificates,
                            struct tg_certificates_fresh *fresh)
{
    int i;

    for (i = 0; i < TG_SETTINGS_LISTEN_MOST; i++)
        if (fresh->contexts[i])
            tg_tls_replace(certificates->tls[i], fresh->contexts[i]);
    *fresh = (struct tg_certificates_fresh){0};
}

void tg_certificates_drop(struct tg_certificates_fresh *fresh)
{
    int i;

    for (i = 0; i < TG_SETTINGS_LISTEN_MOST; i++)
        tg_tls_context_unref(fresh->contexts[i]);
    *fresh = (struct tg_certificates_fresh){0};
}
