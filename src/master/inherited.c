// SPDX-License-Identifier: MIT
#include "master/inherited.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"

enum { FIRST = 3 }; /* descriptor of LISTEN_FDS */

static bool is_listening(int fd)
{
    int is = 0;
    socklen_t len = sizeof(is);

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is, &len) == 0 && is;
}

void tg_inherited_add(struct tg_inherited *inherited, int fd,
                      const char *address, bool is_lent)
{
    int on = 1;

    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    inherited->sockets =
        tg_realloc(inherited->sockets, ((size_t)inherited->count + 1) *
                                           sizeof(*inherited->sockets));
    inherited->sockets[inherited->count++] = (struct tg_inherited_socket){
        fd, address ? tg_strdup(address) : NULL, is_lent};
}

void tg_inherited_from_manager(struct tg_inherited *inherited)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    int i, n = count ? atoi(count) : 0;

    if (pid && atoi(pid) == (int)getpid())
        for (i = 0; i < n && i < 1024; i++)
            if (is_listening(FIRST + i))
                tg_inherited_add(inherited, FIRST + i, NULL, true);
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
}

static bool is_same_name(const struct sockaddr *a, const struct sockaddr *b)
{
    const struct sockaddr_in *a4 = (const void *)a, *b4 = (const void *)b;
    const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b;

    if (a->sa_family != b->sa_family)
        return false;
    if (a->sa_family == AF_INET)
        return a4->sin_port == b4->sin_port &&
               a4->sin_addr.s_addr == b4->sin_addr.s_addr;
    if (a->sa_family == AF_INET6)
        return a6->sin6_port == b6->sin6_port &&
               a6->sin6_scope_id == b6->sin6_scope_id &&
               memcmp(&a6->sin6_addr, &b6->sin6_addr, 16) == 0;
    return strcmp(((const struct sockaddr_un *)a)->sun_path,
                  ((const struct sockaddr_un *)b)->sun_path) == 0;
}

static bool is_named(int fd, const struct sockaddr *name)
{
    struct sockaddr_storage own = {0};
    socklen_t len = sizeof(own);

    return getsockname(fd, (struct sockaddr *)&own, &len) == 0 &&
           is_same_name((struct sockaddr *)&own, name);
}

int tg_inherited_take(struct tg_inherited *inherited, const char *address,
                      const struct sockaddr *name, bool *is_lent)
{
    int i;

    for (i = 0; i < inherited->count; i++) {
        struct tg_inherited_socket *item = &inherited->sockets[i];
        int fd = item->fd;
        bool fits = (item->address && strcmp(item->address, address) == 0) ||
                    (name && is_named(fd, name));

        if (fd < 0 || !fits)
            continue;
        item->fd = -1;
        *is_lent = item->is_lent;
        return fd;
    }
    return -1;
}

static char *address_of(int fd)
{
    struct sockaddr_storage sa = {0};
    socklen_t len = sizeof(sa);
    char host[64], port[16];

    getsockname(fd, (struct sockaddr *)&sa, &len);
    if (sa.ss_family == AF_UNIX)
        return tg_strf("unix:%s", ((struct sockaddr_un *)&sa)->sun_path);
    if (getnameinfo((struct sockaddr *)&sa, len, host, sizeof(host), port,
                    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return tg_strdup("?");
    return tg_strf(sa.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

char *tg_inherited_address(const struct tg_inherited *inherited, int i)
{
    const struct tg_inherited_socket *item = &inherited->sockets[i];

    if (item->fd < 0)
        return NULL;
    return item->address ? tg_strdup(item->address) : address_of(item->fd);
}

void tg_inherited_release(struct tg_inherited *inherited)
{
    int i;

    for (i = 0; i < inherited->count; i++) {
        if (inherited->sockets[i].fd >= 0)
            close(inherited->sockets[i].fd);
        free(inherited->sockets[i].address);
    }
    free(inherited->sockets);
    *inherited = (struct tg_inherited){0};
}
