// SPDX-License-Identifier: MIT
#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

#include "base/alloc.h"
#include "http/codec.h"

enum { GZIP = 16 /* added to the window's bits: with gzip's head and sum */ };

static const struct {
    int level, window, memory;
} settings[TG_EFFORTS] = {
    [TG_EFFORT_WHOLE] = {4, 15, 8},
    [TG_EFFORT_LARGE] = {1, 15, 8},
    [TG_EFFORT_STREAM] = {4, 13, 6},
};

static void *gzip_new(enum tg_effort effort)
{
    z_stream *z = tg_alloc(sizeof(*z));

    if (deflateInit2(z, settings[effort].level, Z_DEFLATED,
                     settings[effort].window + GZIP, settings[effort].memory,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        tg_alloc_failed();
    return z;
}

static void gzip_reset(void *state)
{
    deflateReset(state);
}

static void gzip_free(void *state)
{
    deflateEnd(state);
    free(state);
}

static bool gzip_step(void *state, struct tg_codec_io *io, enum tg_push push)
{
    static const int flushes[] = {[TG_PUSH_MORE] = Z_NO_FLUSH,
                                  [TG_PUSH_FLUSH] = Z_SYNC_FLUSH,
                                  [TG_PUSH_END] = Z_FINISH};
    z_stream *z = state;
    uInt given = io->in_len < 1u << 30 ? (uInt)io->in_len : 1u << 30;
    bool all = given == io->in_len;
    int outcome;

    z->next_in = (const Bytef *)io->in;
    z->avail_in = given;
    z->next_out = (Bytef *)io->out;
    z->avail_out = (uInt)io->out_len;
    outcome = deflate(z, all ? flushes[push] : Z_NO_FLUSH);
    io->in += given - z->avail_in;
    io->in_len -= given - z->avail_in;
    io->out += io->out_len - z->avail_out;
    io->out_len = z->avail_out;
    if (push == TG_PUSH_END)
        return outcome == Z_STREAM_END;
    return io->in_len == 0 && io->out_len > 0;
}

static void gzip_describe(struct tg_text *out)
{
    tg_text_addf(out, "gzip (zlib %s)", zlibVersion());
}

const struct tg_codec tg_codec_gzip = {
    .bytes = {264 * 1024, 264 * 1024, 72 * 1024},
    .new = gzip_new,
    .reset = gzip_reset,
    .free = gzip_free,
    .step = gzip_step,
    .describe = gzip_describe,
};
