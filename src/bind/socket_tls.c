// SPDX-License-Identifier: MIT
/*
 *     s:start_tls([options])
 *     s.tls
 *
 * Options: verify, ca, certificate, key, alpn, server_name, minimum.  What they
 * ask for is made once for each state, and sessions are used again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bind/bind.h"
#include "bind/socket.h"
#include "net/buffer.h"
#include "net/socket.h"
#include "net/tls_session.h"
#include "net/tls_trust.h"

#define TRUST "tidegate.socket.trust"

enum { ALPN_MOST = 8, TRUSTS_MOST = 32 };

static int trust_gc(lua_State *L)
{
    struct tg_tls_trust **box = luaL_checkudata(L, 1, TRUST);

    tg_tls_trust_unref(*box);
    *box = NULL;
    return 0;
}

static int trust_name(lua_State *L)
{
    struct tg_tls_trust **box = luaL_checkudata(L, 1, TRUST);

    lua_pushfstring(L, "trust %I", (lua_Integer)tg_tls_trust_id(*box));
    return 1;
}

static void set_class(lua_State *L)
{
    if (luaL_newmetatable(L, TRUST)) {
        lua_pushcfunction(L, trust_gc);
        lua_setfield(L, -2, "__gc");
        lua_pushcfunction(L, trust_name);
        lua_setfield(L, -2, "__tostring");
        lua_pushboolean(L, 0);
        lua_setfield(L, -2, "__metatable");
    }
    lua_setmetatable(L, -2);
}

/* --- options --- */

/* Pushes what stays as long as the settings are used. */
static const char *text_of(lua_State *L, int index, const char *name,
                           bool is_path)
{
    if (lua_getfield(L, index, name) == LUA_TNIL)
        return NULL;
    if (lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, "'%s' of tls is a string, not a %s", name,
                   luaL_typename(L, -1));
    return is_path ? tg_bind_path(L, lua_gettop(L)) : lua_tostring(L, -1);
}

static void read_alpn(lua_State *L, int index, const char *list[])
{
    int i, n = 0;

    if (lua_getfield(L, index, "alpn") != LUA_TNIL) {
        luaL_argcheck(L, lua_istable(L, -1), index, "'alpn' is a list");
        n = (int)luaL_len(L, -1);
        if (n > ALPN_MOST)
            luaL_error(L, "'alpn' has more than %d names", ALPN_MOST);
    }
    luaL_checkstack(L, ALPN_MOST, NULL);
    for (i = 0; i < n; i++) {
        if (lua_rawgeti(L, -1 - i, i + 1) != LUA_TSTRING)
            luaL_error(L, "'alpn' is a list of names");
        list[i] = lua_tostring(L, -1);
    }
    list[n] = NULL;
}

static void read_options(lua_State *L, int index,
                         struct tg_tls_trust_settings *settings,
                         const char *alpn[])
{
    static const char *const names[] = {"verify",  "ca",   "certificate",
                                        "key",     "alpn", "server_name",
                                        "minimum", NULL};
    const char *minimum;

    alpn[0] = NULL;
    *settings = (struct tg_tls_trust_settings){.verify = true, .alpn = alpn};
    if (!lua_istable(L, index)) {
        luaL_argcheck(L, lua_isnoneornil(L, index) || lua_isboolean(L, index),
                      index, "tls is true or a table of options");
        return;
    }
    tg_bind_options(L, index, "tls", names);
    if (lua_getfield(L, index, "verify") != LUA_TNIL) {
        if (!lua_isboolean(L, -1))
            luaL_error(L, "'verify' of tls is true or false");
        settings->verify = lua_toboolean(L, -1);
    }
    settings->ca = text_of(L, index, "ca", true);
    settings->certificate = text_of(L, index, "certificate", true);
    settings->key = text_of(L, index, "key", true);
    minimum = text_of(L, index, "minimum", false);
    if (minimum && strcmp(minimum, "1.3") != 0 && strcmp(minimum, "1.2") != 0)
        luaL_error(L, "'minimum' of tls is '1.2' or '1.3'");
    settings->minimum = minimum && minimum[2] == '3' ? 3 : 2;
    read_alpn(L, index, alpn);
}

static void push_key(lua_State *L, const struct tg_tls_trust_settings *settings)
{
    const char *const *name;
    luaL_Buffer key;

    luaL_buffinit(L, &key);
    luaL_addchar(&key, settings->verify ? 'v' : '-');
    luaL_addchar(&key, settings->minimum == 3 ? '3' : '2');
    luaL_addstring(&key, settings->ca ? settings->ca : "");
    luaL_addchar(&key, '\0');
    luaL_addstring(&key, settings->certificate ? settings->certificate : "");
    luaL_addchar(&key, '\0');
    luaL_addstring(&key, settings->key ? settings->key : "");
    for (name = settings->alpn; *name; name++) {
        luaL_addchar(&key, '\0');
        luaL_addstring(&key, *name);
    }
    luaL_pushresult(&key);
}

/* --- trusts --- */

/* Pushes it; false: nil, message, code. */
static bool push_new_trust(lua_State *L,
                           const struct tg_tls_trust_settings *settings)
{
    struct tg_tls_trust **box = lua_newuserdatauv(L, sizeof(*box), 0);
    char *error;

    *box = NULL;
    set_class(L);
    *box = tg_tls_trust_new(settings, &error);
    if (*box)
        return true;
    lua_pushnil(L);
    lua_pushstring(L, error); /* that may raise, and loses it */
    free(error);
    lua_pushliteral(L, "tls");
    return false;
}

bool tg_socket_push_trust(lua_State *L, int index)
{
    struct tg_tls_trust_settings settings;
    const char *alpn[ALPN_MOST + 1];
    int top = lua_gettop(L), count = 0, trusts;

    read_options(L, index, &settings, alpn);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, TRUST "s");
    trusts = lua_gettop(L);
    push_key(L, &settings);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, trusts) == LUA_TNIL) {
        lua_pop(L, 1);
        if (!push_new_trust(L, &settings))
            return false;
        for (lua_pushnil(L); lua_next(L, trusts); lua_pop(L, 1))
            count++;
        if (count < TRUSTS_MOST) {
            lua_pushvalue(L, -2);
            lua_pushvalue(L, -2);
            lua_rawset(L, trusts);
        }
    }
    lua_replace(L, top + 1);
    if (lua_istable(L, index)) {
        const char *name = text_of(L, index, "server_name", false);

        if (name && (!*name || strlen(name) != lua_rawlen(L, -1)))
            luaL_error(L, "'server_name' of tls is a name or an address");
    } else
        lua_pushnil(L);
    lua_replace(L, top + 2);
    lua_settop(L, top + 2);
    return true;
}

/* --- the handshake --- */

static int go_on(lua_State *L, int status, lua_KContext context);

static int failed(lua_State *L, struct tg_socket_box *box, int error,
                  lua_KFunction next)
{
    tg_socket_failed(L, box, error);
    tg_socket_close(box);
    return next(L, LUA_OK, 0);
}

static int go_on(lua_State *L, int status, lua_KContext context)
{
    lua_KFunction next = (lua_KFunction)lua_touserdata(L, (int)context + 3);
    struct tg_socket_use *use = lua_touserdata(L, (int)context + 2);
    struct tg_socket_box *box = use->box;
    int error;

    (void)status;
    if (!box->socket) {
        tg_socket_closed(L);
        return next(L, LUA_OK, 0);
    }
    error = tg_stream_handshake(tg_socket_stream(box->socket));
    if (error == -EAGAIN && !use->is_late)
        return tg_socket_use_park(L, use, go_on, context);
    if (error == -EAGAIN) {
        tg_bind_timeout(L);
        tg_socket_close(box);
        return next(L, LUA_OK, 0);
    }
    if (error)
        return failed(L, box, error, next);
    lua_pushboolean(L, 1);
    return next(L, LUA_OK, 0);
}

int tg_socket_secure(lua_State *L, struct tg_socket_use *use, int trust,
                     lua_KFunction next)
{
    struct tg_tls_trust **box = luaL_checkudata(L, trust, TRUST);

    lua_settop(L, trust + 2);
    lua_pushlightuserdata(L, (void *)next);
    tg_stream_start_tls_client(tg_socket_stream(use->box->socket), *box,
                               lua_tostring(L, trust + 1));
    return go_on(L, LUA_OK, trust);
}

static int started(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    return lua_isnil(L, -3) ? 3 : 1;
}

static int refuse(lua_State *L, const char *message)
{
    lua_pushnil(L);
    lua_pushstring(L, message);
    lua_pushliteral(L, "tls");
    return 3;
}

int tg_socket_start_tls(lua_State *L)
{
    struct tg_socket_box *box = tg_socket_check(L);
    struct tg_socket_use *use;

    lua_settop(L, 2);
    tg_wait_check(L);
    if (!tg_socket_push_trust(L, 2)) /* 3, 4 */
        return 3;
    if (lua_isnil(L, 4)) {
        lua_getiuservalue(L, 1, 1); /* whom it has connected to */
        lua_replace(L, 4);
    }
    if (lua_isnil(L, 4))
        return luaL_error(L, "TLS needs the name of the server: server_name");
    use = lua_newuserdatauv(L, sizeof(*use), 0);
    tg_socket_use_init(use, box, false, box->timeout);
    if (!box->socket)
        return tg_socket_closed(L);
    if (box->receiver || box->sender)
        return tg_socket_busy(L, !box->receiver);
    if (tg_socket_stream(box->socket)->tls)
        return refuse(L, "it speaks TLS already");
    if (tg_buffer_len(tg_socket_in(box->socket)) > 0)
        return refuse(L, "there are bytes from before TLS: nobody vouches for "
                         "them");
    return tg_socket_secure(L, use, 3, started);
}

int tg_socket_push_tls(lua_State *L, struct tg_socket_box *box)
{
    struct tg_tls_session *tls =
        box->socket ? tg_socket_stream(box->socket)->tls : NULL;
    const struct tg_tls_client *peer;
    struct tg_tls_facts facts;

    if (!tls)
        return 0;
    tg_tls_session_describe(tls, &facts);
    lua_createtable(L, 0, 5);
    lua_pushstring(L, facts.version);
    lua_setfield(L, -2, "version");
    lua_pushstring(L, facts.cipher);
    lua_setfield(L, -2, "cipher");
    lua_pushstring(L, facts.protocol);
    lua_setfield(L, -2, "alpn");
    lua_pushboolean(L, facts.resumed);
    lua_setfield(L, -2, "resumed");
    peer = tg_tls_session_client(tls);
    if (peer) {
        lua_pushstring(L, peer->subject);
        lua_setfield(L, -2, "subject");
        lua_pushstring(L, peer->fingerprint);
        lua_setfield(L, -2, "fingerprint");
    }
    return 1;
}
