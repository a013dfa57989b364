// SPDX-License-Identifier: MIT
/*
 * tidegate.request, content in parts, as it comes (RFC 7578).
 *
 *     for part in request:multipart{ parts = 100, size = 1048576 } do
 *
 * What is left of a part is skipped when the next one is asked for.  The parts
 * may be more, or larger, than what fits into memory.
 */
#include "bind/multipart.h"

#include "bind/request_body.h"
#include "http/exchange.h"
#include "net/buffer.h"

enum { PARTS_MOST = 1000, FRONT = 64 * 1024 };

const char tg_parts_class[] = "tidegate.multipart";

struct tg_exchange *tg_parts_exchange(lua_State *L, const char *class)
{
    struct tg_exchange *x = tg_bind_exchange(L, 1, class);

    tg_request_check_size(L, x);
    return x;
}

bool tg_parts_step(lua_State *L, struct tg_parts *parts, struct tg_exchange *x,
                   struct tg_multipart_step *step)
{
    struct tg_buffer *content =
        parts->kept ? parts->kept : tg_exchange_content(x);
    bool whole = parts->kept || tg_exchange_is_complete(x);
    const char *data;
    size_t len;
    ssize_t n;

    if (parts->refused)
        tg_bind_fail(L, 413, parts->refused);
    tg_buffer_drain(content, parts->used);
    parts->used = 0;
    data = tg_buffer_front(content, FRONT, &len);
    n = tg_multipart_decode(&parts->parser, data, len,
                            whole && len == tg_buffer_len(content), step);
    if (n < 0)
        tg_bind_fail(L, 400,
                     tg_multipart_describe((enum tg_multipart_fault) - n));
    parts->used = (size_t)n;
    if (step->kind == TG_MULTIPART_PART) {
        parts->in_part = true;
        parts->size = 0;
        if (++parts->count > parts->most)
            parts->refused = "the content has too many parts";
    } else if (step->kind == TG_MULTIPART_DATA) {
        parts->size += step->len;
        if (parts->size > parts->most_size)
            parts->refused = "a part of the content is too large";
    } else if (step->kind == TG_MULTIPART_PART_END) {
        parts->in_part = false;
    }
    if (parts->refused)
        tg_bind_fail(L, 413, parts->refused);
    return n > 0 || step->kind == TG_MULTIPART_END;
}

/* Skips what is left of the part before. */
static int find_part(lua_State *L, int status, lua_KContext context)
{
    struct tg_exchange *x = tg_parts_exchange(L, tg_parts_class);
    struct tg_parts *parts = lua_touserdata(L, 1);
    struct tg_multipart_step step;

    (void)status, (void)context;
    lua_settop(L, 1);
    while (tg_parts_step(L, parts, x, &step)) {
        if (step.kind == TG_MULTIPART_PART) {
            tg_part_push(L, x, &step);
            return 1;
        }
        if (step.kind == TG_MULTIPART_END) {
            lua_pushnil(L);
            return 1;
        }
    }
    return tg_request_wait(L, x, find_part);
}

static int next_part(lua_State *L)
{
    struct tg_parts *parts;

    tg_parts_exchange(L, tg_parts_class);
    parts = lua_touserdata(L, 1);
    parts->number++;
    return find_part(L, LUA_OK, 0);
}

static lua_Integer limit_of(lua_State *L, int options, const char *name,
                            lua_Integer otherwise)
{
    lua_Number number;

    if (lua_isnoneornil(L, options) ||
        lua_getfield(L, options, name) == LUA_TNIL)
        return otherwise;
    number = lua_tonumber(L, -1);
    if (lua_type(L, -1) != LUA_TNUMBER || !(number >= 0))
        luaL_error(L, "option '%s' of multipart() must be a number from 0",
                   name);
    lua_pop(L, 1);
    return number < 9e18 ? (lua_Integer)number : LUA_MAXINTEGER;
}

/* What text() has read is read again, from a buffer. */
static void keep_text(lua_State *L, struct tg_parts *parts)
{
    size_t len;
    const char *text;

    if (!tg_request_push_kept(L)) {
        tg_request_take(L);
        return;
    }
    text = lua_tolstring(L, -1, &len);
    parts->kept = tg_buffer_push(L);
    tg_buffer_add(parts->kept, text, len);
    lua_setiuservalue(L, -3, 1);
    lua_pop(L, 1);
}

int tg_request_multipart(lua_State *L)
{
    static const char *const options[] = {"parts", "size", NULL};
    struct tg_exchange *x;
    struct tg_parts *parts;
    lua_Integer most, most_size;
    struct tg_multipart parser;
    size_t len;
    const char *type;

    lua_settop(L, 2);
    x = tg_parts_exchange(L, tg_request_class);
    tg_bind_options(L, 2, "multipart()", options);
    most = limit_of(L, 2, "parts", PARTS_MOST);
    most_size = limit_of(L, 2, "size", LUA_MAXINTEGER);
    type = tg_request_type(L, x, &len);
    if (!tg_multipart_init(&parser, type, len))
        tg_bind_fail(L, 415, "the content is not multipart/form-data");
    if (!parser.delimiter_len)
        tg_bind_fail(L, 400, "the content-type has no valid boundary");
    lua_pushcfunction(L, next_part);
    parts = tg_bind_push(L, tg_parts_class, x, sizeof(*parts), 1);
    *parts = (struct tg_parts){.handle = parts->handle,
                               .parser = parser,
                               .most = most,
                               .most_size = (uint64_t)most_size};
    keep_text(L, parts);
    return 2;
}

int luaopen_tidegate_core_multipart(lua_State *L);

int luaopen_tidegate_core_multipart(lua_State *L)
{
    static const luaL_Reg none[] = {{NULL, NULL}};

    tg_bind_class(L, tg_parts_class, none, none);
    tg_part_open(L);
    return 0;
}
