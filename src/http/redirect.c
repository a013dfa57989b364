// SPDX-License-Identifier: MIT
#include "http/redirect.h"

#include <string.h>

#include "base/text.h"
#include "http/exchange.h"
#include "http/target.h"

static const char type[] = "text/plain; charset=utf-8";

/* Without its port; framing has checked what it is made of. */
static size_t host_len(const char *host, size_t len)
{
    const char *from = len && *host == '[' ? memchr(host, ']', len) : host;
    const char *colon = memchr(from, ':', len - (size_t)(from - host));

    return colon ? (size_t)(colon - host) : len;
}

void tg_redirect_answer(struct tg_exchange *x, const char *origin)
{
    static const char moved[] = "308 Permanent Redirect\n";
    static const char no_host[] = "400 Bad Request\nwhich host is meant?\n";
    const struct tg_head *head = tg_exchange_head(x);
    const char *bytes = tg_exchange_bytes(x);
    const char *host = bytes + head->host.at;
    size_t len = host_len(host, head->host.len);
    struct tg_text location = {0};
    struct tg_target parts;

    if (*origin != 'h' && len == 0) {
        tg_exchange_respond(x, 400, type, no_host, sizeof(no_host) - 1);
        return;
    }
    if (*origin != 'h') {
        tg_text_adds(&location, "https://");
        tg_text_add(&location, host, len);
    }
    tg_text_adds(&location, origin);
    tg_target_split(bytes + head->target.at, head->target.len, &parts);
    if (*parts.path == '*')
        tg_text_adds(&location, "/");
    else
        tg_text_add(&location, parts.path, parts.path_len);
    if (parts.query) {
        tg_text_adds(&location, "?");
        tg_text_add(&location, parts.query, parts.query_len);
    }
    tg_headers_add(tg_exchange_response_headers(x), "location", 8,
                   location.data, location.len);
    tg_text_release(&location);
    tg_exchange_respond(x, 308, type, moved, sizeof(moved) - 1);
}
