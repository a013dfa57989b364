// SPDX-License-Identifier: MIT
#include "base/scratch.h"

#include <stdlib.h>

#include "base/alloc.h"

static _Thread_local struct tg_scratch *made;

char *tg_scratch_room(struct tg_scratch *scratch, size_t size)
{
    if (!scratch->room) {
        scratch->room = tg_alloc(size);
        scratch->next = made;
        made = scratch;
    }
    return scratch->room;
}

void tg_scratch_free(void)
{
    struct tg_scratch *scratch;

    while ((scratch = made)) {
        made = scratch->next;
        free(scratch->room);
        *scratch = (struct tg_scratch){0};
    }
}
