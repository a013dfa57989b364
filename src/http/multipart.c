// SPDX-License-Identifier: MIT
/* The stream: boundaries, header sections, content.  What a part's fields say
 * is multipart_part.c's. */
#include "http/multipart.h"

#include <string.h>

#include "http/bytes.h"
#include "http/multipart_part.h"
#include "http/parameter.h"

const char *tg_multipart_describe(enum tg_multipart_fault fault)
{
    static const char *const sentences[] = {
        [TG_MULTIPART_SOUND] = "",
        [TG_MULTIPART_TRUNCATED] = "the content ends before its last boundary",
        [TG_MULTIPART_BAD_LINE] = "a boundary is not followed by a line end",
        [TG_MULTIPART_LONG_HEAD] =
            "the header section of a part is longer than 8192 bytes",
        [TG_MULTIPART_MANY_FIELDS] = "a part has more than 32 header fields",
        [TG_MULTIPART_BAD_FIELD] = "a header field of a part is malformed",
        [TG_MULTIPART_NO_DISPOSITION] =
            "a part does not have one content-disposition",
        [TG_MULTIPART_BAD_DISPOSITION] =
            "the content-disposition of a part is malformed",
        [TG_MULTIPART_NO_NAME] = "a part has no name",
    };

    return sentences[fault];
}

static bool is_boundary_byte(char c)
{
    return ('0' <= c && c <= '9') || ('a' <= (c | 32) && (c | 32) <= 'z') ||
           (c && strchr("'()+_,-./:=? ", c));
}

static bool is_boundary(const char *at, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++)
        if (!is_boundary_byte(at[i]))
            return false;
    return 0 < len && len <= TG_MULTIPART_BOUNDARY && at[len - 1] != ' ';
}

bool tg_multipart_init(struct tg_multipart *m, const char *type, size_t len)
{
    const char *end = type + len;
    struct tg_parameter parameter, boundary = {0};
    int found, count = 0;

    *m = (struct tg_multipart){.line_start = true};
    if (!tg_parameter_begin(&type, end, "multipart/form-data"))
        return false;
    while ((found = tg_parameter_next(&type, end, &parameter)) > 0) {
        if (tg_parameter_is(&parameter, "boundary")) {
            boundary = parameter;
            count++;
        }
    }
    if (found < 0 || count != 1 ||
        !is_boundary(boundary.value, boundary.value_len))
        return true;
    memcpy(m->delimiter, "\r\n--", 4);
    memcpy(m->delimiter + 4, boundary.value, boundary.value_len);
    m->delimiter_len = (uint8_t)(4 + boundary.value_len);
    return true;
}

static ssize_t fail(struct tg_multipart *m, enum tg_multipart_fault fault)
{
    m->state = TG_MULTIPART_FAILED;
    m->fault = fault;
    return -(ssize_t)fault;
}

/* How many bytes at the end may be the beginning of a delimiter. */
static size_t beginning_at_end(const struct tg_multipart *m, const char *data,
                               size_t len)
{
    size_t tail = len < m->delimiter_len ? len : m->delimiter_len - 1u;
    const char *at = data + len - tail, *end = data + len;

    while ((at = memchr(at, '\r', (size_t)(end - at)))) {
        if (memcmp(at, m->delimiter, (size_t)(end - at)) == 0)
            return (size_t)(end - at);
        at++; /* a boundary has no CR in it: this was not one */
    }
    return 0;
}

static ssize_t pass_delimiter(struct tg_multipart *m, size_t len)
{
    m->state = TG_MULTIPART_DELIMITER;
    return (ssize_t)len;
}

/* Bytes up to the next delimiter, then that: preamble or content. */
static ssize_t decode_bytes(struct tg_multipart *m, const char *data,
                            size_t len, struct tg_multipart_step *step)
{
    size_t dashed = m->delimiter_len - 2u, n = len < dashed ? len : dashed;
    const char *found;

    if (m->line_start && memcmp(data, m->delimiter + 2, n) == 0)
        return n < dashed ? 0 : pass_delimiter(m, dashed);
    m->line_start = false;
    found = memmem(data, len, m->delimiter, m->delimiter_len);
    if (found == data)
        return pass_delimiter(m, m->delimiter_len);
    step->at = data;
    step->len =
        found ? (size_t)(found - data) : len - beginning_at_end(m, data, len);
    if (m->state == TG_MULTIPART_CONTENT && step->len)
        step->kind = TG_MULTIPART_DATA;
    return (ssize_t)step->len;
}

static void end_part(struct tg_multipart *m, struct tg_multipart_step *step)
{
    if (m->in_part)
        step->kind = TG_MULTIPART_PART_END;
    m->in_part = false;
}

/* White space and a line end. */
static ssize_t decode_line_end(struct tg_multipart *m, const char *data,
                               size_t len, enum tg_multipart_state next,
                               struct tg_multipart_step *step)
{
    size_t space = 0;

    while (space < len && (data[space] == ' ' || data[space] == '\t'))
        space++;
    if (space)
        return (ssize_t)space;
    if (*data != '\r' || (len > 1 && data[1] != '\n'))
        return fail(m, TG_MULTIPART_BAD_LINE);
    if (len < 2)
        return 0;
    end_part(m, step);
    m->state = next;
    m->scanned = 0;
    return 2;
}

static ssize_t decode_delimiter(struct tg_multipart *m, const char *data,
                                size_t len, struct tg_multipart_step *step)
{
    if (*data != '-') {
        m->state = TG_MULTIPART_PADDING;
        return decode_line_end(m, data, len, TG_MULTIPART_FIELD_LINES, step);
    }
    if (len < 2)
        return 0;
    if (data[1] != '-')
        return fail(m, TG_MULTIPART_BAD_LINE);
    end_part(m, step);
    m->state = TG_MULTIPART_CLOSING;
    return 2;
}

static ssize_t decode_fields(struct tg_multipart *m, const char *data,
                             size_t len, struct tg_multipart_step *step)
{
    size_t most = len < TG_MULTIPART_HEAD ? len : TG_MULTIPART_HEAD, lines;
    const char *found;
    int count;

    if (len >= 2 && memcmp(data, "\r\n", 2) == 0)
        return fail(m, TG_MULTIPART_NO_DISPOSITION);
    found = memmem(data + m->scanned, most - m->scanned, "\r\n\r\n", 4);
    if (!found) {
        m->scanned = most < 3 ? 0 : most - 3;
        if (len >= TG_MULTIPART_HEAD)
            return fail(m, TG_MULTIPART_LONG_HEAD);
        return 0;
    }
    lines = (size_t)(found - data) + 2;
    count = tg_fields_parse(m->fields, TG_MULTIPART_FIELDS, data, lines);
    if (count < 0)
        return fail(m, count == -431 ? TG_MULTIPART_MANY_FIELDS
                                     : TG_MULTIPART_BAD_FIELD);
    step->kind = TG_MULTIPART_PART;
    step->at = data;
    step->len = lines;
    step->fields = m->fields;
    step->nfields = (unsigned)count;
    m->fault = tg_multipart_part(step);
    if (m->fault)
        return fail(m, m->fault);
    m->state = TG_MULTIPART_CONTENT;
    m->line_start = m->in_part = true;
    return (ssize_t)lines + 2;
}

static ssize_t decode(struct tg_multipart *m, const char *data, size_t len,
                      struct tg_multipart_step *step)
{
    switch (m->state) {
    case TG_MULTIPART_PREAMBLE:
    case TG_MULTIPART_CONTENT:
        return decode_bytes(m, data, len, step);
    case TG_MULTIPART_DELIMITER:
        return decode_delimiter(m, data, len, step);
    case TG_MULTIPART_PADDING:
        return decode_line_end(m, data, len, TG_MULTIPART_FIELD_LINES, step);
    case TG_MULTIPART_FIELD_LINES:
        return decode_fields(m, data, len, step);
    case TG_MULTIPART_CLOSING:
        return decode_line_end(m, data, len, TG_MULTIPART_EPILOGUE, step);
    case TG_MULTIPART_EPILOGUE:
        return (ssize_t)len;
    default:
        return -(ssize_t)m->fault;
    }
}

ssize_t tg_multipart_decode(struct tg_multipart *m, const char *data,
                            size_t len, bool last,
                            struct tg_multipart_step *step)
{
    ssize_t n = 0;

    *step = (struct tg_multipart_step){.kind = TG_MULTIPART_NONE};
    if (len || m->state == TG_MULTIPART_FAILED)
        n = decode(m, data, len, step);
    if (n || !last)
        return n;
    if (len || m->state < TG_MULTIPART_CLOSING)
        return fail(m, TG_MULTIPART_TRUNCATED);
    step->kind = TG_MULTIPART_END;
    return 0;
}
