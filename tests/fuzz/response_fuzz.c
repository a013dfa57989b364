// SPDX-License-Identifier: MIT
/* Response heads and bodies. */
#include "pieces.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct tg_head *head)
{
    assert(head->status >= 100 && head->status <= 599);
}

static void begin(struct tg_body *body, const struct tg_head *head)
{
    tg_body_respond(body, head, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct pieces_of of = {tg_head_parse_response, check, begin};

    return try_pieces(&of, data, size);
}
