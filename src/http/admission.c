// SPDX-License-Identifier: MIT
/*
 * Is there room for one more connection?  One that is too many is refused with
 * a response that was made beforehand: no request is read, no task begins.
 */
#include <limits.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/settings.h"
#include "http/connection.h"
#include "shared/tally.h"

enum {
    SECONDS_BETWEEN_WARNINGS = 10,
    REFUSED_MOST = 64 /* that linger at once, to read why */
};

#define REFUSAL(status, title)                                                 \
    "HTTP/1.1 " status " " title "\r\nRetry-After: 5\r\n"                      \
    "Content-Type: text/plain; charset=utf-8\r\nConnection: "                  \
    "close\r\n\r\n" status " " title "\n"

static const char busy[] = REFUSAL("503", "Service Unavailable");
static const char greedy[] = REFUSAL("429", "Too Many Requests");

static void address_of(struct tg_connection *c, char room[TG_ADDRESS_TEXT])
{
    tg_address_format(&c->peer.address, room);
}

bool tg_server_may_warn(double *last)
{
    double now = tg_clock_now();

    if (*last && now - *last < SECONDS_BETWEEN_WARNINGS)
        return false;
    *last = now;
    return true;
}

static void refuse(struct tg_connection *c, const char *response, size_t len)
{
    struct iovec piece = {(char *)(uintptr_t)response, len};

    if (c->stream.tls || /* a handshake is not cheap */
        c->server->nconnections - c->server->limits->connection_limit >
            REFUSED_MOST) {
        tg_connection_close(c);
        return;
    }
    tg_connection_send(c, &piece, 1);
    tg_connection_linger(c);
}

bool tg_connection_admit(struct tg_connection *c)
{
    struct tg_server *server = c->server;
    const struct tg_limits *limits = server->limits;

    if (server->nconnections > limits->connection_limit) {
        if (tg_server_may_warn(&server->warned))
            tg_log(TG_LOG_WARN,
                   "more than connection_limit = %ld connections on a thread: "
                   "others are refused",
                   limits->connection_limit);
        refuse(c, busy, sizeof(busy) - 1);
        return false;
    }
    return tg_connection_count(c);
}

bool tg_connection_count(struct tg_connection *c)
{
    struct tg_server *server = c->server;
    const struct tg_limits *limits = server->limits;
    char address[TG_ADDRESS_TEXT];

    if (limits->address_limit == LONG_MAX || c->peer.is_trusted)
        return true; /* a proxy connects for many */
    address_of(c, address);
    if (!*address)
        return true;
    c->counted = tg_tally_take(server->tally, address, limits->address_limit);
    if (c->counted)
        return true;
    if (tg_server_may_warn(&server->warned))
        tg_log(TG_LOG_WARN,
               "more than address_limit = %ld connections from %s: others are "
               "refused",
               limits->address_limit, address);
    refuse(c, greedy, sizeof(greedy) - 1);
    return false;
}

void tg_connection_leave(struct tg_connection *c)
{
    char address[TG_ADDRESS_TEXT];

    if (!c->counted)
        return;
    address_of(c, address);
    tg_tally_give(c->server->tally, address);
    c->counted = false;
}
