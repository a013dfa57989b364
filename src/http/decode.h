// SPDX-License-Identifier: MIT
/*
 * What each coding's library must give to decoder.c (private to it).
 */
#ifndef TG_HTTP_DECODE_H
#define TG_HTTP_DECODE_H

#include "http/codec.h"

enum tg_decoded {
    TG_DECODED_MORE,
    TG_DECODED_END, /* of one stream; another may follow, if `chains` */
    TG_DECODED_BAD
};

struct tg_decode {
    const char *names[2]; /* in Content-Encoding */
    bool chains;
    void *(*new)(void);
    void (*restart)(void *state); /* for the next stream of a chain */
    void (*free)(void *state);
    /* Goes on as far as input and room last. */
    enum tg_decoded (*step)(void *state, struct tg_codec_io *io);
};

extern const struct tg_decode tg_decode_gzip, tg_decode_deflate,
    tg_decode_brotli, tg_decode_zstd;

#endif
