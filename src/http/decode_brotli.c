// SPDX-License-Identifier: MIT
#include <brotli/decode.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "http/decode.h"

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

static void *brotli_new(void)
{
    return BrotliDecoderCreateInstance(allocate, release, NULL);
}

static void brotli_free(void *state)
{
    BrotliDecoderDestroyInstance(state);
}

static enum tg_decoded brotli_step(void *state, struct tg_codec_io *io)
{
    const uint8_t *in = (const uint8_t *)io->in;
    uint8_t *out = (uint8_t *)io->out;
    BrotliDecoderResult outcome = BrotliDecoderDecompressStream(
        state, &io->in_len, &in, &io->out_len, &out, NULL);

    io->in = (const char *)in;
    io->out = (char *)out;
    if (outcome == BROTLI_DECODER_RESULT_ERROR)
        return TG_DECODED_BAD;
    return outcome == BROTLI_DECODER_RESULT_SUCCESS ? TG_DECODED_END
                                                    : TG_DECODED_MORE;
}

const struct tg_decode tg_decode_brotli = {
    .names = {"br"},
    .new = brotli_new,
    .free = brotli_free,
    .step = brotli_step,
};
