// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/host_name.h"
#include "net/hosts.h"

static void reads_names(void **state)
{
    static const struct {
        const char *text, *name;
        bool is_complete;
    } cases[] = {
        {"a", "a", false},
        {"A.Example", "a.example", false},
        {"a.example.", "a.example", true},
        {"_sip._tcp.a-b.example", "_sip._tcp.a-b.example", false},
        {"1.2.0.192.in-addr.arpa", "1.2.0.192.in-addr.arpa", false},
    };
    char name[TG_HOST_NAME];
    bool is_complete;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(tg_host_name_read(cases[i].text, name, &is_complete));
        assert_string_equal(name, cases[i].name);
        assert_int_equal(is_complete, cases[i].is_complete);
    }
}

static void refuses_what_is_no_name(void **state)
{
    static const char *const texts[] = {
        "",    ".",         "..", ".a",  "a..",   "a..b",   "a b",
        "a/b", "a\xC3\xA9", "a*", "a:1", "[::1]", "a.\x01",
    };
    char name[TG_HOST_NAME];
    bool is_complete;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_false(tg_host_name_read(texts[i], name, &is_complete));
}

static void knows_how_long_names_are(void **state)
{
    char text[400], name[TG_HOST_NAME];
    bool is_complete;
    size_t i;

    (void)state;
    memset(text, 'a', sizeof(text));
    text[63] = '\0';
    assert_true(tg_host_name_read(text, name, &is_complete));
    text[63] = 'a';
    text[64] = '\0';
    assert_false(tg_host_name_read(text, name, &is_complete));
    text[64] = 'a';
    for (i = 60; i < sizeof(text); i += 60)
        text[i] = '.';
    text[253] = '\0';
    assert_true(tg_host_name_read(text, name, &is_complete));
    text[253] = '.';
    text[254] = '\0';
    assert_true(tg_host_name_read(text, name, &is_complete));
    text[253] = 'a';
    assert_false(tg_host_name_read(text, name, &is_complete));
}

static void knows_what_is_local(void **state)
{
    (void)state;
    assert_true(tg_host_name_is_local("localhost"));
    assert_true(tg_host_name_is_local("a.localhost"));
    assert_false(tg_host_name_is_local("alocalhost"));
    assert_false(tg_host_name_is_local("localhost.example"));
    assert_false(tg_host_name_is_local("host"));
}

static void reads_a_file_of_hosts(void **state)
{
    static const char text[] = "# a comment\n"
                               "192.0.2.1\tOne.test one # two\n"
                               "2001:db8::1 one\n"
                               "192.0.2.2 one\n"
                               "no-address three\n"
                               "192.0.2.3\n"
                               "192.0.2.4 bad..name four";
    char path[] = "/tmp/hosts_testXXXXXX", room[TG_ADDRESS_TEXT];
    int fd = mkstemp(path);
    struct tg_address list[4];
    struct tg_hosts *hosts;
    size_t count;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
    close(fd);
    hosts = tg_hosts_new(path);
    assert_true(tg_hosts_find(hosts, "one", true, list, 4, &count));
    assert_int_equal(count, 2);
    tg_address_format(&list[1], room);
    assert_string_equal(room, "192.0.2.2");
    assert_true(tg_hosts_find(hosts, "one", true, list, 1, &count));
    assert_int_equal(count, 1);
    assert_true(tg_hosts_find(hosts, "one", false, list, 4, &count));
    assert_int_equal(count, 1);
    assert_true(tg_hosts_find(hosts, "one.test", false, list, 4, &count));
    assert_int_equal(count, 0);
    assert_true(tg_hosts_find(hosts, "four", true, list, 4, &count));
    assert_false(tg_hosts_find(hosts, "two", true, list, 4, &count));
    assert_false(tg_hosts_find(hosts, "three", true, list, 4, &count));
    assert_true(tg_address_parse(&list[0], "192.0.2.1", 9));
    assert_string_equal(tg_hosts_name(hosts, &list[0]), "one.test");
    assert_true(tg_address_parse(&list[0], "192.0.2.3", 9));
    assert_null(tg_hosts_name(hosts, &list[0]));
    tg_hosts_free(hosts);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_names),
        cmocka_unit_test(refuses_what_is_no_name),
        cmocka_unit_test(knows_how_long_names_are),
        cmocka_unit_test(knows_what_is_local),
        cmocka_unit_test(reads_a_file_of_hosts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
