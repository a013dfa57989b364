// SPDX-License-Identifier: MIT
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { TRIES = 16 /* while others rename what is on the way */ };

static bool is_parent(const char *name, size_t len)
{
    return len == 2 && memcmp(name, "..", 2) == 0;
}

/* Moves on to the next component; returns its length, 0 at the end. */
static size_t next_component(const char **at)
{
    *at += strspn(*at, "/");
    return strcspn(*at, "/");
}

static int open_component(int folder, const char *at, size_t len, int flags)
{
    char name[NAME_MAX + 1];
    int fd;

    if (len > NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(name, at, len);
    name[len] = '\0';
    fd = openat(folder, name, flags | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int tg_file_walk(int root, const char *path, int flags)
{
    int folder = root, fd;
    const char *at = path;
    size_t len = next_component(&at);

    if (*path == '/')
        return -EXDEV;
    if (len == 0)
        at = ".", len = 1;
    for (;;) {
        size_t slashes = strspn(at + len, "/");
        bool is_last = at[len + slashes] == '\0';
        int how = is_last ? flags : O_PATH;

        fd = is_parent(at, len)
                 ? -EXDEV
                 : open_component(folder, at, len,
                                  how | (slashes ? O_DIRECTORY : 0));
        if (folder != root)
            close(folder);
        if (fd < 0 || is_last)
            return fd;
        folder = fd;
        at += len;
        len = next_component(&at);
    }
}

static int open_beneath(int root, const char *path, int flags)
{
    struct open_how how = {.flags = (unsigned)(flags | O_CLOEXEC),
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    long fd;
    int i;

    for (i = 0; i < TRIES; i++) {
        fd = syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof(how));
        if (fd >= 0)
            return (int)fd;
        if (errno == ENOSYS || errno == EPERM)
            return tg_file_walk(root, path, flags);
        if (errno != EAGAIN && errno != EINTR)
            break;
    }
    return -errno;
}

static int open_below(const char *root, const char *path, int flags)
{
    int folder, fd;

    if (!root) {
        fd = open(path, flags | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
    }
    folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -errno;
    fd = open_beneath(folder, path, flags);
    close(folder);
    return fd;
}

int tg_file_open(const char *root, const char *path, struct stat *status)
{
    int fd = open_below(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    int error = 0;

    if (fd < 0)
        return fd;
    if (fstat(fd, status) < 0)
        error = -errno;
    else if (S_ISDIR(status->st_mode))
        error = -EISDIR;
    else if (!S_ISREG(status->st_mode))
        error = -EINVAL;
    if (!error)
        return fd;
    close(fd);
    return error;
}

int tg_file_open_folder(const char *root, const char *path)
{
    return open_below(root, path, O_RDONLY | O_DIRECTORY);
}
