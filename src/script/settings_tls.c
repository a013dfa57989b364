// SPDX-License-Identifier: MIT
#include "script/settings_tls.h"

#include <string.h>

#include <lauxlib.h>

#include "base/alloc.h"
#include "base/settings.h"
#include "base/tls_settings.h"

/* A copy of a string field of the table on top, or NULL. */
static char *take_string(lua_State *L, const char *key)
{
    char *copy = NULL;

    lua_getfield(L, -1, key);
    if (lua_isstring(L, -1))
        copy = tg_strdup(lua_tostring(L, -1));
    lua_pop(L, 1);
    return copy;
}

static char *take_path(lua_State *L, const char *key, const char *root)
{
    char *path = NULL;

    lua_getfield(L, -1, key);
    if (lua_isstring(L, -1)) {
        const char *text = lua_tostring(L, -1);

        path = *text == '/' ? tg_strdup(text)
                            : tg_strf("%s/%s", root ? root : ".", text);
    }
    lua_pop(L, 1);
    return path;
}

static bool is_text(lua_State *L, const char *key, const char *text)
{
    bool is;

    lua_getfield(L, -1, key);
    is = lua_isstring(L, -1) && strcmp(lua_tostring(L, -1), text) == 0;
    lua_pop(L, 1);
    return is;
}

static void take_pairs(lua_State *L, struct tg_tls_settings *tls,
                       const char *root)
{
    lua_Integer i, count;

    lua_getfield(L, -1, "certificates");
    count = (lua_Integer)lua_rawlen(L, -1);
    for (i = 1; i <= count; i++) {
        struct tg_tls_pair *pair = tg_tls_settings_add(tls);

        lua_rawgeti(L, -1, i);
        pair->certificate = take_path(L, "certificate", root);
        pair->key = take_path(L, "key", root);
        pair->ocsp = take_path(L, "ocsp", root);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

void tg_settings_take_tls(lua_State *L, struct tg_listen *listen,
                          const char *root)
{
    listen->redirect_https = take_string(L, "redirect_https");
    if (lua_getfield(L, -1, "tls") == LUA_TTABLE) {
        struct tg_tls_settings *tls = tg_tls_settings_new();

        listen->tls = tls;
        take_pairs(L, tls, root);
        tls->client_ca = take_path(L, "client_ca", root);
        if (is_text(L, "verify", "require"))
            tls->verify = TG_TLS_VERIFY_REQUIRE;
        else if (is_text(L, "verify", "optional"))
            tls->verify = TG_TLS_VERIFY_OPTIONAL;
        if (is_text(L, "minimum", "1.3"))
            tls->minimum = 3;
    }
    lua_pop(L, 1);
}
