// SPDX-License-Identifier: MIT
#include "net/dialer.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/address.h"
#include "base/alloc.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/socket_name.h"
#include "net/timer.h"

enum { ADDRESSES_MOST = 64 };

static const double head_start = 0.25;       /* RFC 8305, 8 */
static const double resolution_delay = 0.05; /* for IPv6 that comes later */

/* One connect() that is under way. */
struct attempt {
    struct tg_dial *dial;
    struct event *event;
    int fd; /* -1: there is none */
};

struct tg_dial {
    struct tg_loop *loop;
    tg_dial_fn *fn;
    void *arg;
    char *host; /* NULL: a unix socket */
    struct sockaddr_un path;
    uint16_t port;

    struct tg_lookup *lookups[2]; /* IPv6, IPv4; while they go on */
    struct tg_address addresses[2][ADDRESSES_MOST / 2];
    size_t count[2], tried[2];
    bool was_ipv4; /* what was tried last */
    struct attempt attempts[ADDRESSES_MOST];
    size_t begun, open;

    struct tg_timer *deadline; /* of all */
    struct tg_timer *pause;    /* before the next address is tried */
    struct tg_timer *failing;  /* about to tell */
    int error;                 /* of the first connect() that failed */
    char *unresolved;          /* why there is no address */
};

/* --- its end --- */

static void close_attempt(struct attempt *attempt)
{
    if (attempt->event)
        event_free(attempt->event);
    attempt->event = NULL;
    if (attempt->fd >= 0)
        close(attempt->fd);
    attempt->fd = -1;
}

static void stop_timer(struct tg_timer **timer)
{
    if (*timer)
        tg_timer_stop(*timer);
    *timer = NULL;
}

static void release(struct tg_dial *dial)
{
    size_t i;

    for (i = 0; i < 2; i++)
        if (dial->lookups[i])
            tg_lookup_cancel(dial->lookups[i]);
    for (i = 0; i < dial->begun; i++)
        close_attempt(&dial->attempts[i]);
    stop_timer(&dial->deadline);
    stop_timer(&dial->pause);
    stop_timer(&dial->failing);
    free(dial->host);
    free(dial->unresolved);
    free(dial);
}

void tg_dial_cancel(struct tg_dial *dial)
{
    release(dial);
}

static void finish(struct tg_dial *dial, int fd, const char *message,
                   const char *code)
{
    tg_dial_fn *fn = dial->fn;
    void *arg = dial->arg;

    release(dial);
    fn(fd, message, code, arg);
}

static char *name_of(const struct tg_dial *dial)
{
    if (!dial->host)
        return tg_strf("unix:%s", dial->path.sun_path);
    return tg_strf(strchr(dial->host, ':') ? "[%s]:%u" : "%s:%u", dial->host,
                   (unsigned)dial->port);
}

static const char *code_of(int error)
{
    switch (error) {
    case ECONNREFUSED:
        return "refused";
    case ENETUNREACH:
    case EHOSTUNREACH:
        return "unreachable";
    case ETIMEDOUT:
        return "timeout";
    default:
        return strerrorname_np(error);
    }
}

static void fail(struct tg_dial *dial)
{
    char *name = name_of(dial), *message;
    int error = dial->error;

    message =
        error ? tg_strf("cannot connect to %s: %s", name,
                        error == ETIMEDOUT ? "timed out" : strerror(error))
              : tg_strf("cannot resolve %s: %s", dial->host, dial->unresolved);
    free(name);
    finish(dial, -1, message, error ? code_of(error) : "resolve");
    free(message);
}

static void on_failing(void *arg)
{
    struct tg_dial *dial = arg;

    dial->failing = NULL;
    fail(dial);
}

static void on_deadline(void *arg)
{
    struct tg_dial *dial = arg;
    char *name, *message;

    dial->deadline = NULL;
    if (dial->begun) {
        dial->error = ETIMEDOUT;
        fail(dial);
        return;
    }
    name = name_of(dial);
    message = tg_strf("cannot resolve %s: timed out", dial->host);
    free(name);
    finish(dial, -1, message, "timeout");
    free(message);
}

/* --- connecting --- */

static void go_on(struct tg_dial *dial);

static void note(struct tg_dial *dial, int error)
{
    if (!dial->error || dial->error == ENETUNREACH)
        dial->error = error;
}

static void on_connected(evutil_socket_t fd, short what, void *arg)
{
    struct attempt *attempt = arg;
    struct tg_dial *dial = attempt->dial;
    int error = 0;
    socklen_t len = sizeof(error);

    (void)what;
    getsockopt((int)fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error) {
        note(dial, error);
        close_attempt(attempt);
        dial->open--;
        stop_timer(&dial->pause);
        go_on(dial);
        return;
    }
    attempt->fd = -1;
    finish(dial, (int)fd, NULL, NULL);
}

/* True: it may connect yet. */
static bool try_socket(struct tg_dial *dial, const struct sockaddr *to,
                       socklen_t len)
{
    struct attempt *attempt = &dial->attempts[dial->begun];
    int one = 1;

    attempt->dial = dial;
    attempt->fd =
        socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (attempt->fd < 0) {
        note(dial, errno);
        return false;
    }
    dial->begun++;
    if (to->sa_family != AF_UNIX)
        setsockopt(attempt->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(attempt->fd, to, len) < 0 && errno != EINPROGRESS) {
        note(dial, errno);
        close_attempt(attempt);
        return false;
    }
    attempt->event = event_new(tg_loop_base(dial->loop), attempt->fd, EV_WRITE,
                               on_connected, attempt);
    event_add(attempt->event, NULL);
    dial->open++;
    return true;
}

static bool try_address(struct tg_dial *dial, const struct tg_address *address)
{
    union tg_socket_name name;
    struct tg_address whole = *address;

    whole.port = dial->port;
    return try_socket(dial, &name.any, tg_socket_name_write(&name, &whole));
}

/* The families take turns, IPv6 first. */
static const struct tg_address *next_address(struct tg_dial *dial)
{
    int family = dial->begun && !dial->was_ipv4, turn;

    for (turn = 0; turn < 2; turn++, family = !family) {
        if (dial->tried[family] == dial->count[family])
            continue;
        dial->was_ipv4 = family;
        return &dial->addresses[family][dial->tried[family]++];
    }
    return NULL;
}

static void on_pause(void *arg)
{
    struct tg_dial *dial = arg;

    dial->pause = NULL;
    go_on(dial);
}

/* Tries the next address, unless it is to wait. */
static void go_on(struct tg_dial *dial)
{
    const struct tg_address *address;

    while (!dial->pause && (address = next_address(dial)))
        if (try_address(dial, address))
            dial->pause =
                tg_timer_start(dial->loop, head_start, on_pause, dial);
    if (!dial->open && !dial->lookups[0] && !dial->lookups[1] && !dial->pause &&
        !dial->failing)
        dial->failing = tg_timer_start(dial->loop, 0, on_failing, dial);
}

/* --- resolving --- */

static void take(struct tg_dial *dial, int family,
                 const struct tg_answer *answer)
{
    size_t i;

    dial->lookups[family] = NULL;
    for (i = 0; i < answer->count && i < ADDRESSES_MOST / 2; i++)
        dial->addresses[family][dial->count[family]++] = answer->addresses[i];
    if (answer->code &&
        (!dial->unresolved || strcmp(answer->code, "nodata") != 0)) {
        free(dial->unresolved);
        dial->unresolved = tg_strdup(answer->message);
    }
}

static void on_ipv6(const struct tg_answer *answer, void *arg)
{
    struct tg_dial *dial = arg;

    take(dial, 0, answer);
    if (!dial->begun)
        stop_timer(&dial->pause);
    go_on(dial);
}

static void on_ipv4(const struct tg_answer *answer, void *arg)
{
    struct tg_dial *dial = arg;

    take(dial, 1, answer);
    if (dial->lookups[0] && dial->count[1] && !dial->pause)
        dial->pause =
            tg_timer_start(dial->loop, resolution_delay, on_pause, dial);
    go_on(dial);
}

static void resolve(struct tg_dial *dial)
{
    struct tg_resolver *resolver = tg_resolver_of(dial->loop);

    dial->lookups[0] = tg_lookup_start(resolver, dial->host, TG_LOOKUP_AAAA,
                                       true, 0, on_ipv6, dial);
    dial->lookups[1] = tg_lookup_start(resolver, dial->host, TG_LOOKUP_A, true,
                                       0, on_ipv4, dial);
}

/* --- its start --- */

static void start_unix(struct tg_dial *dial, const char *path)
{
    size_t len = strlen(path);

    dial->path.sun_family = AF_UNIX;
    if (len < sizeof(dial->path.sun_path)) {
        memcpy(dial->path.sun_path, path, len);
        try_socket(dial, (struct sockaddr *)&dial->path, sizeof(dial->path));
    } else {
        memcpy(dial->path.sun_path, path, sizeof(dial->path.sun_path) - 1);
        dial->error = ENAMETOOLONG;
    }
    go_on(dial);
}

static void start_host(struct tg_dial *dial, const char *host)
{
    struct tg_address address;
    int family;

    dial->host = tg_strdup(host);
    if (!tg_address_parse(&address, host, strlen(host))) {
        resolve(dial);
        return;
    }
    family = tg_address_is_ipv4(&address);
    dial->addresses[family][0] = address;
    dial->count[family] = 1;
    go_on(dial);
}

struct tg_dial *tg_dial_start(struct tg_loop *loop,
                              const struct tg_dial_target *target,
                              tg_dial_fn *fn, void *arg)
{
    struct tg_dial *dial = tg_alloc(sizeof(*dial));

    dial->loop = loop;
    dial->fn = fn;
    dial->arg = arg;
    dial->port = target->port;
    if (target->timeout > 0)
        dial->deadline =
            tg_timer_start(loop, target->timeout, on_deadline, dial);
    if (target->unix_path)
        start_unix(dial, target->unix_path);
    else
        start_host(dial, target->host);
    return dial;
}
