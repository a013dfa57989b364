// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/trust.h"

static struct tg_address address_of(const char *text)
{
    struct tg_address address;

    if (!tg_address_parse(&address, text, strlen(text)))
        fail_msg("no address: '%s'", text);
    return address;
}

static void reads_and_writes_addresses(void **state)
{
    static const char *const pairs[][2] = {
        {"192.0.2.1", "192.0.2.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"::", "::"},
        {"::1", "::1"},
        {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
        {"2001:db8::0:1", "2001:db8::1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"::FFFF:c000:0201", "192.0.2.1"},
        {"0000:0000:0000:0000:0000:ffff:255.255.255.255", "255.255.255.255"},
    };
    char text[TG_ADDRESS_TEXT];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct tg_address address = address_of(pairs[i][0]);

        tg_address_format(&address, text);
        assert_string_equal(text, pairs[i][1]);
    }
}

static void refuses_what_is_no_address(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "01.2.3.4",
        "1.2.3.04",
        "1.2.3.4 ",
        " 1.2.3.4",
        "1.2.3.0x4",
        "1.2.3.4:80",
        "[::1]",
        "::1%lo",
        ":::",
        "1::2::3",
        "12345::",
        "1:2:3:4:5:6:7:8:9",
        "::ffff:1.2.3.256",
        "localhost",
        "1.2.3.4/32",
        "2001:db8::1/128",
        "0000:0000:0000:0000:0000:ffff:255.255.255.2555",
    };
    struct tg_address address;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (tg_address_parse(&address, texts[i], strlen(texts[i])))
            fail_msg("taken for an address: '%s'", texts[i]);
    assert_false(tg_address_parse(&address, "1.2.3.4\0x", 9));
}

static void reads_networks(void **state)
{
    static const struct {
        const char *network, *inside, *outside;
    } cases[] = {
        {"10.0.0.0/8", "10.255.0.1", "11.0.0.0"},
        {"192.0.2.128/25", "192.0.2.128", "192.0.2.127"},
        {"192.0.2.7", "192.0.2.7", "192.0.2.6"},
        {"192.0.2.7/32", "::ffff:192.0.2.7", "192.0.2.6"},
        {"0.0.0.0/0", "8.8.8.8", "2001:db8::1"},
        {"::/0", "2001:db8::1", "8.8.8.8"},
        {"::/0", "::1", "::ffff:8.8.8.8"},
        {"::ffff:10.0.0.0/104", "10.1.1.1", "11.1.1.1"},
        {"2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"},
        {"2001:db8::/33", "2001:db8:7fff::", "2001:db8:8000::"},
        {"::1", "::1", "::2"},
        {"fc00::/7", "fdff::1", "fe00::"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tg_address inside = address_of(cases[i].inside),
                          outside = address_of(cases[i].outside);
        struct tg_network network;

        if (!tg_network_parse(&network, cases[i].network,
                              strlen(cases[i].network)))
            fail_msg("no network: '%s'", cases[i].network);
        if (!tg_network_has(&network, &inside) ||
            tg_network_has(&network, &outside))
            fail_msg("'%s' is matched wrongly", cases[i].network);
    }
}

static void refuses_what_is_no_network(void **state)
{
    static const char *const texts[] = {
        "",
        "/8",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/08",
        "10.0.0.0/8/8",
        "10.0.0.0/8 ",
        "10.0.0.1/8",
        "::/129",
        "2001:db8::1/32",
        "::ffff:0:0/95",
        "10.0.0.0/4294967304",
        "10/8",
        "loopback",
    };
    struct tg_network network;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (tg_network_parse(&network, texts[i], strlen(texts[i])))
            fail_msg("taken for a network: '%s'", texts[i]);
}

static void knows_words(void **state)
{
    static const char *const members[][3] = {
        {"loopback", "127.9.9.9", "128.0.0.1"},
        {"loopback", "::1", "::2"},
        {"private", "10.1.2.3", "127.0.0.1"},
        {"private", "172.31.255.255", "172.32.0.0"},
        {"private", "192.168.9.9", "192.169.0.0"},
        {"private", "fd00::1", "fe80::1"},
        {"private", "::ffff:10.0.0.1", "::1"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        struct tg_address inside = address_of(members[i][1]),
                          outside = address_of(members[i][2]);
        struct tg_trust trust = {0};

        assert_true(tg_trust_add(&trust, members[i][0]));
        if (!tg_trust_has(&trust, &inside) || tg_trust_has(&trust, &outside))
            fail_msg("'%s' is matched wrongly", members[i][0]);
    }
}

static void trusts_nobody_by_itself(void **state)
{
    struct tg_address here = address_of("127.0.0.1"), none = {0},
                      local = {.kind = TG_ADDRESS_UNIX};
    struct tg_trust trust = {0};

    (void)state;
    assert_true(tg_trust_is_empty(&trust));
    assert_false(tg_trust_has(&trust, &here));
    assert_false(tg_trust_has(&trust, &local));
    assert_true(tg_trust_add(&trust, "0.0.0.0/0"));
    assert_true(tg_trust_add(&trust, "::/0"));
    assert_false(tg_trust_has(&trust, &local));
    assert_false(tg_trust_has(&trust, &none));
    assert_true(tg_trust_add(&trust, "unix"));
    assert_true(tg_trust_has(&trust, &local));
    assert_false(tg_trust_has(&trust, &none));
    assert_false(tg_trust_add(&trust, "everybody"));
}

static void takes_no_more_than_it_can_hold(void **state)
{
    struct tg_trust trust = {0};
    int i;

    (void)state;
    for (i = 0; i < TG_TRUST_MOST; i++)
        assert_true(tg_trust_add(&trust, "10.0.0.0/8"));
    assert_false(tg_trust_add(&trust, "10.0.0.0/8"));
    assert_false(tg_trust_add(&trust, "private"));
    assert_int_equal(trust.count, TG_TRUST_MOST);
}

static void reads_addresses_with_ports(void **state)
{
    static const struct {
        const char *text, *address;
        unsigned port;
    } good[] = {
        {"192.0.2.1", "192.0.2.1", 53},
        {"192.0.2.1:1", "192.0.2.1", 1},
        {"2001:db8::1", "2001:db8::1", 53},
        {"[2001:db8::1]:65535", "2001:db8::1", 65535},
    };
    static const char *const bad[] = {
        "",
        ":53",
        "192.0.2.1:",
        "192.0.2.1:0",
        "192.0.2.1:65536",
        "192.0.2.1:053",
        "[192.0.2.1]:53",
        "[::1]",
        "[::1]:",
        "[]:53",
        "::1:53:x",
        "[::1]53",
        "a.test:53",
        "[::1:53",
        "192.0.2.1 :53",
        "192.0.2.1:+1",
    };
    struct tg_address address;
    char text[TG_ADDRESS_TEXT];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(tg_address_parse_port(&address, good[i].text, 53));
        tg_address_format(&address, text);
        assert_string_equal(text, good[i].address);
        assert_int_equal(address.port, good[i].port);
    }
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(tg_address_parse_port(&address, bad[i], 53));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes_addresses),
        cmocka_unit_test(refuses_what_is_no_address),
        cmocka_unit_test(reads_addresses_with_ports),
        cmocka_unit_test(reads_networks),
        cmocka_unit_test(refuses_what_is_no_network),
        cmocka_unit_test(knows_words),
        cmocka_unit_test(trusts_nobody_by_itself),
        cmocka_unit_test(takes_no_more_than_it_can_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
