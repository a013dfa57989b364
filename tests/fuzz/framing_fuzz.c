// SPDX-License-Identifier: MIT
/* Request heads and bodies. */
#include "pieces.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct tg_head *head)
{
    assert(head->method.len > 0 && head->target.len > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct pieces_of of = {tg_head_parse, check, tg_body_init};

    return try_pieces(&of, data, size);
}
