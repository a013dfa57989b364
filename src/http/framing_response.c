// SPDX-License-Identifier: MIT
/* The response head (RFC 9112, section 4), as strict as that of a request: two
 * readers that see two ends of one response mix up all that follow. */
#include <string.h>

#include "http/bytes.h"
#include "http/framing_field.h"
#include "http/framing_head.h"

/* "HTTP/1.1 200 OK"; many leave out the space before an empty reason. */
static int read_status_line(struct tg_head *head, const char *at, size_t len)
{
    const char *digits = at + 9;
    int i;

    if (len < 12 || at[8] != ' ' || tg_head_read_version(head, at, 8) != 0)
        return 400;
    for (i = 0; i < 3; i++) {
        if (digits[i] < '0' || digits[i] > '9')
            return 400;
        head->status = (uint16_t)(head->status * 10 + digits[i] - '0');
    }
    if (head->status < 100 || head->status > 599)
        return 400;
    if (len > 12 && (at[12] != ' ' || !tg_bytes_are_value(at + 13, len - 13)))
        return 400;
    return 0;
}

static int read_line(struct tg_head *head, struct tg_sayings *said,
                     const char *data, size_t start, size_t end, unsigned most)
{
    struct tg_field *field = &head->fields[head->nfields];
    int status;

    if (head->status == 0)
        return read_status_line(head, data + start, end - start);
    if (head->nfields == most)
        return 431;
    status = tg_field_parse(field, data, start, end);
    if (status)
        return status;
    head->nfields++;
    return tg_head_read_field(head, said, field, data);
}

/* We ask for no coding but chunked, and for no other protocol. */
static int judge(struct tg_head *head, const struct tg_sayings *said)
{
    if (said->coding && (said->length || head->minor == 0))
        return 400;
    if (said->other_coding || head->status == 101)
        return 400;
    if (said->close)
        head->keep_alive = false;
    return 0;
}

static int refusal(int status)
{
    return status == 431 || status == 414 ? -431 : -400;
}

ssize_t tg_head_parse_response(struct tg_head *head, const char *data,
                               size_t len, size_t *scanned,
                               const struct tg_head_limits *limits)
{
    struct tg_sayings said = {0};
    size_t start, end;
    ssize_t next;
    int status;

    head->method = head->target = head->host = (struct tg_span){0, 0};
    head->content_length = -1;
    head->nfields = 0;
    head->status = 0;
    head->chunked = head->expect_continue = head->upgrade = false;

    if (memcmp(data, "HTTP/", len < 5 ? len : 5) != 0)
        return -400;
    if (tg_head_is_unchanged(data, len, 0, *scanned, limits)) {
        *scanned = len;
        return 0;
    }
    for (start = 0;; start = (size_t)next) {
        next = tg_head_find_line(data, len, start, &end, limits);
        if (next <= 0)
            break;
        if (end == start) {
            status = head->status ? judge(head, &said) : 400;
            return status ? refusal(status) : next;
        }
        status = read_line(head, &said, data, start, end, limits->fields);
        if (status)
            return refusal(status);
    }
    *scanned = len;
    return next < 0 ? refusal((int)-next) : 0;
}
