// SPDX-License-Identifier: MIT
#include "http/origin.h"

#include <string.h>

#include "base/settings.h"
#include "http/bytes.h"
#include "http/forwarded.h"

void tg_proxies_init(struct tg_proxies *proxies,
                     const struct tg_settings *settings)
{
    char *const *name;

    *proxies = (struct tg_proxies){.id_header = settings->request_id_header};
    for (name = settings->trusted_proxies; *name; name++)
        tg_trust_add(&proxies->trust, *name);
    for (name = settings->proxy_headers; *name; name++) {
        proxies->forwarded |= strcmp(*name, "forwarded") == 0;
        proxies->x_for |= strcmp(*name, "x-forwarded-for") == 0;
        proxies->x_proto |= strcmp(*name, "x-forwarded-proto") == 0;
        proxies->x_host |= strcmp(*name, "x-forwarded-host") == 0;
    }
}

/* The elements of all fields of a name, from the last one on. */
struct walk {
    const struct tg_head *head;
    const char *bytes, *name;
    unsigned index; /* fields that were not looked at */
    unsigned steps;
    struct tg_part list; /* what is left of a field */
    bool (*last)(struct tg_part *list, struct tg_part *element);
};

static bool step(struct walk *walk, struct tg_part *element)
{
    if (walk->steps++ == TG_ORIGIN_PROXIES)
        return false;
    for (;;) {
        const struct tg_field *field;

        if (walk->last(&walk->list, element))
            return true;
        if (walk->index == 0)
            return false;
        field = &walk->head->fields[--walk->index];
        if (tg_bytes_spell(walk->bytes + field->name.at, field->name.len,
                           walk->name))
            walk->list = (struct tg_part){walk->bytes + field->value.at,
                                          field->value.len};
    }
}

static struct walk start(const struct tg_head *head, const char *bytes,
                         const char *name)
{
    return (struct walk){.head = head,
                         .bytes = bytes,
                         .name = name,
                         .index = head->nfields,
                         .last = tg_forwarded_last_word};
}

static void take_scheme(struct tg_origin *origin, struct tg_part proto)
{
    if (tg_bytes_spell(proto.at, proto.len, "https"))
        origin->scheme = "https";
    else if (tg_bytes_spell(proto.at, proto.len, "http"))
        origin->scheme = "http";
}

static void take_host(struct tg_origin *origin, struct tg_part host,
                      const char *bytes)
{
    if (host.len && *host.at != ':' && tg_host_is_valid(host.at, host.len))
        origin->host =
            (struct tg_span){(uint32_t)(host.at - bytes), (uint32_t)host.len};
}

/* Is the walk to go on behind this address? */
static bool go_on(struct tg_origin *origin, const struct tg_proxies *proxies,
                  const struct tg_address *address)
{
    origin->client = *address;
    return tg_trust_has(&proxies->trust, address);
}

static void find_forwarded(struct tg_origin *origin,
                           const struct tg_proxies *proxies,
                           const struct tg_head *head, const char *bytes)
{
    struct walk walk = start(head, bytes, "forwarded");
    struct tg_forwarded here, outermost = {0};
    struct tg_address address;
    struct tg_part element;

    walk.last = tg_forwarded_last;
    while (step(&walk, &element) && tg_forwarded_parse(&here, element)) {
        outermost = here;
        if (!here.node.at || !tg_forwarded_node(&address, here.node) ||
            !go_on(origin, proxies, &address))
            break;
    }
    if (outermost.proto.at)
        take_scheme(origin, outermost.proto);
    if (outermost.host.at)
        take_host(origin, outermost.host, bytes);
}

static void find_x_forwarded(struct tg_origin *origin,
                             const struct tg_proxies *proxies,
                             const struct tg_head *head, const char *bytes)
{
    struct walk walk = start(head, bytes, "x-forwarded-for");
    struct tg_address address;
    struct tg_part element;

    while (proxies->x_for && step(&walk, &element) &&
           tg_forwarded_address(&address, element) &&
           go_on(origin, proxies, &address))
        ;
    walk = start(head, bytes, "x-forwarded-proto");
    if (proxies->x_proto && step(&walk, &element))
        take_scheme(origin, element);
    walk = start(head, bytes, "x-forwarded-host");
    if (proxies->x_host && step(&walk, &element))
        take_host(origin, element, bytes);
}

void tg_origin_find(struct tg_origin *origin, const struct tg_proxies *proxies,
                    const struct tg_address *peer, const struct tg_head *head,
                    const char *bytes)
{
    *origin = (struct tg_origin){.client = *peer};
    if (proxies->forwarded)
        find_forwarded(origin, proxies, head, bytes);
    else
        find_x_forwarded(origin, proxies, head, bytes);
}

bool tg_origin_last_field(const struct tg_head *head, const char *bytes,
                          const char *name, struct tg_span *value)
{
    unsigned i;

    for (i = head->nfields; i-- > 0;) {
        const struct tg_field *field = &head->fields[i];

        if (!tg_bytes_spell(bytes + field->name.at, field->name.len, name))
            continue;
        *value = field->value;
        return true;
    }
    return false;
}
