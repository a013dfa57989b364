// SPDX-License-Identifier: MIT
/*
 *     s:write(data, ...)
 *
 * Strings, or what is in buffers; true once all of it is sent, as far as the
 * system is concerned; or nil, message, code.  What a write left unsent makes
 * the next ones fail: nobody knows where the other side would go on.
 */
#include <errno.h>
#include <stdint.h>

#include "bind/bind.h"
#include "bind/socket.h"
#include "net/buffer.h"
#include "net/socket.h"

static int go_on(lua_State *L, int status, lua_KContext context)
{
    struct tg_socket_use *use = lua_touserdata(L, 2);
    struct tg_socket_box *box = use->box;
    int error;

    (void)status, (void)context;
    if (!box->socket)
        return tg_socket_closed(L);
    error = tg_socket_send(box->socket);
    if (error == -EAGAIN && use->is_late)
        return tg_bind_timeout(L);
    if (error == -EAGAIN)
        return tg_socket_use_park(L, use, go_on, 0);
    if (error)
        return tg_socket_failed(L, box, error);
    lua_pushboolean(L, 1);
    return 1;
}

static void add(lua_State *L, struct tg_buffer *out, int index)
{
    struct tg_buffer *buffer = tg_buffer_test(L, index);
    size_t len;
    const char *data;

    if (buffer) {
        tg_buffer_move(buffer, out, SIZE_MAX);
    } else {
        data = lua_tolstring(L, index, &len);
        tg_buffer_add(out, data, len);
    }
}

int tg_socket_write(lua_State *L)
{
    struct tg_socket_box *box = tg_socket_check(L);
    struct tg_socket_use *use;
    int i, top = lua_gettop(L);

    for (i = 2; i <= top; i++)
        if (!tg_buffer_test(L, i))
            luaL_checkstring(L, i);
    tg_wait_check(L);
    use = lua_newuserdatauv(L, sizeof(*use), 0);
    tg_socket_use_init(use, box, true, box->timeout);
    if (!box->socket)
        return tg_socket_closed(L);
    if (box->sender)
        return tg_socket_busy(L, true);
    if (tg_buffer_len(tg_socket_out(box->socket)) > 0) {
        lua_pushnil(L);
        lua_pushliteral(L, "an earlier write was not finished");
        lua_pushliteral(L, "broken");
        return 3;
    }
    for (i = 2; i <= top; i++)
        add(L, tg_socket_out(box->socket), i);
    lua_insert(L, 2);
    lua_settop(L, 2);
    return go_on(L, LUA_OK, 0);
}
