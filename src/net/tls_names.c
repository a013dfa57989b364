// SPDX-License-Identifier: MIT
#include "net/tls_names.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { HOST_MOST = 255 };

/* Hosts are ASCII, whatever the locale. */
static char lower(char c)
{
    return 'A' <= c && c <= 'Z' ? (char)(c | 32) : c;
}

void tg_tls_names_release(struct tg_tls_names *names)
{
    size_t i;

    for (i = 0; i < names->count; i++)
        free(names->list[i].text);
    free(names->list);
    *names = (struct tg_tls_names){0};
}

void tg_tls_names_add(struct tg_tls_names *names, const char *text, size_t len,
                      size_t number)
{
    struct tg_tls_name *name;
    size_t i;

    names->list =
        tg_realloc(names->list, (names->count + 1) * sizeof(*names->list));
    name = &names->list[names->count++];
    name->text = tg_strndup(text, len);
    name->number = number;
    for (i = 0; i < len; i++)
        name->text[i] = lower(text[i]);
}

static int compare(const void *a, const void *b)
{
    const struct tg_tls_name *one = a, *other = b;
    int order = strcmp(one->text, other->text);

    return order
               ? order
               : (one->number > other->number) - (one->number < other->number);
}

void tg_tls_names_sort(struct tg_tls_names *names)
{
    if (names->count)
        qsort(names->list, names->count, sizeof(*names->list), compare);
}

static ssize_t find(const struct tg_tls_names *names, const char *text)
{
    size_t low = 0, high = names->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (strcmp(names->list[middle].text, text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < names->count && strcmp(names->list[low].text, text) == 0)
        return (ssize_t)names->list[low].number;
    return -1;
}

/* A wildcard stands for exactly one label (RFC 9525, 6.3). */
ssize_t tg_tls_names_find(const struct tg_tls_names *names, const char *host)
{
    char name[HOST_MOST + 1];
    size_t i, len = strlen(host);
    ssize_t found;
    char *dot;

    if (len == 0 || len > HOST_MOST)
        return -1;
    for (i = 0; i <= len; i++)
        name[i] = lower(host[i]);
    if (name[len - 1] == '.')
        name[len - 1] = '\0';
    found = find(names, name);
    dot = strchr(name, '.');
    if (found >= 0 || !dot || dot == name)
        return found;
    *--dot = '*';
    return find(names, dot);
}
