// SPDX-License-Identifier: MIT
/*
 * request.tls -- how the request came: nil in the clear, else a table.
 *
 *     .version  .cipher  .name  .resumed
 *     .client  { subject, issuer, serial, fingerprint, not_after, dns, pem }
 */
#include "bind/bind.h"
#include "http/exchange.h"
#include "net/tls_session.h"

static void set_string(lua_State *L, const char *key, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, key);
}

static void push_client(lua_State *L, const struct tg_tls_client *client)
{
    lua_Integer i;

    lua_createtable(L, 0, 7);
    set_string(L, "subject", client->subject);
    set_string(L, "issuer", client->issuer);
    set_string(L, "serial", client->serial);
    set_string(L, "fingerprint", client->fingerprint);
    set_string(L, "pem", client->pem);
    lua_pushinteger(L, (lua_Integer)client->not_after);
    lua_setfield(L, -2, "not_after");
    lua_newtable(L);
    for (i = 0; client->dns[i]; i++) {
        lua_pushstring(L, client->dns[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "dns");
}

void tg_request_push_tls(lua_State *L, struct tg_exchange *x)
{
    struct tg_tls_session *session = tg_exchange_tls(x);
    const struct tg_tls_client *client;
    struct tg_tls_facts facts;

    if (!session) {
        lua_pushnil(L);
        return;
    }
    tg_tls_session_describe(session, &facts);
    lua_createtable(L, 0, 5);
    set_string(L, "version", facts.version);
    set_string(L, "cipher", facts.cipher);
    set_string(L, "name", facts.name);
    lua_pushboolean(L, facts.resumed);
    lua_setfield(L, -2, "resumed");
    client = tg_tls_session_client(session);
    if (client) {
        push_client(L, client);
        lua_setfield(L, -2, "client");
    }
}
