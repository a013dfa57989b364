// SPDX-License-Identifier: MIT
/*
 * Decodes content as it is asked for: gzip, deflate, Brotli, Zstandard (RFC
 * 9110, 8.4).
 *
 * It makes no more than it is asked for, so that content which decodes to a
 * thousand times its size takes no more memory than other content.
 */
#ifndef TG_HTTP_DECODER_H
#define TG_HTTP_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct tg_buffer;
struct tg_decoder;

/* For the coding of that name in Content-Encoding; NULL: it is none of those
 * that were built in. */
struct tg_decoder *tg_decoder_new(const char *name, size_t len);
void tg_decoder_free(struct tg_decoder *decoder);

/*
 * Decodes from the front of `from` to the end of `to`, about `most` bytes, and
 * drains what it has used.  Returns how many it made; 0: it needs more of
 * `from`, or is done; -EBADMSG: this is not that coding.
 */
ssize_t tg_decoder_run(struct tg_decoder *decoder, struct tg_buffer *from,
                       struct tg_buffer *to, size_t most);

/* Is what it was given whole?  Nothing at all is. */
bool tg_decoder_is_whole(const struct tg_decoder *decoder);

#endif
