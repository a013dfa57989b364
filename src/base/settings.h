// SPDX-License-Identifier: MIT
/*
 * Settings: one table says what there is; the command line and tidegate.lua
 * are both read by it.
 */
#ifndef TG_BASE_SETTINGS_H
#define TG_BASE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

enum { TG_SETTINGS_LISTEN_MOST = 32, TG_SETTINGS_STRINGS_MOST = 64 };

/* An address to listen on, and what is special there. */
struct tg_listen {
    char *address;       /* "127.0.0.1:8080", "unix:PATH" */
    bool proxy_protocol; /* each connection begins with a PROXY header */
};

struct tg_settings {
    char *root; /* the project's folder, from the command line only */
    char *config;
    struct tg_listen listen[TG_SETTINGS_LISTEN_MOST + 1]; /* up to no address */
    char *handlers;
    long threads; /* 0: one for each core */
    char *pid_file;
    char *log_level, *log_format, *access_log;
    char *event_backend;
    char *trusted_proxies[TG_SETTINGS_STRINGS_MOST + 1]; /* for tg_trust_add */
    char *proxy_headers[TG_SETTINGS_STRINGS_MOST + 1];
    char *request_id_header; /* NULL: none */
    bool debug_events;
    double shutdown_timeout, drain_timeout, start_timeout;
};

enum tg_setting_kind {
    TG_SETTING_STRING,
    TG_SETTING_STRINGS, /* may be given several times; ends with NULL */
    TG_SETTING_LISTEN,  /* so may this; ends with no address */
    TG_SETTING_COUNT,
    TG_SETTING_SECONDS,
    TG_SETTING_BOOLEAN
};

struct tg_setting {
    const char *name; /* in tidegate.lua; the flag has "-" for "_" */
    const char *argument;
    const char *help;
    enum tg_setting_kind kind;
    size_t offset;      /* in struct tg_settings */
    const char *preset; /* what it is if nobody sets it; NULL: nothing */
};

/* Ends with an entry whose name is NULL. */
extern const struct tg_setting tg_settings_table[];

void tg_settings_init(struct tg_settings *settings);
void tg_settings_release(struct tg_settings *settings);

/* Fills in what neither the command line nor tidegate.lua has set. */
void tg_settings_complete(struct tg_settings *settings);

/* Sets one from text; false if the text is no value for it. */
bool tg_settings_put(struct tg_settings *settings,
                     const struct tg_setting *setting, const char *text);

/* Adds an address to listen on, with nothing special; NULL: there are too many
 * already. */
struct tg_listen *tg_settings_add_listen(struct tg_settings *settings,
                                         const char *address);

/* Forgets the values of a setting that may be given several times. */
void tg_settings_clear(struct tg_settings *settings,
                       const struct tg_setting *setting);

#endif
