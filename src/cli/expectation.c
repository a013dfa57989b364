// SPDX-License-Identifier: MIT
#include "cli/expectation.h"

#include <stddef.h>
#include <string.h>

#include "base/settings.h"

static const struct {
    const char *name, *text;
} words[] = {
    {"log_level", "'debug', 'info', 'warn', 'error' or 'off'"},
    {"log_format", "'auto', 'text' or 'json'"},
    {"access_log", "a file, '-' or 'off'"},
    {"handlers", "a folder"},
    {"user", "a user, or 'user:group'"},
    {"event_backend", "the name of a libevent backend"},
    {"request_id_header", "the name of a header field"},
    {"trusted_proxies",
     "an address, a network such as '10.0.0.0/8', 'loopback', 'private' or "
     "'unix', at most 64 of them"},
    {"proxy_headers",
     "'x-forwarded-for', 'x-forwarded-proto' or 'x-forwarded-host'; or "
     "'forwarded' alone; or 'none' alone"},
    {"dns_servers", "an address such as '192.0.2.53' or '127.0.0.1:5353', at "
                    "most 64 of them"},
};

static const char *kinds[] = {
    [TG_SETTING_STRING] = "a file",
    [TG_SETTING_LISTEN] = "one of at most 32 addresses",
    [TG_SETTING_COUNT] = "an integer from 1 to 1024",
    [TG_SETTING_LIMIT] = "a whole number from 1, or 'inf'",
    [TG_SETTING_SIZE] = "a whole number of bytes from 64 to 1048576",
    [TG_SETTING_FIELDS] = "a whole number from 1 to 100",
    [TG_SETTING_SECONDS] = "seconds, a number from 0",
};

const char *tg_expectation_of(const struct tg_setting *setting)
{
    size_t i;

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(words[i].name, setting->name) == 0)
            return words[i].text;
    return kinds[setting->kind];
}
