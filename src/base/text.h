// SPDX-License-Identifier: MIT
/*
 * A byte string that grows.  Zeroed it is empty; `data` is NULL until then and
 * is NUL-terminated afterwards.
 */
#ifndef TG_BASE_TEXT_H
#define TG_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct tg_text {
    char *data;
    size_t len, cap;
};

void tg_text_release(struct tg_text *text);

/* Makes room for `len` more bytes and returns where they go; the caller adds
 * to `text->len` what it used. */
char *tg_text_room(struct tg_text *text, size_t len);

void tg_text_add(struct tg_text *text, const char *data, size_t len);
void tg_text_adds(struct tg_text *text, const char *string);
void tg_text_addf(struct tg_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void tg_text_addv(struct tg_text *text, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* Adds `data` as a JSON string, with its quotes.  Control characters, and
 * bytes that are no UTF-8, become escapes: one record stays one line. */
void tg_text_add_quoted(struct tg_text *text, const char *data, size_t len);

/* The length of the UTF-8 sequence of a printable character beyond ASCII at the
 * start of `data` (RFC 3629); 0: it is none. */
size_t tg_text_sequence(const char *data, size_t len);

/* Adds what is in a file, up to `most` bytes; false: it cannot be opened.
 * Without stdio, whose locks a handler's pipe may hold. */
bool tg_text_add_file(struct tg_text *text, const char *path, size_t most);

/* Removes `len` bytes from the front. */
void tg_text_drain(struct tg_text *text, size_t len);

#endif
