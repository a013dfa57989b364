// SPDX-License-Identifier: MIT
#include "shared/mailbox.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"

enum { SENDERS = 6, MESSAGES = 5000, DEADLINE = 20 /* seconds */ };

static int open_box(void **state)
{
    *state = tg_mailbox_new();
    return *state ? 0 : -1;
}

static int close_box(void **state)
{
    tg_mailbox_free(*state);
    return 0;
}

static bool is_readable(struct tg_mailbox *box)
{
    struct pollfd poll_fd = {.fd = tg_mailbox_fd(box), .events = POLLIN};

    return poll(&poll_fd, 1, 0) == 1;
}

static void count(void *counter)
{
    ++*(int *)counter;
}

/* --- one thread --- */

static void a_message_runs_once(void **state)
{
    int counter = 0;

    assert_int_equal(tg_mailbox_run(*state), 0);
    tg_mailbox_post(*state, count, &counter);
    tg_mailbox_post(*state, count, &counter);
    assert_int_equal(counter, 0);
    assert_int_equal(tg_mailbox_run(*state), 2);
    assert_int_equal(counter, 2);
    assert_int_equal(tg_mailbox_run(*state), 0);
    assert_int_equal(counter, 2);
}

static void the_descriptor_tells_of_messages(void **state)
{
    int counter = 0;

    assert_false(is_readable(*state));
    tg_mailbox_post(*state, count, &counter);
    tg_mailbox_post(*state, count, &counter);
    assert_true(is_readable(*state));
    tg_mailbox_run(*state);
    assert_false(is_readable(*state));
    tg_mailbox_post(*state, count, &counter);
    assert_true(is_readable(*state));
}

struct again {
    struct tg_mailbox *box;
    int count;
};

static void post_again(void *arg)
{
    struct again *again = arg;

    if (++again->count < 3)
        tg_mailbox_post(again->box, post_again, again);
}

static void what_is_posted_meanwhile_waits(void **state)
{
    struct again again = {*state, 0};

    tg_mailbox_post(*state, post_again, &again);
    assert_int_equal(tg_mailbox_run(*state), 1);
    assert_int_equal(again.count, 1);
    assert_true(is_readable(*state));
    assert_int_equal(tg_mailbox_run(*state), 1);
    assert_int_equal(tg_mailbox_run(*state), 1);
    assert_int_equal(tg_mailbox_run(*state), 0);
    assert_int_equal(again.count, 3);
}

static void wait_ends_with_its_time(void **state)
{
    double start = tg_clock_now();

    assert_false(tg_mailbox_wait(*state, 0));
    assert_false(tg_mailbox_wait(*state, 0.02));
    assert_true(tg_clock_now() - start >= 0.02);
}

static void wait_sees_a_message_that_is_there(void **state)
{
    int counter = 0;

    tg_mailbox_post(*state, count, &counter);
    assert_true(tg_mailbox_wait(*state, 0));
    assert_true(tg_mailbox_wait(*state, 1e12));
    assert_true(tg_mailbox_wait(*state, -1));
}

static void free_forgets_what_is_left(void **state)
{
    struct tg_mailbox *box = tg_mailbox_new();
    int counter = 0;

    (void)state;
    tg_mailbox_post(box, count, &counter);
    tg_mailbox_post(box, count, &counter);
    tg_mailbox_free(box);
    assert_int_equal(counter, 0);
}

static void free_box(void *box)
{
    tg_mailbox_free(box);
}

static void a_message_may_free_the_box(void **state)
{
    struct tg_mailbox *box = tg_mailbox_new();
    int counter = 0;

    (void)state;
    tg_mailbox_post(box, free_box, box);
    tg_mailbox_post(box, count, &counter);
    assert_int_equal(tg_mailbox_run(box), 2);
    assert_int_equal(counter, 1);
}

/* --- many threads --- */

struct sender {
    pthread_t thread;
    struct tg_mailbox *box;
    int next; /* the number the owner expects; the owner's */
};

struct parcel {
    struct sender *sender;
    int number;
};

static void deliver(void *arg)
{
    struct parcel *parcel = arg;

    assert_int_equal(parcel->number, parcel->sender->next);
    parcel->sender->next++;
    free(parcel);
}

static void *send_all(void *arg)
{
    struct sender *sender = arg;
    int i;

    for (i = 0; i < MESSAGES; i++) {
        struct parcel *parcel = malloc(sizeof(*parcel));

        parcel->sender = sender;
        parcel->number = i;
        tg_mailbox_post(sender->box, deliver, parcel);
    }
    return NULL;
}

static void each_sender_keeps_its_order(void **state)
{
    struct sender senders[SENDERS];
    size_t got = 0;
    int i;

    for (i = 0; i < SENDERS; i++) {
        senders[i].box = *state;
        senders[i].next = 0;
        assert_int_equal(
            pthread_create(&senders[i].thread, NULL, send_all, &senders[i]), 0);
    }
    while (got < (size_t)SENDERS * MESSAGES) {
        assert_true(tg_mailbox_wait(*state, DEADLINE));
        got += tg_mailbox_run(*state);
    }
    for (i = 0; i < SENDERS; i++) {
        pthread_join(senders[i].thread, NULL);
        assert_int_equal(senders[i].next, MESSAGES);
    }
    assert_int_equal(tg_mailbox_run(*state), 0);
    assert_false(is_readable(*state));
}

static void *post_one(void *box)
{
    tg_mailbox_post(box, free_box, box);
    return NULL;
}

static void the_last_message_may_free_the_box(void **state)
{
    int i;

    (void)state;
    for (i = 0; i < 500; i++) {
        struct tg_mailbox *box = tg_mailbox_new();
        pthread_t sender;

        assert_int_equal(pthread_create(&sender, NULL, post_one, box), 0);
        assert_true(tg_mailbox_wait(box, DEADLINE));
        assert_int_equal(tg_mailbox_run(box), 1);
        pthread_join(sender, NULL);
    }
}

#define WITH_BOX(test)                                                         \
    cmocka_unit_test_setup_teardown(test, open_box, close_box)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BOX(a_message_runs_once),
        WITH_BOX(the_descriptor_tells_of_messages),
        WITH_BOX(what_is_posted_meanwhile_waits),
        WITH_BOX(wait_ends_with_its_time),
        WITH_BOX(wait_sees_a_message_that_is_there),
        cmocka_unit_test(free_forgets_what_is_left),
        cmocka_unit_test(a_message_may_free_the_box),
        WITH_BOX(each_sender_keeps_its_order),
        cmocka_unit_test(the_last_message_may_free_the_box),
    };

    return cmocka_run_group_tests_name("mailbox", tests, NULL, NULL);
}
