// SPDX-License-Identifier: MIT
#include "http/parameter.h"

#include "http/bytes.h"

/* Where the quote that ends the string stands, or NULL. */
static const char *find_quote(const char *at, const char *end)
{
    for (; at < end; at++) {
        if (*at == '"')
            return at;
        if (*at == '\\' && ++at == end)
            return NULL;
    }
    return NULL;
}

bool tg_parameter_begin(const char **at, const char *end, const char *word)
{
    const char *stop = *at, *next;

    while (stop < end && (tg_byte_is(*stop, TG_BYTE_TOKEN) || *stop == '/'))
        stop++;
    next = tg_bytes_skip_space(stop, end);
    if ((next < end && *next != ';') ||
        !tg_bytes_spell(*at, (size_t)(stop - *at), word))
        return false;
    *at = next;
    return true;
}

int tg_parameter_next(const char **at, const char *end,
                      struct tg_parameter *parameter)
{
    const char *here = tg_bytes_skip_space(*at, end), *stop;

    while (here < end && *here == ';')
        here = tg_bytes_skip_space(here + 1, end);
    if (here == end)
        return 0;
    stop = tg_bytes_skip_token(here, end);
    if (stop == here || stop == end || *stop != '=')
        return -1;
    parameter->name = here;
    parameter->name_len = (size_t)(stop - here);
    here = stop + 1;
    parameter->quoted = here < end && *here == '"';
    if (parameter->quoted)
        stop = find_quote(++here, end);
    else
        stop = tg_bytes_skip_token(here, end);
    if (!stop || (stop == here && !parameter->quoted))
        return -1;
    parameter->value = here;
    parameter->value_len = (size_t)(stop - here);
    *at = tg_bytes_skip_space(stop + parameter->quoted, end);
    return *at == end || **at == ';' ? 1 : -1;
}

bool tg_parameter_is(const struct tg_parameter *parameter, const char *name)
{
    return tg_bytes_spell(parameter->name, parameter->name_len, name);
}
