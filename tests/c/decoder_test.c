// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "http/decoder.h"
#include "http/encoder.h"
#include "net/buffer.h"

enum { LINES = 3000, VAIN = 40 }; /* zstd gives up after 16 steps in vain */

static struct tg_text plain;

static void fill(void)
{
    int i;

    plain.len = 0;
    for (i = 0; i < LINES; i++)
        tg_text_addf(&plain, "line %d of %d\n", i * 7919 % LINES, LINES);
}

static void encode(enum tg_coding coding, struct tg_text *coded)
{
    struct tg_encoder_pool pool = {0};
    struct tg_encoder *encoder =
        tg_encoder_take(&pool, coding, TG_EFFORT_STREAM);

    coded->len = 0;
    tg_encoder_push(encoder, plain.data, plain.len, TG_PUSH_END, coded);
    tg_encoder_put(&pool, encoder);
    tg_encoder_release(&pool);
}

/* With the frame of RFC 1950, window 15, or without, -15. */
static void deflate_all(int window, struct tg_text *coded)
{
    z_stream z = {.next_in = (Bytef *)plain.data, .avail_in = (uInt)plain.len};

    coded->len = 0;
    z.next_out = (Bytef *)tg_text_room(coded, 1 << 20);
    z.avail_out = 1 << 20;
    assert_int_equal(
        Z_OK, deflateInit2(&z, 6, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY));
    assert_int_equal(Z_STREAM_END, deflate(&z, Z_FINISH));
    coded->len = z.total_out;
    deflateEnd(&z);
}

/* In pieces of `size`; after each it is asked again and again, as who is woken
 * for other reasons does. */
static void check(const char *name, const struct tg_text *coded, size_t size)
{
    struct tg_decoder *decoder = tg_decoder_new(name, strlen(name));
    struct tg_buffer *from = tg_buffer_new(), *to = tg_buffer_new();
    size_t at, n, made;
    char *result = malloc(plain.len + 1);
    int i;

    assert_non_null(decoder);
    for (at = 0; at < coded->len; at += n) {
        n = coded->len - at < size ? coded->len - at : size;
        tg_buffer_add(from, coded->data + at, n);
        for (i = 0; i < VAIN; i++)
            while (tg_decoder_run(decoder, from, to, 1000) > 0)
                ;
        assert_int_equal(0, tg_decoder_run(decoder, from, to, 1000));
        assert_int_equal(0, tg_buffer_len(from));
    }
    assert_true(tg_decoder_is_whole(decoder));
    made = tg_buffer_len(to);
    assert_int_equal(plain.len, made);
    tg_buffer_take(to, result, made);
    assert_memory_equal(plain.data, result, made);
    free(result);
    tg_buffer_free(from);
    tg_buffer_free(to);
    tg_decoder_free(decoder);
}

static void check_sizes(const char *name, const struct tg_text *coded)
{
    static const size_t sizes[] = {1, 2, 3, 100, 4096, 1 << 20};
    size_t i;

    for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
        check(name, coded, sizes[i]);
}

static void content_may_come_in_any_pieces(void **state)
{
    static const enum tg_coding codings[] = {TG_CODING_GZIP, TG_CODING_BROTLI,
                                             TG_CODING_ZSTD};
    struct tg_text coded = {0};
    size_t i;

    (void)state;
    for (i = 0; i < 3; i++) {
        if (!tg_encoder_knows(codings[i]))
            continue;
        encode(codings[i], &coded);
        check_sizes(tg_coding_name(codings[i]), &coded);
    }
    tg_text_release(&coded);
}

static void deflate_has_two_forms(void **state)
{
    struct tg_text coded = {0};

    (void)state;
    deflate_all(15, &coded);
    check_sizes("deflate", &coded);
    deflate_all(9, &coded); /* another first byte */
    check_sizes("deflate", &coded);
    deflate_all(-15, &coded);
    check_sizes("Deflate", &coded);
    tg_text_release(&coded);
}

static void other_codings_are_unknown(void **state)
{
    (void)state;
    assert_null(tg_decoder_new("compress", 8));
    assert_null(tg_decoder_new("identity", 8));
    assert_null(tg_decoder_new("gzi", 3));
    assert_null(tg_decoder_new("", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_may_come_in_any_pieces),
        cmocka_unit_test(deflate_has_two_forms),
        cmocka_unit_test(other_codings_are_unknown),
    };
    int failed;

    fill();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    tg_text_release(&plain);
    return failed;
}
