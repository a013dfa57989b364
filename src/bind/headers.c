// SPDX-License-Identifier: MIT
/*
 * tidegate.headers -- header fields: ordered, multi-valued, without case.
 *
 *     headers[name]               the first value, or nil
 *     headers[name] = value       replaces; a list gives several, nil removes
 *     headers:add(name, value)    one more value
 *     headers:all(name)           list of all values
 *     pairs(headers)              name, value, in their order
 *
 * What HTTP cannot carry (CR, LF, NUL and such) raises where it is set.
 */
#include "http/headers.h"
#include "bind/bind.h"
#include "bind/json.h"
#include "http/exchange.h"
#include "script/state.h"

static const char class[] = "tidegate.headers";

struct box {
    struct tg_handle handle; /* first: a box is a handle */
    bool of_response;
};

void tg_headers_push(lua_State *L, struct tg_exchange *x, bool of_response)
{
    struct box *box = tg_bind_push(L, class, x, sizeof(*box), 0);

    box->of_response = of_response;
}

/* Those that belong to no exchange: they live as long as the object. */
static const char own_class[] = "tidegate.headers.own";

struct own {
    const char *class; /* where a handle has its own */
    struct tg_headers headers;
};

struct tg_headers *tg_headers_push_own(lua_State *L)
{
    struct own *own;

    if (tg_state_of(L)->closing) /* nothing would finalize it */
        luaL_error(L, "no headers can be made while the Lua state is closing");
    own = lua_newuserdatauv(L, sizeof(*own), 0);
    *own = (struct own){.class = own_class};
    tg_bind_set_class(L, own_class);
    return &own->headers;
}

static struct tg_headers *test_own(lua_State *L, int index)
{
    struct own *own = lua_touserdata(L, index);

    return own && lua_rawlen(L, index) == sizeof(*own) &&
                   own->class == own_class
               ? &own->headers
               : NULL;
}

static int own_gc(lua_State *L)
{
    struct own *own = luaL_checkudata(L, 1, own_class);

    tg_headers_release(&own->headers);
    own->headers = (struct tg_headers){0};
    return 0;
}

static struct tg_headers *of_exchange(struct tg_exchange *x,
                                      const struct box *box)
{
    return box->of_response ? tg_exchange_response_headers(x)
                            : tg_exchange_request_headers(x);
}

static struct tg_headers *check_headers(lua_State *L, int index)
{
    struct tg_headers *own = test_own(L, index);
    struct tg_exchange *x = own ? NULL : tg_bind_exchange(L, index, class);
    struct box *box = lua_touserdata(L, index);

    if (own)
        return own;
    return of_exchange(x, box);
}

static struct tg_headers *check_writable(lua_State *L, int index)
{
    struct tg_headers *own = test_own(L, index);
    struct tg_exchange *x = own ? NULL : tg_bind_exchange(L, index, class);
    struct box *box = lua_touserdata(L, index);

    if (own)
        return own;
    if (box->of_response && tg_exchange_stage(x) != TG_RESPONSE_OPEN)
        luaL_error(L, "the response has begun: its headers are sent");
    return of_exchange(x, box);
}

static const char *check_name(lua_State *L, int index, size_t *len)
{
    const char *name;

    if (lua_type(L, index) != LUA_TSTRING)
        luaL_error(L, "a header name is a string, not a %s",
                   luaL_typename(L, index));
    name = lua_tolstring(L, index, len);
    if (!tg_headers_name_ok(name, *len))
        luaL_error(L, "'%s' is no header name", name);
    return name;
}

static void add(lua_State *L, struct tg_headers *headers, const char *name,
                size_t name_len, int index)
{
    size_t len;
    const char *value;

    if (!lua_isstring(L, index)) /* nor a number */
        luaL_error(L, "header '%s' is a string or a number, not a %s", name,
                   luaL_typename(L, index));
    lua_pushvalue(L, index); /* the caller's number stays one */
    value = lua_tolstring(L, -1, &len);
    if (!tg_headers_value_ok(value, len))
        luaL_error(L, "header '%s' has a control byte in its value", name);
    if (headers->bytes.len + name_len + len > TG_HEADERS_MOST)
        luaL_error(L, "header '%s' makes the fields too large", name);
    tg_headers_add(headers, name, name_len, value, len);
    lua_pop(L, 1);
}

static void set(lua_State *L, struct tg_headers *headers, int name_index,
                int value_index)
{
    size_t len;
    const char *name = check_name(L, name_index, &len);
    lua_Integer i, count;

    tg_headers_remove(headers, name, len);
    if (lua_isnil(L, value_index))
        return;
    if (!lua_istable(L, value_index)) {
        add(L, headers, name, len, value_index);
        return;
    }
    count = (lua_Integer)lua_rawlen(L, value_index);
    for (i = 1; i <= count; i++) {
        lua_rawgeti(L, value_index, i);
        add(L, headers, name, len, lua_gettop(L));
        lua_pop(L, 1);
    }
}

void tg_headers_set(lua_State *L, struct tg_exchange *x, int name, int value)
{
    set(L, tg_exchange_response_headers(x), lua_absindex(L, name),
        lua_absindex(L, value));
}

static int headers_add(lua_State *L)
{
    struct tg_headers *headers = check_writable(L, 1);
    size_t len;
    const char *name = check_name(L, 2, &len);

    add(L, headers, name, len, 3);
    return 0;
}

static int headers_all(lua_State *L)
{
    struct tg_headers *headers = check_headers(L, 1);
    size_t len, value_len;
    const char *name = luaL_checklstring(L, 2, &len), *value;
    int at = -1;
    lua_Integer count = 0;

    lua_newtable(L);
    tg_json_mark_array(L);
    while ((at = tg_headers_find(headers, name, len, (unsigned)(at + 1))) >=
           0) {
        value = tg_headers_value(headers, (unsigned)at, &value_len);
        lua_pushlstring(L, value, value_len);
        lua_rawseti(L, -2, ++count);
    }
    return 1;
}

/* Upvalue 1 holds the methods, whose names are none a header needs. */
static int headers_index(lua_State *L)
{
    struct tg_headers *headers = check_headers(L, 1);
    size_t len;
    const char *name = luaL_checklstring(L, 2, &len);
    int at = tg_headers_find(headers, name, len, 0);

    if (at >= 0) {
        const char *value = tg_headers_value(headers, (unsigned)at, &len);

        lua_pushlstring(L, value, len);
        return 1;
    }
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
    return 1;
}

static int headers_newindex(lua_State *L)
{
    set(L, check_writable(L, 1), 2, 3);
    return 0;
}

static int next_pair(lua_State *L)
{
    struct tg_headers *headers = check_headers(L, lua_upvalueindex(1));
    lua_Integer at = lua_tointeger(L, lua_upvalueindex(2));
    size_t len;
    const char *text;

    if (at >= (lua_Integer)headers->count)
        return 0;
    text = tg_headers_name(headers, (unsigned)at, &len);
    lua_pushlstring(L, text, len);
    text = tg_headers_value(headers, (unsigned)at, &len);
    lua_pushlstring(L, text, len);
    lua_pushinteger(L, at + 1);
    lua_replace(L, lua_upvalueindex(2));
    return 2;
}

static int headers_pairs(lua_State *L)
{
    check_headers(L, 1);
    lua_pushvalue(L, 1);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, next_pair, 2);
    return 1;
}

static int headers_len(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)check_headers(L, 1)->count);
    return 1;
}

static const luaL_Reg methods[] = {
    {"add", headers_add},
    {"all", headers_all},
    {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__newindex", headers_newindex},
    {"__pairs", headers_pairs},
    {"__len", headers_len},
    {NULL, NULL},
};

int luaopen_tidegate_core_headers(lua_State *L);

static const luaL_Reg own_metamethods[] = {
    {"__newindex", headers_newindex},
    {"__pairs", headers_pairs},
    {"__len", headers_len},
    {"__gc", own_gc},
    {NULL, NULL},
};

static void open_class(lua_State *L, const char *name, const luaL_Reg *meta)
{
    tg_bind_class(L, name, methods, meta);
    luaL_getmetatable(L, name);
    lua_getfield(L, -1, "__index");
    lua_pushcclosure(L, headers_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

int luaopen_tidegate_core_headers(lua_State *L)
{
    open_class(L, class, metamethods);
    open_class(L, own_class, own_metamethods);
    return 0;
}
