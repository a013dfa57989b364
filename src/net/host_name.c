// SPDX-License-Identifier: MIT
#include "net/host_name.h"

#include <string.h>

enum { LABEL_MOST = 63 };

static bool is_of_label(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool tg_host_name_read(const char *text, char room[TG_HOST_NAME],
                       bool *is_complete)
{
    size_t len = strlen(text), i, label = 0;

    *is_complete = len > 0 && text[len - 1] == '.';
    len -= *is_complete;
    if (len == 0 || len >= TG_HOST_NAME)
        return false;
    for (i = 0; i < len; i++) {
        room[i] = lower(text[i]);
        label = room[i] == '.' ? 0 : label + 1;
        if (room[i] == '.' ? i == 0 || room[i - 1] == '.'
                           : !is_of_label(room[i]) || label > LABEL_MOST)
            return false;
    }
    room[len] = '\0';
    return room[len - 1] != '.';
}

bool tg_host_name_is_local(const char *name)
{
    static const char local[] = "localhost";
    size_t len = strlen(name), tail = sizeof(local) - 1;

    return len >= tail && strcmp(name + len - tail, local) == 0 &&
           (len == tail || name[len - tail - 1] == '.');
}
