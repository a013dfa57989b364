// SPDX-License-Identifier: MIT
/*
 * tidegate.core.dns -- what name servers know.
 *
 *     dns.resolve(name, [type] [, options])
 *         a list of addresses, or of names for "PTR", and its ttl in seconds;
 *         nil, message, code
 *
 * Types are "A", "AAAA" and "PTR".  Options are servers, search and timeout.
 */
#include <string.h>

#include "bind/bind.h"
#include "net/resolver.h"
#include "script/task.h"

enum { ADDRESSES_MOST = 32, LIST_MOST = 16, NAME_MOST = 256 };

static const double default_timeout = 10;

/* Who waits for an answer, and what of it is kept until Lua runs again. */
struct asking {
    struct tg_wait wait; /* first: a wait is an asking */
    struct tg_lookup *lookup;
    const char *code, *message; /* constant */
    unsigned ttl;
    size_t count;
    struct tg_address addresses[ADDRESSES_MOST];
    char name[NAME_MOST]; /* "": there are addresses */
};

static void cancel_asking(struct tg_wait *wait)
{
    tg_lookup_cancel(((struct asking *)wait)->lookup);
}

static void on_answer(const struct tg_answer *answer, void *arg)
{
    struct asking *asking = arg;
    size_t i;

    asking->code = answer->code;
    asking->message = answer->message;
    asking->ttl = answer->ttl;
    if (answer->name) {
        strncpy(asking->name, answer->name, NAME_MOST - 1);
    } else {
        for (i = 0; i < answer->count && i < ADDRESSES_MOST; i++)
            asking->addresses[i] = answer->addresses[i];
        asking->count = i;
    }
    tg_wait_wake(&asking->wait);
}

static int answered(lua_State *L, int status, lua_KContext context)
{
    const struct asking *asking = lua_touserdata(L, 4);
    char text[TG_ADDRESS_TEXT];
    size_t i;

    (void)status, (void)context;
    if (asking->code) {
        lua_pushnil(L);
        lua_pushfstring(L, "cannot resolve %s: %s", lua_tostring(L, 1),
                        asking->message);
        lua_pushstring(L, asking->code);
        return 3;
    }
    lua_createtable(L, asking->name[0] ? 1 : (int)asking->count, 1);
    if (asking->name[0]) {
        lua_pushstring(L, asking->name);
        lua_rawseti(L, -2, 1);
    }
    for (i = 0; i < asking->count; i++) {
        tg_address_format(&asking->addresses[i], text);
        lua_pushstring(L, text);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_pushinteger(L, asking->ttl);
    lua_setfield(L, -2, "ttl");
    return 1;
}

/* Strings of the option on top of the stack, a string or a list; they live as
 * long as the options do. */
static void read_list(lua_State *L, const char *name,
                      bool (*is_good)(const char *),
                      const char *list[LIST_MOST + 1])
{
    int n = lua_istable(L, -1) ? (int)lua_rawlen(L, -1) : 1, i;
    const char *text;

    if (n > LIST_MOST)
        luaL_error(L, "option '%s' of dns.resolve has more than %d values",
                   name, LIST_MOST);
    for (i = 0; i < n; i++) {
        if (lua_istable(L, -1))
            lua_rawgeti(L, -1, i + 1);
        else
            lua_pushvalue(L, -1);
        text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
        if (!text || strlen(text) != lua_rawlen(L, -1) || !is_good(text))
            luaL_error(L, "option '%s' of dns.resolve cannot have '%s'", name,
                       luaL_tolstring(L, -1, NULL));
        list[i] = text;
        lua_pop(L, 1);
    }
    list[i] = NULL;
}

static bool is_server(const char *text)
{
    struct tg_address address;

    return tg_address_parse_port(&address, text, 53);
}

struct options {
    const char *servers[LIST_MOST + 1], *search[LIST_MOST + 1];
    bool has_servers, has_search, searches;
    double timeout;
};

static void read_options(lua_State *L, struct options *options)
{
    static const char *const names[] = {"servers", "search", "timeout", NULL};

    *options = (struct options){.searches = true, .timeout = default_timeout};
    tg_bind_options(L, 3, "dns.resolve", names);
    if (lua_isnil(L, 3))
        return;
    if (lua_getfield(L, 3, "timeout") != LUA_TNIL)
        options->timeout = tg_bind_seconds(L, -1);
    if (lua_getfield(L, 3, "servers") != LUA_TNIL) {
        read_list(L, "servers", is_server, options->servers);
        options->has_servers = options->servers[0];
    }
    if (lua_getfield(L, 3, "search") == LUA_TBOOLEAN) {
        options->searches = lua_toboolean(L, -1);
    } else if (!lua_isnil(L, -1)) {
        read_list(L, "search", tg_resolver_is_name, options->search);
        options->has_search = true;
    }
    lua_settop(L, 3);
}

static struct tg_resolver *find_resolver(lua_State *L,
                                         const struct options *options)
{
    struct tg_loop *loop = tg_bind_loop(L);

    if (!options->has_servers && !options->has_search)
        return tg_resolver_of(loop);
    return tg_resolver_with(loop,
                            options->has_servers ? options->servers : NULL,
                            options->has_search ? options->search : NULL);
}

static int dns_resolve(lua_State *L)
{
    static const char *const types[] = {"A", "AAAA", "PTR", NULL};
    const char *name = luaL_checkstring(L, 1);
    int type = luaL_checkoption(L, 2, "A", types);
    struct options options;
    struct tg_resolver *resolver;
    struct asking *asking;

    luaL_argcheck(L, strlen(name) == lua_rawlen(L, 1), 1, "not a name");
    lua_settop(L, 3);
    read_options(L, &options);
    tg_wait_check(L);
    asking = lua_newuserdatauv(L, sizeof(*asking), 0);
    resolver = find_resolver(L, &options);
    if (!resolver) {
        lua_pushnil(L);
        lua_pushliteral(L, "too many lists of name servers are in use");
        lua_pushliteral(L, "busy");
        return 3;
    }
    memset(asking, 0, sizeof(*asking));
    asking->wait.cancel = cancel_asking;
    asking->lookup = tg_lookup_start(
        resolver, name, (enum tg_lookup_type)type, options.searches,
        options.timeout > 0 ? options.timeout : 1e-3, on_answer, asking);
    return tg_wait_park(L, &asking->wait, answered, 0);
}

static const luaL_Reg functions[] = {
    {"resolve", dns_resolve},
    {NULL, NULL},
};

int luaopen_tidegate_core_dns(lua_State *L);

int luaopen_tidegate_core_dns(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
