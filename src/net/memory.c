// SPDX-License-Identifier: MIT
#include "net/memory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

/*
 * evhttp makes and frees about ten small blocks for each request.  A free list
 * for each size class saves most of what malloc costs there.  A block may be
 * freed on another thread: it then joins that thread's lists.
 */
enum {
    GRAIN = 16,
    BESIDE = 8, /* bytes that malloc keeps with a block: they fill a grain */
    CLASSES = 64,
    KEPT = 256
};

union block {
    struct {
        size_t size; /* as asked for */
    } head;
    union block *next; /* while it is on a free list */
    long double align;
};

static _Thread_local struct {
    union block *list[CLASSES];
    int kept[CLASSES];
    long now, most;
} local;

static atomic_long total_now, total_most;

static size_t class_of(size_t size)
{
    return (sizeof(union block) + size + BESIDE + GRAIN - 1) / GRAIN;
}

static void count(long bytes)
{
    local.now += bytes;
    if (local.now > local.most)
        local.most = local.now;
}

static void *take(size_t size)
{
    size_t class = class_of(size);
    union block *block;

    if (class < CLASSES && local.list[class]) {
        block = local.list[class];
        local.list[class] = block->next;
        local.kept[class]--;
    } else {
        block = malloc(class * GRAIN - BESIDE);
        if (!block)
            return NULL;
    }
    block->head.size = size;
    count((long)size);
    return block + 1;
}

static void give(void *memory)
{
    union block *block = memory;
    size_t class;

    if (!memory)
        return;
    block--;
    class = class_of(block->head.size);
    count(-(long)block->head.size);
    if (class < CLASSES && local.kept[class] < KEPT) {
        block->next = local.list[class];
        local.list[class] = block;
        local.kept[class]++;
    } else {
        free(block);
    }
}

static void *resize(void *memory, size_t size)
{
    size_t old = memory ? ((union block *)memory)[-1].head.size : 0;
    void *moved;

    if (memory && class_of(old) == class_of(size)) {
        ((union block *)memory)[-1].head.size = size;
        count((long)size - (long)old);
        return memory;
    }
    moved = take(size);
    if (moved && memory) {
        memcpy(moved, memory, old < size ? old : size);
        give(memory);
    }
    return moved;
}

void tg_memory_count(void)
{
    event_set_mem_functions(take, resize, give);
}

void tg_memory_total(long *now, long *most)
{
    *now = atomic_load(&total_now);
    *most = atomic_load(&total_most);
}

void tg_memory_flush(void)
{
    union block *block;
    int class;

    for (class = 0; class < CLASSES; class ++) {
        while ((block = local.list[class])) {
            local.list[class] = block->next;
            free(block);
        }
        local.kept[class] = 0;
    }
    atomic_fetch_add(&total_now, local.now);
    atomic_fetch_add(&total_most, local.most);
    local.now = local.most = 0;
}
