// SPDX-License-Identifier: MIT
#include "base/address.h"

#include <arpa/inet.h>
#include <string.h>

enum { MAPPED_BITS = 96 };

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

void tg_address_of_bytes(struct tg_address *address, const uint8_t *bytes,
                         size_t len, uint16_t port)
{
    address->kind = TG_ADDRESS_IP;
    address->port = port;
    memcpy(address->bytes, mapped, sizeof(mapped));
    memcpy(address->bytes + 16 - len, bytes, len);
}

bool tg_address_parse(struct tg_address *address, const char *text, size_t len)
{
    char copy[TG_ADDRESS_TEXT];
    uint8_t bytes[16];

    if (len == 0 || len >= sizeof(copy) || memchr(text, '\0', len))
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (inet_pton(AF_INET, copy, bytes) == 1)
        tg_address_of_bytes(address, bytes, 4, 0);
    else if (inet_pton(AF_INET6, copy, bytes) == 1)
        tg_address_of_bytes(address, bytes, 16, 0);
    else
        return false;
    return true;
}

bool tg_address_is_ipv4(const struct tg_address *address)
{
    return address->kind == TG_ADDRESS_IP &&
           memcmp(address->bytes, mapped, sizeof(mapped)) == 0;
}

void tg_address_format(const struct tg_address *address,
                       char room[TG_ADDRESS_TEXT])
{
    *room = '\0';
    if (tg_address_is_ipv4(address))
        inet_ntop(AF_INET, address->bytes + 12, room, TG_ADDRESS_TEXT);
    else if (address->kind == TG_ADDRESS_IP)
        inet_ntop(AF_INET6, address->bytes, room, TG_ADDRESS_TEXT);
}

bool tg_address_number(const char *text, size_t len, unsigned most,
                       unsigned *number)
{
    size_t i;

    *number = 0;
    if (len == 0 || len > 5 || (len > 1 && *text == '0'))
        return false;
    for (i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *number = *number * 10 + (unsigned)(text[i] - '0');
    }
    return *number <= most;
}

/* Is the bit at `index`, counted from the left, set? */
static bool is_set(const uint8_t *bytes, unsigned index)
{
    return bytes[index / 8] & (0x80 >> index % 8);
}

bool tg_network_parse(struct tg_network *network, const char *text, size_t len)
{
    const char *slash = memchr(text, '/', len);
    struct tg_address address;
    unsigned i, first;

    if (!tg_address_parse(&address, text, slash ? (size_t)(slash - text) : len))
        return false;
    memcpy(network->bytes, address.bytes, sizeof(network->bytes));
    network->bits = 128;
    if (!slash)
        return true;
    first = memchr(text, ':', len) ? 0 : MAPPED_BITS;
    if (!tg_address_number(slash + 1, (size_t)(text + len - slash - 1),
                           128 - first, &network->bits))
        return false;
    network->bits += first;
    for (i = network->bits; i < 128; i++)
        if (is_set(network->bytes, i))
            return false;
    return true;
}

bool tg_network_has(const struct tg_network *network,
                    const struct tg_address *address)
{
    unsigned whole = network->bits / 8, rest = network->bits % 8;

    if (address->kind != TG_ADDRESS_IP ||
        (network->bits < MAPPED_BITS && tg_address_is_ipv4(address)) ||
        memcmp(network->bytes, address->bytes, whole) != 0)
        return false;
    return rest == 0 ||
           (network->bytes[whole] ^ address->bytes[whole]) >> (8 - rest) == 0;
}

bool tg_address_parse_port(struct tg_address *address, const char *text,
                           uint16_t port)
{
    const char *end = strrchr(text, ':');
    unsigned number = port;

    if (tg_address_parse(address, text, strlen(text))) {
        address->port = port;
        return true;
    }
    if (!end || !tg_address_number(end + 1, strlen(end + 1), 65535, &number) ||
        number == 0)
        return false;
    if (*text == '[' && end - text > 2 && end[-1] == ']') {
        if (!tg_address_parse(address, text + 1, (size_t)(end - text) - 2) ||
            tg_address_is_ipv4(address))
            return false;
    } else if (!tg_address_parse(address, text, (size_t)(end - text)) ||
               !tg_address_is_ipv4(address)) {
        return false;
    }
    address->port = (uint16_t)number;
    return true;
}
