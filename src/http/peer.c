// SPDX-License-Identifier: MIT
#include "http/peer.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/log.h"
#include "http/connection.h"
#include "http/proxy.h"

/* Whoever is refused can try again at once, and must not fill the log. */
static void complain(struct tg_connection *c, const char *why)
{
    struct tg_server *server = c->server;
    char address[TG_ADDRESS_TEXT];

    server->refusals++;
    if (!tg_server_may_warn(&server->complained))
        return;
    tg_address_format(&c->peer.address, address);
    tg_log(TG_LOG_WARN, "closed a connection from %s: %s (%u since the start)",
           *address ? address : "a unix socket", why, server->refusals);
}

bool tg_peer_begin(struct tg_connection *c)
{
    const struct tg_trust *trust = &c->server->proxies.trust;
    struct tg_peer *peer = &c->peer;

    peer->awaits_header = c->listener->options.proxy_protocol;
    if (tg_trust_is_empty(trust) && !peer->awaits_header)
        return true;
    peer->is_trusted = tg_trust_has(trust, &peer->address);
    if (peer->is_trusted || !peer->awaits_header)
        return true;
    complain(c, "it is none of trusted_proxies");
    return false;
}

/* All that was peeked belongs to the header, or only its beginning. */
static bool consume(struct tg_connection *c, size_t len)
{
    char *room = c->server->scratch;

    return recv(c->stream.fd, room, len, 0) == (ssize_t)len;
}

int tg_peer_receive(struct tg_connection *c)
{
    char *room = c->server->scratch;
    struct tg_text *header = &c->pending;
    struct tg_address client = c->peer.address;
    size_t had = header->len;
    ssize_t n = recv(c->stream.fd, room, TG_PROXY_SIZE, MSG_PEEK), len;

    if (n < 0)
        return errno == EINTR ? -EAGAIN : -errno;
    if (n == 0)
        return -ECONNRESET;
    tg_text_add(header, room, (size_t)n);
    len = tg_proxy_parse(&client, header->data, header->len);
    if (len < 0) {
        complain(c, "it does not begin with a PROXY header");
        return -EPROTO;
    }
    if (!consume(c, len ? (size_t)len - had : (size_t)n))
        return -EPROTO;
    if (len == 0)
        return -EAGAIN;
    tg_text_release(header);
    c->peer.awaits_header = false;
    c->peer.address = client;
    c->peer.is_trusted = tg_trust_has(&c->server->proxies.trust, &client);
    return 0;
}
