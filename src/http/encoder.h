// SPDX-License-Identifier: MIT
/*
 * Encodes content as it is sent: gzip, Brotli, Zstandard (RFC 9110, 8.4).
 *
 *     encoder = tg_encoder_take(&pool, TG_CODING_GZIP, TG_EFFORT_STREAM);
 *     tg_encoder_push(encoder, data, len, TG_PUSH_MORE, &out);
 *     tg_encoder_push(encoder, "", 0, TG_PUSH_END, &out);
 *     tg_encoder_put(&pool, encoder);
 *
 * What costs time to make is kept in a pool, one for each thread, and used
 * again.  A pool also bounds what the streams of its thread take.
 */
#ifndef TG_HTTP_ENCODER_H
#define TG_HTTP_ENCODER_H

#include <stdbool.h>

#include "base/text.h"
#include "http/accept.h"

enum tg_effort {
    TG_EFFORT_WHOLE, /* everything at once: the best size for its time */
    TG_EFFORT_LARGE, /* the same, and there is much of it: quick */
    TG_EFFORT_STREAM /* in pieces over any time: little memory */
};
enum { TG_EFFORTS = TG_EFFORT_STREAM + 1 };

enum tg_push {
    TG_PUSH_MORE,  /* output may lag behind the input */
    TG_PUSH_FLUSH, /* all input so far can be decoded from the output */
    TG_PUSH_END    /* the output is complete */
};

struct tg_encoder;

/* Zeroed it is empty. */
struct tg_encoder_pool {
    struct tg_encoder *spare[TG_CODINGS][TG_EFFORTS];
    size_t bytes; /* of the encoders that are in use */
};

/* Was it built in?  Gzip always is. */
bool tg_encoder_knows(enum tg_coding coding);

/* Adds the codings that were built in, with their libraries' versions. */
void tg_encoder_describe(struct tg_text *out);

/* NULL if the coding was not built in, or if the encoders in use take all the
 * memory they may. */
struct tg_encoder *tg_encoder_take(struct tg_encoder_pool *pool,
                                   enum tg_coding coding,
                                   enum tg_effort effort);

/* Gives it back, in whatever state it is. */
void tg_encoder_put(struct tg_encoder_pool *pool, struct tg_encoder *encoder);

/* Frees what is spare. */
void tg_encoder_release(struct tg_encoder_pool *pool);

/* Adds to `out` what encoding gives; nothing is pushed behind the end. */
void tg_encoder_push(struct tg_encoder *encoder, const char *data, size_t len,
                     enum tg_push push, struct tg_text *out);

#endif
