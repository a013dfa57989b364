// SPDX-License-Identifier: MIT
/*
 * tidegate.core.service -- connections of others, beside HTTP.
 *
 *     service(address, serve, most)    while files are loaded: serve(s) runs as
 *                                      a task for each connection; nil, message
 *                                      if it is no address
 *
 * `most` connections are served at once, and others wait.  A connection is
 * closed when its function has ended.
 */
#include "bind/service.h"

#include <string.h>
#include <unistd.h>

#include "base/address.h"
#include "base/alloc.h"
#include "bind/app.h"
#include "bind/bind.h"
#include "bind/socket.h"
#include "net/acceptor.h"
#include "script/state.h"

#define SLOT "tidegate.service.slot"

/* A userdata; the registry keeps it as long as the state. */
struct service {
    struct tg_list link; /* in app->services */
    struct tg_app *app;
    struct tg_address address;
    struct tg_acceptor *acceptor; /* NULL: not open */
    lua_Integer active, most;     /* connections */
    int serve;                    /* registry */
    char name[64];
};

/* --- a connection --- */

/* A place among the connections that are served at once. */
static int slot_close(lua_State *L)
{
    struct service **slot = luaL_checkudata(L, 1, SLOT);
    struct service *service = *slot;

    *slot = NULL;
    if (!service)
        return 0;
    service->active--;
    if (service->acceptor)
        tg_acceptor_resume(service->acceptor, service);
    return 0;
}

static int over(lua_State *L, int status, lua_KContext context)
{
    (void)L, (void)status, (void)context;
    return 0;
}

/* slot, socket, serve */
static int run_connection(lua_State *L)
{
    lua_toclose(L, 1);
    lua_toclose(L, 2);
    lua_pushvalue(L, 2);
    lua_callk(L, 1, 0, 0, over);
    return 0;
}

struct coming {
    struct service *service;
    int fd; /* -1: a socket has it */
};

/* Protected. */
static int begin(lua_State *L)
{
    static const double operation_timeout = 60;
    struct coming *coming = lua_touserdata(L, 1);
    struct service *service = coming->service, **slot;
    struct tg_socket_box *box;

    lua_settop(L, 0);
    lua_pushcfunction(L, run_connection);
    slot = lua_newuserdatauv(L, sizeof(struct service *), 0);
    *slot = NULL;
    luaL_setmetatable(L, SLOT);
    box = tg_socket_push(L);
    box->timeout = operation_timeout;
    lua_rawgeti(L, LUA_REGISTRYINDEX, service->serve);
    tg_socket_open(L, box, coming->fd);
    coming->fd = -1;
    *slot = service;
    if (++service->active == service->most)
        tg_acceptor_pause(service->acceptor, service);
    tg_app_spawn(service->app, L, 3, "tcp");
    return 0;
}

static void on_connection(int fd, void *arg)
{
    struct service *service = arg;
    struct coming coming = {service, fd};

    tg_state_attempt(service->app->state, begin, &coming, "tcp");
    if (coming.fd >= 0)
        close(coming.fd);
}

/* --- with its app --- */

static struct service *service_of(struct tg_list *link)
{
    return tg_list_item(link, struct service, link);
}

char *tg_services_open(struct tg_app *app)
{
    struct tg_list *link;
    int error;

    for (link = app->services.next; link != &app->services; link = link->next) {
        struct service *service = service_of(link);

        error =
            tg_acceptor_open(app->loop, &service->address, &service->acceptor);
        if (error)
            return tg_strf("cannot listen on %s: %s", service->name,
                           strerror(-error));
    }
    return NULL;
}

void tg_services_go_live(struct tg_app *app)
{
    struct tg_list *link;

    for (link = app->services.next; link != &app->services; link = link->next)
        tg_acceptor_serve(service_of(link)->acceptor, on_connection,
                          service_of(link));
}

void tg_services_close(struct tg_app *app)
{
    struct tg_list *link;

    for (link = app->services.next; link != &app->services; link = link->next) {
        struct service *service = service_of(link);

        if (service->acceptor)
            tg_acceptor_close(service->acceptor, service);
        service->acceptor = NULL;
    }
}

/* --- Lua --- */

static bool is_taken(const struct tg_app *app, const struct tg_address *address)
{
    const struct tg_list *link;

    for (link = app->services.next; link != &app->services; link = link->next) {
        const struct service *other =
            tg_list_item(link, const struct service, link);

        if (other->address.port == address->port &&
            memcmp(other->address.bytes, address->bytes, 16) == 0)
            return true;
    }
    return false;
}

static int service_new(lua_State *L)
{
    struct tg_app *app = tg_state_of(L)->host;
    const char *text = luaL_checkstring(L, 1);
    lua_Integer most = luaL_checkinteger(L, 3);
    struct tg_address address;
    struct service *service;

    luaL_checktype(L, 2, LUA_TFUNCTION);
    if (!tg_address_parse_port(&address, text, 0) || address.port == 0 ||
        strlen(text) >= sizeof(service->name)) {
        lua_pushnil(L);
        lua_pushliteral(L, "it is not ADDRESS:PORT or [ADDRESS]:PORT");
        return 2;
    }
    if (is_taken(app, &address)) {
        lua_pushnil(L);
        lua_pushliteral(L, "another file listens there");
        return 2;
    }
    service = lua_newuserdatauv(L, sizeof(*service), 0);
    memset(service, 0, sizeof(*service));
    service->app = app;
    service->address = address;
    service->most = most;
    strcpy(service->name, text);
    lua_pushvalue(L, 2);
    service->serve = luaL_ref(L, LUA_REGISTRYINDEX);
    luaL_ref(L, LUA_REGISTRYINDEX); /* the userdata, as long as the state */
    tg_list_append(&app->services, &service->link);
    lua_pushboolean(L, 1);
    return 1;
}

static const luaL_Reg no_methods[] = {
    {NULL, NULL},
};

static const luaL_Reg slot_metamethods[] = {
    {"__close", slot_close},
    {"__gc", slot_close}, /* its task did not begin */
    {NULL, NULL},
};

int luaopen_tidegate_core_service(lua_State *L);

int luaopen_tidegate_core_service(lua_State *L)
{
    tg_bind_class(L, SLOT, no_methods, slot_metamethods);
    lua_pushcfunction(L, service_new);
    return 1;
}
