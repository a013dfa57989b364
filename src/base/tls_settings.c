// SPDX-License-Identifier: MIT
#include "base/tls_settings.h"

#include <stdlib.h>

#include "base/alloc.h"

struct tg_tls_settings *tg_tls_settings_new(void)
{
    struct tg_tls_settings *settings = tg_alloc(sizeof(*settings));

    settings->minimum = 2;
    return settings;
}

void tg_tls_settings_free(struct tg_tls_settings *settings)
{
    size_t i;

    if (!settings)
        return;
    for (i = 0; i < settings->count; i++) {
        free(settings->pairs[i].certificate);
        free(settings->pairs[i].key);
        free(settings->pairs[i].ocsp);
    }
    free(settings->pairs);
    free(settings->client_ca);
    free(settings);
}

struct tg_tls_pair *tg_tls_settings_add(struct tg_tls_settings *settings)
{
    struct tg_tls_pair *pair;

    settings->pairs = tg_realloc(settings->pairs, (settings->count + 1) *
                                                      sizeof(*settings->pairs));
    pair = &settings->pairs[settings->count++];
    *pair = (struct tg_tls_pair){0};
    return pair;
}
