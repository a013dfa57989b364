// SPDX-License-Identifier: MIT
#include "http/decoder.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "http/bytes.h"
#include "http/decode.h"
#include "net/buffer.h"

enum { ROOM = 16 * 1024 };

struct tg_decoder {
    const struct tg_decode *decode;
    void *state;
    bool between; /* streams: none has begun, or one has ended */
    bool begun;   /* there was a first one */
};

static const struct tg_decode *const decodes[TG_CODINGS] = {
    [TG_CODING_GZIP] = &tg_decode_gzip,
#ifdef TG_WITH_BROTLI
    [TG_CODING_BROTLI] = &tg_decode_brotli,
#endif
#ifdef TG_WITH_ZSTD
    [TG_CODING_ZSTD] = &tg_decode_zstd,
#endif
};

enum tg_coding tg_decoder_coding(const char *name, size_t len)
{
    int coding;

    if (tg_bytes_spell(name, len, "x-gzip"))
        return TG_CODING_GZIP;
    for (coding = TG_CODINGS - 1; coding > TG_CODING_IDENTITY; coding--)
        if (decodes[coding] &&
            tg_bytes_spell(name, len, tg_coding_name((enum tg_coding)coding)))
            break;
    return (enum tg_coding)coding;
}

struct tg_decoder *tg_decoder_new(enum tg_coding coding)
{
    struct tg_decoder *decoder = tg_alloc(sizeof(*decoder));

    decoder->decode = decodes[coding];
    decoder->state = decoder->decode->new ();
    decoder->between = true;
    return decoder;
}

void tg_decoder_free(struct tg_decoder *decoder)
{
    decoder->decode->free(decoder->state);
    free(decoder);
}

/* Is there a stream that the bytes to come belong to? */
static bool is_in_stream(struct tg_decoder *decoder)
{
    if (!decoder->between)
        return true;
    if (decoder->begun && !decoder->decode->chains)
        return false;
    if (decoder->begun)
        decoder->decode->restart(decoder->state);
    decoder->begun = true;
    decoder->between = false;
    return true;
}

ssize_t tg_decoder_run(struct tg_decoder *decoder, struct tg_buffer *from,
                       struct tg_buffer *to, size_t most)
{
    char room[ROOM];
    size_t made = 0;

    while (made < most) {
        struct iovec piece = {NULL, 0};
        struct tg_codec_io io = {.out = room, .out_len = ROOM};
        enum tg_decoded outcome;
        size_t used, got;

        if (tg_buffer_len(from))
            tg_buffer_pieces(from, &piece, 1);
        if (piece.iov_len == 0 && decoder->between)
            break;
        if (!is_in_stream(decoder))
            return -EBADMSG;
        io.in = piece.iov_len ? piece.iov_base : "";
        io.in_len = piece.iov_len;
        outcome = decoder->decode->step(decoder->state, &io);
        used = piece.iov_len - io.in_len;
        got = ROOM - io.out_len;
        tg_buffer_add(to, room, got);
        tg_buffer_drain(from, used);
        made += got;
        if (outcome == TG_DECODED_BAD)
            return -EBADMSG;
        if (outcome == TG_DECODED_END)
            decoder->between = true;
        else if (used == 0 && got == 0)
            break;
    }
    return (ssize_t)made;
}

bool tg_decoder_is_whole(const struct tg_decoder *decoder)
{
    return decoder->between;
}
