// SPDX-License-Identifier: MIT
/* The part of an exchange that says who asks: the connection knows, or trusted
 * proxies do. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "http/bytes.h"
#include "http/connection.h"
#include "http/exchange.h"

int tg_exchange_peer(const struct tg_exchange *x, char room[TG_ADDRESS_TEXT])
{
    tg_address_format(&x->connection->peer.socket, room);
    return x->connection->peer.socket.port;
}

/* Found when it is first asked for. */
static const struct tg_origin *origin_of(struct tg_exchange *x)
{
    struct tg_connection *c = x->connection;

    if (x->is_traced)
        return &x->origin;
    x->is_traced = true;
    x->origin = (struct tg_origin){.client = c->peer.address};
    if (c->peer.is_trusted)
        tg_origin_find(&x->origin, &c->server->proxies, &c->peer.address,
                       &x->head, x->bytes.data);
    tg_address_format(&x->origin.client, x->address);
    return &x->origin;
}

const char *tg_exchange_address(struct tg_exchange *x, int *port)
{
    *port = origin_of(x)->client.port;
    return x->address;
}

const char *tg_exchange_scheme(struct tg_exchange *x)
{
    const char *scheme =
        x->connection->peer.is_trusted ? origin_of(x)->scheme : NULL;

    if (scheme)
        return scheme;
    return x->connection->stream.tls ? "https" : "http";
}

struct tg_span tg_exchange_host(struct tg_exchange *x)
{
    struct tg_span host = {0};

    if (x->connection->peer.is_trusted)
        host = origin_of(x)->host;
    return host.len ? host : x->head.host;
}

/* --- its id --- */

/* Nothing that a log, a shell or a page could take for more than a name. */
static bool is_id(const char *at, size_t len)
{
    static const char marks[] = "-_.=+/:;@~";
    size_t i;

    if (len == 0 || len > TG_EXCHANGE_ID)
        return false;
    for (i = 0; i < len; i++) {
        char lower = (char)(at[i] | 0x20);

        if (!('0' <= at[i] && at[i] <= '9') &&
            !('a' <= lower && lower <= 'z') && !memchr(marks, at[i], 10))
            return false;
    }
    return true;
}

static bool take_id(struct tg_exchange *x)
{
    const char *name = x->connection->server->proxies.id_header;
    struct tg_span value;

    if (!name || !x->connection->peer.is_trusted ||
        !tg_origin_last_field(&x->head, x->bytes.data, name, &value) ||
        !is_id(x->bytes.data + value.at, value.len))
        return false;
    memcpy(x->id, x->bytes.data + value.at, value.len);
    x->id[value.len] = '\0';
    return true;
}

/* Random for the process, then counted: unique, and cheap to make. */
const char *tg_exchange_id(struct tg_exchange *x)
{
    static _Thread_local uint64_t seed;
    static const char hex[] = "0123456789abcdef";
    uint64_t halves[2];
    int i;

    if (x->id[0] || take_id(x))
        return x->id;
    if (!seed && getrandom(&seed, sizeof(seed), 0) < 0)
        seed = (uint64_t)(uintptr_t)x;
    halves[0] = seed;
    halves[1] = x->serial;
    for (i = 0; i < 32; i++)
        x->id[i] = hex[halves[i / 16] >> (60 - 4 * (i % 16)) & 15];
    x->id[32] = '\0';
    return x->id;
}
