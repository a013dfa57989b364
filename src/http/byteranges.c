// SPDX-License-Identifier: MIT
#include "http/byteranges.h"

#include <inttypes.h>
#include <sys/random.h>

#include "base/text.h"
#include "http/range.h"
#include "net/source.h"

void tg_byteranges_describe(const struct tg_range *range, int64_t size,
                            struct tg_text *out)
{
    tg_text_addf(out, "bytes %" PRId64 "-%" PRId64 "/%" PRId64, range->at,
                 range->at + range->len - 1, size);
}

static void add_part(struct tg_source *source, const struct tg_range *range,
                     int64_t size, const char *type, const char *boundary)
{
    struct tg_text head = {0};

    tg_text_addf(&head,
                 "\r\n--%s\r\nContent-Type: %s\r\nContent-Range: ", boundary,
                 type);
    tg_byteranges_describe(range, size, &head);
    tg_text_adds(&head, "\r\n\r\n");
    tg_source_add_text(source, head.data, head.len);
    tg_source_add_range(source, range->at, range->len);
    tg_text_release(&head);
}

bool tg_byteranges_add(struct tg_source *source, const struct tg_range *ranges,
                       int count, int64_t size, const char *part_type,
                       struct tg_text *type)
{
    uint64_t random[2];
    struct tg_text last = {0};
    const char *boundary;
    int i;

    if (getrandom(random, sizeof(random), 0) < 0)
        return false;
    tg_text_adds(type, "multipart/byteranges; boundary=");
    tg_text_addf(type, "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
    boundary = type->data + type->len - 32;
    for (i = 0; i < count; i++)
        add_part(source, &ranges[i], size, part_type, boundary);
    tg_text_addf(&last, "\r\n--%s--\r\n", boundary);
    tg_source_add_text(source, last.data, last.len);
    tg_text_release(&last);
    return true;
}
