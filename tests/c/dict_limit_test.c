// SPDX-License-Identifier: MIT
/* Limits, lists and versions while threads do everything at once. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dict_test.h"

enum { THREADS = 4, ROUNDS = 4000, LIMIT = 100000 };

static struct tg_dict_value text_value(const char *text, size_t len)
{
    return (struct tg_dict_value){text, len, TG_DICT_OPAQUE};
}

/* A thread returns NULL, or what is wrong: cmocka's asserts are the main
 * thread's. */
static void run_threads(void *(*fn)(void *), void *arg)
{
    pthread_t threads[THREADS];
    void *wrong[THREADS];
    int i;

    for (i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, fn, arg), 0);
    for (i = 0; i < THREADS; i++)
        pthread_join(threads[i], &wrong[i]);
    for (i = 0; i < THREADS; i++)
        assert_null(wrong[i]);
}

static void *swap_one_up(void *dict)
{
    int i = 0;

    while (i < ROUNDS) {
        int64_t n = 0;
        uint64_t version = 0;
        size_t len = sizeof(n);
        unsigned char type;
        struct tg_dict_value value = {&n, sizeof(n), TG_DICT_INTEGER};

        if (tg_dict_get(dict, "n", 1, &n, &len, &type, &version) == -ENOENT)
            version = 0;
        n++;
        i += tg_dict_swap(dict, "n", 1, &value, 0, &version) == 0;
    }
    return NULL;
}

static void no_swap_is_lost(void **state)
{
    run_threads(swap_one_up, *state);
    assert_int_equal(integer_at(*state, "n"), THREADS * ROUNDS);
}

static void *push_and_pop(void *dict)
{
    void *wrong = NULL;
    char room[8];
    int i;

    for (i = 0; i < ROUNDS; i++) {
        struct tg_dict_value value = text_value("12345678", (size_t)(i % 8));
        size_t length, len = sizeof(room);
        unsigned char type;

        if (tg_dict_push(dict, "l", 1, &value, i % 2, 0, &length))
            wrong = dict;
        if (i % 3 && tg_dict_pop(dict, "l", 1, i % 5, room, &len, &type) == 0 &&
            memcmp(room, "12345678", len) != 0)
            wrong = dict;
    }
    return wrong;
}

static void what_is_pushed_is_popped_once(void **state)
{
    size_t length, len, count = 0;
    unsigned char type;
    char room[8];

    run_threads(push_and_pop, *state);
    tg_dict_length(*state, "l", 1, &length);
    do
        len = sizeof(room);
    while (tg_dict_pop(*state, "l", 1, true, room, &len, &type) == 0 &&
           ++count);
    assert_int_equal(count, length);
    assert_true(count >= THREADS * ROUNDS / 3);
}

static void pop_tells_how_much_room_it_wants(void **state)
{
    struct tg_dict_value value = text_value("12345", 5);
    size_t length, len = 3;
    unsigned char type;
    char room[8];

    tg_dict_push(*state, "l", 1, &value, false, 0, &length);
    assert_int_equal(tg_dict_pop(*state, "l", 1, true, room, &len, &type),
                     -ENOSPC);
    assert_int_equal(len, 5);
    assert_int_equal(tg_dict_pop(*state, "l", 1, true, room, &len, &type), 0);
    assert_int_equal(tg_dict_pop(*state, "l", 1, true, room, &len, &type),
                     -ENOENT);
}

static void *fill(void *dict)
{
    static const char text[2000];
    char key[16], room[16];
    int i;

    for (i = 0; i < ROUNDS; i++) {
        struct tg_dict_value value = text_value(text, (size_t)(i * 7 % 2000));
        size_t length, len = sizeof(room);
        unsigned char type;

        snprintf(key, sizeof(key), "%d", i * 31 % 1000);
        switch (i % 4) {
        case 0:
            tg_dict_delete(dict, key, strlen(key));
            tg_dict_push(dict, key, strlen(key), &value, true, 0, &length);
            break;
        case 1:
            tg_dict_pop(dict, key, strlen(key), true, room, &len, &type);
            break;
        default:
            tg_dict_set(dict, key, strlen(key), &value, i % 3 ? 0 : 1e-4);
            get_value(dict, key, strlen(key), room, &len, &type);
        }
        if (i % 1000 == 0)
            tg_dict_touch(dict, key, strlen(key), 1);
    }
    return NULL;
}

static void a_limit_holds_for_all_threads(void **state)
{
    struct tg_dict *dict = tg_dict_open("limited");
    struct tg_dict_options options = {.limit = LIMIT};
    struct tg_dict_counts counts;
    char message[200];

    (void)state;
    assert_true(tg_dict_configure(dict, &options, message, sizeof(message)));
    run_threads(fill, dict);
    tg_dict_count(dict, &counts);
    assert_true(counts.bytes <= LIMIT);
    assert_true(counts.evictions > 100);
    tg_dict_flush(dict);
    tg_dict_count(dict, &counts);
    assert_int_equal(counts.bytes, 0);
    tg_dict_unref(dict);
}

static void two_limits_are_refused(void **state)
{
    struct tg_dict_options options = {.limit = LIMIT}, other = {.limit = 5000};
    struct tg_dict *dict = tg_dict_open("two");
    char message[200];

    (void)state;
    assert_true(tg_dict_configure(dict, &options, message, sizeof(message)));
    assert_false(tg_dict_configure(dict, &other, message, sizeof(message)));
    assert_string_equal(message, "dictionary 'two' has a limit of 100000 bytes "
                                 "already, not of 5000: only a restart changes "
                                 "it");
    tg_dict_unref(dict);
}

#define WITH_DICT(test)                                                        \
    cmocka_unit_test_setup_teardown(test, open_dict, close_dict)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DICT(no_swap_is_lost),
        WITH_DICT(what_is_pushed_is_popped_once),
        WITH_DICT(pop_tells_how_much_room_it_wants),
        cmocka_unit_test(a_limit_holds_for_all_threads),
        cmocka_unit_test(two_limits_are_refused),
    };

    return cmocka_run_group_tests_name("dict_limit", tests, NULL, NULL);
}
