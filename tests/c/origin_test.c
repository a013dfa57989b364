// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "http/origin.h"

/* What proxies at 127.0.0.1, 10.0.0.0/8 and 2001:db8:a::/48 say, as
 * "ADDRESS PORT SCHEME HOST". */
static void find(struct tg_text *out, const char *fields, bool forwarded)
{
    struct tg_proxies proxies = {
        .forwarded = forwarded, .x_for = true, .x_proto = true, .x_host = true};
    struct tg_address peer;
    struct tg_text request = {0};
    static const struct tg_head_limits limits = {8192, 65536, 100};
    static struct tg_head head;
    struct tg_origin origin;
    char address[TG_ADDRESS_TEXT];
    size_t scanned = 0;

    tg_trust_add(&proxies.trust, "127.0.0.1");
    tg_trust_add(&proxies.trust, "10.0.0.0/8");
    tg_trust_add(&proxies.trust, "2001:db8:a::/48");
    tg_address_parse(&peer, "127.0.0.1", 9);
    tg_text_addf(&request, "GET / HTTP/1.1\r\nHost: here\r\n%s\r\n", fields);
    if (tg_head_parse(&head, request.data, request.len, &scanned, &limits) <= 0)
        fail_msg("not a head: %s", request.data);
    tg_origin_find(&origin, &proxies, &peer, &head, request.data);
    tg_address_format(&origin.client, address);
    out->len = 0;
    tg_text_addf(out, "%s %d %s %.*s", address, origin.client.port,
                 origin.scheme ? origin.scheme : "-",
                 origin.host.len ? (int)origin.host.len : 1,
                 origin.host.len ? request.data + origin.host.at : "-");
    tg_text_release(&request);
}

struct expectation {
    const char *fields, *origin;
};

static void compare(const struct expectation *list, size_t count,
                    bool forwarded)
{
    struct tg_text origin = {0};
    size_t i;

    for (i = 0; i < count; i++) {
        find(&origin, list[i].fields, forwarded);
        if (strcmp(origin.data, list[i].origin) != 0)
            fail_msg("%s gives '%s', not '%s'", list[i].fields, origin.data,
                     list[i].origin);
    }
    tg_text_release(&origin);
}

#define FOR(value) "X-Forwarded-For: " value "\r\n"
#define PROTO(value) "x-forwarded-proto: " value "\r\n"
#define HOST(value) "X-FORWARDED-HOST: " value "\r\n"

static void walks_x_forwarded_for_from_the_right(void **state)
{
    static const struct expectation list[] = {
        {"", "127.0.0.1 0 - -"},
        {FOR(""), "127.0.0.1 0 - -"},
        {FOR(" , ,"), "127.0.0.1 0 - -"},
        {FOR("192.0.2.1"), "192.0.2.1 0 - -"},
        {FOR("192.0.2.1:81"), "192.0.2.1 81 - -"},
        {FOR("2001:db8::1"), "2001:db8::1 0 - -"},
        {FOR("[2001:db8::1]"), "2001:db8::1 0 - -"},
        {FOR("[2001:db8::1]:81"), "2001:db8::1 81 - -"},
        {FOR("::ffff:192.0.2.1"), "192.0.2.1 0 - -"},
        {FOR("1.1.1.1, 192.0.2.1"), "192.0.2.1 0 - -"},
        {FOR("1.1.1.1,192.0.2.1,"), "192.0.2.1 0 - -"},
        {FOR("1.1.1.1, 192.0.2.1, 10.1.1.1"), "192.0.2.1 0 - -"},
        {FOR("1.1.1.1") FOR("192.0.2.1") FOR("10.1.1.1, 10.1.1.2"),
         "192.0.2.1 0 - -"},
        {FOR("192.0.2.1,2001:db8:a::1,::ffff:10.9.9.9"), "192.0.2.1 0 - -"},
        {FOR("10.1.1.1, 10.1.1.2"), "10.1.1.1 0 - -"},
        {FOR("192.0.2.1, unknown"), "127.0.0.1 0 - -"},
        {FOR("192.0.2.1, unknown, 10.1.1.1"), "10.1.1.1 0 - -"},
        {FOR("192.0.2.1, 10.1.1.01, 10.1.1.1"), "10.1.1.1 0 - -"},
        {FOR("\"1.1.1.1, 192.0.2.1"), "192.0.2.1 0 - -"},
        {FOR("\"192.0.2.1\""), "127.0.0.1 0 - -"},
        {FOR("192.0.2.1:"), "127.0.0.1 0 - -"},
        {FOR("192.0.2.1:65536"), "127.0.0.1 0 - -"},
        {FOR("192.0.2.1 10.0.0.1"), "127.0.0.1 0 - -"},
        {FOR("[192.0.2.1]"), "127.0.0.1 0 - -"},
        {FOR("[::1"), "127.0.0.1 0 - -"},
        {FOR("::1%lo"), "127.0.0.1 0 - -"},
        {"Forwarded: for=192.0.2.1\r\n", "127.0.0.1 0 - -"},
        {"X-Real-IP: 192.0.2.1\r\n", "127.0.0.1 0 - -"},
    };

    (void)state;
    compare(list, sizeof(list) / sizeof(list[0]), false);
}

static void takes_the_last_scheme_and_host(void **state)
{
    static const struct expectation list[] = {
        {PROTO("https"), "127.0.0.1 0 https -"},
        {PROTO("HTTPS"), "127.0.0.1 0 https -"},
        {PROTO("http"), "127.0.0.1 0 http -"},
        {PROTO("https, http"), "127.0.0.1 0 http -"},
        {PROTO("http") PROTO("https"), "127.0.0.1 0 https -"},
        {PROTO("ftp"), "127.0.0.1 0 - -"},
        {PROTO("https://"), "127.0.0.1 0 - -"},
        {PROTO("https, x"), "127.0.0.1 0 - -"},
        {HOST("shop.example"), "127.0.0.1 0 - shop.example"},
        {HOST("shop.example:8443"), "127.0.0.1 0 - shop.example:8443"},
        {HOST("[2001:db8::1]:80"), "127.0.0.1 0 - [2001:db8::1]:80"},
        {HOST("a, b"), "127.0.0.1 0 - b"},
        {HOST("a") HOST("b"), "127.0.0.1 0 - b"},
        {HOST("a/b"), "127.0.0.1 0 - -"},
        {HOST("a b"), "127.0.0.1 0 - -"},
        {HOST("u@a"), "127.0.0.1 0 - -"},
        {HOST(":80"), "127.0.0.1 0 - -"},
        {HOST("a:b"), "127.0.0.1 0 - -"},
        {HOST("\"a\""), "127.0.0.1 0 - -"},
        {FOR("192.0.2.1") PROTO("https") HOST("a"), "192.0.2.1 0 https a"},
        {FOR("unknown") PROTO("https") HOST("a"), "127.0.0.1 0 https a"},
    };

    (void)state;
    compare(list, sizeof(list) / sizeof(list[0]), false);
}

#define FWD(value) "Forwarded: " value "\r\n"

static void walks_forwarded_from_the_right(void **state)
{
    static const struct expectation list[] = {
        {FWD(""), "127.0.0.1 0 - -"},
        {FWD("for=192.0.2.1"), "192.0.2.1 0 - -"},
        {FWD("For=\"192.0.2.1:81\""), "192.0.2.1 81 - -"},
        {FWD("for=\"192.0.2.1:_x\""), "192.0.2.1 0 - -"},
        {FWD("for=\"[2001:db8::1]\""), "2001:db8::1 0 - -"},
        {FWD("for=\"[2001:db8::1]:81\""), "2001:db8::1 81 - -"},
        {FWD("for=192.0.2.1;proto=https;host=a;by=10.0.0.1"),
         "192.0.2.1 0 https a"},
        {FWD("PROTO=https; HOST=\"a:81\" ; for=192.0.2.1;"),
         "192.0.2.1 0 https a:81"},
        {FWD(";;for=192.0.2.1;;x=\"a,b;c\""), "192.0.2.1 0 - -"},
        {FWD("proto=https;host=a"), "127.0.0.1 0 https a"},
        {FWD("for=1.1.1.1;proto=https, for=192.0.2.1"), "192.0.2.1 0 - -"},
        {FWD("for=1.1.1.1") FWD("for=192.0.2.1, for=10.0.0.1"),
         "192.0.2.1 0 - -"},
        {FWD("for=192.0.2.1;proto=https;host=a, "
             "for=10.0.0.1;proto=http;host=b"),
         "192.0.2.1 0 https a"},
        {FWD("for=192.0.2.1, for=10.0.0.1;proto=https;host=b"),
         "192.0.2.1 0 - -"},
        {FWD("for=192.0.2.1, for=unknown;proto=https"), "127.0.0.1 0 https -"},
        {FWD("for=192.0.2.1, for=_hidden, for=10.0.0.1"), "10.0.0.1 0 - -"},
        {FWD("for=192.0.2.1, proto=https"), "127.0.0.1 0 https -"},
        {FWD("for=\"1.1.1.1, for=192.0.2.1"), "192.0.2.1 0 - -"},
        {FWD("\", for=192.0.2.1"), "192.0.2.1 0 - -"},
        {FWD("\\, for=\"192.0.2.1\""), "192.0.2.1 0 - -"},
        {FWD("for=1.1.1.1;x=\"\\\", for=192.0.2.1"), "192.0.2.1 0 - -"},
        {FWD("for=192.0.2.1;x=\"a, b\", for=10.0.0.1"), "192.0.2.1 0 - -"},
        {FWD("for=192.0.2.1;for=192.0.2.2"), "127.0.0.1 0 - -"},
        {FWD("for=\"192.0.2.\\1\""), "127.0.0.1 0 - -"},
        {FWD("for=192.0.2.1;x=\"\\\",\\\\\";proto=https"),
         "192.0.2.1 0 https -"},
        {FWD("for=[2001:db8::1]"), "127.0.0.1 0 - -"},
        {FWD("for=\"2001:db8::1\""), "127.0.0.1 0 - -"},
        {FWD("for=192.0.2.1:81"), "127.0.0.1 0 - -"},
        {FWD("for=192.0.2.1 proto=https"), "127.0.0.1 0 - -"},
        {FWD("for =192.0.2.1"), "127.0.0.1 0 - -"},
        {FWD("for= 192.0.2.1"), "127.0.0.1 0 - -"},
        {FWD("for=\"192.0.2.1"), "127.0.0.1 0 - -"},
        {FWD("for=\"192.0.2.1:\""), "127.0.0.1 0 - -"},
        {FWD("for=\"192.0.2.1:080\""), "127.0.0.1 0 - -"},
        {FWD("for"), "127.0.0.1 0 - -"},
        {FWD("for="), "127.0.0.1 0 - -"},
        {FWD("=192.0.2.1"), "127.0.0.1 0 - -"},
        {FWD("host=\"\";proto=\"\""), "127.0.0.1 0 - -"},
        {FWD("host=\"a/b\";proto=ftp"), "127.0.0.1 0 - -"},
        {FOR("192.0.2.1") PROTO("https") HOST("a"), "127.0.0.1 0 - -"},
    };

    (void)state;
    compare(list, sizeof(list) / sizeof(list[0]), true);
}

static void follows_no_chain_without_end(void **state)
{
    struct tg_text fields = {0}, origin = {0};
    int i;

    (void)state;
    tg_text_adds(&fields, "X-Forwarded-For: 192.0.2.1");
    for (i = 0; i < TG_ORIGIN_PROXIES; i++)
        tg_text_addf(&fields, ", 10.0.0.%d", i);
    tg_text_adds(&fields, "\r\n");
    find(&origin, fields.data, false);
    assert_string_equal(origin.data, "10.0.0.0 0 - -");
    tg_text_release(&fields);
    tg_text_release(&origin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walks_x_forwarded_for_from_the_right),
        cmocka_unit_test(takes_the_last_scheme_and_host),
        cmocka_unit_test(walks_forwarded_from_the_right),
        cmocka_unit_test(follows_no_chain_without_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
