// SPDX-License-Identifier: MIT
/* Forwarded and X-Forwarded-For: whatever a client sends, the client is who the
 * proxy in front of us has added behind it. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "http/forwarded.h"
#include "http/origin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_part(struct tg_part part, const char *text, size_t len)
{
    assert(!part.at || (part.at >= text && part.at + part.len <= text + len));
}

/* Every element lies in the text, left of the one before. */
static void take_all(const char *text, size_t len, bool words)
{
    struct tg_part list = {text, len}, element;
    struct tg_forwarded forwarded;
    struct tg_address address;
    size_t before = len;

    while (words ? tg_forwarded_last_word(&list, &element)
                 : tg_forwarded_last(&list, &element)) {
        assert(element.len > 0);
        check_part(element, text, before);
        assert(list.len < before || list.len == 0);
        before = list.len;
        tg_forwarded_address(&address, element);
        if (!tg_forwarded_parse(&forwarded, element))
            continue;
        check_part(forwarded.node, text, len);
        check_part(forwarded.host, text, len);
        check_part(forwarded.proto, text, len);
        if (forwarded.node.at)
            tg_forwarded_node(&address, forwarded.node);
    }
}

/* The field as the head has it once the proxy has added its element. */
static void find(struct tg_origin *origin, bool forwarded, const char *text,
                 size_t len, const char *added)
{
    static struct tg_head head;
    struct tg_proxies proxies = {
        .forwarded = forwarded, .x_for = true, .x_proto = true, .x_host = true};
    const char *name = forwarded ? "forwarded" : "x-forwarded-for";
    struct tg_address peer;
    struct tg_text bytes = {0};

    tg_trust_add(&proxies.trust, "10.0.0.0/8");
    tg_address_parse(&peer, "10.0.0.1", 8);
    tg_text_adds(&bytes, name);
    head.nfields = 1;
    head.fields[0].name = (struct tg_span){0, (uint32_t)bytes.len};
    head.fields[0].value.at = (uint32_t)bytes.len;
    tg_text_add(&bytes, text, len);
    tg_text_adds(&bytes, added);
    head.fields[0].value.len = (uint32_t)bytes.len - head.fields[0].value.at;
    tg_origin_find(origin, &proxies, &peer, &head, bytes.data);
    assert(origin->client.kind == TG_ADDRESS_IP);
    assert(origin->host.len == 0 ||
           (origin->host.at >= head.fields[0].value.at &&
            origin->host.at + origin->host.len <= bytes.len));
    tg_text_release(&bytes);
}

static void expect(const struct tg_origin *origin, const char *address,
                   bool https)
{
    char text[TG_ADDRESS_TEXT];

    tg_address_format(&origin->client, text);
    assert(strcmp(text, address) == 0);
    assert(https ? strcmp(origin->scheme, "https") == 0 : !origin->scheme);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size ? size : 1);
    struct tg_origin origin;

    if (size)
        memcpy(text, data, size);
    take_all(text, size, false);
    take_all(text, size, true);
    find(&origin, true, text, size, "");
    find(&origin, false, text, size, "");
    find(&origin, true, text, size, ", for=192.0.2.1");
    expect(&origin, "192.0.2.1", false);
    find(&origin, true, text, size,
         ",for=\"[2001:db8::1]:80\";proto=https, for=10.0.0.2;x=\"\\\",\\\\\"");
    expect(&origin, "2001:db8::1", true);
    find(&origin, true, text, size,
         ",for=\"[2001:db8::1]:80\";proto=https, for=\"10.0.0.2:1\";x=\",\"");
    expect(&origin, "2001:db8::1", true);
    find(&origin, false, text, size, ", 192.0.2.1, 10.0.0.2");
    expect(&origin, "192.0.2.1", false);
    free(text);
    return 0;
}
