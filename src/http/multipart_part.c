// SPDX-License-Identifier: MIT
#include "http/multipart_part.h"

#include <string.h>

#include "http/bytes.h"
#include "http/parameter.h"

enum { NAME_MOST = 255 }; /* bytes in the name of a file */

/* The span of the only field of that name: 1, 0 if there is none, or how many
 * there are. */
static int find_field(const struct tg_multipart_step *step, const char *name,
                      struct tg_span *value)
{
    unsigned i;
    int count = 0;

    for (i = 0; i < step->nfields; i++) {
        const struct tg_field *field = &step->fields[i];

        if (tg_bytes_spell(step->at + field->name.at, field->name.len, name)) {
            *value = field->value;
            count++;
        }
    }
    return count;
}

static struct tg_span span_of(const struct tg_multipart_step *step,
                              const struct tg_parameter *parameter)
{
    return (struct tg_span){(uint32_t)(parameter->value - step->at),
                            (uint32_t)parameter->value_len};
}

/* A `filename*` is passed over: RFC 7578, 4.2 forbids it. */
static enum tg_multipart_fault read_disposition(struct tg_multipart_step *step,
                                                struct tg_span value)
{
    const char *at = step->at + value.at, *end = at + value.len;
    struct tg_parameter parameter;
    int found, names = 0, filenames = 0;

    if (!tg_parameter_begin(&at, end, "form-data"))
        return TG_MULTIPART_BAD_DISPOSITION;
    while ((found = tg_parameter_next(&at, end, &parameter)) > 0) {
        if (tg_parameter_is(&parameter, "name")) {
            step->name = span_of(step, &parameter);
            names++;
        } else if (tg_parameter_is(&parameter, "filename")) {
            step->filename = span_of(step, &parameter);
            filenames++;
        }
    }
    step->has_filename = filenames > 0;
    if (found < 0 || names > 1 || filenames > 1)
        return TG_MULTIPART_BAD_DISPOSITION;
    return names ? TG_MULTIPART_SOUND : TG_MULTIPART_NO_NAME;
}

enum tg_multipart_fault tg_multipart_part(struct tg_multipart_step *step)
{
    struct tg_span value;
    int types = find_field(step, "content-type", &step->type);

    if (types > 1)
        return TG_MULTIPART_BAD_FIELD;
    step->has_type = types == 1;
    if (find_field(step, "content-disposition", &value) != 1)
        return TG_MULTIPART_NO_DISPOSITION;
    return read_disposition(step, value);
}

static char escaped_by_browsers(const char *at, size_t len)
{
    if (len < 3 || *at != '%')
        return 0;
    if (memcmp(at, "%22", 3) == 0)
        return '"';
    if (memcmp(at, "%0D", 3) == 0)
        return '\r';
    return memcmp(at, "%0A", 3) == 0 ? '\n' : 0;
}

size_t tg_multipart_unescape(const char *text, size_t len, char *room)
{
    const char *end = text + len;
    char *out = room;

    while (text < end) {
        char c = escaped_by_browsers(text, (size_t)(end - text));

        if (c) {
            *out++ = c;
            text += 3;
            continue;
        }
        if (*text == '\\' && end - text > 1 &&
            (text[1] == '"' || text[1] == '\\'))
            text++;
        *out++ = *text++;
    }
    return (size_t)(out - room);
}

size_t tg_multipart_safe_name(const char *filename, size_t len, char *room)
{
    const char *end = filename + len, *at = end;
    char *out = room;

    while (at > filename && at[-1] != '/' && at[-1] != '\\')
        at--;
    for (; at < end; at++)
        if (tg_byte_is(*at, TG_BYTE_VALUE) && *at != '\t' &&
            (*at != '.' || out > room))
            *out++ = *at;
    return out - room > NAME_MOST ? 0 : (size_t)(out - room);
}
