// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/date.h"

enum { NOW = 1795000000 }; /* in 2026 */

static int64_t parsed(const char *text)
{
    int64_t seconds;

    return tg_date_parse(text, strlen(text), NOW, &seconds) ? seconds : -1;
}

static void reads_three_forms(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
        {"Sun Nov  6 08:49:37 1994", 784111777},
        {"Wed Nov 16 08:49:37 1994", 784975777},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799},
        {"Thu, 29 Feb 2024 00:00:00 GMT", 1709164800},
        {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800}, /* a leap second */
        {"Saturday, 31-Dec-16 23:59:59 GMT", 1483228799},
        {"Saturday, 01-Jan-00 00:00:00 GMT", 946684800},
        {"Friday, 01-Jan-76 00:00:00 GMT", 3345062400}, /* 2076 */
        {"Saturday, 01-Jan-77 00:00:00 GMT", 220924800} /* 1977 */
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (parsed(cases[i].text) != cases[i].seconds)
            fail_msg("%s: %lld", cases[i].text,
                     (long long)parsed(cases[i].text));
}

static void refuses_all_else(void **state)
{
    static const char *const cases[] = {
        "",
        "Sun",
        "Sun,",
        "now",
        "784111777",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "sun, 06 nov 1994 08:49:37 gmt",
        "Xyz, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Xyz 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Wed, 29 Feb 2023 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 199 08:49:37 GMT",
        "Sun, -6 Nov 1994 08:49:37 GMT",
        "Sun 06-Nov-94 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  6 08:49:37 94",
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (parsed(cases[i]) != -1)
            fail_msg("%s: %lld", cases[i], (long long)parsed(cases[i]));
}

static void writes_what_it_reads(void **state)
{
    char room[TG_DATE_LEN + 1];
    int64_t seconds;

    (void)state;
    for (seconds = 0; seconds < 253402300799; seconds += 123456789) {
        tg_date_format(seconds, room);
        assert_int_equal(strlen(room), TG_DATE_LEN);
        assert_int_equal(parsed(room), seconds);
    }
    tg_date_format(-1, room);
    assert_string_equal(room, "Thu, 01 Jan 1970 00:00:00 GMT");
    tg_date_format(INT64_MAX, room);
    assert_string_equal(room, "Fri, 31 Dec 9999 23:59:59 GMT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_three_forms),
        cmocka_unit_test(refuses_all_else),
        cmocka_unit_test(writes_what_it_reads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
