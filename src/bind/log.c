// SPDX-License-Identifier: MIT
/*
 * tidegate.core.log -- records for the operator.
 *
 *     log.debug(message [, fields])
 *     log.info(message [, fields])
 *     log.warn(message [, fields])
 *     log.error(message [, fields])
 *
 * `fields` is a table of names and values.  The request's id and route and the
 * generation are added.  print() writes at level info.
 */
#include <string.h>

#include "base/log.h"
#include "bind/app.h"
#include "bind/bind.h"
#include "http/exchange.h"
#include "script/state.h"

enum { FIELDS_MOST = 32 };

static int add_context(lua_State *L, struct tg_log_field *fields)
{
    struct tg_state *state = tg_state_of(L);
    struct tg_exchange *x = tg_app_exchange(state->host);
    int count = 0;
    size_t len;

    if (x) {
        const char *id = tg_exchange_id(x);
        const char *route = tg_exchange_label(x, &len);

        fields[count++] = TG_LOG_TEXT("request", id, strlen(id));
        if (len)
            fields[count++] = TG_LOG_TEXT("route", route, len);
    }
    fields[count++] = TG_LOG_NUMBER("generation", (int64_t)state->generation);
    return count;
}

/* Names that may be a client's must not stand for ours: they are marked. */
static void push_name(lua_State *L, int index)
{
    static const char *const ours[] = {"time",    "level", "msg",
                                       "request", "route", "generation"};
    const char *name = lua_tostring(L, index);
    size_t i;

    for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        if (strcmp(name, ours[i]) != 0)
            continue;
        lua_pushfstring(L, "_%s", name);
        return;
    }
    lua_pushvalue(L, index);
}

/* The strings made here stay on the stack until the record is written. */
static int add_own(lua_State *L, struct tg_log_field *fields, int count)
{
    lua_pushnil(L);
    while (lua_next(L, 2)) { /* ... key value */
        size_t len;
        const char *text, *name;

        luaL_argcheck(L, lua_type(L, -2) == LUA_TSTRING, 2,
                      "names of fields are strings");
        luaL_argcheck(L, count < FIELDS_MOST, 2, "too many fields");
        luaL_checkstack(L, 5, "too many fields");
        push_name(L, lua_absindex(L, -2)); /* ... key value name */
        name = lua_tostring(L, -1);
        lua_insert(L, -3); /* ... name key value */
        if (lua_isinteger(L, -1)) {
            fields[count++] = TG_LOG_NUMBER(name, lua_tointeger(L, -1));
            lua_pop(L, 1);
            continue;
        }
        text = luaL_tolstring(L, -1, &len); /* ... name key value text */
        fields[count++] = TG_LOG_TEXT(name, text, len);
        lua_replace(L, -2); /* ... name key text */
        lua_insert(L, -2);  /* ... name text key */
    }
    return count;
}

static int record(lua_State *L, enum tg_log_level level)
{
    struct tg_log_field fields[FIELDS_MOST + 3];
    const char *message;
    size_t len;
    int count;

    if (!tg_log_is_on(level))
        return 0;
    lua_settop(L, 2);
    message = luaL_tolstring(L, 1, &len);
    lua_replace(L, 1);
    if (!lua_isnil(L, 2))
        luaL_checktype(L, 2, LUA_TTABLE);
    count = add_context(L, fields);
    if (!lua_isnil(L, 2))
        count = add_own(L, fields, count);
    tg_log_record(level, message, len, fields, count);
    return 0;
}

static int log_debug(lua_State *L)
{
    return record(L, TG_LOG_DEBUG);
}

static int log_info(lua_State *L)
{
    return record(L, TG_LOG_INFO);
}

static int log_warn(lua_State *L)
{
    return record(L, TG_LOG_WARN);
}

static int log_error(lua_State *L)
{
    return record(L, TG_LOG_ERROR);
}

static int print(lua_State *L)
{
    int i, count = lua_gettop(L);

    lua_pushliteral(L, "");
    for (i = 1; i <= count; i++) {
        if (i > 1)
            lua_pushliteral(L, "\t");
        luaL_tolstring(L, i, NULL);
        lua_concat(L, i > 1 ? 3 : 2);
    }
    lua_insert(L, 1);
    lua_settop(L, 1);
    return record(L, TG_LOG_INFO);
}

static const luaL_Reg functions[] = {
    {"debug", log_debug}, {"info", log_info}, {"warn", log_warn},
    {"error", log_error}, {NULL, NULL},
};

int luaopen_tidegate_core_log(lua_State *L);

int luaopen_tidegate_core_log(lua_State *L)
{
    lua_pushcfunction(L, print);
    lua_setglobal(L, "print");
    luaL_newlib(L, functions);
    return 1;
}
