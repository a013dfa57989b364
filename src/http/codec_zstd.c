// SPDX-License-Identifier: MIT
#include <zstd.h>

#include "base/alloc.h"
#include "http/codec.h"

/* The bits of the tables' sizes; 0: as the level has them. */
static const struct {
    int level, window, hash, chain;
} settings[TG_EFFORTS] = {
    [TG_EFFORT_WHOLE] = {3, 17, 0, 0},
    [TG_EFFORT_LARGE] = {1, 17, 0, 0},
    [TG_EFFORT_STREAM] = {3, 16, 14, 14},
};

static void *zstd_new(enum tg_effort effort)
{
    ZSTD_CCtx *state = ZSTD_createCCtx();

    if (!state)
        tg_alloc_failed();
    ZSTD_CCtx_setParameter(state, ZSTD_c_compressionLevel,
                           settings[effort].level);
    ZSTD_CCtx_setParameter(state, ZSTD_c_windowLog, settings[effort].window);
    ZSTD_CCtx_setParameter(state, ZSTD_c_hashLog, settings[effort].hash);
    ZSTD_CCtx_setParameter(state, ZSTD_c_chainLog, settings[effort].chain);
    return state;
}

static void zstd_reset(void *state)
{
    ZSTD_CCtx_reset(state, ZSTD_reset_session_only);
}

static void zstd_free(void *state)
{
    ZSTD_freeCCtx(state);
}

static bool zstd_step(void *state, struct tg_codec_io *io, enum tg_push push)
{
    static const ZSTD_EndDirective directives[] = {
        [TG_PUSH_MORE] = ZSTD_e_continue,
        [TG_PUSH_FLUSH] = ZSTD_e_flush,
        [TG_PUSH_END] = ZSTD_e_end};
    ZSTD_inBuffer in = {io->in, io->in_len, 0};
    ZSTD_outBuffer out = {io->out, io->out_len, 0};
    size_t left = ZSTD_compressStream2(state, &out, &in, directives[push]);

    if (ZSTD_isError(left)) /* the parameters are right: there is no memory */
        tg_alloc_failed();
    io->in += in.pos;
    io->in_len -= in.pos;
    io->out += out.pos;
    io->out_len -= out.pos;
    return io->in_len == 0 && (push == TG_PUSH_MORE || left == 0);
}

static void zstd_describe(struct tg_text *out)
{
    tg_text_addf(out, "zstd %s", ZSTD_versionString());
}

const struct tg_codec tg_codec_zstd = {
    .bytes = {1664 * 1024, 960 * 1024, 592 * 1024},
    .new = zstd_new,
    .reset = zstd_reset,
    .free = zstd_free,
    .step = zstd_step,
    .describe = zstd_describe,
};
