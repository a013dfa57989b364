// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/accept.h"

static const enum tg_coding all[] = {TG_CODING_ZSTD, TG_CODING_BROTLI,
                                     TG_CODING_GZIP};

static const char *chosen(const char *first, const char *second)
{
    struct tg_accept accept = {0};

    if (first)
        tg_accept_encoding(&accept, first, strlen(first));
    if (second)
        tg_accept_encoding(&accept, second, strlen(second));
    return tg_coding_name(tg_accept_choose(&accept, all, 3));
}

static void chooses_what_the_client_likes_best(void **state)
{
    static const struct {
        const char *value, *coding;
    } cases[] = {
        {"", "identity"},
        {"gzip", "gzip"},
        {"x-gzip", "gzip"},
        {"GZip", "gzip"},
        {"br", "br"},
        {"zstd", "zstd"},
        {"deflate", "identity"},
        {"compress, sdch", "identity"},
        {"gzip, deflate, br", "br"},
        {"gzip, deflate, br, zstd", "zstd"},
        {"gzip;q=1.0, br;q=0.9", "gzip"},
        {"br;q=0.001", "br"},
        {"gzip;q=0.500,br;q=0.5", "br"},
        {"gzip;q=0", "identity"},
        {"gzip;q=0.000, br;q=0", "identity"},
        {"*", "zstd"},
        {"*;q=0.1", "zstd"},
        {"gzip, *;q=0", "gzip"},
        {"zstd;q=0, br;q=0, *", "gzip"},
        {"*;q=0", "identity"},
        {"identity", "identity"},
        {"identity;q=0", "identity"},
        {"identity;q=0, gzip;q=0.1", "gzip"},
        {"identity;q=0.5, gzip;q=0.5", "gzip"},
        {"identity, gzip;q=0.5", "identity"},
        {"identity;q=0.5, *;q=0", "identity"},
        {"gzip;q=0.2, gzip;q=0", "identity"}, /* the last word counts */
        {" \tgzip \t;\t q=0.7 \t", "gzip"},
        {"gzip;Q=0", "identity"},
        {",, ,gzip,,", "gzip"}, /* empty elements: RFC 9110, 5.6.1.2 */
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (strcmp(cases[i].coding, chosen(cases[i].value, NULL)) != 0)
            fail_msg("'%s' is answered with %s, not with %s", cases[i].value,
                     chosen(cases[i].value, NULL), cases[i].coding);
}

static void takes_a_malformed_field_for_none(void **state)
{
    static const char *const values[] = {
        "gzip br",         "gzip;",           "gzip;q",         "gzip;q=",
        "gzip;q=2",        "gzip;q=1.001",    "gzip;q=0.1234",  "gzip;q=-1",
        "gzip;q=.5",       "gzip;q=0,5",      "gzip;q =1",      "gzip;q= 1",
        "gzip;level=1",    "gzip;q=1;q=1",    "\"gzip\"",       ";q=1",
        "gzip, br;q=\xff", "gzip;q=0.5 zstd", "gzip;q=0x1, br",
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(values) / sizeof(*values); i++)
        if (strcmp("identity", chosen(values[i], NULL)) != 0)
            fail_msg("'%s' is answered with %s", values[i],
                     chosen(values[i], NULL));
}

static void reads_several_lines_as_one_list(void **state)
{
    (void)state;
    assert_string_equal("br", chosen("gzip", "br"));
    assert_string_equal("gzip", chosen("gzip", "br;q=0.5"));
    assert_string_equal("identity", chosen("gzip", "br;q=x"));
    assert_string_equal("identity", chosen("br;q=x", "gzip"));
    assert_string_equal("identity", chosen(NULL, NULL));
}

static void chooses_among_what_is_offered(void **state)
{
    static const enum tg_coding smallest_first[] = {TG_CODING_BROTLI,
                                                    TG_CODING_ZSTD};
    struct tg_accept accept = {0};

    (void)state;
    tg_accept_encoding(&accept, "gzip, br, zstd", 14);
    assert_int_equal(TG_CODING_BROTLI,
                     tg_accept_choose(&accept, smallest_first, 2));
    assert_int_equal(TG_CODING_GZIP, tg_accept_choose(&accept, all + 2, 1));
    assert_int_equal(TG_CODING_IDENTITY, tg_accept_choose(&accept, all, 0));
}

static void knows_the_quality_of_each(void **state)
{
    struct tg_accept accept = {0};

    (void)state;
    assert_int_equal(1000, tg_accept_quality(&accept, TG_CODING_IDENTITY));
    assert_int_equal(0, tg_accept_quality(&accept, TG_CODING_GZIP));
    tg_accept_encoding(&accept, "br;q=0.25, *;q=0", 16);
    assert_int_equal(250, tg_accept_quality(&accept, TG_CODING_BROTLI));
    assert_int_equal(0, tg_accept_quality(&accept, TG_CODING_ZSTD));
    assert_int_equal(0, tg_accept_quality(&accept, TG_CODING_IDENTITY));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chooses_what_the_client_likes_best),
        cmocka_unit_test(takes_a_malformed_field_for_none),
        cmocka_unit_test(reads_several_lines_as_one_list),
        cmocka_unit_test(chooses_among_what_is_offered),
        cmocka_unit_test(knows_the_quality_of_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
