// SPDX-License-Identifier: MIT
#include <brotli/encode.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "http/codec.h"

enum { WINDOW = 18 };

static const uint32_t qualities[TG_EFFORTS] = {
    [TG_EFFORT_WHOLE] = 5, [TG_EFFORT_LARGE] = 1, [TG_EFFORT_STREAM] = 3};

static void *allocate(void *none, size_t size)
{
    (void)none;
    return tg_realloc(NULL, size);
}

static void release(void *none, void *block)
{
    (void)none;
    free(block);
}

static void *brotli_new(enum tg_effort effort)
{
    BrotliEncoderState *state =
        BrotliEncoderCreateInstance(allocate, release, NULL);

    BrotliEncoderSetParameter(state, BROTLI_PARAM_QUALITY, qualities[effort]);
    BrotliEncoderSetParameter(state, BROTLI_PARAM_LGWIN, WINDOW);
    return state;
}

static void brotli_free(void *state)
{
    BrotliEncoderDestroyInstance(state);
}

static bool brotli_step(void *state, struct tg_codec_io *io, enum tg_push push)
{
    static const BrotliEncoderOperation operations[] = {
        [TG_PUSH_MORE] = BROTLI_OPERATION_PROCESS,
        [TG_PUSH_FLUSH] = BROTLI_OPERATION_FLUSH,
        [TG_PUSH_END] = BROTLI_OPERATION_FINISH};
    const uint8_t *in = (const uint8_t *)io->in;
    uint8_t *out = (uint8_t *)io->out;

    BrotliEncoderCompressStream(state, operations[push], &io->in_len, &in,
                                &io->out_len, &out, NULL);
    io->in = (const char *)in;
    io->out = (char *)out;
    return io->in_len == 0 && !BrotliEncoderHasMoreOutput(state);
}

static void brotli_describe(struct tg_text *out)
{
    unsigned version = BrotliEncoderVersion();

    tg_text_addf(out, "br (Brotli %u.%u.%u)", version >> 24,
                 version >> 12 & 0xfff, version & 0xfff);
}

const struct tg_codec tg_codec_brotli = {
    .bytes = {2688 * 1024, 1024 * 1024, 1280 * 1024},
    .new = brotli_new,
    .free = brotli_free,
    .step = brotli_step,
    .describe = brotli_describe,
};
