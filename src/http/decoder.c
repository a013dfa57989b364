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
    bool is_full; /* the last step had no more room: there may be more */
};

static const struct tg_decode *const decodes[] = {
    &tg_decode_gzip,
    &tg_decode_deflate,
#ifdef TG_WITH_BROTLI
    &tg_decode_brotli,
#endif
#ifdef TG_WITH_ZSTD
    &tg_decode_zstd,
#endif
};

struct tg_decoder *tg_decoder_new(const char *name, size_t len)
{
    size_t i, j;

    for (i = 0; i < sizeof(decodes) / sizeof(*decodes); i++)
        for (j = 0; j < 2 && decodes[i]->names[j]; j++) {
            struct tg_decoder *decoder;

            if (!tg_bytes_spell(name, len, decodes[i]->names[j]))
                continue;
            decoder = tg_alloc(sizeof(*decoder));
            decoder->decode = decodes[i];
            decoder->state = decoder->decode->new ();
            decoder->between = true;
            return decoder;
        }
    return NULL;
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
        if (piece.iov_len == 0 && (decoder->between || !decoder->is_full))
            break; /* a library may take it for an error to go on in vain */
        if (!is_in_stream(decoder))
            return -EBADMSG;
        io.in = piece.iov_len ? piece.iov_base : "";
        io.in_len = piece.iov_len;
        outcome = decoder->decode->step(decoder->state, &io);
        used = piece.iov_len - io.in_len;
        got = ROOM - io.out_len;
        decoder->is_full = io.out_len == 0;
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
