// SPDX-License-Identifier: MIT
#include "http/proxy.h"

#include <stdint.h>
#include <string.h>

/* --- version 1: a line of text --- */

/* Takes the word up to `end` or the next space, and the space. */
static size_t next_word(const char **at, const char *end, const char **word)
{
    const char *space = memchr(*at, ' ', (size_t)(end - *at));
    const char *stop = space ? space : end;

    *word = *at;
    *at = space ? space + 1 : end;
    return (size_t)(stop - *word);
}

static bool read_ip(struct tg_address *address, bool v4, const char *word,
                    size_t len)
{
    return tg_address_parse(address, word, len) &&
           v4 == !memchr(word, ':', len);
}

/* "ADDRESS ADDRESS PORT PORT" */
static bool read_ends(struct tg_address *client, bool v4, const char *at,
                      const char *end)
{
    struct tg_address source, target;
    unsigned port, other;
    const char *word;
    size_t len;

    len = next_word(&at, end, &word);
    if (!read_ip(&source, v4, word, len))
        return false;
    len = next_word(&at, end, &word);
    if (!read_ip(&target, v4, word, len))
        return false;
    len = next_word(&at, end, &word);
    if (!tg_address_number(word, len, UINT16_MAX, &port) ||
        !tg_address_number(at, (size_t)(end - at), UINT16_MAX, &other))
        return false;
    source.port = (uint16_t)port;
    *client = source;
    return true;
}

/* Nobody's address follows; what else does is to be ignored. */
static bool is_unknown(const char *at, const char *end)
{
    if ((size_t)(end - at) < 7 || memcmp(at, "UNKNOWN", 7) != 0)
        return false;
    at += 7;
    if (at < end && *at != ' ')
        return false;
    for (; at < end; at++)
        if (*at < ' ' || *at > '~')
            return false;
    return true;
}

static ssize_t parse_line(struct tg_address *client, const char *data,
                          size_t len)
{
    const char *lf = memchr(data, '\n', len), *at = data + 6, *end;

    if (!lf && len < TG_PROXY_LINE)
        return 0;
    if (!lf || lf - data >= TG_PROXY_LINE || lf - data < 11 || lf[-1] != '\r')
        return -1;
    end = lf - 1;
    if (!is_unknown(at, end) &&
        !(memcmp(at, "TCP4 ", 5) == 0 &&
          read_ends(client, true, at + 5, end)) &&
        !(memcmp(at, "TCP6 ", 5) == 0 && read_ends(client, false, at + 5, end)))
        return -1;
    return lf + 1 - data;
}

/* --- version 2: bytes --- */

enum {
    HEADER = 16, /* signature, version and command, family, length */
    LOCAL = 0x20,
    PROXY = 0x21,
    UNSPEC = 0x0,
    INET = 0x1,
    INET6 = 0x2,
    UNIX = 0x3,
    STREAM = 0x1,
    CRC32C = 0x03 /* the type of the extension that holds the checksum */
};

static unsigned get16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)get16(at) << 16 | get16(at + 2);
}

/* Castagnoli's polynomial (RFC 3385), four bits at a time. */
static uint32_t checksum(uint32_t sum, const uint8_t *at, size_t len)
{
    static const uint32_t table[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
        0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};

    for (; len; len--, at++) {
        sum = table[(sum ^ *at) & 15] ^ sum >> 4;
        sum = table[(sum ^ *at >> 4) & 15] ^ sum >> 4;
    }
    return sum;
}

/* It is made with zeros in its own place. */
static bool is_sum_right(const uint8_t *data, const uint8_t *own, size_t len)
{
    static const uint8_t zeros[4];
    uint32_t sum = checksum(UINT32_MAX, data, (size_t)(own - data));

    sum = checksum(sum, zeros, 4);
    sum = checksum(sum, own + 4, (size_t)(data + len - own - 4));
    return ~sum == get32(own);
}

static bool check_extensions(const uint8_t *data, size_t at, size_t len)
{
    bool is_summed = false;

    while (at < len) {
        unsigned size;

        if (len - at < 3)
            return false;
        size = get16(data + at + 1);
        if (size > len - at - 3)
            return false;
        if (data[at] == CRC32C) {
            if (is_summed || size != 4 ||
                !is_sum_right(data, data + at + 3, len))
                return false;
            is_summed = true;
        }
        at += 3 + size;
    }
    return true;
}

/* The header is whole. */
static bool read_addresses(struct tg_address *client, const uint8_t *data,
                           size_t len)
{
    static const size_t sizes[] = {0, 12, 36, 216};
    unsigned family = data[13] >> 4;
    bool is_stream = (data[13] & 15) == STREAM;
    const uint8_t *at = data + HEADER;

    if (data[12] == LOCAL || family == UNSPEC)
        return true;
    if (len - HEADER < sizes[family] ||
        !check_extensions(data, HEADER + sizes[family], len))
        return false;
    if (!is_stream)
        return true;
    if (family == INET)
        tg_address_of_bytes(client, at, 4, (uint16_t)get16(at + 8));
    else if (family == INET6)
        tg_address_of_bytes(client, at, 16, (uint16_t)get16(at + 32));
    else
        *client = (struct tg_address){.kind = TG_ADDRESS_UNIX};
    return true;
}

static ssize_t parse_bytes(struct tg_address *client, const uint8_t *data,
                           size_t len)
{
    size_t whole;

    if (len > 12 && data[12] != LOCAL && data[12] != PROXY)
        return -1;
    if (len > 13 && data[12] == PROXY &&
        (data[13] >> 4 > UNIX || (data[13] & 15) > 2))
        return -1;
    if (len < HEADER)
        return 0;
    whole = HEADER + get16(data + 14);
    if (whole > TG_PROXY_SIZE)
        return -1;
    if (len < whole)
        return 0;
    return read_addresses(client, data, whole) ? (ssize_t)whole : -1;
}

ssize_t tg_proxy_parse(struct tg_address *client, const char *data, size_t len)
{
    static const char line[] = "PROXY ", bytes[] = "\r\n\r\n\0\r\nQUIT\n";
    size_t line_len = sizeof(line) - 1, bytes_len = sizeof(bytes) - 1;

    if (memcmp(data, bytes, len < bytes_len ? len : bytes_len) == 0)
        return len < bytes_len
                   ? 0
                   : parse_bytes(client, (const uint8_t *)data, len);
    if (memcmp(data, line, len < line_len ? len : line_len) == 0)
        return len < line_len ? 0 : parse_line(client, data, len);
    return -1;
}
