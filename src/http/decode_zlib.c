// SPDX-License-Identifier: MIT
#define ZLIB_CONST
#include <stdlib.h>
#include <zlib.h>

#include "base/alloc.h"
#include "http/decode.h"

enum { WINDOW = 15, GZIP = 16 };

static void *start(int window)
{
    z_stream *z = tg_alloc(sizeof(*z));

    if (inflateInit2(z, window) != Z_OK)
        tg_alloc_failed();
    return z;
}

static void *gzip_new(void)
{
    return start(WINDOW + GZIP);
}

static void gzip_restart(void *state)
{
    inflateReset(state);
}

static void end(void *state)
{
    inflateEnd(state);
    free(state);
}

static enum tg_decoded step(void *state, struct tg_codec_io *io)
{
    z_stream *z = state;
    uInt given = io->in_len < 1u << 30 ? (uInt)io->in_len : 1u << 30;
    int outcome;

    z->next_in = (const Bytef *)io->in;
    z->avail_in = given;
    z->next_out = (Bytef *)io->out;
    z->avail_out = (uInt)io->out_len;
    outcome = inflate(z, Z_NO_FLUSH);
    io->in += given - z->avail_in;
    io->in_len -= given - z->avail_in;
    io->out += io->out_len - z->avail_out;
    io->out_len = z->avail_out;
    if (outcome == Z_STREAM_END)
        return TG_DECODED_END;
    return outcome == Z_OK || outcome == Z_BUF_ERROR ? TG_DECODED_MORE
                                                     : TG_DECODED_BAD;
}

static void *deflate_new(void)
{
    return start(WINDOW);
}

/*
 * Some send what RFC 1951 describes without the frame of RFC 1950 that belongs
 * around it (RFC 9110, 8.4.1.2).  The frame begins with a byte whose lower half
 * is 8; so would the other only if it began with a stored block, and had junk
 * where nothing is meant.
 */
static enum tg_decoded deflate_step(void *state, struct tg_codec_io *io)
{
    z_stream *z = state;

    if (z->total_in == 0 && io->in_len && (*io->in & 15) != Z_DEFLATED)
        inflateReset2(z, -WINDOW);
    return step(state, io);
}

const struct tg_decode tg_decode_gzip = {
    .names = {"gzip", "x-gzip"},
    .chains = true, /* RFC 1952, 2.2 */
    .new = gzip_new,
    .restart = gzip_restart,
    .free = end,
    .step = step,
};

const struct tg_decode tg_decode_deflate = {
    .names = {"deflate"},
    .new = deflate_new,
    .free = end,
    .step = deflate_step,
};
