// SPDX-License-Identifier: MIT
#include "net/memory.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <event2/event.h>

/*
 * evhttp makes and frees about twenty small blocks for each connection.  A free
 * list for each size saves most of what malloc costs there.  A block knows its
 * size from malloc; it may be freed on another thread, and then joins that
 * thread's lists.
 */
enum {
    GRAIN = 16,
    BESIDE = 8, /* bytes that malloc keeps with a block: they fill a grain */
    CLASSES = 64,
    KEPT = 256
};

struct block {
    struct block *next; /* while it is on a free list */
};

static _Thread_local struct {
    struct block *list[CLASSES];
    int kept[CLASSES];
    long held; /* blocks taken, less those given */
} local;

static atomic_long held;

static void *take(size_t size)
{
    size_t class = (size + BESIDE + GRAIN - 1) / GRAIN;
    struct block *block;

    local.held++;
    if (class < 2) /* malloc has none that is smaller */
        class = 2;
    if (class >= CLASSES || !local.list[class])
        return malloc(class * GRAIN - BESIDE);
    block = local.list[class];
    local.list[class] = block->next;
    local.kept[class]--;
    return block;
}

static void give(void *memory)
{
    size_t class = (malloc_usable_size(memory) + BESIDE) / GRAIN;
    struct block *block = memory;

    if (!memory)
        return;
    local.held--;
    if (class >= CLASSES || local.kept[class] == KEPT) {
        free(memory);
        return;
    }
    block->next = local.list[class];
    local.list[class] = block;
    local.kept[class]++;
}

static void *resize(void *memory, size_t size)
{
    return memory ? realloc(memory, size) : take(size);
}

void tg_memory_setup(void)
{
    event_set_mem_functions(take, resize, give);
}

long tg_memory_held(void)
{
    return atomic_load(&held);
}

void tg_memory_flush(void)
{
    struct block *block;
    int class;

    for (class = 0; class < CLASSES; class ++) {
        while ((block = local.list[class])) {
            local.list[class] = block->next;
            free(block);
        }
        local.kept[class] = 0;
    }
    atomic_fetch_add(&held, local.held);
    local.held = 0;
}
