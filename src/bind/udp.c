// SPDX-License-Identifier: MIT
/*
 * tidegate.core.udp -- datagrams.
 *
 *     udp()                              makes a socket
 *     u:bind(address [, port])           true; port 0 is the system's choice
 *     u:connect(address, port)           true
 *     u:send(data [, address, port])     true
 *     u:receive([options])               data, address, port; waits
 *     u:close()
 *     u.address  u.port                  its own
 *
 * All return nil, message, code when the world fails.  Addresses are no names.
 * A socket belongs to its generation, and is closed with it.
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/scratch.h"
#include "bind/app.h"
#include "bind/bind.h"
#include "net/datagram.h"
#include "net/timer.h"
#include "script/state.h"
#include "script/wait.h"

#define UDP "tidegate.udp"

struct receiving;

struct box {
    struct tg_open open;          /* while it has a socket */
    struct tg_datagram *datagram; /* NULL: not yet, or closed */
    struct receiving *receiver;   /* who waits; NULL: nobody */
    bool is_closed, is_connected;
};

struct receiving {
    struct tg_wait wait; /* first: a wait is a receiving */
    struct box *box;
    struct tg_timer *timer;
    double due; /* by tg_clock_now(); 0: never */
    bool is_late;
};

static struct box *check(lua_State *L)
{
    return luaL_checkudata(L, 1, UDP);
}

/* --- failures --- */

static int closed(lua_State *L)
{
    lua_pushnil(L);
    lua_pushliteral(L, "closed");
    lua_pushliteral(L, "closed");
    return 3;
}

static int failed(lua_State *L, int error)
{
    lua_pushnil(L);
    lua_pushstring(L, strerror(-error));
    if (error == -ECONNREFUSED)
        lua_pushliteral(L, "refused");
    else if (error == -ENETUNREACH || error == -EHOSTUNREACH)
        lua_pushliteral(L, "unreachable");
    else
        lua_pushstring(L, strerrorname_np(-error));
    return 3;
}

static int done(lua_State *L, int error)
{
    if (error)
        return failed(L, error);
    lua_pushboolean(L, 1);
    return 1;
}

/* --- waiting --- */

static void detach(struct receiving *receiving)
{
    if (receiving->timer)
        tg_timer_stop(receiving->timer);
    receiving->timer = NULL;
    receiving->box->receiver = NULL;
    tg_datagram_on_receive(receiving->box->datagram, NULL, NULL);
}

static void on_cancel(struct tg_wait *wait)
{
    detach((struct receiving *)wait);
}

static void on_ready(void *arg)
{
    struct receiving *receiving = arg;

    detach(receiving);
    tg_wait_wake(&receiving->wait);
}

static void on_time(void *arg)
{
    struct receiving *receiving = arg;

    receiving->timer = NULL;
    receiving->is_late = true;
    on_ready(receiving);
}

/* --- its life --- */

static void close_box(struct box *box)
{
    struct receiving *receiver = box->receiver;

    box->is_closed = true;
    if (!box->datagram)
        return;
    if (receiver)
        detach(receiver);
    tg_list_remove(&box->open.link);
    tg_datagram_free(box->datagram);
    box->datagram = NULL;
    if (receiver)
        tg_wait_wake(&receiver->wait);
}

static void close_open(struct tg_open *open)
{
    close_box((struct box *)open);
}

static int udp_new(lua_State *L)
{
    struct box *box;

    if (tg_state_of(L)->closing) /* nothing would finalize it */
        luaL_error(L, "no socket can be made while the Lua state is closing");
    box = lua_newuserdatauv(L, sizeof(*box), 0);
    memset(box, 0, sizeof(*box));
    tg_list_init(&box->open.link);
    box->open.close = close_open;
    luaL_setmetatable(L, UDP);
    return 1;
}

static int udp_close(lua_State *L)
{
    struct box *box = check(L);

    lua_pushboolean(L, !box->is_closed);
    close_box(box);
    return 1;
}

static int udp_gc(lua_State *L)
{
    close_box(check(L));
    return 0;
}

/* The first address says which family the socket is of. */
static int open_for(lua_State *L, struct box *box,
                    const struct tg_address *address)
{
    struct tg_app *app = tg_state_of(L)->host;
    bool is_ipv4 = tg_address_is_ipv4(address);
    int error = 0;

    if (!box->datagram) {
        error = tg_datagram_new(tg_bind_loop(L), is_ipv4, &box->datagram);
        if (!error)
            tg_list_append(&app->open, &box->open.link);
    } else if (tg_datagram_is_ipv4(box->datagram) != is_ipv4) {
        error = -EAFNOSUPPORT;
    }
    return error;
}

/* The address at `index` and the port behind it, from `least` on. */
static struct tg_address check_address(lua_State *L, int index,
                                       lua_Integer least)
{
    struct tg_address address;
    size_t len;
    const char *text = luaL_checklstring(L, index, &len);
    lua_Integer port = least > 0 ? luaL_checkinteger(L, index + 1)
                                 : luaL_optinteger(L, index + 1, 0);

    luaL_argcheck(L, tg_address_parse(&address, text, len), index,
                  "not an address");
    luaL_argcheck(L, least <= port && port <= 65535, index + 1, "not a port");
    address.port = (uint16_t)port;
    return address;
}

static int udp_bind(lua_State *L)
{
    struct box *box = check(L);
    struct tg_address address = check_address(L, 2, 0);
    int error;

    if (box->is_closed)
        return closed(L);
    error = open_for(L, box, &address);
    return done(L, error ? error : tg_datagram_bind(box->datagram, &address));
}

static int udp_connect(lua_State *L)
{
    struct box *box = check(L);
    struct tg_address address = check_address(L, 2, 1);
    int error;

    if (box->is_closed)
        return closed(L);
    error = open_for(L, box, &address);
    if (!error)
        error = tg_datagram_connect(box->datagram, &address);
    box->is_connected = box->is_connected || !error;
    return done(L, error);
}

static int udp_send(lua_State *L)
{
    struct box *box = check(L);
    struct tg_address to;
    size_t len;
    const char *data = luaL_checklstring(L, 2, &len);
    int error;

    if (box->is_closed)
        return closed(L);
    if (lua_isnoneornil(L, 3)) {
        if (!box->is_connected)
            return luaL_error(L, "to whom? it is not connected");
        return done(L, tg_datagram_send(box->datagram, data, len, NULL));
    }
    to = check_address(L, 3, 1);
    error = open_for(L, box, &to);
    return done(L, error ? error
                         : tg_datagram_send(box->datagram, data, len, &to));
}

static int go_on(lua_State *L, int status, lua_KContext context)
{
    static _Thread_local struct tg_scratch scratch;
    char *room = tg_scratch_room(&scratch, TG_DATAGRAM_MOST);
    struct receiving *receiving = lua_touserdata(L, 2);
    struct box *box = receiving->box;
    struct tg_loop *loop;
    struct tg_address from;
    char text[TG_ADDRESS_TEXT];
    double left;
    ssize_t n;

    (void)status, (void)context;
    if (box->is_closed)
        return closed(L);
    n = tg_datagram_receive(box->datagram, room, &from);
    if (n == -EAGAIN && receiving->is_late)
        return tg_bind_timeout(L);
    if (n == -EAGAIN) {
        tg_wait_check(L);
        loop = tg_bind_loop(L);
        if (receiving->due > 0) {
            left = receiving->due - tg_clock_now();
            receiving->timer =
                tg_timer_start(loop, left > 0 ? left : 0, on_time, receiving);
        }
        box->receiver = receiving;
        tg_datagram_on_receive(box->datagram, on_ready, receiving);
        return tg_wait_park(L, &receiving->wait, go_on, 0);
    }
    if (n < 0)
        return failed(L, (int)n);
    lua_pushlstring(L, room, (size_t)n);
    tg_address_format(&from, text);
    lua_pushstring(L, text);
    lua_pushinteger(L, from.port);
    return 3;
}

static int udp_receive(lua_State *L)
{
    static const char *const names[] = {"timeout", NULL};
    static const double preset = 60;
    struct box *box = check(L);
    struct receiving *receiving;
    double seconds = preset;

    lua_settop(L, 2);
    tg_bind_options(L, 2, "receive", names);
    if (lua_istable(L, 2) && lua_getfield(L, 2, "timeout") != LUA_TNIL)
        seconds = lua_isboolean(L, -1) && !lua_toboolean(L, -1)
                      ? -1
                      : tg_bind_seconds(L, -1);
    lua_settop(L, 1);
    if (box->is_closed)
        return closed(L);
    if (!box->datagram)
        return luaL_error(L, "nothing comes: it has no address yet");
    receiving = lua_newuserdatauv(L, sizeof(*receiving), 0);
    *receiving = (struct receiving){.wait.cancel = on_cancel, .box = box};
    if (seconds >= 0)
        receiving->due = tg_clock_now() + seconds;
    if (!box->receiver)
        return go_on(L, LUA_OK, 0);
    lua_pushnil(L);
    lua_pushliteral(L, "another task receives from this socket");
    lua_pushliteral(L, "busy");
    return 3;
}

static int udp_index(lua_State *L)
{
    struct box *box = check(L);
    const char *key = luaL_checkstring(L, 2);
    struct tg_address address;
    char text[TG_ADDRESS_TEXT];
    bool is_port = strcmp(key, "port") == 0;

    if (!is_port && strcmp(key, "address") != 0) {
        lua_getfield(L, lua_upvalueindex(1), key);
        return 1;
    }
    if (!box->datagram || !tg_datagram_local(box->datagram, &address))
        return 0;
    tg_address_format(&address, text);
    if (is_port)
        lua_pushinteger(L, address.port);
    else
        lua_pushstring(L, text);
    return 1;
}

static const luaL_Reg methods[] = {
    {"bind", udp_bind},       {"connect", udp_connect}, {"send", udp_send},
    {"receive", udp_receive}, {"close", udp_close},     {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__close", udp_gc},
    {"__gc", udp_gc},
    {NULL, NULL},
};

int luaopen_tidegate_core_udp(lua_State *L);

int luaopen_tidegate_core_udp(lua_State *L)
{
    tg_bind_class(L, UDP, methods, metamethods);
    luaL_getmetatable(L, UDP);
    lua_getfield(L, -1, "__index");
    lua_pushcclosure(L, udp_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    lua_pushcfunction(L, udp_new);
    return 1;
}
