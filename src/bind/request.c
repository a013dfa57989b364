// SPDX-License-Identifier: MIT
/*
 * tidegate.request -- what the client asks.
 *
 *     request.method  .path  .target  .query  .params  .headers  .host
 *     request.scheme  .version  .remote  .peer  .id  .route  .generation
 *     request.content_length  .cookies  .tls  .locals
 *     request:text()  :json()  :buffer()  :chunks()  :trailers()
 *     request:form()  :multipart()  :shield(fn, ...)
 *
 * A field is made when it is asked for; what is a table is made once.
 */
#include <string.h>

#include "bind/bind.h"
#include "bind/pairs.h"
#include "bind/shield.h"
#include "http/cookie.h"
#include "http/exchange.h"
#include "http/target.h"
#include "script/state.h"

enum field {
    METHOD,
    PATH,
    TARGET,
    PARAMS,
    HOST,
    SCHEME,
    VERSION,
    ID,
    ROUTE,
    GENERATION,
    CONTENT_LENGTH,
    TABLES, /* from here on they are kept in the request */
    QUERIES = TABLES,
    COOKIES,
    HEADERS,
    REMOTE,
    TLS,
    PEER,
    LOCALS
};

const char tg_request_class[] = "tidegate.request";

void tg_request_push(lua_State *L, struct tg_exchange *x)
{
    tg_bind_push(L, tg_request_class, x, sizeof(struct tg_handle),
                 TG_REQUEST_TABLES + LOCALS - TABLES);
}

static const char *span(struct tg_exchange *x, struct tg_span span)
{
    return tg_exchange_bytes(x) + span.at;
}

static void split_target(struct tg_exchange *x, struct tg_target *parts)
{
    struct tg_span target = tg_exchange_head(x)->target;

    tg_target_split(span(x, target), target.len, parts);
}

void tg_request_push_path(lua_State *L, struct tg_exchange *x)
{
    struct tg_target parts;
    luaL_Buffer path;
    ssize_t len;

    split_target(x, &parts);
    if (tg_target_is_plain(parts.path, parts.path_len)) {
        lua_pushlstring(L, parts.path, parts.path_len);
        return;
    }
    len = tg_target_path(parts.path, parts.path_len,
                         luaL_buffinitsize(L, &path, parts.path_len));
    if (len < 0)
        tg_bind_fail(L, 400, "malformed percent-encoding in the path");
    luaL_pushresultsize(&path, (size_t)len);
}

/* The host without its port, in lower case. */
void tg_request_push_host(lua_State *L, struct tg_exchange *x)
{
    struct tg_span host = tg_exchange_host(x);
    const char *at = span(x, host), *colon;
    size_t len = host.len, i;
    luaL_Buffer lower;
    char *room;

    colon = memrchr(at, ':', len);
    if (colon && !memchr(colon, ']', len - (size_t)(colon - at)))
        len = (size_t)(colon - at);
    room = luaL_buffinitsize(L, &lower, len);
    for (i = 0; i < len; i++)
        room[i] = 'A' <= at[i] && at[i] <= 'Z' ? (char)(at[i] | 32) : at[i];
    luaL_pushresultsize(&lower, len);
}

static void push_query(lua_State *L, struct tg_exchange *x)
{
    struct tg_target parts;

    split_target(x, &parts);
    tg_pairs_push(L, parts.query_len > 0);
    if (parts.query_len)
        tg_pairs_add_query(L, lua_gettop(L), parts.query, parts.query_len,
                           "too many query parameters");
}

/* Of a copy on top: a finalizer may change the fields meanwhile. */
static void add_cookies(lua_State *L, int pairs, int *count)
{
    size_t len;
    const char *at = lua_tolstring(L, -1, &len), *end = at + len;
    struct tg_cookie_pair pair;

    while (tg_cookie_next(&at, end, &pair)) {
        if (++*count > TG_PAIRS_MOST)
            tg_bind_fail(L, 400, "too many cookies");
        lua_pushlstring(L, pair.name, pair.name_len);
        lua_pushlstring(L, pair.value, pair.value_len);
        tg_pairs_add(L, pairs, *count);
    }
}

static void push_cookies(lua_State *L, struct tg_exchange *x)
{
    struct tg_headers *headers = tg_exchange_request_headers(x);
    int cookies, count = 0, at = -1;

    tg_pairs_push(L, 1);
    cookies = lua_gettop(L);
    while ((at = tg_headers_find(headers, "cookie", 6, (unsigned)at + 1)) >=
           0) {
        size_t len;
        const char *text = tg_headers_value(headers, (unsigned)at, &len);

        lua_pushlstring(L, text, len);
        add_cookies(L, cookies, &count);
        lua_pop(L, 1);
    }
}

static void push_end(lua_State *L, const char *address, int port)
{
    lua_createtable(L, 0, 2);
    lua_pushstring(L, address);
    lua_setfield(L, -2, "address");
    lua_pushinteger(L, port);
    lua_setfield(L, -2, "port");
}

static void push_remote(lua_State *L, struct tg_exchange *x)
{
    int port;
    const char *address = tg_exchange_address(x, &port);

    push_end(L, address, port);
}

static void push_peer(lua_State *L, struct tg_exchange *x)
{
    char address[TG_ADDRESS_TEXT];
    int port = tg_exchange_peer(x, address);

    push_end(L, address, port);
}

static const struct {
    const char *name;
    enum field field;
} fields[] = {
    {"method", METHOD},
    {"path", PATH},
    {"target", TARGET},
    {"params", PARAMS},
    {"host", HOST},
    {"scheme", SCHEME},
    {"version", VERSION},
    {"id", ID},
    {"route", ROUTE},
    {"generation", GENERATION},
    {"content_length", CONTENT_LENGTH},
    {"query", QUERIES},
    {"cookies", COOKIES},
    {"headers", HEADERS},
    {"remote", REMOTE},
    {"tls", TLS},
    {"peer", PEER},
    {"locals", LOCALS},
};

static int push_table_field(lua_State *L, struct tg_exchange *x,
                            enum field field)
{
    int slot = TG_REQUEST_TABLES + (int)field - TABLES;

    if (lua_getiuservalue(L, 1, slot) != LUA_TNIL)
        return 1;
    lua_pop(L, 1);
    if (field == QUERIES)
        push_query(L, x);
    else if (field == COOKIES)
        push_cookies(L, x);
    else if (field == HEADERS)
        tg_headers_push(L, x, false);
    else if (field == REMOTE)
        push_remote(L, x);
    else if (field == TLS)
        tg_request_push_tls(L, x);
    else if (field == PEER)
        push_peer(L, x);
    else
        lua_createtable(L, 0, 2); /* locals: a few */
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, 1, slot);
    return 1;
}

static int push_params(lua_State *L)
{
    if (lua_getiuservalue(L, 1, TG_REQUEST_PARAMS) != LUA_TTABLE) {
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_setiuservalue(L, 1, TG_REQUEST_PARAMS);
    }
    return 1;
}

static int push_field(lua_State *L, struct tg_exchange *x, enum field field)
{
    const struct tg_head *head = tg_exchange_head(x);

    switch (field) {
    case METHOD:
        lua_pushlstring(L, span(x, head->method), head->method.len);
        return 1;
    case PATH:
        tg_request_push_path(L, x);
        return 1;
    case TARGET:
        lua_pushlstring(L, span(x, head->target), head->target.len);
        return 1;
    case PARAMS:
        return push_params(L);
    case HOST:
        tg_request_push_host(L, x);
        return 1;
    case SCHEME:
        lua_pushstring(L, tg_exchange_scheme(x));
        return 1;
    case VERSION:
        lua_pushstring(L, head->minor ? "1.1" : "1.0");
        return 1;
    case ID:
        lua_pushstring(L, tg_exchange_id(x));
        return 1;
    case ROUTE:
        if (lua_getiuservalue(L, 1, TG_REQUEST_ROUTE) == LUA_TTABLE)
            lua_rawgeti(L, -1, TG_ROUTE_PATH);
        return 1;
    case GENERATION:
        lua_pushinteger(L, (lua_Integer)tg_state_of(L)->generation);
        return 1;
    case CONTENT_LENGTH:
        if (head->content_length < 0)
            lua_pushnil(L);
        else
            lua_pushinteger(L, head->content_length);
        return 1;
    default:
        return push_table_field(L, x, field);
    }
}

/* One table holds both: a method's function, or a field's number. */
static int request_index(lua_State *L)
{
    struct tg_exchange *x = tg_bind_exchange(L, 1, tg_request_class);

    lua_pushvalue(L, 2);
    switch (lua_rawget(L, lua_upvalueindex(1))) {
    case LUA_TFUNCTION:
        return 1;
    case LUA_TNUMBER:
        return push_field(L, x, (enum field)lua_tointeger(L, -1));
    default:
        return luaL_error(L, "a request has no field '%s'",
                          luaL_tolstring(L, 2, NULL));
    }
}

static int request_newindex(lua_State *L)
{
    return luaL_error(L,
                      "cannot set '%s' of a request; values of your own "
                      "belong into request.locals",
                      luaL_tolstring(L, 2, NULL));
}

static int request_tostring(lua_State *L)
{
    struct tg_handle *handle = luaL_checkudata(L, 1, tg_request_class);
    struct tg_exchange *x = handle->x;
    const struct tg_head *head;

    if (tg_state_of(L)->closing || !tg_exchange_is(x, handle->serial)) {
        lua_pushliteral(L, "request (over)");
        return 1;
    }
    head = tg_exchange_head(x);
    lua_pushliteral(L, "request ");
    lua_pushlstring(L, span(x, head->method), head->method.len);
    lua_pushliteral(L, " ");
    lua_pushlstring(L, span(x, head->target), head->target.len);
    lua_concat(L, 4);
    return 1;
}

static const luaL_Reg metamethods[] = {
    {"__newindex", request_newindex},
    {"__tostring", request_tostring},
    {NULL, NULL},
};

int luaopen_tidegate_core_request(lua_State *L);

int luaopen_tidegate_core_request(lua_State *L)
{
    size_t i;

    tg_pairs_open(L);
    tg_shield_open(L);
    tg_bind_class(L, tg_request_class, tg_request_body_methods, metamethods);
    luaL_getmetatable(L, tg_request_class);
    lua_getfield(L, -1, "__index");
    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        lua_pushinteger(L, (lua_Integer)fields[i].field);
        lua_setfield(L, -2, fields[i].name);
    }
    lua_pushcclosure(L, request_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    return 0;
}
