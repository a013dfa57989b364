// SPDX-License-Identifier: MIT
#include "script/bundle_copy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"
#include "script/bundle.h"
#include "script/compiled.h"

/* --- writing --- */

static void add_number(struct tg_text *out, uint64_t number)
{
    tg_text_add(out, (const char *)&number, sizeof(number));
}

/* What is NULL has no length. */
static void add_string(struct tg_text *out, const char *string, size_t len)
{
    add_number(out, string ? len : UINT64_MAX);
    tg_text_add(out, string ? string : "", string ? len : 0);
}

static void add_file(struct tg_text *out, const struct tg_bundle_file *file)
{
    add_string(out, file->name, file->name ? strlen(file->name) : 0);
    add_string(out, file->path, file->path ? strlen(file->path) : 0);
    add_string(out, file->text, file->len);
}

static void add_folder(struct tg_text *out,
                       const struct tg_bundle_folder *folder)
{
    size_t i;

    add_number(out, folder->count);
    for (i = 0; i < folder->count; i++)
        add_file(out, &folder->files[i]);
}

static int write_all(int fd, const struct tg_text *text)
{
    size_t done = 0;

    while (done < text->len) {
        ssize_t n = write(fd, text->data + done, text->len - done);

        if (n < 0 && errno != EINTR)
            return -errno;
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

int tg_bundle_write_copy(const struct tg_bundle *bundle)
{
    struct tg_text out = {0};
    int fd = memfd_create("tidegate-bundle", MFD_CLOEXEC), error;

    if (fd < 0)
        return -errno;
    add_string(&out, bundle->root, strlen(bundle->root));
    add_folder(&out, &bundle->handlers);
    add_folder(&out, &bundle->modules);
    add_file(&out, &bundle->settings);
    error = write_all(fd, &out);
    tg_text_release(&out);
    if (!error)
        return fd;
    close(fd);
    return error;
}

/* --- reading --- */

struct reader {
    const char *at;
    size_t left;
    bool failed;
};

static uint64_t take_number(struct reader *reader)
{
    uint64_t number = 0;

    if (reader->left < sizeof(number)) {
        reader->failed = true;
        return 0;
    }
    memcpy(&number, reader->at, sizeof(number));
    reader->at += sizeof(number);
    reader->left -= sizeof(number);
    return number;
}

static char *take_string(struct reader *reader, size_t *len)
{
    uint64_t size = take_number(reader);
    char *string;

    *len = 0;
    if (size == UINT64_MAX || reader->failed)
        return NULL;
    if (size > reader->left) {
        reader->failed = true;
        return NULL;
    }
    *len = (size_t)size;
    string = tg_alloc(*len + 1); /* with its NUL */
    memcpy(string, reader->at, *len);
    reader->at += *len;
    reader->left -= *len;
    return string;
}

static void take_file(struct reader *reader, struct tg_bundle_file *file)
{
    size_t len;

    file->name = take_string(reader, &len);
    file->path = take_string(reader, &len);
    file->text = take_string(reader, &file->len);
    file->compiled = tg_compiled_new();
}

static void take_folder(struct reader *reader, struct tg_bundle_folder *folder)
{
    uint64_t i, count = take_number(reader);

    if (count > reader->left) { /* each takes more than a byte */
        reader->failed = true;
        return;
    }
    folder->files = count ? tg_alloc(count * sizeof(*folder->files)) : NULL;
    folder->count = (size_t)count;
    for (i = 0; i < count; i++)
        take_file(reader, &folder->files[i]);
}

struct tg_bundle *tg_bundle_read_copy(int fd)
{
    struct stat st;
    struct reader reader = {0};
    struct tg_bundle *bundle;
    size_t len;
    void *copy;

    if (fstat(fd, &st) < 0 || st.st_size == 0)
        return NULL;
    copy = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (copy == MAP_FAILED)
        return NULL;
    reader.at = copy;
    reader.left = (size_t)st.st_size;
    bundle = tg_alloc(sizeof(*bundle));
    bundle->refs = 1;
    bundle->root = take_string(&reader, &len);
    take_folder(&reader, &bundle->handlers);
    take_folder(&reader, &bundle->modules);
    take_file(&reader, &bundle->settings);
    munmap(copy, (size_t)st.st_size);
    if (!reader.failed && bundle->root)
        return bundle;
    tg_bundle_unref(bundle);
    return NULL;
}
