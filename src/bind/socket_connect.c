// SPDX-License-Identifier: MIT
/*
 *     socket.connect(host, port [, options])
 *     socket.connect("unix:PATH" [, options])
 *     socket.connect{ host =, port =, ... }
 */
#include <string.h>

#include "base/clock.h"
#include "bind/bind.h"
#include "bind/socket.h"
#include "net/dialer.h"

enum { OPTIONS = 1, BOX, TRUST, NAME, CONNECTING };
enum { MESSAGE_MOST = 512 };

static const double connect_timeout = 10, operation_timeout = 60;

struct connecting {
    struct tg_socket_use use; /* first; its wait is the dial's, too */
    struct tg_dial *dial;
    lua_State *L; /* any of its state */
    int fd;
    char message[MESSAGE_MOST], code[32];
};

static void cancel_dial(struct tg_wait *wait)
{
    tg_dial_cancel(((struct connecting *)wait)->dial);
}

/* Nobody has the socket yet. */
static void cancel_handshake(struct tg_wait *wait)
{
    tg_socket_use_cancel(wait);
    tg_socket_close(((struct tg_socket_use *)wait)->box);
}

static void on_dialed(int fd, const char *message, const char *code, void *arg)
{
    struct connecting *connecting = arg;

    connecting->fd = fd;
    if (fd < 0) {
        strncpy(connecting->message, message, MESSAGE_MOST - 1);
        strncpy(connecting->code, code, sizeof(connecting->code) - 1);
    } else {
        tg_socket_open(connecting->L, connecting->use.box, fd);
    }
    tg_wait_wake(&connecting->use.wait);
}

static int connected(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    if (lua_isnil(L, -3))
        return 3;
    lua_pushvalue(L, BOX);
    return 1;
}

static int dialed(lua_State *L, int status, lua_KContext context)
{
    struct connecting *connecting = lua_touserdata(L, CONNECTING);
    struct tg_socket_box *box = connecting->use.box;
    double left = -1;

    (void)status, (void)context;
    lua_settop(L, CONNECTING);
    if (connecting->fd < 0) {
        lua_pushnil(L);
        lua_pushstring(L, connecting->message);
        lua_pushstring(L, connecting->code);
        return 3;
    }
    if (!box->socket)
        return tg_socket_closed(L);
    if (lua_isnil(L, TRUST)) {
        lua_pushvalue(L, BOX);
        return 1;
    }
    if (connecting->use.due > 0) {
        left = connecting->use.due - tg_clock_now();
        left = left > 0 ? left : 0;
    }
    tg_socket_use_init(&connecting->use, box, false, left);
    connecting->use.wait.cancel = cancel_handshake;
    return tg_socket_secure(L, &connecting->use, TRUST, connected);
}

/* --- options --- */

static const char *const names[] = {"host", "port",    "unix",
                                    "tls",  "timeout", NULL};

/* Makes the options of what stands before them. */
static void gather(lua_State *L)
{
    int is_table = lua_istable(L, 1), at;
    const char *host = is_table ? NULL : luaL_checkstring(L, 1);
    bool is_unix = host && strncmp(host, "unix:", 5) == 0;

    if (is_table) {
        lua_settop(L, 1);
        return;
    }
    at = is_unix ? 2 : 3;
    lua_settop(L, at);
    if (!lua_isnil(L, at))
        luaL_checktype(L, at, LUA_TTABLE);
    lua_createtable(L, 0, 5);
    if (!lua_isnil(L, at)) {
        for (lua_pushnil(L); lua_next(L, at); lua_pop(L, 1)) {
            lua_pushvalue(L, -2);
            lua_pushvalue(L, -2);
            lua_rawset(L, -5);
        }
    }
    if (is_unix) {
        lua_pushlstring(L, host + 5, lua_rawlen(L, 1) - 5);
        lua_setfield(L, -2, "unix");
    } else {
        lua_pushvalue(L, 1);
        lua_setfield(L, -2, "host");
        luaL_checkinteger(L, 2);
        lua_pushvalue(L, 2);
        lua_setfield(L, -2, "port");
    }
    lua_replace(L, 1);
    lua_settop(L, 1);
}

/* The options keep the strings, or the stack does. */
static void read_target(lua_State *L, struct tg_dial_target *target)
{
    lua_Integer port;
    int is_integer;

    if (lua_getfield(L, OPTIONS, "unix") != LUA_TNIL) {
        target->unix_path = tg_bind_path(L, lua_gettop(L));
        return;
    }
    if (lua_getfield(L, OPTIONS, "host") != LUA_TSTRING ||
        strlen(lua_tostring(L, -1)) != lua_rawlen(L, -1) ||
        lua_rawlen(L, -1) == 0)
        luaL_error(L, "'host' is the name or the address of a server");
    target->host = lua_tostring(L, -1);
    lua_getfield(L, OPTIONS, "port");
    port = lua_tointegerx(L, -1, &is_integer);
    if (!is_integer || port < 1 || port > 65535)
        luaL_error(L, "'port' is an integer from 1 to 65535");
    target->port = (uint16_t)port;
}

/* Pushes trust and name, or nil and nil. */
static bool push_tls(lua_State *L)
{
    int type = lua_getfield(L, OPTIONS, "tls"), top = lua_gettop(L);

    if (type == LUA_TNIL || (type == LUA_TBOOLEAN && !lua_toboolean(L, -1))) {
        lua_pushnil(L);
    } else {
        if (!tg_socket_push_trust(L, top))
            return false;
        if (lua_isnil(L, -1)) {
            lua_pop(L, 1);
            lua_getfield(L, OPTIONS, "host");
        }
        if (lua_isnil(L, -1))
            luaL_error(L, "TLS needs the name of the server: server_name");
        lua_remove(L, top);
    }
    return true;
}

int tg_socket_connect(lua_State *L)
{
    struct tg_dial_target target = {0};
    struct connecting *connecting;
    struct tg_socket_box *box;
    double timeout;

    gather(L);
    tg_bind_options(L, OPTIONS, "socket.connect", names);
    timeout = tg_socket_timeout(L, OPTIONS, connect_timeout);
    tg_wait_check(L);
    box = tg_socket_push(L);
    box->timeout = operation_timeout;
    lua_getfield(L, OPTIONS, "host");
    lua_setiuservalue(L, BOX, 1);
    if (!push_tls(L))
        return 3;
    connecting = lua_newuserdatauv(L, sizeof(*connecting), 0);
    memset(connecting, 0, sizeof(*connecting));
    tg_socket_use_init(&connecting->use, box, false, timeout);
    connecting->use.wait.cancel = cancel_dial;
    connecting->L = L;
    read_target(L, &target);
    target.timeout = timeout;
    if (timeout == 0)
        target.timeout = 1e-6;
    connecting->dial =
        tg_dial_start(tg_bind_loop(L), &target, on_dialed, connecting);
    return tg_wait_park(L, &connecting->use.wait, dialed, 0);
}
