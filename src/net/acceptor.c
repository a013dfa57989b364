// SPDX-License-Identifier: MIT
#include "net/acceptor.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/address.h"
#include "base/alloc.h"
#include "base/census.h"
#include "base/list.h"
#include "base/log.h"
#include "net/loop.h"
#include "net/socket_name.h"
#include "net/timer.h"

enum { BACKLOG = 1024 };

static const double rest = 0.1; /* seconds, when descriptors have run out */

struct tg_acceptor {
    struct tg_list link; /* of its loop's */
    struct tg_loop *loop;
    struct tg_address address;
    int fd, refs;
    struct event *event;
    struct tg_timer *resting;
    tg_acceptor_fn *fn; /* NULL: nobody serves yet */
    void *arg;
    bool is_paused;
};

/* --- accepting --- */

static void flow(struct tg_acceptor *acceptor)
{
    if (acceptor->fn && !acceptor->is_paused && !acceptor->resting)
        event_add(acceptor->event, NULL);
    else
        event_del(acceptor->event);
}

static void on_rested(void *arg)
{
    struct tg_acceptor *acceptor = arg;

    acceptor->resting = NULL;
    flow(acceptor);
}

static bool has_run_out(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS ||
           error == ENOMEM;
}

/* One at a time: who is called may pause it, or replace itself. */
static void on_connection(evutil_socket_t fd, short what, void *arg)
{
    struct tg_acceptor *acceptor = arg;
    int connection = accept4((int)fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)what;
    if (connection >= 0) {
        acceptor->fn(connection, acceptor->arg);
    } else if (has_run_out(errno)) {
        tg_log(TG_LOG_WARN, "cannot take a connection: %s", strerror(errno));
        acceptor->resting =
            tg_timer_start(acceptor->loop, rest, on_rested, acceptor);
        flow(acceptor);
    }
}

void tg_acceptor_serve(struct tg_acceptor *acceptor, tg_acceptor_fn *fn,
                       void *arg)
{
    acceptor->fn = fn;
    acceptor->arg = arg;
    acceptor->is_paused = false;
    flow(acceptor);
}

void tg_acceptor_pause(struct tg_acceptor *acceptor, const void *arg)
{
    if (acceptor->arg != arg)
        return;
    acceptor->is_paused = true;
    flow(acceptor);
}

void tg_acceptor_resume(struct tg_acceptor *acceptor, const void *arg)
{
    if (acceptor->arg != arg)
        return;
    acceptor->is_paused = false;
    flow(acceptor);
}

/* --- its life --- */

static const char kept[] = "acceptors";

static struct tg_list *acceptors_of(struct tg_loop *loop)
{
    struct tg_list *list = tg_loop_kept(loop, kept);

    if (!list) {
        list = tg_alloc(sizeof(*list));
        tg_list_init(list);
        tg_loop_keep(loop, kept, list, free); /* those in it are closed */
    }
    return list;
}

static int listening_socket(const struct tg_address *address)
{
    union tg_socket_name name;
    socklen_t len = tg_socket_name_write(&name, address);
    bool is_ipv4 = tg_address_is_ipv4(address);
    int one = 1, error,
        fd = socket(is_ipv4 ? AF_INET : AF_INET6,
                    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    if (!is_ipv4)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (bind(fd, &name.any, len) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    error = errno;
    close(fd);
    return -error;
}

static struct tg_acceptor *find(struct tg_list *list,
                                const struct tg_address *address)
{
    struct tg_list *link;

    for (link = list->next; link != list; link = link->next) {
        struct tg_acceptor *acceptor =
            tg_list_item(link, struct tg_acceptor, link);

        if (acceptor->address.port == address->port &&
            memcmp(acceptor->address.bytes, address->bytes,
                   sizeof(address->bytes)) == 0)
            return acceptor;
    }
    return NULL;
}

int tg_acceptor_open(struct tg_loop *loop, const struct tg_address *address,
                     struct tg_acceptor **acceptor)
{
    struct tg_list *list = acceptors_of(loop);
    struct tg_acceptor *self = find(list, address);
    int fd;

    if (!self) {
        fd = listening_socket(address);
        if (fd < 0)
            return fd;
        self = tg_alloc(sizeof(*self));
        self->loop = loop;
        self->address = *address;
        self->fd = fd;
        self->event = event_new(tg_loop_base(loop), fd, EV_READ | EV_PERSIST,
                                on_connection, self);
        tg_list_append(list, &self->link);
        tg_census.sockets++;
    }
    self->refs++;
    *acceptor = self;
    return 0;
}

void tg_acceptor_close(struct tg_acceptor *acceptor, void *arg)
{
    if (acceptor->arg == arg) {
        acceptor->fn = NULL;
        acceptor->arg = NULL;
        flow(acceptor);
    }
    if (--acceptor->refs > 0)
        return;
    if (acceptor->resting)
        tg_timer_stop(acceptor->resting);
    event_free(acceptor->event);
    close(acceptor->fd);
    tg_list_remove(&acceptor->link);
    free(acceptor);
    tg_census.sockets--;
}
