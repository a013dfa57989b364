// SPDX-License-Identifier: MIT
/* What the bindings of shared dictionaries have in common. */
#ifndef TG_BIND_SHARED_H
#define TG_BIND_SHARED_H

#include <lauxlib.h>
#include <lua.h>

#include "shared/dict.h"

#define TG_DICT "tidegate.dict"

/* The dict at 1, the key at 2: a number becomes what tostring makes of it, in
 * its place on the stack. */
struct tg_dict *tg_dict_check(lua_State *L);
const char *tg_dict_check_key(lua_State *L, size_t *len);

/* The value at `index` as the dict wants it; `number` is room for it.  To be
 * followed by tg_value_trim(). */
struct tg_dict_value tg_dict_check_value(lua_State *L, int index,
                                         struct tg_dict_number *number);

/* A time to live; absent is for ever. */
double tg_dict_check_ttl(lua_State *L, int index);

int tg_dict_push_value(lua_State *L, unsigned char type, const char *data,
                       size_t len);

/* What a write gave: true, or nil, message, code. */
int tg_dict_push_outcome(lua_State *L, int error);

/* Of shared_all.c and shared_list.c. */
extern const luaL_Reg tg_dict_all_methods[], tg_dict_list_methods[];

#endif
