// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>

#include "http/range.h"

/* "at+len ...", "none", or "ignored" */
static const char *read(const char *value, int64_t size)
{
    static char out[2048];
    struct tg_range ranges[TG_RANGES_MOST];
    int n = tg_range_parse(value, strlen(value), size, ranges), i;
    size_t len = 0;

    if (n <= 0)
        return n ? "none" : "ignored";
    for (i = 0; i < n; i++)
        len += (size_t)snprintf(out + len, sizeof(out) - len,
                                "%s%" PRId64 "+%" PRId64, i ? " " : "",
                                ranges[i].at, ranges[i].len);
    return out;
}

static void reads_ranges(void **state)
{
    static const struct {
        const char *value;
        int64_t size;
        const char *expected;
    } cases[] = {
        {"bytes=0-0", 10, "0+1"},
        {"bytes=0-4", 10, "0+5"},
        {"bytes=5-", 10, "5+5"},
        {"bytes=9-", 10, "9+1"},
        {"bytes=-3", 10, "7+3"},
        {"bytes=-99", 10, "0+10"},
        {"bytes=0-99", 10, "0+10"},
        {"BYTES=0-4", 10, "0+5"},
        {"bytes=0-1,4-5", 10, "0+2 4+2"},
        {"bytes=4-5,0-1", 10, "4+2 0+2"},
        {"bytes= 0-1 ,\t4-5 ", 10, "0+2 4+2"},
        {"bytes=,0-1,,4-5,", 10, "0+2 4+2"},
        {"bytes=0-1,10-11", 10, "0+2"},
        {"bytes=0-1,-0", 10, "0+2"},
        {"bytes=10-", 10, "none"},
        {"bytes=10-11,20-21", 10, "none"},
        {"bytes=-0", 10, "none"},
        {"bytes=0-", 0, "none"},
        {"bytes=-5", 0, "none"},
        {"bytes=99999999999999999999999-", 10, "none"},
        {"bytes=0-99999999999999999999999", 10, "0+10"},
        {"bytes=-99999999999999999999999", 10, "0+10"},
        {"bytes=9223372036854775806-", INT64_MAX, "9223372036854775806+1"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (strcmp(read(cases[i].value, cases[i].size), cases[i].expected) != 0)
            fail_msg("%s of %d: %s", cases[i].value, (int)cases[i].size,
                     read(cases[i].value, cases[i].size));
}

static void ignores_what_is_malformed(void **state)
{
    static const char *const cases[] = {
        "",           "bytes",         "bytes=",        "bytes=,",
        "bytes=-",    "bytes=a-b",     "bytes=5-4",     "bytes=0-4x",
        "bytes=0 -4", "bytes=0- 4",    "bytes=0-4;5-6", "bytes=0-4 5-6",
        "bytes=+1-2", "bytes=0--4",    "bytes=0-4,x",   "bytes=0",
        "lines=0-4",  "bytes =0-4",    " bytes=0-4",    "bytes=0x1-2",
        "bytes=--4",  "bytes=0-1,5-4",
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (strcmp(read(cases[i], 10), "ignored") != 0)
            fail_msg("%s: %s", cases[i], read(cases[i], 10));
}

static void ignores_what_is_an_attack(void **state)
{
    char many[1024] = "bytes=0-0";
    int i;

    (void)state;
    assert_string_equal(read("bytes=0-,0-", 10), "ignored");
    assert_string_equal(read("bytes=0-5,5-9", 10), "ignored");
    for (i = 1; i < TG_RANGES_MOST; i++)
        strcat(many, ",0-0");
    assert_string_not_equal(read(many, 1000), "ignored");
    strcat(many, ",0-0");
    assert_string_equal(read(many, 1000), "ignored");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_ranges),
        cmocka_unit_test(ignores_what_is_malformed),
        cmocka_unit_test(ignores_what_is_an_attack),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
