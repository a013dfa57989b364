// SPDX-License-Identifier: MIT
#include "base/settings.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/address.h"
#include "base/alloc.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "base/tls_settings.h"
#include "base/trust.h"

#define AT(field) offsetof(struct tg_settings, field)

enum { UNSET = -1 };

static const char header_bytes[] = "abcdefghijklmnopqrstuvwxyz"
                                   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

const struct tg_setting tg_settings_table[] = {
    {"listen", "ADDR:PORT",
     "where to listen; unix:PATH for a unix socket; may be repeated",
     TG_SETTING_LISTEN, AT(listen), "127.0.0.1:8080"},
    {"handlers", "DIR", "the folder of the routes (handlers)",
     TG_SETTING_STRING, AT(handlers), "handlers"},
    {"config", "FILE", "the file of settings (tidegate.lua)", TG_SETTING_STRING,
     AT(config), "tidegate.lua"},
    {"threads", "N", "serving threads (one for each core)", TG_SETTING_COUNT,
     AT(threads), NULL},
    {"pid_file", "FILE",
     "where the process number goes; the control socket is beside it",
     TG_SETTING_STRING, AT(pid_file), NULL},
    {"user", "NAME[:GROUP]",
     "whose rights to have once the addresses are bound", TG_SETTING_STRING,
     AT(user), NULL},
    {"log_level", "LEVEL", "debug, info, warn, error or off (info)",
     TG_SETTING_STRING, AT(log_level), "info"},
    {"log_format", "FORMAT", "auto, text or json (auto: text on a terminal)",
     TG_SETTING_STRING, AT(log_format), "auto"},
    {"access_log", "FILE", "a record for each request: a file, - or off (off)",
     TG_SETTING_STRING, AT(access_log), "off"},
    {"compress", NULL, "compress responses for clients that take it",
     TG_SETTING_BOOLEAN, AT(compress), NULL},
    {"event_backend", "NAME", "libevent's backend (the best there is)",
     TG_SETTING_STRING, AT(event_backend), NULL},
    {"debug_events", NULL, "turn on libevent's debug mode", TG_SETTING_BOOLEAN,
     AT(debug_events), NULL},
    {"trusted_proxies", "ADDRESS",
     "proxies to believe: an address, a network, loopback, private or unix; "
     "may be repeated",
     TG_SETTING_STRINGS, AT(trusted_proxies), NULL},
    {"proxy_headers", "NAME",
     "a header field they set (x-forwarded-for, x-forwarded-proto); may be "
     "repeated",
     TG_SETTING_STRINGS, AT(proxy_headers), NULL},
    {"request_id_header", "NAME", "the field in which they name a request",
     TG_SETTING_STRING, AT(request_id_header), NULL},
    {"dns_servers", "ADDRESS",
     "whom to ask for names (the system's); may be repeated",
     TG_SETTING_STRINGS, AT(dns_servers), NULL},
    {"shutdown_timeout", "SECONDS",
     "how long a stop waits for requests in flight (30)", TG_SETTING_SECONDS,
     AT(shutdown_timeout), "30"},
    {"drain_timeout", "SECONDS",
     "how long replaced code may go on with its requests (60)",
     TG_SETTING_SECONDS, AT(drain_timeout), "60"},
    {"start_timeout", "SECONDS", "how long on_start functions may take (30)",
     TG_SETTING_SECONDS, AT(start_timeout), "30"},
    {"stuck_timeout", "SECONDS",
     "how long a call may hold its thread before the worker is replaced (10)",
     TG_SETTING_SECONDS, AT(stuck_timeout), "10"},
    {"head_timeout", "SECONDS", "how long a request's head may take (10)",
     TG_SETTING_SECONDS, AT(limits.head_timeout), "10"},
    {"body_timeout", "SECONDS",
     "how long a client may pause while its content is read (30)",
     TG_SETTING_SECONDS, AT(limits.body_timeout), "30"},
    {"idle_timeout", "SECONDS",
     "how long a connection may wait for its next request (75)",
     TG_SETTING_SECONDS, AT(limits.idle_timeout), "75"},
    {"write_timeout", "SECONDS",
     "how long a client may take nothing of a response (30)",
     TG_SETTING_SECONDS, AT(limits.write_timeout), "30"},
    {"wait_timeout", "SECONDS",
     "how long a handler may wait before it answers (60)", TG_SETTING_SECONDS,
     AT(limits.wait_timeout), "60"},
    {"line_limit", "BYTES", "the most bytes of a request line (8192)",
     TG_SETTING_SIZE, AT(limits.line_limit), "8192"},
    {"head_limit", "BYTES", "the most bytes of a request's head (65536)",
     TG_SETTING_SIZE, AT(limits.head_limit), "65536"},
    {"field_limit", "N", "the most fields of a request's head (100)",
     TG_SETTING_FIELDS, AT(limits.field_limit), "100"},
    {"time_limit", "SECONDS", "how long Lua may run without a wait (1)",
     TG_SETTING_SECONDS, AT(limits.time_limit), "1"},
    {"time_slice", "SECONDS",
     "when a task gives way to others; 0: never (0.01)", TG_SETTING_SECONDS,
     AT(time_slice), "0.01"},
    {"memory_limit", "BYTES", "the most memory of a request (67108864)",
     TG_SETTING_LIMIT, AT(limits.memory_limit), "67108864"},
    {"state_limit", "BYTES", "the most memory of a Lua state (536870912)",
     TG_SETTING_LIMIT, AT(limits.state_limit), "536870912"},
    {"body_limit", "BYTES", "the most content of a request (10485760)",
     TG_SETTING_LIMIT, AT(limits.body_limit), "10485760"},
    {"connection_limit", "N",
     "the most connections of a thread (as open files allow)", TG_SETTING_LIMIT,
     AT(limits.connection_limit), NULL},
    {"address_limit", "N", "the most connections of one address (inf)",
     TG_SETTING_LIMIT, AT(limits.address_limit), "inf"},
    {"request_limit", "N", "the most requests of a connection (inf)",
     TG_SETTING_LIMIT, AT(limits.request_limit), "inf"},
    {NULL, NULL, NULL, TG_SETTING_STRING, 0, NULL},
};

static void *member(struct tg_settings *settings,
                    const struct tg_setting *setting)
{
    return (char *)settings + setting->offset;
}

static bool is_whole(enum tg_setting_kind kind)
{
    return kind == TG_SETTING_COUNT || kind == TG_SETTING_LIMIT ||
           kind == TG_SETTING_SIZE || kind == TG_SETTING_FIELDS;
}

void tg_settings_init(struct tg_settings *settings)
{
    const struct tg_setting *setting;

    *settings = (struct tg_settings){0};
    for (setting = tg_settings_table; setting->name; setting++) {
        if (is_whole(setting->kind))
            *(long *)member(settings, setting) = UNSET;
        else if (setting->kind == TG_SETTING_SECONDS)
            *(double *)member(settings, setting) = UNSET;
    }
}

static void clear_strings(char **values)
{
    for (; *values; values++) {
        free(*values);
        *values = NULL;
    }
}

static void clear_listen(struct tg_listen *listen)
{
    for (; listen->address; listen++) {
        free(listen->address);
        free(listen->redirect_https);
        tg_tls_settings_free(listen->tls);
        *listen = (struct tg_listen){0};
    }
}

void tg_settings_clear(struct tg_settings *settings,
                       const struct tg_setting *setting)
{
    if (setting->kind == TG_SETTING_STRINGS)
        clear_strings(member(settings, setting));
    else if (setting->kind == TG_SETTING_LISTEN)
        clear_listen(member(settings, setting));
}

void tg_settings_release(struct tg_settings *settings)
{
    const struct tg_setting *setting;

    for (setting = tg_settings_table; setting->name; setting++) {
        tg_settings_clear(settings, setting);
        if (setting->kind == TG_SETTING_STRING)
            free(*(char **)member(settings, setting));
    }
    free(settings->root);
    tg_settings_init(settings);
}

static bool is_set(const struct tg_setting *setting, const void *slot)
{
    if (is_whole(setting->kind))
        return *(const long *)slot != UNSET;
    switch (setting->kind) {
    case TG_SETTING_SECONDS:
        return *(const double *)slot != UNSET;
    case TG_SETTING_BOOLEAN:
        return true;
    default: /* they begin with a pointer */
        return *(void *const *)slot;
    }
}

/* Of each thread; a quarter of the descriptors is for all else. */
static long room_for_connections(const struct tg_settings *settings)
{
    long n = tg_descriptors_most() / 4 * 3 / settings->threads;

    return n < 8 ? 8 : n;
}

void tg_settings_complete(struct tg_settings *settings)
{
    const struct tg_setting *setting;

    if (!settings->root)
        settings->root = tg_strdup(".");
    if (!settings->pid_file)
        settings->pid_file = tg_strf("%s/.tidegate.pid", settings->root);
    if (settings->threads == UNSET)
        settings->threads = sysconf(_SC_NPROCESSORS_ONLN);
    if (!settings->proxy_headers[0]) {
        settings->proxy_headers[0] = tg_strdup("x-forwarded-for");
        settings->proxy_headers[1] = tg_strdup("x-forwarded-proto");
    }
    settings->listens_by_default = !settings->listen[0].address;
    if (settings->limits.connection_limit == UNSET)
        settings->limits.connection_limit = room_for_connections(settings);
    for (setting = tg_settings_table; setting->name; setting++)
        if (setting->preset && !is_set(setting, member(settings, setting)))
            tg_settings_put(settings, setting, setting->preset);
}

static bool put_whole(long *slot, const char *text, long least, long most)
{
    char *end;

    errno = 0;
    *slot = strtol(text, &end, 10);
    return !errno && end > text && !*end && least <= *slot && *slot <= most;
}

static bool put_seconds(double *slot, const char *text)
{
    char *end;

    *slot = strtod(text, &end);
    return end > text && !*end && isfinite(*slot) && *slot >= 0;
}

static bool put_more(char **slots, const char *text)
{
    int i;

    for (i = 0; i < TG_SETTINGS_STRINGS_MOST; i++) {
        if (slots[i])
            continue;
        slots[i] = tg_strdup(text);
        return true;
    }
    return false;
}

void tg_settings_clear_listen(struct tg_settings *settings)
{
    clear_listen(settings->listen);
}

struct tg_listen *tg_settings_add_listen(struct tg_settings *settings,
                                         const char *address)
{
    int i;

    for (i = 0; i < TG_SETTINGS_LISTEN_MOST; i++) {
        struct tg_listen *listen = &settings->listen[i];

        if (listen->address)
            continue;
        listen->address = tg_strdup(address);
        return listen;
    }
    return NULL;
}

/* A proxy that sets one kind of fields passes the other on from its client: so
 * nobody believes both. */
static bool put_proxy_header(char **slots, const char *text)
{
    static const char *const together[] = {
        "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"};
    size_t i;

    for (i = 0; i < 3; i++)
        if (strcmp(together[i], text) == 0)
            return !(slots[0] && slots[0][0] != 'x') && put_more(slots, text);
    return (strcmp(text, "forwarded") == 0 || strcmp(text, "none") == 0) &&
           !slots[0] && put_more(slots, text);
}

/* Words that are known only to some settings. */
static bool is_word(const struct tg_setting *setting, const char *text)
{
    if (strcmp(setting->name, "log_level") == 0)
        return tg_log_level_of(text) >= 0;
    if (strcmp(setting->name, "log_format") == 0)
        return strcmp(text, "auto") == 0 || strcmp(text, "text") == 0 ||
               strcmp(text, "json") == 0;
    if (strcmp(setting->name, "trusted_proxies") == 0)
        return tg_trust_add(&(struct tg_trust){0}, text);
    if (strcmp(setting->name, "dns_servers") == 0)
        return tg_address_parse_port(&(struct tg_address){0}, text, 53);
    if (strcmp(setting->name, "request_id_header") == 0)
        return *text && strspn(text, header_bytes) == strlen(text);
    return *text;
}

bool tg_settings_put(struct tg_settings *settings,
                     const struct tg_setting *setting, const char *text)
{
    void *slot = member(settings, setting);

    switch (setting->kind) {
    case TG_SETTING_COUNT:
        return put_whole(slot, text, 1, 1024);
    case TG_SETTING_SIZE:
        return put_whole(slot, text, 64, 1024 * 1024);
    case TG_SETTING_FIELDS:
        return put_whole(slot, text, 1, 100);
    case TG_SETTING_LIMIT:
        if (strcmp(text, "inf") != 0)
            return put_whole(slot, text, 1, LONG_MAX);
        *(long *)slot = LONG_MAX;
        return true;
    case TG_SETTING_SECONDS:
        return put_seconds(slot, text);
    case TG_SETTING_STRINGS:
        if (slot == settings->proxy_headers)
            return put_proxy_header(slot, text);
        return is_word(setting, text) && put_more(slot, text);
    case TG_SETTING_LISTEN:
        return tg_settings_add_listen(settings, text);
    case TG_SETTING_BOOLEAN:
        *(bool *)slot = strcmp(text, "true") == 0;
        return true;
    default:
        free(*(char **)slot);
        *(char **)slot = tg_strdup(text);
        return is_word(setting, text);
    }
}
