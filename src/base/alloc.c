// SPDX-License-Identifier: MIT
#include "base/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tg_alloc_failed(void)
{
    fputs("tidegate: out of memory\n", stderr);
    abort();
}

static void *checked(void *block)
{
    if (!block)
        tg_alloc_failed();
    return block;
}

void *tg_alloc(size_t size)
{
    return checked(calloc(1, size));
}

void *tg_realloc(void *block, size_t size)
{
    return checked(realloc(block, size));
}

char *tg_strndup(const char *text, size_t len)
{
    char *copy = checked(malloc(len + 1));

    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

char *tg_strdup(const char *text)
{
    return tg_strndup(text, strlen(text));
}

char *tg_strf(const char *format, ...)
{
    va_list args;
    char *text = NULL;
    int len;

    va_start(args, format);
    len = vasprintf(&text, format, args);
    va_end(args);
    return checked(len < 0 ? NULL : text);
}
