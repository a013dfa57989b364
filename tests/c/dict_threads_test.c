// SPDX-License-Identifier: MIT
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dict_test.h"

enum { THREADS = 6, ROUNDS = 5000 };

static struct tg_dict_value text_value(const char *text)
{
    return (struct tg_dict_value){text, strlen(text), TG_DICT_OPAQUE};
}

static void incr(struct tg_dict *dict, const char *key, int64_t by)
{
    const struct tg_dict_number zero = {.type = TG_DICT_INTEGER};
    struct tg_dict_number delta = {.type = TG_DICT_INTEGER, .integer = by}, sum;

    tg_dict_incr(dict, key, strlen(key), &delta, &zero, 0, &sum);
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

static void *count_up(void *dict)
{
    int i;

    for (i = 0; i < ROUNDS; i++) {
        incr(dict, "one", 1);
        incr(dict, i % 2 ? "odd" : "even", 3);
    }
    return NULL;
}

static void no_increment_is_lost(void **state)
{
    run_threads(count_up, *state);
    assert_int_equal(integer_at(*state, "one"), THREADS * ROUNDS);
    assert_int_equal(integer_at(*state, "odd"), THREADS * ROUNDS / 2 * 3);
    assert_int_equal(integer_at(*state, "even"), THREADS * ROUNDS / 2 * 3);
}

static void *add_all(void *dict)
{
    struct tg_dict_value value = text_value("value");
    char key[16];
    int i;

    for (i = 0; i < ROUNDS; i++) {
        snprintf(key, sizeof(key), "%d", i);
        if (tg_dict_add(dict, key, strlen(key), &value, 0) == 0)
            incr(dict, "added", 1);
    }
    return NULL;
}

static void one_thread_only_adds_a_key(void **state)
{
    run_threads(add_all, *state);
    assert_int_equal(integer_at(*state, "added"), ROUNDS);
    assert_int_equal(tg_dict_size(*state), ROUNDS + 1);
}

/* Every function at once, on few keys; what is read is whole. */
static void *do_everything(void *dict)
{
    static const char *const texts[] = {"aaaaaaaa", "bbbb", "cc"};
    char key[16], room[16];
    void *wrong = NULL;
    int i;

    for (i = 0; i < ROUNDS; i++) {
        struct tg_dict *mine = tg_dict_open("test");
        struct tg_dict_value value = text_value(texts[i % 3]);
        size_t len = sizeof(room), j;
        unsigned char type;

        snprintf(key, sizeof(key), "%d", i % 50);
        tg_dict_set(mine, key, strlen(key), &value, i % 5 ? 0 : 1e-4);
        if (get_value(mine, key, strlen(key), room, &len, &type) == 0)
            for (j = 0; type == TG_DICT_OPAQUE && j < len; j++)
                if (room[j] != room[0])
                    wrong = dict;
        tg_dict_delete(mine, key, strlen(key));
        incr(mine, key, 1);
        if (i % 100 == 0)
            tg_dict_size(dict);
        if (i % 500 == 0)
            tg_dict_flush(dict);
        tg_dict_unref(mine);
    }
    return wrong;
}

static void threads_may_do_everything_at_once(void **state)
{
    run_threads(do_everything, *state);
    assert_true(tg_dict_size(*state) <= 50);
}

static void *open_and_close(void *unused)
{
    int i;

    (void)unused;
    for (i = 0; i < ROUNDS; i++)
        tg_dict_unref(tg_dict_open("passing"));
    return NULL;
}

static void threads_may_open_and_close_one_dict(void **state)
{
    (void)state;
    run_threads(open_and_close, NULL);
}

#define WITH_DICT(test)                                                        \
    cmocka_unit_test_setup_teardown(test, open_dict, close_dict)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DICT(no_increment_is_lost),
        WITH_DICT(one_thread_only_adds_a_key),
        WITH_DICT(threads_may_do_everything_at_once),
        cmocka_unit_test(threads_may_open_and_close_one_dict),
    };

    return cmocka_run_group_tests_name("dict_threads", tests, NULL, NULL);
}
