// SPDX-License-Identifier: MIT
/*
 * tidegate.part -- one part of a request's content.
 *
 *     part.name  .filename  .safe_name  .type  .headers
 *     part:text()          its content as a string; again if asked again
 *     part:chunks()        an iterator over strings, in constant memory
 *     part:save(path)      writes it to a file; returns how many bytes
 *
 * Its content is there until the next part is asked for.
 */
#include <errno.h>
#include <string.h>

#include "base/draft.h"
#include "bind/multipart.h"
#include "bind/request_body.h"
#include "http/exchange.h"
#include "net/buffer.h"

const char tg_part_class[] = "tidegate.part";

static const char draft_class[] = "tidegate.draft";

enum { PARTS = 1, FIELDS, TEXT }; /* uservalues; TEXT is false once taken */

struct part {
    struct tg_handle handle;
    lua_Integer number;
};

/* --- its fields --- */

static void push_lower(lua_State *L, const char *text, size_t len)
{
    luaL_Buffer lower;
    char *room = luaL_buffinitsize(L, &lower, len);
    size_t i;

    for (i = 0; i < len; i++)
        room[i] =
            'A' <= text[i] && text[i] <= 'Z' ? (char)(text[i] | 32) : text[i];
    luaL_pushresultsize(&lower, len);
}

/* The first field of a name counts. */
static void push_headers(lua_State *L, const char *head,
                         const struct tg_field *fields, unsigned count)
{
    lua_createtable(L, 0, (int)count);
    while (count-- > 0) {
        push_lower(L, head + fields[count].name.at, fields[count].name.len);
        lua_pushlstring(L, head + fields[count].value.at,
                        fields[count].value.len);
        lua_rawset(L, -3);
    }
}

static void push_plain(lua_State *L, const char *text, size_t len)
{
    luaL_Buffer plain;
    char *room = luaL_buffinitsize(L, &plain, len);

    luaL_pushresultsize(&plain, tg_multipart_unescape(text, len, room));
}

/* Of the filename on top of the stack. */
static void push_safe_name(lua_State *L)
{
    size_t len;
    const char *filename = lua_tolstring(L, -1, &len);
    luaL_Buffer safe;
    char *room = luaL_buffinitsize(L, &safe, len);

    luaL_pushresultsize(&safe, tg_multipart_safe_name(filename, len, room));
    if (lua_rawlen(L, -1) == 0) {
        lua_pop(L, 1);
        lua_pushnil(L);
    }
}

/* The step's bytes may go as soon as Lua runs: they are copied first. */
static void push_fields(lua_State *L, const struct tg_multipart_step *given)
{
    struct tg_multipart_step step = *given;
    struct tg_field fields[TG_MULTIPART_FIELDS];

    memcpy(fields, step.fields, step.nfields * sizeof(*fields));
    step.at = lua_pushlstring(L, step.at, step.len);
    lua_createtable(L, 0, 5);
    push_plain(L, step.at + step.name.at, step.name.len);
    lua_setfield(L, -2, "name");
    if (step.has_filename) {
        push_plain(L, step.at + step.filename.at, step.filename.len);
        push_safe_name(L);
        lua_setfield(L, -3, "safe_name");
        lua_setfield(L, -2, "filename");
    }
    if (step.has_type)
        lua_pushlstring(L, step.at + step.type.at, step.type.len);
    else
        lua_pushliteral(L, "text/plain"); /* RFC 7578, 4.4 */
    lua_setfield(L, -2, "type");
    push_headers(L, step.at, fields, step.nfields);
    lua_setfield(L, -2, "headers");
    lua_remove(L, -2);
}

void tg_part_push(lua_State *L, struct tg_exchange *x,
                  const struct tg_multipart_step *step)
{
    struct tg_parts *parts = lua_touserdata(L, 1);
    lua_Integer number = parts->number;
    struct part *part;

    push_fields(L, step);
    part = tg_bind_push(L, tg_part_class, x, sizeof(*part), TEXT);
    part->number = number;
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, PARTS);
    lua_insert(L, -2);
    lua_setiuservalue(L, -2, FIELDS);
}

/* --- its content --- */

static struct tg_parts *check_part(lua_State *L, struct tg_exchange **x)
{
    struct part *part;
    struct tg_parts *parts;

    *x = tg_parts_exchange(L, tg_part_class);
    part = lua_touserdata(L, 1);
    lua_getiuservalue(L, 1, PARTS);
    parts = lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (parts->number != part->number)
        luaL_error(L, "the next part was asked for: the content of this one "
                      "is gone");
    return parts;
}

/* Pushes the text that is kept, or nil. */
static bool push_kept(lua_State *L)
{
    if (lua_getiuservalue(L, 1, TEXT) == LUA_TBOOLEAN)
        luaL_error(L, "the part's content was taken by chunks() or save()");
    return lua_isstring(L, -1);
}

static void keep(lua_State *L)
{
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, 1, TEXT);
}

static void take(lua_State *L)
{
    lua_pushboolean(L, 0);
    lua_setiuservalue(L, 1, TEXT);
}

static int finish_text(lua_State *L, int status, lua_KContext context)
{
    struct tg_exchange *x;
    struct tg_parts *parts = check_part(L, &x);
    struct tg_buffer *gathered = tg_buffer_test(L, 2);
    struct tg_multipart_step step;
    luaL_Buffer text;
    size_t len;

    (void)status, (void)context;
    lua_settop(L, 2);
    while (parts->in_part) {
        if (!tg_parts_step(L, parts, x, &step))
            return tg_request_wait(L, x, finish_text);
        if (step.kind == TG_MULTIPART_DATA)
            tg_buffer_add(gathered, step.at, step.len);
    }
    len = tg_buffer_len(gathered);
    tg_buffer_take(gathered, luaL_buffinitsize(L, &text, len), len);
    luaL_pushresultsize(&text, len);
    keep(L);
    return 1;
}

static int part_text(lua_State *L)
{
    struct tg_exchange *x;

    lua_settop(L, 1);
    check_part(L, &x);
    if (push_kept(L))
        return 1;
    lua_settop(L, 1);
    tg_buffer_push(L);
    return finish_text(L, LUA_OK, 0);
}

static int next_chunk(lua_State *L, int status, lua_KContext context)
{
    struct tg_exchange *x;
    struct tg_parts *parts = check_part(L, &x);
    struct tg_multipart_step step;

    (void)status, (void)context;
    lua_settop(L, 1);
    while (parts->in_part) {
        if (!tg_parts_step(L, parts, x, &step))
            return tg_request_wait(L, x, next_chunk);
        if (step.kind == TG_MULTIPART_DATA) {
            lua_pushlstring(L, step.at, step.len);
            return 1;
        }
    }
    lua_pushnil(L);
    return 1;
}

static int iterate_chunks(lua_State *L)
{
    return next_chunk(L, LUA_OK, 0);
}

/* One chunk, unless it is empty, then none. */
static int iterate_text(lua_State *L)
{
    lua_settop(L, 2);
    if (!lua_isnil(L, 2) || lua_rawlen(L, 1) == 0)
        lua_pushnil(L);
    else
        lua_pushvalue(L, 1);
    return 1;
}

static int part_chunks(lua_State *L)
{
    struct tg_exchange *x;

    lua_settop(L, 1);
    check_part(L, &x);
    if (push_kept(L)) {
        lua_pushcfunction(L, iterate_text);
        lua_insert(L, -2);
        return 2;
    }
    take(L);
    lua_pushcfunction(L, iterate_chunks);
    lua_pushvalue(L, 1);
    return 2;
}

/* --- a file of it --- */

static int draft_close(lua_State *L)
{
    tg_draft_release(lua_touserdata(L, 1));
    return 0;
}

static struct tg_draft *push_draft(lua_State *L)
{
    struct tg_draft *draft = lua_newuserdatauv(L, sizeof(*draft), 0);

    *draft = TG_DRAFT_NONE;
    tg_bind_set_class(L, draft_class);
    return draft;
}

/* The path is at 2. */
static int refuse(lua_State *L, int error)
{
    return tg_bind_errno(L, lua_tostring(L, 2), error);
}

static int commit(lua_State *L, struct tg_draft *draft, uint64_t size)
{
    int error = tg_draft_commit(draft);

    if (error)
        return refuse(L, error);
    lua_pushinteger(L, (lua_Integer)size);
    return 1;
}

/* Stack: part path kept draft.  However this ends, the draft is closed. */
static int finish_save(lua_State *L, int status, lua_KContext context)
{
    struct tg_exchange *x;
    struct tg_parts *parts = check_part(L, &x);
    struct tg_draft *draft = lua_touserdata(L, 4);
    struct tg_multipart_step step;
    int error;

    (void)status, (void)context;
    lua_settop(L, 4);
    while (parts->in_part) {
        if (!tg_parts_step(L, parts, x, &step))
            return tg_request_wait(L, x, finish_save);
        if (step.kind != TG_MULTIPART_DATA)
            continue;
        error = tg_draft_write(draft, step.at, step.len);
        if (error)
            return refuse(L, error);
    }
    return commit(L, draft, parts->size);
}

static int part_save(lua_State *L)
{
    struct tg_exchange *x;
    struct tg_draft *draft;
    const char *path, *text;
    size_t len;
    int error;

    lua_settop(L, 2);
    check_part(L, &x);
    path = tg_bind_path(L, 2);
    lua_replace(L, 2);
    push_kept(L);
    draft = push_draft(L);
    lua_toclose(L, 4);
    error = tg_draft_open(draft, path);
    if (error)
        return refuse(L, error);
    if (lua_isstring(L, 3)) {
        text = lua_tolstring(L, 3, &len);
        error = tg_draft_write(draft, text, len);
        return error ? refuse(L, error) : commit(L, draft, len);
    }
    take(L);
    return finish_save(L, LUA_OK, 0);
}

/* --- the object --- */

/* Upvalue 1 has a function for each method, true for each field. */
static int part_index(lua_State *L)
{
    luaL_checkudata(L, 1, tg_part_class);
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    switch (lua_rawget(L, lua_upvalueindex(1))) {
    case LUA_TFUNCTION:
        return 1;
    case LUA_TBOOLEAN:
        lua_getiuservalue(L, 1, FIELDS);
        lua_pushvalue(L, 2);
        lua_rawget(L, -2);
        return 1;
    default:
        return luaL_error(L, "a part has no field '%s'",
                          luaL_tolstring(L, 2, NULL));
    }
}

static const luaL_Reg methods[] = {
    {"text", part_text},
    {"chunks", part_chunks},
    {"save", part_save},
    {NULL, NULL},
};

void tg_part_open(lua_State *L)
{
    static const char *const fields[] = {"name", "filename", "safe_name",
                                         "type", "headers",  NULL};
    static const luaL_Reg none[] = {{NULL, NULL}};
    static const luaL_Reg closing[] = {
        {"__gc", draft_close}, {"__close", draft_close}, {NULL, NULL}};
    int i;

    tg_bind_class(L, draft_class, none, closing);
    tg_bind_class(L, tg_part_class, methods, none);
    luaL_getmetatable(L, tg_part_class);
    lua_getfield(L, -1, "__index");
    for (i = 0; fields[i]; i++) {
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, fields[i]);
    }
    lua_pushcclosure(L, part_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}
