// SPDX-License-Identifier: MIT
#include "script/bundle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"
#include "script/compiled.h"

enum { TRIES = 5, DEPTH_MOST = 32, ROOM = 4096 };

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* `size` is what it should have: a bundle keeps no more room than that. */
static int read_all(int fd, size_t size, struct tg_text *text)
{
    size_t room = size + 1; /* one byte more shows the end */
    ssize_t n;

    while ((n = read(fd, tg_text_room(text, room), room)) != 0) {
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            text->len += (size_t)n;
            if (text->len == size)
                break;
            room = (size_t)n < room ? room - (size_t)n : 4096;
        }
    }
    tg_text_add(text, "", 0); /* its NUL */
    return 0;
}

/* Editors of some systems put a byte order mark in front. */
static void drop_mark(struct tg_text *text)
{
    if (text->len < 3 || memcmp(text->data, "\xEF\xBB\xBF", 3) != 0)
        return;
    text->len -= 3;
    memmove(text->data, text->data + 3, text->len + 1);
}

static const char *why(int error)
{
    return error == -EINVAL ? "it is not a regular file" : strerror(-error);
}

/* Reads it again when somebody wrote to it meanwhile: no torn reads.  A FIFO
 * must not make it wait. */
static int read_file(int at, const char *path, struct tg_text *text)
{
    struct stat before, after;
    int tries, fd, error;

    for (tries = 0; tries < TRIES; tries++) {
        fd = openat(at, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
            return -errno;
        text->len = 0;
        fstat(fd, &before);
        error = S_ISREG(before.st_mode) || S_ISDIR(before.st_mode)
                    ? read_all(fd, (size_t)before.st_size, text)
                    : -EINVAL;
        fstat(fd, &after);
        close(fd);
        if (error)
            return error;
        if (is_same(&before, &after)) {
            drop_mark(text);
            return 0;
        }
    }
    return -EBUSY;
}

/* Takes over `name`, `path` and what is in `text`. */
static void add_file(struct tg_bundle_folder *folder, char *name, char *path,
                     struct tg_text *text)
{
    struct tg_bundle_file *file;

    if ((folder->count & (folder->count - 1)) == 0) /* full, if not 0 */
        folder->files =
            tg_realloc(folder->files, (folder->count ? 2 * folder->count : 1) *
                                          sizeof(*folder->files));
    file = &folder->files[folder->count++];
    file->name = name;
    file->path = path;
    file->text = text->data;
    file->len = text->len;
    file->compiled = tg_compiled_new();
}

static bool is_lua(const char *name)
{
    size_t len = strlen(name);

    return len > 4 && strcmp(name + len - 4, ".lua") == 0;
}

static char *join(const char *folder, const char *name)
{
    return *folder ? tg_strf("%s/%s", folder, name) : tg_strdup(name);
}

static char *take_file(struct tg_bundle_folder *folder, int at,
                       const char *entry, char *shown, char *name)
{
    struct tg_text text = {0};
    int failed = read_file(at, entry, &text);
    char *error;

    if (!failed) {
        add_file(folder, name, shown, &text);
        return NULL;
    }
    error = tg_strf("cannot read %s: %s", shown, why(failed));
    tg_text_release(&text);
    free(shown);
    free(name);
    return error;
}

static char *walk(struct tg_bundle_folder *folder, int at, const char *disk,
                  const char *shown, const char *name, int depth);

/* The directory mostly knows what an entry is. */
static int is_folder(int at, const struct dirent64 *entry)
{
    struct stat st;

    if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    if (fstatat(at, entry->d_name, &st, 0) < 0)
        return -errno;
    return S_ISDIR(st.st_mode);
}

/* One entry of the directory `at`; returns an error sentence or NULL. */
static char *take_entry(struct tg_bundle_folder *folder, int at,
                        const struct dirent64 *entry, const char *shown,
                        const char *name, int depth)
{
    int kind = is_folder(at, entry);
    char *below, *as_shown, *error = NULL;

    if (kind == 0 && !is_lua(entry->d_name))
        return NULL;
    below = join(name, entry->d_name);
    as_shown = join(shown, entry->d_name);
    if (kind == 0)
        return take_file(folder, at, entry->d_name, as_shown, below);
    if (kind > 0)
        error = walk(folder, at, entry->d_name, as_shown, below, depth + 1);
    else
        error = tg_strf("cannot read %s: %s", as_shown, strerror(-kind));
    free(below);
    free(as_shown);
    return error;
}

/* opendir() asks more of the kernel than there is to know here. */
static char *walk(struct tg_bundle_folder *folder, int at, const char *disk,
                  const char *shown, const char *name, int depth)
{
    _Alignas(struct dirent64) char room[ROOM];
    const struct dirent64 *entry;
    ssize_t len, done;
    char *error = NULL;
    int fd = depth < DEPTH_MOST
                 ? openat(at, disk, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                 : -1;

    if (fd < 0 && depth == 0 && errno == ENOENT)
        return tg_strf("there is no folder %s: make it, and put a file such "
                       "as hello.lua in it",
                       disk);
    if (fd < 0)
        return tg_strf("cannot read the folder %s: %s", shown,
                       depth < DEPTH_MOST ? strerror(errno) : "too deep");
    while (!error && (len = getdents64(fd, room, sizeof(room))) != 0) {
        if (len < 0)
            error = tg_strf("cannot read the folder %s: %s", shown,
                            strerror(errno));
        for (done = 0; !error && done < len; done += entry->d_reclen) {
            entry = (const void *)(room + done);
            if (entry->d_name[0] != '.')
                error = take_entry(folder, fd, entry, shown, name, depth);
        }
    }
    close(fd);
    return error;
}

static char *read_folder(struct tg_bundle_folder *folder, const char *root,
                         const char *shown)
{
    size_t len = strlen(shown);
    char *name, *disk, *error;

    while (len > 1 && shown[len - 1] == '/')
        len--;
    name = tg_strndup(shown, len);
    disk = *name == '/' ? tg_strdup(name) : join(root, name);
    error = walk(folder, AT_FDCWD, disk, name, "", 0);
    free(name);
    free(disk);
    tg_bundle_sort(folder);
    return error;
}

/* "lua" beside the handlers: "x/handlers" has "x/lua". */
static char *modules_beside(const char *handlers)
{
    size_t len = strlen(handlers);

    while (len && handlers[len - 1] == '/')
        len--;
    while (len && handlers[len - 1] != '/')
        len--;
    return tg_strf("%.*slua", (int)len, handlers);
}

char *tg_bundle_read_settings(struct tg_bundle_file *file, const char *root,
                              const char *shown)
{
    char *disk = *shown == '/' ? tg_strdup(shown) : join(root, shown);
    struct tg_text text = {0};
    int failed = read_file(AT_FDCWD, disk, &text);

    free(disk);
    if (failed) {
        tg_text_release(&text);
        return failed == -ENOENT
                   ? NULL
                   : tg_strf("cannot read %s: %s", shown, why(failed));
    }
    file->name = tg_strdup(shown);
    file->path = tg_strdup(shown);
    file->text = text.data;
    file->len = text.len;
    return NULL;
}

struct tg_bundle *tg_bundle_read(const char *root, const char *handlers,
                                 const char *settings, char **error)
{
    struct tg_bundle *bundle = tg_alloc(sizeof(*bundle));
    char *modules = modules_beside(handlers);
    char *disk = *modules == '/' ? tg_strdup(modules) : join(root, modules);

    bundle->refs = 1;
    bundle->root = tg_strdup(root);
    *error = read_folder(&bundle->handlers, root, handlers);
    if (!*error && access(disk, F_OK) == 0)
        *error = read_folder(&bundle->modules, root, modules);
    if (!*error)
        *error = tg_bundle_read_settings(&bundle->settings, root, settings);
    free(modules);
    free(disk);
    if (*error) {
        tg_bundle_unref(bundle);
        bundle = NULL;
    }
    return bundle;
}
