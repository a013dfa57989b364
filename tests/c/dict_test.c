// SPDX-License-Identifier: MIT
#include <errno.h>
#include <math.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "dict_test.h"

#define KEY(text) (text), sizeof(text) - 1

enum { DEADLINE = 20 /* seconds */ };

static const struct tg_dict_number zero = {.type = TG_DICT_INTEGER};

static struct tg_dict_number integer(int64_t value)
{
    return (struct tg_dict_number){.type = TG_DICT_INTEGER, .integer = value};
}

static struct tg_dict_number real(double value)
{
    return (struct tg_dict_number){.type = TG_DICT_FLOAT, .real = value};
}

static struct tg_dict_value text_value(const char *text)
{
    return (struct tg_dict_value){text, strlen(text), TG_DICT_OPAQUE};
}

static int put(struct tg_dict *dict, const char *key, const char *text,
               double seconds)
{
    struct tg_dict_value value = text_value(text);

    return tg_dict_set(dict, key, strlen(key), &value, seconds);
}

static int put_number(struct tg_dict *dict, const char *key,
                      struct tg_dict_number number)
{
    struct tg_dict_value value = {&number.integer, sizeof(number.integer),
                                  number.type};

    return tg_dict_set(dict, key, strlen(key), &value, 0);
}

static bool is_there(struct tg_dict *dict, const char *key)
{
    unsigned char type;
    char room[1];
    size_t len = sizeof(room);

    return get_value(dict, key, strlen(key), room, &len, &type) != -ENOENT;
}

static void assert_text(struct tg_dict *dict, const char *key,
                        const char *expected)
{
    char room[64];
    size_t len = sizeof(room);
    unsigned char type;

    assert_int_equal(get_value(dict, key, strlen(key), room, &len, &type), 0);
    assert_int_equal(type, TG_DICT_OPAQUE);
    assert_int_equal(len, strlen(expected));
    assert_memory_equal(room, expected, len);
}

static int incr(struct tg_dict *dict, const char *key,
                struct tg_dict_number delta, struct tg_dict_number *sum)
{
    return tg_dict_incr(dict, key, strlen(key), &delta, &zero, 0, sum);
}

/* --- one thread --- */

static void a_name_is_one_dict(void **state)
{
    struct tg_dict *again = tg_dict_open("test");
    struct tg_dict *other = tg_dict_open("other");

    assert_ptr_equal(again, *state);
    assert_ptr_not_equal(other, *state);
    put(again, "key", "value", 0);
    assert_text(*state, "key", "value");
    assert_false(is_there(other, "key"));
    tg_dict_unref(again);
    tg_dict_unref(other);
}

static void entries_outlive_those_who_hold_the_dict(void **state)
{
    struct tg_dict *dict = tg_dict_open("kept");

    (void)state;
    put(dict, "key", "value", 0);
    tg_dict_unref(dict);
    dict = tg_dict_open("kept");
    assert_text(dict, "key", "value");
    tg_dict_flush(dict);
    tg_dict_unref(dict);
}

static void get_tells_how_much_room_it_wants(void **state)
{
    char room[8] = "";
    size_t len = 3;
    unsigned char type;

    put(*state, "key", "12345", 0);
    assert_int_equal(get_value(*state, KEY("key"), room, &len, &type), -ENOSPC);
    assert_int_equal(len, 5);
    assert_string_equal(room, "");
    assert_int_equal(get_value(*state, KEY("key"), room, &len, &type), 0);
    assert_string_equal(room, "12345");
    assert_int_equal(get_value(*state, KEY("no"), room, &len, &type), -ENOENT);
}

static void keys_are_any_bytes(void **state)
{
    static const struct {
        const char *text;
        size_t len;
    } keys[] = {
        {KEY("")},         {KEY("\0")},        {KEY("\0\0")}, {KEY("a")},
        {KEY("a\0")},      {KEY("a\0b")},      {KEY("a\0c")}, {KEY("\xff")},
        {KEY("12345678")}, {KEY("123456789")},
    };
    const size_t count = sizeof(keys) / sizeof(*keys);
    size_t i;

    for (i = 0; i < count; i++) {
        struct tg_dict_value value = {&i, sizeof(i), TG_DICT_OPAQUE};

        tg_dict_set(*state, keys[i].text, keys[i].len, &value, 0);
    }
    assert_int_equal(tg_dict_size(*state), count);
    for (i = 0; i < count; i++) {
        size_t found, len = sizeof(found);
        unsigned char type;

        assert_int_equal(
            get_value(*state, keys[i].text, keys[i].len, &found, &len, &type),
            0);
        assert_int_equal(found, i);
    }
}

static void values_may_be_empty_or_long(void **state)
{
    const size_t size = (size_t)20 * 1024 * 1024;
    char *text = calloc(1, size), *room = malloc(size);
    struct tg_dict_value value = {text, size, TG_DICT_OPAQUE + 1};
    size_t len = size;
    unsigned char type;

    memset(text, 'x', size);
    put(*state, "empty", "", 0);
    assert_text(*state, "empty", "");
    tg_dict_set(*state, KEY("long"), &value, 0);
    assert_int_equal(get_value(*state, KEY("long"), room, &len, &type), 0);
    assert_int_equal(len, size);
    assert_int_equal(type, TG_DICT_OPAQUE + 1);
    assert_memory_equal(room, text, size);
    free(text);
    free(room);
}

static void add_and_replace_look_first(void **state)
{
    struct tg_dict_value one = text_value("one"), two = text_value("two");

    assert_int_equal(tg_dict_replace(*state, KEY("key"), &one, 0), -ENOENT);
    assert_int_equal(tg_dict_add(*state, KEY("key"), &one, 0), 0);
    assert_int_equal(tg_dict_add(*state, KEY("key"), &two, 0), -EEXIST);
    assert_text(*state, "key", "one");
    assert_int_equal(tg_dict_replace(*state, KEY("key"), &two, 0), 0);
    assert_text(*state, "key", "two");
    assert_int_equal(tg_dict_size(*state), 1);
}

static void delete_tells_whether_there_was_one(void **state)
{
    put(*state, "key", "value", 0);
    assert_int_equal(tg_dict_delete(*state, KEY("key")), 0);
    assert_int_equal(tg_dict_delete(*state, KEY("key")), -ENOENT);
    assert_int_equal(tg_dict_size(*state), 0);
}

static void many_entries_are_all_found(void **state)
{
    const int count = 50000;
    char key[16];
    int i;

    for (i = 0; i < count; i++) {
        snprintf(key, sizeof(key), "%d", i);
        put_number(*state, key, integer(i));
    }
    assert_int_equal(tg_dict_size(*state), count);
    for (i = 0; i < count; i++) {
        snprintf(key, sizeof(key), "%d", i);
        assert_int_equal(integer_at(*state, key), i);
    }
    for (i = 0; i < count; i += 2) {
        snprintf(key, sizeof(key), "%d", i);
        assert_int_equal(tg_dict_delete(*state, key, strlen(key)), 0);
    }
    assert_int_equal(tg_dict_size(*state), count / 2);
    tg_dict_flush(*state);
    assert_int_equal(tg_dict_size(*state), 0);
    assert_false(is_there(*state, "1"));
}

static void incr_keeps_integers_exact(void **state)
{
    struct tg_dict_number sum;

    assert_int_equal(incr(*state, "n", integer(INT64_MAX - 1), &sum), 0);
    assert_int_equal(incr(*state, "n", integer(1), &sum), 0);
    assert_int_equal(sum.type, TG_DICT_INTEGER);
    assert_true(sum.integer == INT64_MAX);
    assert_int_equal(incr(*state, "n", integer(1), &sum), -ERANGE);
    assert_true(integer_at(*state, "n") == INT64_MAX);
    put_number(*state, "n", integer(INT64_MIN));
    assert_int_equal(incr(*state, "n", integer(-1), &sum), -ERANGE);
    assert_true(integer_at(*state, "n") == INT64_MIN);
    assert_int_equal(incr(*state, "n", integer(INT64_MAX), &sum), 0);
    assert_int_equal(integer_at(*state, "n"), -1);
}

static void incr_of_a_float_is_a_float(void **state)
{
    struct tg_dict_number sum;

    incr(*state, "n", integer(1), &sum);
    assert_int_equal(incr(*state, "n", real(0.5), &sum), 0);
    assert_int_equal(sum.type, TG_DICT_FLOAT);
    assert_true(sum.real == 1.5);
    assert_int_equal(incr(*state, "n", integer(1), &sum), 0);
    assert_int_equal(sum.type, TG_DICT_FLOAT);
    assert_true(sum.real == 2.5);
    assert_int_equal(incr(*state, "n", real(INFINITY), &sum), 0);
    assert_true(isinf(sum.real));
}

static void incr_starts_at_the_initial_number(void **state)
{
    struct tg_dict_number two = integer(2), ten = integer(10), sum;

    tg_dict_incr(*state, KEY("n"), &two, &ten, 0, &sum);
    assert_int_equal(sum.integer, 12);
    tg_dict_incr(*state, KEY("n"), &two, &ten, 0, &sum);
    assert_int_equal(sum.integer, 14);
    ten = integer(INT64_MAX);
    assert_int_equal(tg_dict_incr(*state, KEY("m"), &two, &ten, 0, &sum),
                     -ERANGE);
    assert_false(is_there(*state, "m"));
}

static void incr_refuses_what_is_no_number(void **state)
{
    struct tg_dict_number sum;

    put(*state, "n", "12345678", 0);
    assert_int_equal(incr(*state, "n", integer(1), &sum), -EINVAL);
    assert_text(*state, "n", "12345678");
}

/* --- time --- */

static void wait_until_gone(struct tg_dict *dict, const char *key)
{
    double deadline = tg_clock_now() + DEADLINE;

    while (is_there(dict, key)) {
        assert_true(tg_clock_now() < deadline);
        sched_yield();
    }
}

static void an_entry_ends_with_its_time(void **state)
{
    double start = tg_clock_now();

    put(*state, "short", "value", 0.02);
    put(*state, "long", "value", 3600);
    put(*state, "for ever", "value", INFINITY);
    wait_until_gone(*state, "short");
    assert_true(tg_clock_now() - start >= 0.02);
    assert_true(is_there(*state, "long"));
    assert_true(is_there(*state, "for ever"));
    assert_int_equal(tg_dict_size(*state), 2);
}

static void the_least_time_is_over_at_once(void **state)
{
    put(*state, "key", "value", 1e-300);
    assert_false(is_there(*state, "key"));
}

static void size_counts_no_entry_that_is_over(void **state)
{
    double deadline = tg_clock_now() + DEADLINE;
    char key[16];
    int i;

    for (i = 0; i < 1000; i++) {
        snprintf(key, sizeof(key), "%d", i);
        put(*state, key, "value", i % 2 ? 0.01 : 0);
    }
    while (tg_dict_size(*state) > 500) {
        assert_true(tg_clock_now() < deadline);
        sched_yield();
    }
    assert_int_equal(tg_dict_size(*state), 500);
}

static void what_is_over_counts_as_absent(void **state)
{
    struct tg_dict_value value = text_value("new");
    struct tg_dict_number sum;

    put(*state, "a", "old", 1e-300);
    put(*state, "b", "old", 1e-300);
    put(*state, "c", "old", 1e-300);
    put(*state, "d", "old", 1e-300);
    assert_int_equal(tg_dict_replace(*state, KEY("a"), &value, 0), -ENOENT);
    assert_int_equal(tg_dict_add(*state, KEY("b"), &value, 0), 0);
    assert_int_equal(tg_dict_delete(*state, KEY("c")), -ENOENT);
    assert_int_equal(incr(*state, "d", integer(1), &sum), 0);
    assert_text(*state, "b", "new");
    assert_int_equal(tg_dict_size(*state), 2);
}

static void set_forgets_the_old_time_and_incr_keeps_it(void **state)
{
    struct tg_dict_number one = integer(1), sum;

    put(*state, "set", "value", 0.01);
    put(*state, "set", "value", 0);
    tg_dict_incr(*state, KEY("incr"), &one, &zero, 0.02, &sum);
    tg_dict_incr(*state, KEY("incr"), &one, &zero, 3600, &sum);
    wait_until_gone(*state, "incr");
    assert_true(is_there(*state, "set"));
}

#define WITH_DICT(test)                                                        \
    cmocka_unit_test_setup_teardown(test, open_dict, close_dict)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DICT(a_name_is_one_dict),
        WITH_DICT(entries_outlive_those_who_hold_the_dict),
        WITH_DICT(get_tells_how_much_room_it_wants),
        WITH_DICT(keys_are_any_bytes),
        WITH_DICT(values_may_be_empty_or_long),
        WITH_DICT(add_and_replace_look_first),
        WITH_DICT(delete_tells_whether_there_was_one),
        WITH_DICT(many_entries_are_all_found),
        WITH_DICT(incr_keeps_integers_exact),
        WITH_DICT(incr_of_a_float_is_a_float),
        WITH_DICT(incr_starts_at_the_initial_number),
        WITH_DICT(incr_refuses_what_is_no_number),
        WITH_DICT(an_entry_ends_with_its_time),
        WITH_DICT(the_least_time_is_over_at_once),
        WITH_DICT(size_counts_no_entry_that_is_over),
        WITH_DICT(what_is_over_counts_as_absent),
        WITH_DICT(set_forgets_the_old_time_and_incr_keeps_it),
    };

    return cmocka_run_group_tests_name("dict", tests, NULL, NULL);
}
