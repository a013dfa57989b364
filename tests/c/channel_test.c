// SPDX-License-Identifier: MIT
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/census.h"
#include "shared/channel.h"
#include "shared/mailbox.h"

enum { READERS = 3, WRITERS = 3, VALUES = 3000 };

struct reader {
    struct tg_mailbox *box;
    struct tg_bell *bell;
    int looks;
};

static void open_reader(struct reader *reader)
{
    reader->box = tg_mailbox_new();
    reader->bell = tg_bell_new(reader->box);
    reader->looks = 0;
}

static void close_reader(struct reader *reader)
{
    tg_bell_free(reader->bell);
    tg_mailbox_free(reader->box);
}

static void look(void *arg)
{
    ((struct reader *)arg)->looks++;
}

static size_t publish(struct tg_channel *channel, int64_t number)
{
    struct tg_dict_value value = {&number, sizeof(number), TG_DICT_INTEGER};

    return tg_channel_publish(channel, &value);
}

static int take(struct tg_subscription *subscription, int64_t *number,
                uint64_t *lost)
{
    size_t len = sizeof(*number);
    unsigned char type;

    return tg_subscription_take(subscription, number, &len, &type, lost);
}

/* --- one thread --- */

static void the_bell_rings_once_for_many_values(void **state)
{
    struct tg_channel *channel = tg_channel_open("test");
    struct tg_subscription *subscription;
    struct reader reader;
    uint64_t lost;
    int64_t number;

    (void)state;
    open_reader(&reader);
    assert_int_equal(publish(channel, 1), 0);
    subscription = tg_subscription_new(channel, 10, TG_CHANNEL_DROP,
                                       reader.bell, look, &reader);
    assert_int_equal(take(subscription, &number, &lost), -EAGAIN);
    assert_int_equal(publish(channel, 2), 1);
    assert_int_equal(publish(channel, 3), 1);
    assert_int_equal(tg_mailbox_run(reader.box), 1);
    assert_int_equal(reader.looks, 1);
    assert_int_equal(take(subscription, &number, &lost), 0);
    assert_int_equal(number, 2);
    assert_int_equal(lost, 0);
    tg_subscription_free(subscription);
    assert_int_equal(publish(channel, 4), 0);
    tg_channel_unref(channel);
    close_reader(&reader);
}

static void what_has_ended_is_not_looked_at(void **state)
{
    struct tg_channel *channel = tg_channel_open("test");
    struct tg_subscription *subscription;
    struct reader reader;
    uint64_t lost;
    int64_t number;

    (void)state;
    open_reader(&reader);
    subscription = tg_subscription_new(channel, 10, TG_CHANNEL_DROP,
                                       reader.bell, look, &reader);
    tg_channel_unref(channel);
    publish(channel, 1);
    tg_subscription_end(subscription);
    tg_mailbox_run(reader.box);
    assert_int_equal(reader.looks, 0);
    assert_int_equal(take(subscription, &number, &lost), 0);
    assert_int_equal(take(subscription, &number, &lost), -EPIPE);
    close_reader(&reader);
    tg_subscription_free(subscription);
    assert_int_equal(tg_census.subscriptions, 0);
}

static void a_full_queue_loses_the_oldest_or_ends(void **state)
{
    struct tg_channel *channel = tg_channel_open("test");
    struct tg_subscription *drops, *ends;
    struct reader reader;
    uint64_t lost;
    int64_t number;
    int i;

    (void)state;
    open_reader(&reader);
    drops = tg_subscription_new(channel, 3, TG_CHANNEL_DROP, reader.bell, look,
                                &reader);
    ends = tg_subscription_new(channel, 3, TG_CHANNEL_END, reader.bell, look,
                               &reader);
    for (i = 1; i <= 5; i++)
        assert_int_equal(publish(channel, i), i <= 3 ? 2 : 1);
    assert_int_equal(tg_subscription_count(drops), 3);
    assert_int_equal(take(drops, &number, &lost), 0);
    assert_int_equal(number, 3);
    assert_int_equal(lost, 2);
    assert_int_equal(take(ends, &number, &lost), -EOVERFLOW);
    tg_subscription_free(drops);
    tg_subscription_free(ends);
    tg_channel_unref(channel);
    close_reader(&reader);
}

/* --- many --- */

static pthread_barrier_t all_there;

static void *write_values(void *arg)
{
    struct tg_channel *channel = tg_channel_open("threads");
    int64_t i, wrong = 0;

    pthread_barrier_wait(&all_there);
    for (i = 1; i <= VALUES; i++)
        wrong += publish(channel, i) < READERS;
    tg_channel_unref(channel);
    return wrong ? arg : NULL;
}

/* Reads the sum of all that was written, and subscribes and leaves beside. */
static void *read_values(void *arg)
{
    struct tg_channel *channel = tg_channel_open("threads");
    struct tg_subscription *subscription, *passing;
    struct reader reader;
    int64_t number, count = 0, sum = 0;
    uint64_t lost;

    open_reader(&reader);
    subscription =
        tg_subscription_new(channel, (size_t)VALUES * WRITERS, TG_CHANNEL_DROP,
                            reader.bell, look, &reader);
    pthread_barrier_wait(&all_there);
    while (count < (int64_t)VALUES * WRITERS) {
        passing = tg_subscription_new(channel, 2, TG_CHANNEL_END, reader.bell,
                                      look, &reader);
        if (!tg_mailbox_wait(reader.box, 20))
            break;
        tg_mailbox_run(reader.box);
        for (; take(subscription, &number, &lost) == 0; count++)
            sum += number;
        tg_subscription_free(passing);
    }
    tg_subscription_free(subscription);
    tg_channel_unref(channel);
    close_reader(&reader);
    return sum == (int64_t)WRITERS * VALUES * (VALUES + 1) / 2 ? NULL : arg;
}

static void every_reader_has_every_value(void **state)
{
    pthread_t threads[READERS + WRITERS];
    void *wrong;
    int i;

    (void)state;
    pthread_barrier_init(&all_there, NULL, READERS + WRITERS);
    for (i = 0; i < READERS + WRITERS; i++)
        pthread_create(&threads[i], NULL,
                       i < READERS ? read_values : write_values, threads);
    for (i = 0; i < READERS + WRITERS; i++) {
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    pthread_barrier_destroy(&all_there);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bell_rings_once_for_many_values),
        cmocka_unit_test(what_has_ended_is_not_looked_at),
        cmocka_unit_test(a_full_queue_loses_the_oldest_or_ends),
        cmocka_unit_test(every_reader_has_every_value),
    };

    return cmocka_run_group_tests_name("channel", tests, NULL, NULL);
}
