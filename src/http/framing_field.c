// SPDX-License-Identifier: MIT
#include "http/framing_field.h"

#include <string.h>

#include "http/bytes.h"

struct tg_span tg_field_trim(const char *base, const char *from, const char *to)
{
    tg_bytes_trim(&from, &to);
    return (struct tg_span){(uint32_t)(from - base), (uint32_t)(to - from)};
}

/* A line that begins with white space folds the one before (5.2), and white
 * space before the colon (5.1) has split requests: neither is a token byte. */
int tg_field_parse(struct tg_field *field, const char *data, size_t start,
                   size_t end)
{
    const char *at = data + start, *stop = data + end;

    at = tg_bytes_skip_token(at, stop);
    if (at == data + start || at == stop || *at != ':')
        return 400;
    field->name =
        (struct tg_span){(uint32_t)start, (uint32_t)(at - data - start)};
    field->value = tg_field_trim(data, at + 1, stop);
    return tg_bytes_are_value(data + field->value.at, field->value.len) ? 0
                                                                        : 400;
}

int tg_fields_parse(struct tg_field *fields, int max, const char *data,
                    size_t len)
{
    size_t start = 0;
    int count = 0;

    while (start < len) {
        const char *lf = memchr(data + start, '\n', len - start);
        size_t end = lf ? (size_t)(lf - data) : 0;
        int status;

        if (!lf || end == start || lf[-1] != '\r')
            return -400;
        if (count == max)
            return -431;
        status = tg_field_parse(&fields[count++], data, start, end - 1);
        if (status)
            return -status;
        start = end + 1;
    }
    return count;
}
