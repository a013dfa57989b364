// SPDX-License-Identifier: MIT
#include "net/datagram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/alloc.h"
#include "base/census.h"
#include "net/loop.h"
#include "net/socket_name.h"

struct tg_datagram {
    struct tg_loop *loop;
    int fd;
    bool is_ipv4;
    struct event *event; /* NULL: nobody waits */
    tg_datagram_fn *fn;
    void *arg;
};

int tg_datagram_new(struct tg_loop *loop, bool is_ipv4,
                    struct tg_datagram **datagram)
{
    int fd = socket(is_ipv4 ? AF_INET : AF_INET6,
                    SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    *datagram = tg_alloc(sizeof(**datagram));
    (*datagram)->loop = loop;
    (*datagram)->fd = fd;
    (*datagram)->is_ipv4 = is_ipv4;
    tg_census.sockets++;
    return 0;
}

void tg_datagram_free(struct tg_datagram *datagram)
{
    tg_datagram_on_receive(datagram, NULL, NULL);
    close(datagram->fd);
    free(datagram);
    tg_census.sockets--;
}

bool tg_datagram_is_ipv4(const struct tg_datagram *datagram)
{
    return datagram->is_ipv4;
}

int tg_datagram_bind(struct tg_datagram *datagram,
                     const struct tg_address *address)
{
    union tg_socket_name name;
    socklen_t len = tg_socket_name_write(&name, address);

    return bind(datagram->fd, &name.any, len) < 0 ? -errno : 0;
}

int tg_datagram_connect(struct tg_datagram *datagram,
                        const struct tg_address *address)
{
    union tg_socket_name name;
    socklen_t len = tg_socket_name_write(&name, address);

    return connect(datagram->fd, &name.any, len) < 0 ? -errno : 0;
}

int tg_datagram_send(struct tg_datagram *datagram, const void *data, size_t len,
                     const struct tg_address *to)
{
    union tg_socket_name name;
    socklen_t name_len = to ? tg_socket_name_write(&name, to) : 0;
    ssize_t n;

    do
        n = sendto(datagram->fd, data, len, MSG_NOSIGNAL, to ? &name.any : NULL,
                   name_len);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 0;
}

ssize_t tg_datagram_receive(struct tg_datagram *datagram, char *room,
                            struct tg_address *from)
{
    union tg_socket_name name;
    socklen_t len = sizeof(name);
    ssize_t n;

    do
        n = recvfrom(datagram->fd, room, TG_DATAGRAM_MOST, 0, &name.any, &len);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    tg_socket_name_read(&name.any, from);
    return n;
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
    struct tg_datagram *datagram = arg;
    tg_datagram_fn *fn = datagram->fn;
    void *its = datagram->arg;

    (void)fd, (void)what;
    tg_datagram_on_receive(datagram, NULL, NULL);
    fn(its);
}

void tg_datagram_on_receive(struct tg_datagram *datagram, tg_datagram_fn *fn,
                            void *arg)
{
    if (datagram->event)
        event_free(datagram->event);
    datagram->event = NULL;
    datagram->fn = fn;
    datagram->arg = arg;
    if (!fn)
        return;
    datagram->event = event_new(tg_loop_base(datagram->loop), datagram->fd,
                                EV_READ, on_ready, datagram);
    event_add(datagram->event, NULL);
}

bool tg_datagram_local(const struct tg_datagram *datagram,
                       struct tg_address *address)
{
    union tg_socket_name name;
    socklen_t len = sizeof(name);

    if (getsockname(datagram->fd, &name.any, &len) < 0)
        return false;
    tg_socket_name_read(&name.any, address);
    return address->port != 0;
}
