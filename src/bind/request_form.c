// SPDX-License-Identifier: MIT
/*
 * tidegate.request, content that a form was filled in with.
 *
 *     request:form()       its values by name, as of request.query; kept, so
 *                          that asking again gives them again
 *
 * Of multipart/form-data these are the parts without a filename: files are for
 * request:multipart().
 */
#include "bind/bind.h"
#include "bind/pairs.h"
#include "bind/request_body.h"
#include "http/exchange.h"
#include "http/multipart.h"
#include "http/parameter.h"

static const char too_many[] = "too many form fields";

const char *tg_request_type(lua_State *L, struct tg_exchange *x, size_t *len)
{
    static const char name[] = "content-type";
    struct tg_headers *headers = tg_exchange_request_headers(x);
    int at = tg_headers_find(headers, name, sizeof(name) - 1, 0);
    const char *type = "";

    *len = 0;
    if (at >= 0)
        type = tg_headers_value(headers, (unsigned)at, len);
    type = lua_pushlstring(L, type, *len);
    if (at >= 0 && tg_headers_find(headers, name, sizeof(name) - 1,
                                   (unsigned)(at + 1)) >= 0)
        tg_bind_fail(L, 400, "the request has more than one content-type");
    return type;
}

static void push_name(lua_State *L, const char *text, size_t len)
{
    luaL_Buffer name;
    char *room = luaL_buffinitsize(L, &name, len);

    luaL_pushresultsize(&name, tg_multipart_unescape(text, len, room));
}

/* The content is whole, and so is each part in it. */
static void add_parts(lua_State *L, int index, struct tg_multipart *m,
                      const char *text, size_t len)
{
    struct tg_multipart_step step;
    bool is_file = false;
    int count = 0;
    ssize_t n;

    do {
        n = tg_multipart_decode(m, text, len, true, &step);
        if (n < 0)
            tg_bind_fail(L, 400,
                         tg_multipart_describe((enum tg_multipart_fault) - n));
        if (step.kind == TG_MULTIPART_PART) {
            if (++count > TG_PAIRS_MOST)
                tg_bind_fail(L, 400, too_many);
            is_file = step.has_filename;
            push_name(L, step.at + step.name.at, step.name.len);
            lua_pushliteral(L, ""); /* name value */
        } else if (step.kind == TG_MULTIPART_DATA && !is_file) {
            lua_pop(L, 1);
            lua_pushlstring(L, step.at, step.len);
        } else if (step.kind == TG_MULTIPART_PART_END) {
            if (is_file)
                lua_pop(L, 2);
            else
                tg_pairs_add(L, index, 2); /* any may be the first */
        }
        text += n;
        len -= (size_t)n;
    } while (step.kind != TG_MULTIPART_END);
}

/* Stack: request type text.  The type was checked before the text was read. */
static int finish_form(lua_State *L, int status, lua_KContext context)
{
    struct tg_multipart m;
    size_t len, type_len;
    const char *type = lua_tolstring(L, 2, &type_len);
    const char *text = lua_tolstring(L, 3, &len);

    (void)status, (void)context;
    tg_pairs_push(L, 0);
    if (tg_multipart_init(&m, type, type_len))
        add_parts(L, lua_gettop(L), &m, text, len);
    else
        tg_pairs_add_query(L, lua_gettop(L), text, len, too_many);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, 1, TG_REQUEST_FORM);
    return 1;
}

/* Leaves the content-type on the stack. */
static void check_type(lua_State *L, struct tg_exchange *x)
{
    size_t len;
    const char *type = tg_request_type(L, x, &len), *end = type + len;
    struct tg_multipart m;

    if (tg_multipart_init(&m, type, len)) {
        if (!m.delimiter_len)
            tg_bind_fail(L, 400, "the content-type has no valid boundary");
    } else if (!tg_parameter_begin(&type, end,
                                   "application/x-www-form-urlencoded")) {
        tg_bind_fail(L, 415,
                     "the content is neither application/x-www-form-urlencoded "
                     "nor multipart/form-data");
    }
}

int tg_request_form(lua_State *L)
{
    struct tg_exchange *x;

    lua_settop(L, 1);
    x = tg_bind_exchange(L, 1, tg_request_class);
    if (lua_getiuservalue(L, 1, TG_REQUEST_FORM) != LUA_TNIL)
        return 1;
    lua_settop(L, 1);
    check_type(L, x);
    tg_request_push_kept(L); /* raises here, at the caller's line */
    lua_settop(L, 2);
    lua_pushcfunction(L, tg_request_text);
    lua_pushvalue(L, 1);
    lua_callk(L, 1, 1, 0, finish_form);
    return finish_form(L, LUA_OK, 0);
}
