// SPDX-License-Identifier: MIT
/*
 * The log: one record a line on standard error, from any thread.
 *
 * For people on a terminal, as JSON otherwise.  Each record is one write(), so
 * records never mix; values are escaped, so nobody forges one.
 */
#ifndef TG_BASE_LOG_H
#define TG_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tg_log_level {
    TG_LOG_DEBUG,
    TG_LOG_INFO,
    TG_LOG_WARN,
    TG_LOG_ERROR,
    TG_LOG_OFF
};

/* The level of that name, or -1. */
int tg_log_level_of(const char *name);

/* `level` is known; `format` is "text", "json", or "auto": text for people. */
void tg_log_setup(const char *level, const char *format);
bool tg_log_is_on(enum tg_log_level level);

/* A name with a string, or with a number when `text` is NULL. */
struct tg_log_field {
    const char *name;
    const char *text;
    size_t len;
    int64_t number;
};

#define TG_LOG_TEXT(name, text, len) ((struct tg_log_field){name, text, len, 0})
#define TG_LOG_NUMBER(name, n) ((struct tg_log_field){name, NULL, 0, n})

/* A record; it is left out below the least level. */
void tg_log(enum tg_log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A record of a ready message, with fields. */
void tg_log_record(enum tg_log_level level, const char *message, size_t len,
                   const struct tg_log_field *fields, int nfields);

#endif
