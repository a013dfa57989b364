// SPDX-License-Identifier: MIT
/*
 * tidegate.core.multipart -- a request's content as parts, one event a call;
 * lua/tidegate/multipart.lua makes parts of them.
 *
 *     reader = multipart.open(request, boundary)   nil if that is no boundary
 *     reader:next()      "head", fields   a part begins: its field lines as a
 *                                         list of names and values
 *                        "data", string   a piece of it
 *                        "end"            it is whole
 *                        nil              that was the last one
 *
 * What is malformed ends the task with 400.
 */
#include "http/multipart.h"

#include "bind/bind.h"
#include "bind/request_body.h"
#include "http/exchange.h"
#include "net/buffer.h"

enum { FIELDS_MOST = 32 };

static const char class[] = "tidegate.multipart";

struct reader {
    struct tg_handle handle; /* first: a reader is a handle */
    struct tg_multipart multipart;
};

static int reader_next(lua_State *L);

static int next_again(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    lua_settop(L, 1);
    return reader_next(L);
}

static int push_fields(lua_State *L, const struct tg_part_run *run)
{
    struct tg_field fields[FIELDS_MOST];
    int i, count = tg_fields_parse(fields, FIELDS_MOST, run->at, run->len);

    if (count < 0)
        return tg_bind_fail(L, 400, "malformed fields of a part");
    lua_pushliteral(L, "head");
    lua_createtable(L, 2 * count, 0);
    for (i = 0; i < count; i++) {
        lua_pushlstring(L, run->at + fields[i].name.at, fields[i].name.len);
        lua_rawseti(L, -2, 2 * i + 1);
        lua_pushlstring(L, run->at + fields[i].value.at, fields[i].value.len);
        lua_rawseti(L, -2, 2 * i + 2);
    }
    return 2;
}

static int push_run(lua_State *L, const struct tg_part_run *run)
{
    if (run->kind == TG_PART_HEAD)
        return push_fields(L, run);
    if (run->kind == TG_PART_END) {
        lua_pushliteral(L, "end");
        return 1;
    }
    lua_pushliteral(L, "data");
    lua_pushlstring(L, run->at, run->len);
    return 2;
}

/* Decodes until there is something to tell; 0: more has to come first. */
static int decode(lua_State *L, struct reader *reader,
                  struct tg_buffer *content)
{
    struct tg_part_run run;
    ssize_t used;
    int count;

    while (reader->multipart.state != TG_MULTIPART_DONE) {
        used = tg_multipart_decode(&reader->multipart, tg_buffer_bytes(content),
                                   tg_buffer_len(content), &run);
        if (used < 0)
            return tg_bind_fail(L, 400, "malformed multipart content");
        if (used == 0)
            return 0;
        count = run.kind == TG_PART_NONE ? 0 : push_run(L, &run);
        tg_buffer_drain(content, (size_t)used);
        if (count)
            return count;
    }
    tg_buffer_drain(content, tg_buffer_len(content)); /* the epilogue */
    return 0;
}

static int reader_next(lua_State *L)
{
    struct tg_exchange *x = tg_bind_exchange(L, 1, class);
    struct reader *reader = lua_touserdata(L, 1);
    int count;

    tg_request_check_size(L, x);
    count = decode(L, reader, tg_exchange_content(x));
    if (count && !tg_exchange_is_complete(x))
        tg_exchange_more(x, NULL, NULL);
    if (count)
        return count;
    if (!tg_exchange_is_complete(x))
        return tg_request_wait(L, x, next_again);
    if (reader->multipart.state != TG_MULTIPART_DONE)
        return tg_bind_fail(L, 400, "multipart content ends too early");
    lua_pushnil(L);
    return 1;
}

static int multipart_open(lua_State *L)
{
    struct tg_exchange *x = tg_bind_exchange(L, 1, tg_request_class);
    struct tg_multipart multipart;
    struct reader *reader;
    size_t len;
    const char *boundary = luaL_checklstring(L, 2, &len);

    if (!tg_multipart_init(&multipart, boundary, len))
        return 0;
    lua_settop(L, 1);
    tg_request_take(L);
    reader = tg_bind_push(L, class, x, sizeof(*reader), 0);
    reader->multipart = multipart;
    return 1;
}

/* request:multipart(options): the public half knows what to do. */
int tg_request_multipart(lua_State *L)
{
    tg_bind_exchange(L, 1, tg_request_class);
    lua_settop(L, 2);
    if (tg_request_push_kept(L)) /* raises at the caller's line, as here */
        return luaL_error(L,
                          "the content was read by text(), json() or form()");
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, "tidegate.multipart");
    lua_getfield(L, -1, "parts");
    lua_replace(L, -3);
    lua_pop(L, 1);
    lua_insert(L, 1);
    lua_call(L, 2, LUA_MULTRET);
    return lua_gettop(L);
}

static const luaL_Reg methods[] = {
    {"next", reader_next},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"open", multipart_open},
    {NULL, NULL},
};

int luaopen_tidegate_core_multipart(lua_State *L);

int luaopen_tidegate_core_multipart(lua_State *L)
{
    static const luaL_Reg none[] = {{NULL, NULL}};

    tg_bind_class(L, class, methods, none);
    luaL_newlib(L, functions);
    return 1;
}
