// SPDX-License-Identifier: MIT
/* How a task waits for a socket, and what it is told when that fails. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/settings.h"
#include "bind/bind.h"
#include "bind/socket.h"
#include "net/socket.h"
#include "net/timer.h"
#include "script/state.h"

/* Before the task goes on: then nothing refers to the record. */
static void detach(struct tg_socket_use *use)
{
    struct tg_socket_box *box = use->box;

    if (use->timer)
        tg_timer_stop(use->timer);
    use->timer = NULL;
    if (use->sends) {
        box->sender = NULL;
        tg_socket_on_send(box->socket, NULL, NULL);
    } else {
        box->receiver = NULL;
        tg_socket_on_receive(box->socket, NULL, NULL);
    }
}

void tg_socket_use_cancel(struct tg_wait *wait)
{
    detach((struct tg_socket_use *)wait);
}

static void on_ready(void *arg)
{
    struct tg_socket_use *use = arg;

    detach(use);
    tg_wait_wake(&use->wait);
}

static void on_time(void *arg)
{
    struct tg_socket_use *use = arg;

    use->timer = NULL;
    use->is_late = true;
    detach(use);
    tg_wait_wake(&use->wait);
}

void tg_socket_use_init(struct tg_socket_use *use, struct tg_socket_box *box,
                        bool sends, double seconds)
{
    *use = (struct tg_socket_use){
        .wait.cancel = tg_socket_use_cancel, .box = box, .sends = sends};
    if (seconds >= 0)
        use->due = tg_clock_now() + seconds;
}

int tg_socket_use_park(lua_State *L, struct tg_socket_use *use,
                       lua_KFunction next, lua_KContext context)
{
    struct tg_socket_box *box = use->box;
    struct tg_loop *loop;
    double left = 0;

    tg_wait_check(L);
    loop = tg_bind_loop(L);
    if (use->due > 0) {
        left = use->due - tg_clock_now();
        use->timer = tg_timer_start(loop, left > 0 ? left : 0, on_time, use);
    }
    if (use->sends) {
        box->sender = use;
        tg_socket_on_send(box->socket, on_ready, use);
    } else {
        box->receiver = use;
        tg_socket_on_receive(box->socket, on_ready, use);
    }
    return tg_wait_park(L, &use->wait, next, context);
}

void tg_socket_close(struct tg_socket_box *box)
{
    struct tg_socket_use *receiver = box->receiver, *sender = box->sender;

    if (!box->socket)
        return;
    /* who goes on at once must find it closed already */
    if (receiver)
        detach(receiver);
    if (sender)
        detach(sender);
    tg_list_remove(&box->open.link);
    tg_socket_free(box->socket);
    box->socket = NULL;
    if (receiver)
        tg_wait_wake(&receiver->wait);
    if (sender)
        tg_wait_wake(&sender->wait);
}

int tg_socket_busy(lua_State *L, bool sends)
{
    lua_pushnil(L);
    if (sends)
        lua_pushliteral(L, "another task writes to this socket");
    else
        lua_pushliteral(L, "another task reads from this socket");
    lua_pushliteral(L, "busy");
    return 3;
}

int tg_socket_closed(lua_State *L)
{
    lua_pushnil(L);
    lua_pushliteral(L, "closed");
    lua_pushliteral(L, "closed");
    return 3;
}

int tg_socket_failed(lua_State *L, struct tg_socket_box *box, int error)
{
    const char *failure = tg_stream_failure(tg_socket_stream(box->socket));

    if (error == 0 || error == -EPIPE)
        return tg_socket_closed(L);
    lua_pushnil(L);
    if (error == -EPROTO) {
        lua_pushstring(L, failure ? failure : "TLS failed");
        lua_pushliteral(L, "tls");
    } else if (error == -ESHUTDOWN) {
        lua_pushliteral(L, "the connection was cut off");
        lua_pushliteral(L, "cut");
    } else if (error == -ECONNRESET) {
        lua_pushliteral(L, "the connection was reset");
        lua_pushliteral(L, "reset");
    } else {
        lua_pushstring(L, strerror(-error));
        lua_pushstring(L, strerrorname_np(-error));
    }
    return 3;
}

double tg_socket_timeout(lua_State *L, int index, double preset)
{
    if (lua_istable(L, index)) {
        int type = lua_getfield(L, index, "timeout");

        if (type == LUA_TBOOLEAN && !lua_toboolean(L, -1))
            preset = -1;
        else if (type != LUA_TNIL)
            preset = tg_bind_seconds(L, lua_gettop(L));
        lua_pop(L, 1);
    }
    return preset;
}

size_t tg_socket_most(lua_State *L)
{
    const struct tg_app *app = tg_state_of(L)->host;

    return (size_t)app->limits->memory_limit;
}
