// SPDX-License-Identifier: MIT
/* Addresses, networks, nodes: what is read is written the same again, and a
 * network holds the address it was written with. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/trust.h"
#include "http/forwarded.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_address(const char *text, size_t len)
{
    struct tg_address first, again;
    struct tg_network network;
    char written[TG_ADDRESS_TEXT];

    if (!tg_address_parse(&first, text, len))
        return;
    assert(first.kind == TG_ADDRESS_IP && first.port == 0);
    tg_address_format(&first, written);
    assert(tg_address_parse(&again, written, strlen(written)));
    assert(memcmp(first.bytes, again.bytes, sizeof(first.bytes)) == 0);
    assert(tg_network_parse(&network, text, len));
    assert(network.bits == 128 && tg_network_has(&network, &first));
}

static void try_network(const char *text, size_t len)
{
    struct tg_address inside = {.kind = TG_ADDRESS_IP};
    struct tg_network network;

    if (!tg_network_parse(&network, text, len))
        return;
    assert(network.bits <= 128);
    memcpy(inside.bytes, network.bytes, sizeof(inside.bytes));
    assert(tg_network_has(&network, &inside) ||
           (network.bits < 96 && tg_address_is_ipv4(&inside)));
    if (network.bits == 0)
        return;
    inside.bytes[(network.bits - 1) / 8] ^=
        (uint8_t)(0x80 >> (network.bits - 1) % 8);
    assert(!tg_network_has(&network, &inside));
}

/* The two grammars of nodes differ by bare IPv6 addresses only. */
static void try_node(const char *text, size_t len)
{
    struct tg_part node = {text, len};
    struct tg_address strict = {0}, loose = {0};

    if (tg_forwarded_node(&strict, node)) {
        assert(tg_forwarded_address(&loose, node));
        assert(memcmp(&strict, &loose, sizeof(strict)) == 0);
    } else if (tg_forwarded_address(&loose, node)) {
        assert(tg_address_parse(&strict, text, len));
        assert(memchr(text, ':', len));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tg_trust trust = {0};
    char *text = malloc(size + 1), *exact = malloc(size ? size : 1);

    memcpy(text, data, size);
    memcpy(exact, data, size);
    text[size] = '\0';
    try_address(exact, size);
    try_network(exact, size);
    try_node(exact, size);
    if (!tg_trust_add(&trust, text))
        assert(tg_trust_is_empty(&trust));
    else
        assert(!tg_trust_is_empty(&trust));
    free(exact);
    free(text);
    return 0;
}
