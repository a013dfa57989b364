// SPDX-License-Identifier: MIT
#include "master/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "master/inherited.h"

enum { BACKLOG = 4096 };

static char *cannot(const char *address, int error)
{
    return tg_strf("cannot listen on %s: %s", address, strerror(error));
}

static void set(int fd, int level, int option)
{
    int on = 1;

    setsockopt(fd, level, option, &on, sizeof(on));
}

static int bound_socket(const struct sockaddr *sa, socklen_t len, bool share)
{
    int fd =
        socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error;

    if (fd < 0)
        return -errno;
    set(fd, SOL_SOCKET, SO_REUSEADDR);
    if (share)
        set(fd, SOL_SOCKET, SO_REUSEPORT);
    if (sa->sa_family == AF_INET6)
        set(fd, IPPROTO_IPV6, IPV6_V6ONLY);
    set(fd, IPPROTO_TCP, TCP_NODELAY); /* accepted sockets inherit it */
    if (bind(fd, sa, len) == 0)
        return fd;
    error = errno;
    close(fd);
    return -error;
}

/* getaddrinfo() takes 65536 for 0. */
static bool is_port(const char *text)
{
    size_t len = strlen(text);

    return len && len <= 5 && strspn(text, "0123456789") == len &&
           atoi(text) <= 65535;
}

/* "HOST:PORT", "[HOST]:PORT", ":PORT" */
static int resolve(const char *address, struct sockaddr_storage *sa,
                   socklen_t *len)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found;
    const char *colon = strrchr(address, ':');
    char *host, *inner;
    int failed;

    if (!colon || !is_port(colon + 1))
        return -EINVAL;
    host = tg_strndup(address, (size_t)(colon - address));
    inner = host;
    if (*host == '[' && host[strlen(host) - 1] == ']') {
        host[strlen(host) - 1] = '\0';
        inner++;
    }
    if (!*inner)
        hints.ai_family = AF_INET;
    failed = getaddrinfo(*inner ? inner : NULL, colon + 1, &hints, &found);
    free(host);
    if (failed)
        return -EINVAL;
    memcpy(sa, found->ai_addr, found->ai_addrlen);
    *len = found->ai_addrlen;
    freeaddrinfo(found);
    return 0;
}

static char *url_of(const struct sockaddr_storage *sa, socklen_t len,
                    const char *scheme)
{
    char host[64], port[16];

    getnameinfo((const struct sockaddr *)sa, len, host, sizeof(host), port,
                sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
    return tg_strf(sa->ss_family == AF_INET6 ? "%s://[%s]:%s" : "%s://%s:%s",
                   scheme, host, port);
}

/*
 * Sockets that share a port may be another process's: so a first one that
 * does not share tells whether the port is free, and picks it if it is 0.
 */
static char *open_tcp(struct tg_sockets *sockets, const char *address,
                      const char *scheme)
{
    struct sockaddr_storage sa;
    socklen_t len;
    int i, fd;

    if (resolve(address, &sa, &len) < 0)
        return tg_strf("cannot listen on '%s': it is not ADDRESS:PORT, "
                       "[ADDRESS]:PORT, :PORT or unix:PATH",
                       address);
    fd = bound_socket((struct sockaddr *)&sa, len, false);
    if (fd < 0)
        return cannot(address, -fd);
    getsockname(fd, (struct sockaddr *)&sa, &len);
    close(fd);
    sockets->url = url_of(&sa, len, scheme);
    for (i = 0; i < sockets->count; i++) {
        fd = bound_socket((struct sockaddr *)&sa, len, true);
        if (fd < 0)
            return cannot(address, -fd);
        sockets->fds[i] = fd;
        if (listen(fd, BACKLOG) < 0)
            return cannot(address, errno);
    }
    return NULL;
}

/* A socket nobody listens on any more is in the way only. */
static bool remove_stale(const struct sockaddr_un *sa)
{
    struct stat st;
    int fd, error;

    if (lstat(sa->sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
        return false;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    error =
        connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) < 0 ? errno : 0;
    close(fd);
    return error == ECONNREFUSED && unlink(sa->sun_path) == 0;
}

static char *open_unix(struct tg_sockets *sockets, const char *address)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    const char *path = address + strlen("unix:");
    int i, fd;

    if (!*path || strlen(path) >= sizeof(sa.sun_path))
        return tg_strf("cannot listen on %s: the path must have 1 to %zu bytes",
                       address, sizeof(sa.sun_path) - 1);
    strcpy(sa.sun_path, path);
    fd = bound_socket((struct sockaddr *)&sa, sizeof(sa), false);
    if (fd == -EADDRINUSE && remove_stale(&sa))
        fd = bound_socket((struct sockaddr *)&sa, sizeof(sa), false);
    if (fd < 0)
        return cannot(address, -fd);
    sockets->fds[0] = fd;
    sockets->path = tg_strdup(path);
    sockets->url = tg_strdup(address);
    if (listen(fd, BACKLOG) < 0)
        return cannot(address, errno);
    for (i = 1; i < sockets->count; i++)
        sockets->fds[i] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return NULL;
}

/* --- inherited ones --- */

static void add(struct tg_sockets *sockets, int fd)
{
    sockets->fds = tg_realloc(sockets->fds, ((size_t)sockets->count + 1) *
                                                sizeof(*sockets->fds));
    sockets->fds[sockets->count++] = fd;
}

static void describe(struct tg_sockets *sockets, const char *scheme)
{
    struct sockaddr_storage sa = {0};
    socklen_t len = sizeof(sa);
    const char *path = ((struct sockaddr_un *)&sa)->sun_path;

    getsockname(sockets->fds[0], (struct sockaddr *)&sa, &len);
    if (sa.ss_family == AF_UNIX) {
        sockets->path = tg_strdup(path);
        sockets->url = tg_strf("unix:%s", path);
    } else {
        sockets->url = url_of(&sa, len, scheme);
    }
}

/* The address's name as the system has it; false: there is no such address. */
static bool find_name(const char *address, struct sockaddr_storage *sa,
                      socklen_t *len)
{
    struct sockaddr_un *un = (struct sockaddr_un *)sa;

    memset(sa, 0, sizeof(*sa));
    if (strncmp(address, "unix:", 5) != 0)
        return resolve(address, sa, len) == 0;
    un->sun_family = AF_UNIX;
    *len = sizeof(*un);
    strncpy(un->sun_path, address + 5, sizeof(un->sun_path) - 1);
    return true;
}

/* Threads beyond their number share them. */
static bool take_inherited(struct tg_sockets *sockets, const char *address,
                           int count, const char *scheme,
                           struct tg_inherited *inherited)
{
    struct sockaddr_storage sa;
    socklen_t len = 0;
    bool has_name = find_name(address, &sa, &len);
    int i, fd;

    sockets->count = 0;
    while ((fd = tg_inherited_take(inherited, address,
                                   has_name ? (struct sockaddr *)&sa : NULL,
                                   &sockets->is_lent)) >= 0)
        add(sockets, fd);
    if (!sockets->count)
        return false;
    describe(sockets, scheme);
    for (i = 0; sockets->count < count; i++)
        add(sockets, fcntl(sockets->fds[i], F_DUPFD_CLOEXEC, 0));
    return true;
}

char *tg_sockets_open(struct tg_sockets *sockets, const char *address,
                      int count, const char *scheme,
                      struct tg_inherited *inherited)
{
    char *error;
    int i;

    *sockets = (struct tg_sockets){0};
    if (take_inherited(sockets, address, count, scheme, inherited))
        return NULL;
    sockets->count = count;
    sockets->fds = tg_alloc((size_t)count * sizeof(int));
    for (i = 0; i < count; i++)
        sockets->fds[i] = -1;
    error = strncmp(address, "unix:", 5) == 0
                ? open_unix(sockets, address)
                : open_tcp(sockets, address, scheme);
    if (error)
        tg_sockets_close(sockets, false);
    return error;
}

void tg_sockets_close(struct tg_sockets *sockets, bool is_left)
{
    int i;

    for (i = 0; i < sockets->count; i++)
        if (sockets->fds[i] >= 0)
            close(sockets->fds[i]);
    if (sockets->path && !is_left && !sockets->is_lent)
        unlink(sockets->path);
    free(sockets->fds);
    free(sockets->path);
    free(sockets->url);
    *sockets = (struct tg_sockets){0};
}
