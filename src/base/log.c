// SPDX-License-Identifier: MIT
#include "base/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

static const char *const names[] = {"debug", "info", "warn", "error", "off"};

static enum tg_log_level least = TG_LOG_INFO;
static bool as_json;

int tg_log_level_of(const char *name)
{
    int level;

    for (level = TG_LOG_DEBUG; level <= TG_LOG_OFF; level++)
        if (strcmp(names[level], name) == 0)
            return level;
    return -1;
}

void tg_log_setup(const char *level, const char *format)
{
    least = (enum tg_log_level)tg_log_level_of(level);
    as_json = strcmp(format, "json") == 0 ||
              (strcmp(format, "auto") == 0 && !isatty(STDERR_FILENO));
    tzset(); /* reads a file, by stdio; a handler may hold its locks later */
}

bool tg_log_is_on(enum tg_log_level level)
{
    return level >= least;
}

/* People read tracebacks: line ends stay, and what follows is indented.  All
 * other control bytes go, and so does what is no UTF-8.  No text passes for a
 * field: its quote is marked. */
static void add_plain(struct tg_text *out, const char *data, size_t len)
{
    size_t i, n;

    for (i = 0; i < len; i += n) {
        unsigned char c = (unsigned char)data[i];

        n = c < 0x80 ? 1 : tg_text_sequence(data + i, len - i);
        if (c == '\n')
            tg_text_adds(out, "\n    ");
        else if (c == '"' && i && data[i - 1] == '=')
            tg_text_adds(out, "\\\"");
        else if (n == 0 || (c < 0x20 && c != '\t') || c == 0x7f)
            tg_text_addf(out, "\\x%02x", c);
        else
            tg_text_add(out, data + i, n);
        n = n ? n : 1;
    }
}

static void format_people(struct tg_text *out, enum tg_log_level level,
                          const char *stamp, const char *message, size_t len,
                          const struct tg_log_field *fields, int nfields)
{
    int i;

    tg_text_addf(out, "%.12s %-5s ", stamp + 11, names[level]);
    add_plain(out, message, len);
    for (i = 0; i < nfields; i++) {
        tg_text_adds(out, " ");
        add_plain(out, fields[i].name, strlen(fields[i].name));
        tg_text_adds(out, "=");
        if (!fields[i].text)
            tg_text_addf(out, "%" PRId64, fields[i].number);
        else if (memchr(fields[i].text, '\n', fields[i].len))
            add_plain(out, fields[i].text, fields[i].len);
        else
            tg_text_add_quoted(out, fields[i].text, fields[i].len);
    }
}

static void format_json(struct tg_text *out, enum tg_log_level level,
                        const char *stamp, const char *message, size_t len,
                        const struct tg_log_field *fields, int nfields)
{
    int i;

    tg_text_addf(out, "{\"time\":\"%s\",\"level\":\"%s\",\"msg\":", stamp,
                 names[level]);
    tg_text_add_quoted(out, message, len);
    for (i = 0; i < nfields; i++) {
        tg_text_adds(out, ",");
        tg_text_add_quoted(out, fields[i].name, strlen(fields[i].name));
        tg_text_adds(out, ":");
        if (fields[i].text)
            tg_text_add_quoted(out, fields[i].text, fields[i].len);
        else
            tg_text_addf(out, "%" PRId64, fields[i].number);
    }
    tg_text_adds(out, "}");
}

void tg_log_record(enum tg_log_level level, const char *message, size_t len,
                   const struct tg_log_field *fields, int nfields)
{
    struct tg_text out = {0};
    char stamp[32];

    if (!tg_log_is_on(level))
        return;
    tg_clock_stamp(stamp, sizeof(stamp));
    if (as_json)
        format_json(&out, level, stamp, message, len, fields, nfields);
    else
        format_people(&out, level, stamp, message, len, fields, nfields);
    tg_text_adds(&out, "\n");
    if (write(STDERR_FILENO, out.data, out.len) < 0) {
        /* nowhere left to say so */
    }
    tg_text_release(&out);
}

void tg_log(enum tg_log_level level, const char *format, ...)
{
    struct tg_text message = {0};
    va_list args;

    if (!tg_log_is_on(level))
        return;
    va_start(args, format);
    tg_text_addv(&message, format, args);
    va_end(args);
    tg_log_record(level, message.data ? message.data : "", message.len, NULL,
                  0);
    tg_text_release(&message);
}
