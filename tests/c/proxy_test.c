// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/proxy.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define BYTES(literal) literal, sizeof(literal) - 1
#define ENDS4 "\300\0\2\1\300\0\2\2\x30\x39\0\x50"
#define IP6 "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0"
#define ENDS6 IP6 "\1" IP6 "\2\xff\xff\0\x50"

/* A copy of exact size, so that a read past the end is seen. */
static ssize_t parse(struct tg_address *client, const char *data, size_t len)
{
    char *copy = malloc(len ? len : 1);
    ssize_t n;

    memcpy(copy, data, len);
    *client = (struct tg_address){0};
    n = tg_proxy_parse(client, copy, len);
    free(copy);
    return n;
}

/* "ADDRESS PORT", "unix", "nobody" */
static void describe(const struct tg_address *client, char *room, size_t size)
{
    char text[TG_ADDRESS_TEXT];

    tg_address_format(client, text);
    if (client->kind == TG_ADDRESS_IP)
        snprintf(room, size, "%s %d", text, client->port);
    else
        snprintf(room, size, "%s",
                 client->kind == TG_ADDRESS_UNIX ? "unix" : "nobody");
}

static const struct {
    const char *data;
    size_t len;
    const char *client;
} good[] = {
    {BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 12345 80\r\n"), "192.0.2.1 12345"},
    {BYTES("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
     "255.255.255.255 65535"},
    {BYTES("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n"), "0.0.0.0 0"},
    {BYTES("PROXY TCP6 2001:db8::1 ::1 1 80\r\n"), "2001:db8::1 1"},
    {BYTES("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
           "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535"},
    {BYTES("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 80\r\n"), "192.0.2.1 1"},
    {BYTES("PROXY UNKNOWN\r\n"), "nobody"},
    {BYTES("PROXY UNKNOWN any thing 1 2 3\r\n"), "nobody"},
    {BYTES("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
           "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
     "nobody"}, /* 107 bytes */
    {BYTES(SIGNATURE "\x21\x11\0\x0c" ENDS4), "192.0.2.1 12345"},
    {BYTES(SIGNATURE "\x21\x21\0\x24" ENDS6), "2001:db8::1 65535"},
    {BYTES(SIGNATURE "\x21\x12\0\x0c" ENDS4), "nobody"}, /* a datagram */
    {BYTES(SIGNATURE "\x21\x00\0\0"), "nobody"},
    {BYTES(SIGNATURE "\x21\x00\0\3abc"), "nobody"},
    {BYTES(SIGNATURE "\x21\x01\0\0"), "nobody"},
    {BYTES(SIGNATURE "\x20\x00\0\0"), "nobody"},
    {BYTES(SIGNATURE "\x20\xff\0\3abc"), "nobody"}, /* LOCAL: all is skipped */
    {BYTES(SIGNATURE "\x20\x11\0\x0c" ENDS4), "nobody"},
    {BYTES(SIGNATURE "\x21\x11\0\x13" ENDS4 "\4\0\4abcd"), "192.0.2.1 12345"},
    {BYTES(SIGNATURE "\x21\x11\0\x0f" ENDS4 "\4\0\0"), "192.0.2.1 12345"},
    {BYTES(SIGNATURE "\x21\x11\0\x13" ENDS4 "\3\0\4\x70\xa8\xeb\x95"),
     "192.0.2.1 12345"},
};

static void reads_headers_however_they_are_cut(void **state)
{
    struct tg_address client;
    char text[64];
    size_t i, cut;

    (void)state;
    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (parse(&client, good[i].data, good[i].len) != (ssize_t)good[i].len)
            fail_msg("refused: header %zu", i);
        describe(&client, text, sizeof(text));
        assert_string_equal(text, good[i].client);
        for (cut = 0; cut < good[i].len; cut++)
            if (parse(&client, good[i].data, cut) != 0)
                fail_msg("header %zu, cut at %zu", i, cut);
    }
}

static void leaves_what_follows(void **state)
{
    struct tg_address client;

    (void)state;
    assert_int_equal(
        parse(&client, BYTES("PROXY UNKNOWN\r\nGET / HTTP/1.1\r\n")), 15);
    assert_int_equal(parse(&client, BYTES(SIGNATURE "\x21\0\0\1xGET")), 17);
}

static const struct {
    const char *data;
    size_t len;
} bad[] = {
    {BYTES("G")},
    {BYTES("GET / HTTP/1.1\r\n")},
    {BYTES("proxy UNKNOWN\r\n")},
    {BYTES(" PROXY UNKNOWN\r\n")},
    {BYTES("PROXY\r\n")},
    {BYTES("PROXY \r\n")},
    {BYTES("PROXY  UNKNOWN\r\n")},
    {BYTES("PROXY UNKNOWNS\r\n")},
    {BYTES("PROXY UNKNOWN\n")},
    {BYTES("PROXY UNKNOWN \t\r\n")},
    {BYTES("PROXY UNKNOWN a\rb\r\n")},
    {BYTES("PROXY UNKNOWN \xff\r\n")},
    {BYTES("PROXY TCP4\r\n")},
    {BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 12345\r\n")},
    {BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 12345 \r\n")},
    {BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 12345 80 \r\n")},
    {BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 12345 80 1\r\n")},
    {BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 12345 80\n")},
    {BYTES("PROXY TCP4  192.0.2.1 192.0.2.2 12345 80\r\n")},
    {BYTES("PROXY TCP4 192.0.2.1  192.0.2.2 12345 80\r\n")},
    {BYTES("PROXY TCP4\t192.0.2.1 192.0.2.2 12345 80\r\n")},
    {BYTES("PROXY TCP4 192.0.2.01 192.0.2.2 12345 80\r\n")},
    {BYTES("PROXY TCP4 192.0.2.256 192.0.2.2 12345 80\r\n")},
    {BYTES("PROXY TCP4 192.0.2.1 192.0.2 12345 80\r\n")},
    {BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 012345 80\r\n")},
    {BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 65536 80\r\n")},
    {BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 12345 080\r\n")},
    {BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 -1 80\r\n")},
    {BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 +1 80\r\n")},
    {BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 0x1 80\r\n")},
    {BYTES("PROXY TCP4 2001:db8::1 ::1 1 80\r\n")},
    {BYTES("PROXY TCP4 ::ffff:192.0.2.1 192.0.2.2 1 80\r\n")},
    {BYTES("PROXY TCP6 192.0.2.1 192.0.2.2 12345 80\r\n")},
    {BYTES("PROXY TCP6 2001:db8::1 192.0.2.2 12345 80\r\n")},
    {BYTES("PROXY TCP6 [2001:db8::1] [::1] 12345 80\r\n")},
    {BYTES("PROXY TCP6 fe80::1%lo ::1 12345 80\r\n")},
    {BYTES("PROXY TCP5 192.0.2.1 192.0.2.2 12345 80\r\n")},
    {BYTES("PROXY TCP4 192.0.2.1\0 192.0.2.2 12345 80\r\n")},
    {BYTES("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
           "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 655350\r\n")},
    {BYTES("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
           "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 6553500")},
    {BYTES("\r\n\r\nGET")},
    {BYTES("\r\n\r\n\0\r\nQUIT\r")},
    {BYTES(SIGNATURE "\x11")},
    {BYTES(SIGNATURE "\x31")},
    {BYTES(SIGNATURE "\x22")},
    {BYTES(SIGNATURE "\x21\x41")},
    {BYTES(SIGNATURE "\x21\x13")},
    {BYTES(SIGNATURE "\x21\x11\x0f\xf1")}, /* 4097 bytes */
    {BYTES(SIGNATURE "\x20\x11\xff\xff")},
    {BYTES(SIGNATURE "\x21\x11\0\x0b" ENDS4)},
    {BYTES(SIGNATURE "\x21\x21\0\x23" ENDS6)},
    {BYTES(SIGNATURE "\x21\x31\0\x0c" ENDS4)},
    {BYTES(SIGNATURE "\x21\x11\0\x0d" ENDS4 "\4")},
    {BYTES(SIGNATURE "\x21\x11\0\x0e" ENDS4 "\4\0")},
    {BYTES(SIGNATURE "\x21\x11\0\x0f" ENDS4 "\4\0\1")},
    {BYTES(SIGNATURE "\x21\x11\0\x13" ENDS4 "\4\0\3abcd")},
    {BYTES(SIGNATURE "\x21\x11\0\x13" ENDS4 "\3\0\4\x70\xa8\xeb\x94")},
    {BYTES(SIGNATURE "\x21\x11\0\x0f" ENDS4 "\3\0\0")},
};

static void refuses_what_is_no_header(void **state)
{
    struct tg_address client;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (parse(&client, bad[i].data, bad[i].len) != -1)
            fail_msg("accepted: %s (%zu)", bad[i].data, i);
        assert_int_equal(client.kind, TG_ADDRESS_NONE);
    }
}

static void knows_clients_on_unix_sockets(void **state)
{
    char data[16 + 216] = SIGNATURE "\x21\x31\0\xd8/run/x";
    struct tg_address client;

    (void)state;
    assert_int_equal(parse(&client, data, sizeof(data)), sizeof(data));
    assert_int_equal(client.kind, TG_ADDRESS_UNIX);
    data[15]--;
    assert_int_equal(parse(&client, data, sizeof(data)), -1);
}

static void takes_headers_up_to_its_limit(void **state)
{
    char data[TG_PROXY_SIZE] = SIGNATURE "\x21\x11\x0f\xf0" ENDS4 "\4\x0f\xe1";
    struct tg_address client;

    (void)state;
    assert_int_equal(parse(&client, data, sizeof(data)), sizeof(data));
    assert_int_equal(parse(&client, data, sizeof(data) - 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_headers_however_they_are_cut),
        cmocka_unit_test(leaves_what_follows),
        cmocka_unit_test(refuses_what_is_no_header),
        cmocka_unit_test(knows_clients_on_unix_sockets),
        cmocka_unit_test(takes_headers_up_to_its_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
