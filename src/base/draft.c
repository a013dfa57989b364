// SPDX-License-Identifier: MIT
#include "base/draft.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

/* "folder/.name.RANDOM": hidden, in the same folder. */
static char *temporary_name(const char *path, uint64_t random)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;

    return tg_strf("%.*s.%s.%016llx", (int)(name - path), path, name,
                   (unsigned long long)random);
}

/* A rename would replace a device or a pipe, too. */
static int check_target(const char *path)
{
    struct stat status;

    if (lstat(path, &status) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (S_ISDIR(status.st_mode))
        return -EISDIR;
    return S_ISREG(status.st_mode) || S_ISLNK(status.st_mode) ? 0 : -EEXIST;
}

int tg_draft_open(struct tg_draft *draft, const char *path)
{
    uint64_t random;
    int error = check_target(path);

    if (error)
        return error;
    if (getrandom(&random, sizeof(random), 0) < 0)
        return -errno;
    draft->temporary = temporary_name(path, random);
    draft->fd =
        open(draft->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (draft->fd < 0) {
        error = errno;
        free(draft->temporary);
        draft->temporary = NULL;
        return -error;
    }
    draft->path = tg_strdup(path);
    return 0;
}

int tg_draft_write(struct tg_draft *draft, const char *data, size_t len)
{
    while (len) {
        ssize_t n = write(draft->fd, data, len);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

int tg_draft_commit(struct tg_draft *draft)
{
    int fd = draft->fd;

    draft->fd = -1;
    if (close(fd) < 0 || rename(draft->temporary, draft->path) < 0)
        return -errno;
    free(draft->temporary);
    draft->temporary = NULL;
    return 0;
}

void tg_draft_release(struct tg_draft *draft)
{
    if (draft->fd >= 0)
        close(draft->fd);
    if (draft->temporary)
        unlink(draft->temporary);
    free(draft->temporary);
    free(draft->path);
    *draft = TG_DRAFT_NONE;
}
