// SPDX-License-Identifier: MIT
/* What the tests of the dictionary have in common; after cmocka.h. */
#ifndef TG_TESTS_DICT_TEST_H
#define TG_TESTS_DICT_TEST_H

#include <string.h>

#include "shared/dict.h"

static inline int get_value(struct tg_dict *dict, const char *key,
                            size_t key_len, void *room, size_t *len,
                            unsigned char *type)
{
    uint64_t version;

    return tg_dict_get(dict, key, key_len, room, len, type, &version);
}

static inline int64_t integer_at(struct tg_dict *dict, const char *key)
{
    int64_t value = 0;
    size_t len = sizeof(value);
    unsigned char type;

    assert_int_equal(get_value(dict, key, strlen(key), &value, &len, &type), 0);
    assert_int_equal(type, TG_DICT_INTEGER);
    return value;
}

static inline int open_dict(void **state)
{
    *state = tg_dict_open("test");
    return 0;
}

static inline int close_dict(void **state)
{
    tg_dict_flush(*state);
    tg_dict_unref(*state);
    return 0;
}

#endif
