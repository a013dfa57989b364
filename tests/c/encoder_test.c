// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "http/encoder.h"

static int setup(void **state)
{
    static struct tg_encoder_pool pool;

    *state = &pool;
    return 0;
}

static int teardown(void **state)
{
    struct tg_encoder_pool *pool = *state;

    assert_int_equal(0, pool->bytes);
    tg_encoder_release(pool);
    return 0;
}

static void push(struct tg_encoder *encoder, const char *text,
                 enum tg_push push, struct tg_text *out)
{
    tg_encoder_push(encoder, text, strlen(text), push, out);
}

/* All that can be decoded of it by now. */
static void decode(const struct tg_text *coded, struct tg_text *plain)
{
    z_stream z = {.next_in = (Bytef *)coded->data,
                  .avail_in = (uInt)coded->len};

    plain->len = 0;
    z.next_out = (Bytef *)tg_text_room(plain, 1 << 20);
    z.avail_out = 1 << 20;
    assert_int_equal(Z_OK, inflateInit2(&z, 15 + 16));
    inflate(&z, Z_SYNC_FLUSH);
    plain->len = z.total_out;
    plain->data[plain->len] = '\0';
    inflateEnd(&z);
}

static void flushed_input_can_be_decoded(void **state)
{
    struct tg_encoder *encoder =
        tg_encoder_take(*state, TG_CODING_GZIP, TG_EFFORT_STREAM);
    struct tg_text coded = {0}, plain = {0};

    push(encoder, "the tide ", TG_PUSH_MORE, &coded);
    push(encoder, "comes in", TG_PUSH_FLUSH, &coded);
    decode(&coded, &plain);
    assert_string_equal("the tide comes in", plain.data);
    push(encoder, ", and goes out", TG_PUSH_END, &coded);
    decode(&coded, &plain);
    assert_string_equal("the tide comes in, and goes out", plain.data);
    tg_encoder_put(*state, encoder);
    tg_text_release(&coded);
    tg_text_release(&plain);
}

static void an_encoder_forgets_what_it_had(void **state)
{
    struct tg_encoder *first =
        tg_encoder_take(*state, TG_CODING_GZIP, TG_EFFORT_WHOLE);
    struct tg_encoder *second;
    struct tg_text coded = {0}, plain = {0};

    push(first, "half of a seagu", TG_PUSH_MORE, &coded);
    tg_encoder_put(*state, first);
    coded.len = 0;
    second = tg_encoder_take(*state, TG_CODING_GZIP, TG_EFFORT_WHOLE);
    assert_ptr_equal(first, second);
    push(second, "a tide", TG_PUSH_END, &coded);
    decode(&coded, &plain);
    assert_string_equal("a tide", plain.data);
    tg_encoder_put(*state, second);
    tg_text_release(&coded);
    tg_text_release(&plain);
}

static void nothing_is_encoded_soundly(void **state)
{
    static const enum tg_coding kinds[] = {TG_CODING_GZIP, TG_CODING_BROTLI,
                                           TG_CODING_ZSTD};
    size_t i;
    int effort;

    for (i = 0; i < 3; i++) {
        for (effort = 0; effort < TG_EFFORTS; effort++) {
            struct tg_encoder *encoder =
                tg_encoder_take(*state, kinds[i], (enum tg_effort)effort);
            struct tg_text coded = {0};

            assert_true(!encoder == !tg_encoder_knows(kinds[i]));
            if (!encoder)
                continue;
            push(encoder, "", TG_PUSH_END, &coded);
            assert_true(coded.len > 0);
            tg_encoder_put(*state, encoder);
            tg_text_release(&coded);
        }
    }
}

static void a_pool_is_bounded(void **state)
{
    static struct tg_encoder *taken[4096];
    struct tg_encoder_pool *pool = *state;
    int n = 0;

    while (n < 4096 &&
           (taken[n] = tg_encoder_take(pool, TG_CODING_GZIP, TG_EFFORT_STREAM)))
        n++;
    assert_in_range(n, 1000, 4095);
    assert_null(tg_encoder_take(pool, TG_CODING_GZIP, TG_EFFORT_WHOLE));
    tg_encoder_put(pool, taken[--n]);
    taken[n] = tg_encoder_take(pool, TG_CODING_GZIP, TG_EFFORT_STREAM);
    assert_non_null(taken[n]);
    for (; n >= 0; n--)
        tg_encoder_put(pool, taken[n]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(flushed_input_can_be_decoded, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_encoder_forgets_what_it_had, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(nothing_is_encoded_soundly, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_pool_is_bounded, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
