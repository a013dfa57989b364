// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "http/condition.h"
#include "http/framing.h"

/* The content was modified on that day at noon and has tag "a". */
#define BEFORE "Mon, 01 Jun 2026 11:59:59 GMT"
#define SAME "Mon, 01 Jun 2026 12:00:00 GMT"
#define AFTER "Mon, 01 Jun 2026 12:00:01 GMT"
enum { MODIFIED = 1780315200 };

static char bytes[4096];
static struct tg_head head;

static void parse(const char *fields)
{
    static const struct tg_head_limits limits = {8192, 65536, TG_HEAD_FIELDS};
    size_t scanned = 0;
    int len = snprintf(bytes, sizeof(bytes),
                       "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n", fields);

    if (tg_head_parse(&head, bytes, (size_t)len, &scanned, &limits) != len)
        fail_msg("not a head: %s", fields);
}

static const struct tg_validators strong = {"\"a\"", 3, MODIFIED,
                                            MODIFIED + 100};
static const struct tg_validators weak = {"W/\"a\"", 5, MODIFIED,
                                          MODIFIED + 100};
static const struct tg_validators fresh = {"\"a\"", 3, MODIFIED, MODIFIED};
static const struct tg_validators none = {NULL, 0, -1, MODIFIED};

static void weighs_conditions_in_their_order(void **state)
{
    static const struct {
        const char *fields;
        const struct tg_validators *ours;
        int status;
    } cases[] = {
        {"X: y", &strong, 0},
        {"If-Match: \"a\"", &strong, 0},
        {"If-Match: \"b\"", &strong, 412},
        {"If-Match: \"b\", \"a\"", &strong, 0},
        {"If-Match: \"b\"\r\nIf-Match: \"a\"", &strong, 0},
        {"If-Match: *", &strong, 0},
        {"If-Match: W/\"a\"", &strong, 412},
        {"If-Match: \"a\"", &weak, 412},
        {"If-Match: \"a\"", &none, 412},
        {"If-Match: *", &none, 0},
        {"If-Match: a", &strong, 412},
        {"If-Match: \"a\"\r\nIf-Unmodified-Since: " BEFORE, &strong, 0},
        {"If-Unmodified-Since: " BEFORE, &strong, 412},
        {"If-Unmodified-Since: " SAME, &strong, 0},
        {"If-Unmodified-Since: " AFTER, &strong, 0},
        {"If-Unmodified-Since: yesterday", &strong, 0},
        {"If-Unmodified-Since: " BEFORE, &none, 0},
        {"If-None-Match: \"a\"", &strong, 304},
        {"If-None-Match: W/\"a\"", &strong, 304},
        {"If-None-Match: \"a\"", &weak, 304},
        {"If-None-Match: \"b\"", &strong, 0},
        {"If-None-Match: *", &strong, 304},
        {"If-None-Match: \"b\",W/\"c\" , \"a\"", &strong, 304},
        {"If-None-Match: \"b,\\\", \"a\"", &strong, 304},
        {"If-None-Match: , \"a\"", &strong, 304},
        {"If-None-Match: \"b\"\r\nIf-None-Match: \"a\"", &strong, 304},
        {"If-None-Match: b, \"a\"", &strong, 0},
        {"If-None-Match: \"a", &strong, 0},
        {"If-None-Match: w/\"a\"", &strong, 0},
        {"If-None-Match:", &strong, 0},
        {"If-None-Match: \"b\"\r\nIf-Modified-Since: " AFTER, &strong, 0},
        {"If-Modified-Since: " BEFORE, &strong, 0},
        {"If-Modified-Since: " SAME, &strong, 304},
        {"If-Modified-Since: " AFTER, &strong, 304},
        {"If-Modified-Since: Monday, 01-Jun-26 12:00:00 GMT", &strong, 304},
        {"If-Modified-Since: Mon Jun  1 12:00:00 2026", &strong, 304},
        {"If-Modified-Since: tomorrow", &strong, 0},
        {"If-Modified-Since: " AFTER, &none, 0},
        {"If-Modified-Since: " AFTER "\r\nIf-Modified-Since: " AFTER, &strong,
         0},
        {"If-Match: \"a\"\r\nIf-None-Match: \"a\"", &strong, 304},
        {"If-Match: \"b\"\r\nIf-None-Match: \"a\"", &strong, 412},
        {"If-Unmodified-Since: " BEFORE "\r\nIf-None-Match: \"a\"", &strong,
         412},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int status;

        parse(cases[i].fields);
        status = tg_condition_weigh(&head, bytes, cases[i].ours);
        if (status != cases[i].status)
            fail_msg("%s: %d", cases[i].fields, status);
    }
}

static void lets_a_range_count_if_it_is_of_the_same(void **state)
{
    static const struct {
        const char *fields;
        const struct tg_validators *ours;
        bool counts;
    } cases[] = {
        {"X: y", &strong, true},
        {"If-Range: \"a\"", &strong, true},
        {"If-Range: \"b\"", &strong, false},
        {"If-Range: W/\"a\"", &strong, false},
        {"If-Range: \"a\"", &weak, false},
        {"If-Range: \"a\", \"b\"", &strong, false},
        {"If-Range: *", &strong, false},
        {"If-Range: " SAME, &strong, true},
        {"If-Range: " SAME, &fresh, false},
        {"If-Range: " BEFORE, &strong, false},
        {"If-Range: " AFTER, &strong, false},
        {"If-Range: " SAME, &none, false},
        {"If-Range:", &strong, false},
        {"If-Range: \"a\"\r\nIf-Range: \"a\"", &strong, false},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        parse(cases[i].fields);
        if (tg_condition_lets_range(&head, bytes, cases[i].ours) !=
            cases[i].counts)
            fail_msg("%s", cases[i].fields);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weighs_conditions_in_their_order),
        cmocka_unit_test(lets_a_range_count_if_it_is_of_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
