// SPDX-License-Identifier: MIT
#include <zstd.h>

#include "base/alloc.h"
#include "http/decode.h"

enum { WINDOW_MOST = 23 }; /* 8 MB: RFC 9659, section 3 */

static void *zstd_new(void)
{
    ZSTD_DCtx *state = ZSTD_createDCtx();

    if (!state)
        tg_alloc_failed();
    ZSTD_DCtx_setParameter(state, ZSTD_d_windowLogMax, WINDOW_MOST);
    return state;
}

static void zstd_restart(void *state)
{
    ZSTD_DCtx_reset(state, ZSTD_reset_session_only);
}

static void zstd_free(void *state)
{
    ZSTD_freeDCtx(state);
}

static enum tg_decoded zstd_step(void *state, struct tg_codec_io *io)
{
    ZSTD_inBuffer in = {io->in, io->in_len, 0};
    ZSTD_outBuffer out = {io->out, io->out_len, 0};
    size_t left = ZSTD_decompressStream(state, &out, &in);

    io->in += in.pos;
    io->in_len -= in.pos;
    io->out += out.pos;
    io->out_len -= out.pos;
    if (ZSTD_isError(left))
        return TG_DECODED_BAD;
    return left == 0 ? TG_DECODED_END : TG_DECODED_MORE;
}

const struct tg_decode tg_decode_zstd = {
    .names = {"zstd"},
    .chains = true, /* RFC 8878, 3.1 */
    .new = zstd_new,
    .restart = zstd_restart,
    .free = zstd_free,
    .step = zstd_step,
};
