// SPDX-License-Identifier: MIT
/*
 * What each coding's library must give to encoder.c (private to it).
 */
#ifndef TG_HTTP_CODEC_H
#define TG_HTTP_CODEC_H

#include "http/encoder.h"

/* Bytes still to be read, and room still to be filled. */
struct tg_codec_io {
    const char *in;
    size_t in_len;
    char *out;
    size_t out_len;
};

struct tg_codec {
    size_t bytes[TG_EFFORTS]; /* what a state takes, about */
    void *(*new)(enum tg_effort effort);
    void (*reset)(void *state); /* for other content; NULL: it cannot */
    void (*free)(void *state);
    /* Goes on as far as input and room last; true when that was far enough. */
    bool (*step)(void *state, struct tg_codec_io *io, enum tg_push push);
    void (*describe)(struct tg_text *out);
};

extern const struct tg_codec tg_codec_gzip, tg_codec_brotli, tg_codec_zstd;

#endif
