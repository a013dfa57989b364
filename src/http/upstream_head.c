// SPDX-License-Identifier: MIT
#include "http/upstream_head.h"

#include <string.h>

#include "base/address.h"

void tg_upstream_head_read(struct tg_upstream_head *head,
                           const struct tg_head *parsed, const char *bytes)
{
    unsigned i;

    head->status = parsed->status;
    head->minor = parsed->minor;
    head->content_length = parsed->chunked ? -1 : parsed->content_length;
    tg_headers_clear(&head->headers);
    for (i = 0; i < parsed->nfields; i++) {
        const struct tg_field *field = &parsed->fields[i];

        tg_headers_add(&head->headers, bytes + field->name.at, field->name.len,
                       bytes + field->value.at, field->value.len);
    }
}

/* "timeout=5, max=100" */
double tg_upstream_head_keep(const struct tg_upstream_head *head, double most)
{
    static const char name[] = "timeout=";
    size_t len, n = 0;
    const char *value = tg_headers_get(&head->headers, "keep-alive", &len), *at;
    unsigned seconds;

    at = value ? memmem(value, len, name, sizeof(name) - 1) : NULL;
    if (!at)
        return most;
    at += sizeof(name) - 1;
    while (at + n < value + len && '0' <= at[n] && at[n] <= '9')
        n++;
    if (!tg_address_number(at, n, 1000000, &seconds))
        return most;
    return seconds < most ? seconds : most;
}
