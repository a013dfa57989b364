// SPDX-License-Identifier: MIT
#include "http/encoder.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "http/codec.h"

enum {
    BYTES_MOST = 128 * 1024 * 1024, /* of the encoders in use by a thread */
    SPARE_MOST = 4,                 /* of each kind */
    ROOM = 16 * 1024
};

struct tg_encoder {
    const struct tg_codec *codec;
    void *state;
    enum tg_coding coding;
    enum tg_effort effort;
    unsigned behind; /* how many are spare behind it */
    struct tg_encoder *next;
};

static const struct tg_codec *const codecs[TG_CODINGS] = {
    [TG_CODING_GZIP] = &tg_codec_gzip,
#ifdef TG_WITH_BROTLI
    [TG_CODING_BROTLI] = &tg_codec_brotli,
#endif
#ifdef TG_WITH_ZSTD
    [TG_CODING_ZSTD] = &tg_codec_zstd,
#endif
};

bool tg_encoder_knows(enum tg_coding coding)
{
    return codecs[coding];
}

void tg_encoder_describe(struct tg_text *out)
{
    int coding;

    for (coding = 0; coding < TG_CODINGS; coding++) {
        if (!codecs[coding])
            continue;
        if (codecs[coding] != &tg_codec_gzip)
            tg_text_adds(out, ", ");
        codecs[coding]->describe(out);
    }
}

struct tg_encoder *tg_encoder_take(struct tg_encoder_pool *pool,
                                   enum tg_coding coding, enum tg_effort effort)
{
    const struct tg_codec *codec = codecs[coding];
    struct tg_encoder *encoder = pool->spare[coding][effort];

    if (!codec || pool->bytes + codec->bytes[effort] > BYTES_MOST)
        return NULL;
    pool->bytes += codec->bytes[effort];
    if (encoder) {
        pool->spare[coding][effort] = encoder->next;
        return encoder;
    }
    encoder = tg_alloc(sizeof(*encoder));
    encoder->codec = codec;
    encoder->state = codec->new (effort);
    encoder->coding = coding;
    encoder->effort = effort;
    return encoder;
}

static void free_encoder(struct tg_encoder *encoder)
{
    encoder->codec->free(encoder->state);
    free(encoder);
}

void tg_encoder_put(struct tg_encoder_pool *pool, struct tg_encoder *encoder)
{
    struct tg_encoder **spare = &pool->spare[encoder->coding][encoder->effort];

    pool->bytes -= encoder->codec->bytes[encoder->effort];
    encoder->next = *spare;
    encoder->behind = *spare ? (*spare)->behind + 1 : 0;
    if (!encoder->codec->reset || encoder->behind == SPARE_MOST) {
        free_encoder(encoder);
        return;
    }
    encoder->codec->reset(encoder->state);
    *spare = encoder;
}

void tg_encoder_release(struct tg_encoder_pool *pool)
{
    struct tg_encoder *encoder;
    int coding, effort;

    for (coding = 0; coding < TG_CODINGS; coding++) {
        for (effort = 0; effort < TG_EFFORTS; effort++) {
            while ((encoder = pool->spare[coding][effort])) {
                pool->spare[coding][effort] = encoder->next;
                free_encoder(encoder);
            }
        }
    }
}

void tg_encoder_push(struct tg_encoder *encoder, const char *data, size_t len,
                     enum tg_push push, struct tg_text *out)
{
    struct tg_codec_io io = {.in = data, .in_len = len};
    bool done;

    do {
        io.out = tg_text_room(out, ROOM);
        io.out_len = ROOM;
        done = encoder->codec->step(encoder->state, &io, push);
        out->len += ROOM - io.out_len;
    } while (!done);
}
