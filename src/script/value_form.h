// SPDX-License-Identifier: MIT
/*
 * The form of packed values, for the two files of script/value.h only.
 *
 * Each value is a tag and what belongs to it:
 *
 *     INTEGER   zigzag, as a varint
 *     FLOAT     eight bytes
 *     STRING    its length as a varint, its bytes
 *     TABLE     flags; a varint and a byte that hint at the sizes;
 *               the values 1 to n, END; the other keys and values, END
 */
#ifndef TG_SCRIPT_VALUE_FORM_H
#define TG_SCRIPT_VALUE_FORM_H

#include <lua.h>

enum tg_value_tag {
    TG_VALUE_END,
    TG_VALUE_FALSE,
    TG_VALUE_TRUE,
    TG_VALUE_INTEGER,
    TG_VALUE_FLOAT,
    TG_VALUE_STRING,
    TG_VALUE_NULL,
    TG_VALUE_TABLE,
};

enum { TG_VALUE_IS_ARRAY = 1 }; /* flags of a table */

enum {
    TG_VALUE_DEPTH = 100,
    TG_VALUE_VARINT = 10, /* the longest, in bytes */
};

/* The metatable that marks a JSON array, in the registry. */
#define TG_VALUE_ARRAY "tidegate.json.array"

/* What tg_value_set_null() told. */
const void *tg_value_null(lua_State *L);

#endif
