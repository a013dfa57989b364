// SPDX-License-Identifier: MIT
#include "base/trust.h"

#include <string.h>

/* RFC 1122, 3.2.1.3; RFC 4291, 2.5.3; RFC 1918; RFC 4193. */
static const char *const words[][2] = {
    {"loopback", "127.0.0.0/8"},   {"loopback", "::1"},
    {"private", "10.0.0.0/8"},     {"private", "172.16.0.0/12"},
    {"private", "192.168.0.0/16"}, {"private", "fc00::/7"},
};

static bool add_network(struct tg_trust *trust, const char *text)
{
    if (trust->count == TG_TRUST_MOST ||
        !tg_network_parse(&trust->networks[trust->count], text, strlen(text)))
        return false;
    trust->count++;
    return true;
}

bool tg_trust_add(struct tg_trust *trust, const char *text)
{
    bool is_word = false;
    size_t i;

    if (strcmp(text, "unix") == 0)
        return trust->unix_sockets = true;
    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i][0], text) != 0)
            continue;
        if (!add_network(trust, words[i][1]))
            return false;
        is_word = true;
    }
    return is_word || add_network(trust, text);
}

bool tg_trust_is_empty(const struct tg_trust *trust)
{
    return trust->count == 0 && !trust->unix_sockets;
}

bool tg_trust_has(const struct tg_trust *trust,
                  const struct tg_address *address)
{
    int i;

    if (address->kind == TG_ADDRESS_UNIX)
        return trust->unix_sockets;
    for (i = 0; i < trust->count; i++)
        if (tg_network_has(&trust->networks[i], address))
            return true;
    return false;
}
