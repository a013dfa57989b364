// SPDX-License-Identifier: MIT
#include "http/writer.h"

#include <string.h>

#include "base/text.h"
#include "http/bytes.h"
#include "http/date.h"
#include "http/status.h"

static void add(struct tg_text *out, const char *data, size_t len)
{
    memcpy(out->data + out->len, data, len);
    out->len += len;
}

#define ADD(out, literal) add(out, literal, sizeof(literal) - 1)

static void add_number(struct tg_text *out, uint64_t number)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    add(out, digits + at, sizeof(digits) - at);
}

/* Framing is the connection's: a handler cannot contradict it. */
static bool is_framing(const char *name, size_t len)
{
    return tg_bytes_spell(name, len, "content-length") ||
           tg_bytes_spell(name, len, "transfer-encoding") ||
           tg_bytes_spell(name, len, "connection") ||
           tg_bytes_spell(name, len, "keep-alive");
}

static void add_fields(struct tg_text *out, const struct tg_headers *headers,
                       bool *dated, bool *typed)
{
    unsigned i;

    for (i = 0; i < headers->count; i++) {
        size_t name_len, value_len;
        const char *name = tg_headers_name(headers, i, &name_len);
        const char *value = tg_headers_value(headers, i, &value_len);

        if (is_framing(name, name_len))
            continue;
        *dated |= tg_bytes_spell(name, name_len, "date");
        *typed |= tg_bytes_spell(name, name_len, "content-type");
        add(out, name, name_len);
        ADD(out, ": ");
        add(out, value, value_len);
        ADD(out, "\r\n");
    }
}

void tg_writer_format(const struct tg_writer_head *head, struct tg_text *out)
{
    const char *reason = tg_status_reason(head->status);
    size_t type_len = head->type ? strlen(head->type) : 0;
    bool dated = false, typed = false;

    out->len = 0;
    tg_text_room(out, 512 + type_len + head->headers->bytes.len +
                          4 * (size_t)head->headers->count);
    ADD(out, "HTTP/1.1 ");
    add_number(out, (uint64_t)head->status);
    ADD(out, " ");
    add(out, reason, strlen(reason));
    ADD(out, "\r\n");
    add_fields(out, head->headers, &dated, &typed);
    if (!dated) {
        ADD(out, "Date: ");
        add(out, tg_date_now(), TG_DATE_LEN);
        ADD(out, "\r\n");
    }
    if (head->type && !typed) {
        ADD(out, "Content-Type: ");
        add(out, head->type, type_len);
        ADD(out, "\r\n");
    }
    if (head->length >= 0) {
        ADD(out, "Content-Length: ");
        add_number(out, (uint64_t)head->length);
        ADD(out, "\r\n");
    }
    if (head->chunked)
        ADD(out, "Transfer-Encoding: chunked\r\n");
    if (head->close)
        ADD(out, "Connection: close\r\n");
    else if (head->keep_alive)
        ADD(out, "Connection: keep-alive\r\n");
    ADD(out, "\r\n");
}
