// SPDX-License-Identifier: MIT
/*
 *     response:file(path [, options])     answers with a file
 *
 * Returns the response, or nil, message, code when the file cannot be opened.
 */
#include <errno.h>
#include <string.h>

#include "bind/bind.h"
#include "bind/response_file.h"
#include "http/exchange.h"
#include "http/file_response.h"
#include "http/headers.h"

enum { RESPONSE = 1, PATH, OPTIONS };

/* Leaves the option on the stack; NULL if it is not set. */
static const char *text_of(lua_State *L, const char *name)
{
    const char *text;
    size_t len;

    if (lua_getfield(L, OPTIONS, name) == LUA_TNIL)
        return NULL;
    if (lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, "'%s' of a file is a string, not a %s", name,
                   luaL_typename(L, -1));
    text = lua_tolstring(L, -1, &len);
    if (strlen(text) != len || len == 0)
        luaL_error(L, "'%s' of a file is empty or has a NUL", name);
    return text;
}

static const char *type_of(lua_State *L)
{
    const char *type = text_of(L, "type");

    if (type && !tg_headers_value_ok(type, strlen(type)))
        luaL_error(L, "'type' of a file has bytes that no field may have");
    return type;
}

static bool flag_of(lua_State *L, const char *name)
{
    int type = lua_getfield(L, OPTIONS, name);

    if (type != LUA_TNIL && type != LUA_TBOOLEAN)
        luaL_error(L, "'%s' of a file is true or false, not a %s", name,
                   luaL_typename(L, -1));
    return lua_toboolean(L, -1);
}

static void fill(lua_State *L, struct tg_file_response *file)
{
    static const char *const options[] = {"root", "type", "download",
                                          "precompressed", NULL};

    tg_bind_options(L, OPTIONS, "a file", options);
    if (lua_isnil(L, OPTIONS))
        return;
    file->type = type_of(L);
    file->download = text_of(L, "download");
    file->precompressed = flag_of(L, "precompressed");
    file->root = text_of(L, "root");
    if (file->root)
        file->root = tg_bind_path(L, lua_gettop(L));
}

int tg_response_file(lua_State *L)
{
    struct tg_exchange *x = tg_bind_exchange(L, RESPONSE, tg_response_class);
    struct tg_file_response file = {0};
    size_t len;
    int error;

    if (tg_exchange_stage(x) != TG_RESPONSE_OPEN)
        return luaL_error(L, "the response has begun");
    file.path = luaL_checklstring(L, PATH, &len);
    lua_settop(L, OPTIONS);
    fill(L, &file);
    if (!file.root)
        file.path = tg_bind_path(L, PATH);
    else if (strlen(file.path) != len) /* that may be the client's */
        return tg_bind_errno(L, lua_tostring(L, PATH), -ENOENT);
    tg_exchange_goes_on(x);
    error = tg_file_respond(x, &file);
    if (error)
        return tg_bind_errno(L, lua_tostring(L, PATH), error);
    lua_settop(L, RESPONSE);
    return 1;
}
