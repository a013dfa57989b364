// SPDX-License-Identifier: MIT
/*
 * Intrusive doubly linked lists: embed a struct tg_list in the item.
 *
 * The head is a struct tg_list too; an empty list points at itself.
 */
#ifndef TG_BASE_LIST_H
#define TG_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct tg_list {
    struct tg_list *next, *prev;
};

/* The item that holds `link` as its member `field`. */
#define tg_list_item(link, type, field)                                        \
    ((type *)(void *)((char *)(link)-offsetof(type, field)))

static inline void tg_list_init(struct tg_list *list)
{
    list->next = list->prev = list;
}

static inline bool tg_list_empty(const struct tg_list *list)
{
    return list->next == list;
}

static inline void tg_list_append(struct tg_list *list, struct tg_list *link)
{
    link->next = list;
    link->prev = list->prev;
    list->prev->next = link;
    list->prev = link;
}

/* `link` is an empty list afterwards, so that removing twice is harmless. */
static inline void tg_list_remove(struct tg_list *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    tg_list_init(link);
}

#endif
