// SPDX-License-Identifier: MIT
#include "net/datagram.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/alloc.h"
#include "base/census.h"
#include "net/loop.h"

struct tg_datagram {
    struct tg_loop *loop;
    int fd;
    bool is_ipv4;
    struct event *event; /* NULL: nobody waits */
    tg_datagram_fn *fn;
    void *arg;
};

/* As the system has an address. */
union name {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

static socklen_t write_name(union name *name, const struct tg_address *address)
{
    memset(name, 0, sizeof(*name));
    if (tg_address_is_ipv4(address)) {
        name->four.sin_family = AF_INET;
        name->four.sin_port = htons(address->port);
        memcpy(&name->four.sin_addr, address->bytes + 12, 4);
        return sizeof(name->four);
    }
    name->six.sin6_family = AF_INET6;
    name->six.sin6_port = htons(address->port);
    memcpy(&name->six.sin6_addr, address->bytes, 16);
    return sizeof(name->six);
}

static void read_name(const union name *name, struct tg_address *address)
{
    if (name->any.sa_family == AF_INET)
        tg_address_of_bytes(address, (const uint8_t *)&name->four.sin_addr, 4,
                            ntohs(name->four.sin_port));
    else
        tg_address_of_bytes(address, (const uint8_t *)&name->six.sin6_addr, 16,
                            ntohs(name->six.sin6_port));
}

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
    union name name;
    socklen_t len = write_name(&name, address);

    return bind(datagram->fd, &name.any, len) < 0 ? -errno : 0;
}

int tg_datagram_connect(struct tg_datagram *datagram,
                        const struct tg_address *address)
{
    union name name;
    socklen_t len = write_name(&name, address);

    return connect(datagram->fd, &name.any, len) < 0 ? -errno : 0;
}

int tg_datagram_send(struct tg_datagram *datagram, const void *data, size_t len,
                     const struct tg_address *to)
{
    union name name;
    socklen_t name_len = to ? write_name(&name, to) : 0;
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
    union name name;
    socklen_t len = sizeof(name);
    ssize_t n;

    do
        n = recvfrom(datagram->fd, room, TG_DATAGRAM_MOST, 0, &name.any, &len);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    read_name(&name, from);
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
    union name name;
    socklen_t len = sizeof(name);

    if (getsockname(datagram->fd, &name.any, &len) < 0)
        return false;
    read_name(&name, address);
    return address->port != 0;
}
