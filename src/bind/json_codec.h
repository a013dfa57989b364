// SPDX-License-Identifier: MIT
/*
 * What the files of the JSON codec share; everyone else wants bind/json.h.
 */
#ifndef TG_BIND_JSON_CODEC_H
#define TG_BIND_JSON_CODEC_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define TG_JSON_DEPTH 100
#define TG_JSON_INDENT 16 /* the widest */
#define TG_JSON_NUMBER 32 /* the room any number fits in */

struct tg_json_style {
    int indent; /* spaces a level; 0 writes everything on one line */
    bool sort;  /* object keys in the order of their bytes */
};

/* tg_json_encode, in a style. */
const char *tg_json_encode_styled(lua_State *L, int index,
                                  const struct tg_json_style *style,
                                  size_t *len);

/* Pushes the light userdata that stands for null. */
void tg_json_push_null(lua_State *L);
bool tg_json_is_null(lua_State *L, int index);

/* Pushes the metatable of arrays. */
void tg_json_push_array_metatable(lua_State *L);

struct tg_json_number {
    bool is_float;
    lua_Integer integer;
    lua_Number real; /* infinite if the number is out of range */
};

/*
 * Reads the number at `*at` and leaves `*at` behind it.  If it is malformed,
 * leaves `*at` where, and returns what was expected there; otherwise NULL.
 */
const char *tg_json_read_number(const char **at, const char *end,
                                struct tg_json_number *number);

/* Write into TG_JSON_NUMBER bytes and return where the text ends.  A float
 * becomes the shortest digits that read back the same; it must be finite. */
char *tg_json_print_integer(char *room, lua_Integer value);
char *tg_json_print_float(char *room, lua_Number value);

/* The length of the UTF-8 sequence of two or more bytes at `at`, or 0 if there
 * is none: overlong forms and surrogates are none. */
static inline size_t tg_json_utf8(const char *at, const char *end)
{
    const unsigned char *s = (const unsigned char *)at;
    size_t left = (size_t)(end - at);

    if (s[0] < 0xc2 || left < 2 || (s[1] & 0xc0) != 0x80)
        return 0;
    if (s[0] < 0xe0)
        return 2;
    if (left < 3 || (s[2] & 0xc0) != 0x80)
        return 0;
    if (s[0] < 0xf0) {
        bool overlong = s[0] == 0xe0 && s[1] < 0xa0;
        bool surrogate = s[0] == 0xed && s[1] >= 0xa0;

        return overlong || surrogate ? 0 : 3;
    }
    if (left < 4 || (s[3] & 0xc0) != 0x80 || s[0] > 0xf4)
        return 0;
    if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] >= 0x90))
        return 0;
    return 4;
}

static inline uint64_t tg_json_load8(const char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/*
 * Does each of eight bytes stand in a JSON string as it is: ASCII from 0x20 on,
 * but not '"' and '\'?  If so, the result is 0.  Otherwise a byte's top bit is
 * set if the byte is above 0x7f, below 0x20, or equal to one of the two.
 * Borrows can set more of them, but only above the first one that is right.
 */
static inline uint64_t tg_json_odd(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t odd = word | (word - ones * 0x20);

    odd |= (word ^ (ones * '"')) - ones;
    odd |= (word ^ (ones * '\\')) - ones;
    return odd & (ones * 0x80);
}

/*
 * Copies what stands in a JSON string as it is, if all of it does; otherwise
 * maybe some of it.  Returns how much is copied.  The last word overlaps the
 * one before it, and a short text is one word of two halves.
 */
static inline size_t tg_json_copy_plain(char *to, const char *from, size_t len)
{
    size_t i = 0;

    if (len < 8) {
        char both[8] = "        ";
        uint64_t word;

        if (len >= 4) {
            memcpy(both, from, 4);
            memcpy(both + 4, from + len - 4, 4);
        } else if (len >= 2) {
            memcpy(both, from, 2);
            memcpy(both + 2, from + len - 2, 2);
        } else if (len) {
            both[0] = *from;
        }
        memcpy(&word, both, 8);
        if (tg_json_odd(word))
            return 0;
        if (len >= 4) {
            memcpy(to, both, 4);
            memcpy(to + len - 4, both + 4, 4);
        } else if (len >= 2) {
            memcpy(to, both, 2);
            memcpy(to + len - 2, both + 2, 2);
        } else if (len) {
            *to = both[0];
        }
        return len;
    }
    for (; i + 8 <= len; i += 8) {
        if (tg_json_odd(tg_json_load8(from + i)))
            return i;
        memcpy(to + i, from + i, 8);
    }
    if (i < len) {
        if (tg_json_odd(tg_json_load8(from + len - 8)))
            return i;
        memcpy(to + len - 8, from + len - 8, 8);
    }
    return len;
}

/* Skips what stands in a JSON string as it is. */
static inline const char *tg_json_skip_plain(const char *at, const char *end)
{
    for (; end - at >= 8; at += 8) {
        uint64_t odd = tg_json_odd(tg_json_load8(at));

        if (odd)
            return at + (__builtin_ctzll(odd) >> 3);
    }
    for (; at < end; at++) {
        unsigned char c = (unsigned char)*at;

        if (c < 0x20 || c > 0x7f || c == '"' || c == '\\')
            break;
    }
    return at;
}

#endif
