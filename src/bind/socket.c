// SPDX-License-Identifier: MIT
/*
 * tidegate.core.socket -- connections to anybody.
 *
 *     socket.connect(host, port [, options])    socket_connect.c
 *     s:read(what [, options])                  socket_read.c
 *     s:read_until(text [, options])
 *     s:write(data, ...)                        socket_write.c
 *     s:start_tls([options])  s.tls             socket_tls.c
 *     s:shutdown("write")                       nothing more is sent
 *     s:timeout([seconds])                      of each operation; false: none
 *     s:close()
 *     s.remote  s.buffered
 *
 * Functions that wait return nil, message, code when the world fails.  A socket
 * belongs to its generation, and is closed with it.
 */
#include <string.h>

#include "base/address.h"
#include "bind/bind.h"
#include "bind/socket.h"
#include "net/buffer.h"
#include "net/socket.h"
#include "script/state.h"

/* What it has connected to is its uservalue. */
static void close_open(struct tg_open *open)
{
    tg_socket_close((struct tg_socket_box *)open);
}

struct tg_socket_box *tg_socket_push(lua_State *L)
{
    struct tg_socket_box *box = lua_newuserdatauv(L, sizeof(*box), 1);

    memset(box, 0, sizeof(*box));
    tg_list_init(&box->open.link);
    box->open.close = close_open;
    luaL_setmetatable(L, TG_SOCKET);
    return box;
}

void tg_socket_open(lua_State *L, struct tg_socket_box *box, int fd)
{
    struct tg_app *app = tg_state_of(L)->host;

    box->socket = tg_socket_new(app->loop, fd);
    tg_list_append(&app->open, &box->open.link);
}

struct tg_socket_box *tg_socket_check(lua_State *L)
{
    return luaL_checkudata(L, 1, TG_SOCKET);
}

static int socket_close(lua_State *L)
{
    struct tg_socket_box *box = tg_socket_check(L);

    lua_pushboolean(L, box->socket != NULL);
    tg_socket_close(box);
    return 1;
}

static int socket_gc(lua_State *L)
{
    tg_socket_close(tg_socket_check(L));
    return 0;
}

static int socket_shutdown(lua_State *L)
{
    static const char *const ways[] = {"write", NULL};
    struct tg_socket_box *box = tg_socket_check(L);

    luaL_checkoption(L, 2, NULL, ways);
    if (!box->socket)
        return tg_socket_closed(L);
    if (box->sender)
        return tg_socket_busy(L, true);
    tg_stream_end(tg_socket_stream(box->socket));
    lua_pushboolean(L, 1);
    return 1;
}

static int socket_timeout(lua_State *L)
{
    struct tg_socket_box *box = tg_socket_check(L);

    if (lua_isboolean(L, 2) && !lua_toboolean(L, 2))
        box->timeout = -1;
    else if (!lua_isnoneornil(L, 2))
        box->timeout = tg_bind_seconds(L, 2);
    if (box->timeout < 0)
        lua_pushboolean(L, 0);
    else
        lua_pushnumber(L, box->timeout);
    return 1;
}

static int push_remote(lua_State *L, struct tg_socket_box *box)
{
    struct tg_address address;
    char text[TG_ADDRESS_TEXT];

    if (!box->socket)
        return 0;
    tg_socket_peer(box->socket, &address);
    tg_address_format(&address, text);
    lua_createtable(L, 0, 2);
    if (!*text)
        return 1;
    lua_pushstring(L, text);
    lua_setfield(L, -2, "address");
    lua_pushinteger(L, address.port);
    lua_setfield(L, -2, "port");
    return 1;
}

static int socket_index(lua_State *L)
{
    struct tg_socket_box *box = tg_socket_check(L);
    const char *key = luaL_checkstring(L, 2);

    if (strcmp(key, "remote") == 0)
        return push_remote(L, box);
    if (strcmp(key, "tls") == 0)
        return tg_socket_push_tls(L, box);
    if (strcmp(key, "buffered") == 0)
        lua_pushinteger(L, box->socket ? (lua_Integer)tg_buffer_len(
                                             tg_socket_in(box->socket))
                                       : 0);
    else
        lua_getfield(L, lua_upvalueindex(1), key);
    return 1;
}

static const luaL_Reg methods[] = {
    {"read", tg_socket_read},      {"read_until", tg_socket_read_until},
    {"write", tg_socket_write},    {"start_tls", tg_socket_start_tls},
    {"shutdown", socket_shutdown}, {"timeout", socket_timeout},
    {"close", socket_close},       {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__close", socket_gc},
    {"__gc", socket_gc},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"connect", tg_socket_connect},
    {NULL, NULL},
};

int luaopen_tidegate_core_socket(lua_State *L);

int luaopen_tidegate_core_socket(lua_State *L)
{
    tg_bind_class(L, TG_SOCKET, methods, metamethods);
    luaL_getmetatable(L, TG_SOCKET);
    lua_getfield(L, -1, "__index");
    lua_pushcclosure(L, socket_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
