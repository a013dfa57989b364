// SPDX-License-Identifier: MIT
#include "worker/access.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/settings.h"
#include "base/text.h"
#include "http/exchange.h"
#include "net/timer.h"

enum { GATHER_MOST = 32 * 1024 };

#define GATHER_SECONDS 0.2

struct tg_access {
    const char *path; /* "-": standard output */
    int fd;
    bool as_json;
    struct tg_text gathered;
    struct tg_loop *loop;
    struct tg_timer *timer; /* of the next write */
};

static int open_file(const char *path)
{
    if (strcmp(path, "-") == 0)
        return STDOUT_FILENO;
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

static bool is_json(const struct tg_settings *settings)
{
    return strcmp(settings->log_format, "json") == 0 ||
           (strcmp(settings->log_format, "auto") == 0 &&
            (strcmp(settings->access_log, "-") != 0 || !isatty(STDOUT_FILENO)));
}

char *tg_access_check(const struct tg_settings *settings)
{
    int fd;

    if (strcmp(settings->access_log, "off") == 0)
        return NULL;
    fd = open_file(settings->access_log);
    if (fd < 0)
        return tg_strf("cannot write the access log %s: %s",
                       settings->access_log, strerror(errno));
    if (fd != STDOUT_FILENO)
        close(fd);
    return NULL;
}

struct tg_access *tg_access_open(const struct tg_settings *settings,
                                 struct tg_loop *loop)
{
    struct tg_access *access;

    if (strcmp(settings->access_log, "off") == 0)
        return NULL;
    access = tg_alloc(sizeof(*access));
    access->path = settings->access_log;
    access->fd = open_file(access->path);
    access->as_json = is_json(settings);
    access->loop = loop;
    return access;
}

static void write_out(struct tg_access *access)
{
    if (access->gathered.len &&
        write(access->fd, access->gathered.data, access->gathered.len) < 0) {
        /* a full disk must not stop the gateway */
    }
    access->gathered.len = 0;
}

void tg_access_reopen(struct tg_access *access)
{
    write_out(access);
    if (access->fd != STDOUT_FILENO && access->fd >= 0)
        close(access->fd);
    access->fd = open_file(access->path);
}

void tg_access_close(struct tg_access *access)
{
    write_out(access);
    if (access->timer)
        tg_timer_stop(access->timer);
    if (access->fd != STDOUT_FILENO && access->fd >= 0)
        close(access->fd);
    tg_text_release(&access->gathered);
    free(access);
}

void tg_access_begin(struct tg_access *access, struct tg_exchange *x)
{
    (void)access;
    tg_exchange_set_began(x, tg_clock_now());
}

static void on_timer(void *arg)
{
    struct tg_access *access = arg;

    access->timer = NULL;
    write_out(access);
}

/* In JSON a named string; for people the same without its name.  Both are
 * escaped: nobody forges a record. */
static void add_field(struct tg_text *out, bool as_json, const char *name,
                      const char *value, size_t len)
{
    if (as_json)
        tg_text_addf(out, ",\"%s\":", name);
    else
        tg_text_adds(out, " ");
    tg_text_add_quoted(out, value, len);
}

void tg_access_end(struct tg_access *access, struct tg_exchange *x, size_t sent)
{
    const struct tg_head *head = tg_exchange_head(x);
    const char *bytes = tg_exchange_bytes(x), *label, *address, *id;
    struct tg_text *out = &access->gathered;
    double began = tg_exchange_began(x); /* 0: its head was refused */
    double ms = began > 0 ? (tg_clock_now() - began) * 1000 : 0;
    char stamp[32];
    size_t len;
    int port;

    tg_clock_stamp(stamp, sizeof(stamp));
    label = tg_exchange_label(x, &len);
    address = tg_exchange_address(x, &port);
    tg_text_addf(out, access->as_json ? "{\"time\":\"%s\"" : "%s", stamp);
    add_field(out, access->as_json, "remote", address, strlen(address));
    add_field(out, access->as_json, "method", bytes + head->method.at,
              head->method.len);
    add_field(out, access->as_json, "target", bytes + head->target.at,
              head->target.len);
    add_field(out, access->as_json, "route", label ? label : "", len);
    if (access->as_json) {
        tg_text_addf(out, ",\"status\":%d,\"bytes\":%zu,\"ms\":%.3f",
                     tg_exchange_status(x), sent, ms);
        id = tg_exchange_id(x);
        add_field(out, true, "request", id, strlen(id));
        tg_text_adds(out, "}\n");
    } else {
        tg_text_addf(out, " %d %zu %.3fms\n", tg_exchange_status(x), sent, ms);
    }
    if (out->len > GATHER_MOST)
        write_out(access);
    else if (!access->timer)
        access->timer =
            tg_timer_start(access->loop, GATHER_SECONDS, on_timer, access);
}
