// SPDX-License-Identifier: MIT
/*
 * Memory that is always there.
 *
 * If it is not, the process ends with one line that says so; no caller has a
 * path for it.  Lua has its own allocator and raises.
 */
#ifndef TG_BASE_ALLOC_H
#define TG_BASE_ALLOC_H

#include <stddef.h>

/* Zeroed; release with free(). */
void *tg_alloc(size_t size);

/* As realloc(); what is new is not zeroed. */
void *tg_realloc(void *block, size_t size);

/* A copy of `len` bytes with a NUL after them; release with free(). */
char *tg_strndup(const char *text, size_t len);
char *tg_strdup(const char *text);

/* A string made as printf() makes it; release with free(). */
char *tg_strf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The end, for memory that a library could not get. */
void tg_alloc_failed(void) __attribute__((noreturn));

#endif
