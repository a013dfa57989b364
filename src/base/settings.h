// SPDX-License-Identifier: MIT
/*
 * Settings: one table says what there is; the command line and tidegate.lua
 * are both read by it.
 */
#ifndef TG_BASE_SETTINGS_H
#define TG_BASE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

struct tg_tls_settings;

enum { TG_SETTINGS_LISTEN_MOST = 32, TG_SETTINGS_STRINGS_MOST = 64 };

/* An address to listen on, and what is special there. */
struct tg_listen {
    char *address;       /* "127.0.0.1:8080", "unix:PATH" */
    bool proxy_protocol; /* each connection begins with a PROXY header */
    struct tg_tls_settings *tls; /* NULL: in the clear */
    char *redirect_https; /* NULL, or the origin every request is sent to:
                             "https://HOST:PORT", or what comes behind the
                             client's own host: "", ":PORT" */
};

/* What a client may ask of the server, and how long that may take.  Seconds,
 * bytes, and numbers; LONG_MAX: no limit. */
struct tg_limits {
    double head_timeout;  /* for a whole head, however it drips */
    double body_timeout;  /* for more content while a handler waits for it */
    double idle_timeout;  /* between the requests of a connection */
    double write_timeout; /* for a client to take anything of a response */
    double wait_timeout;  /* for a handler to begin its response */
    long line_limit;      /* bytes of a request line */
    long head_limit;      /* bytes of a head */
    long field_limit;     /* fields of a head */
    double time_limit;    /* of Lua that runs without a wait */
    long memory_limit;    /* bytes that a request may add to its Lua state */
    long state_limit;     /* bytes of a Lua state */
    long body_limit;
    long connection_limit; /* of each thread; 0: what the system allows */
    long address_limit;    /* connections of one address */
    long request_limit;    /* of a connection */
};

struct tg_settings {
    char *root; /* the project's folder, from the command line only */
    char *config;
    struct tg_listen listen[TG_SETTINGS_LISTEN_MOST + 1]; /* up to no address */
    bool listens_by_default; /* nobody has said where */
    char *handlers;
    long threads; /* 0: one for each core */
    char *pid_file;
    char *user; /* whose rights to have once the sockets are bound; or NULL */
    char *log_level, *log_format, *access_log;
    char *event_backend;
    char *trusted_proxies[TG_SETTINGS_STRINGS_MOST + 1]; /* for tg_trust_add */
    char *proxy_headers[TG_SETTINGS_STRINGS_MOST + 1];
    char *request_id_header;                         /* NULL: none */
    char *dns_servers[TG_SETTINGS_STRINGS_MOST + 1]; /* none: the system's */
    bool debug_events;
    bool compress;
    double shutdown_timeout, drain_timeout, start_timeout;
    double stuck_timeout; /* after which a call has lost its thread */
    double time_slice;    /* after which a task gives way; 0: never */
    struct tg_limits limits;
};

enum tg_setting_kind {
    TG_SETTING_STRING,
    TG_SETTING_STRINGS, /* may be given several times; ends with NULL */
    TG_SETTING_LISTEN,  /* so may this; ends with no address */
    TG_SETTING_COUNT,
    TG_SETTING_LIMIT,  /* a whole number or "inf", which is LONG_MAX */
    TG_SETTING_SIZE,   /* a whole number from 64 to 1048576 */
    TG_SETTING_FIELDS, /* a whole number from 1 to 100 */
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

/* Forgets where to listen. */
void tg_settings_clear_listen(struct tg_settings *settings);

/* Adds an address to listen on, with nothing special; NULL: there are too many
 * already. */
struct tg_listen *tg_settings_add_listen(struct tg_settings *settings,
                                         const char *address);

/* Forgets the values of a setting that may be given several times. */
void tg_settings_clear(struct tg_settings *settings,
                       const struct tg_setting *setting);

#endif
