// SPDX-License-Identifier: MIT
#include "script/bundle.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "script/compiled.h"

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct tg_bundle_file *)a)->name,
                  ((const struct tg_bundle_file *)b)->name);
}

void tg_bundle_sort(struct tg_bundle_folder *folder)
{
    if (folder->count)
        qsort(folder->files, folder->count, sizeof(*folder->files), compare);
}

bool tg_bundle_is_same(const struct tg_bundle_file *a,
                       const struct tg_bundle_file *b)
{
    return a->len == b->len && memcmp(a->text, b->text, a->len) == 0 &&
           strcmp(a->path, b->path) == 0;
}

static void learn(struct tg_bundle_folder *folder,
                  const struct tg_bundle_folder *former)
{
    size_t i, at = 0;

    for (i = 0; i < folder->count; i++) {
        struct tg_bundle_file *file = &folder->files[i], *other;

        while (at < former->count && compare(&former->files[at], file) < 0)
            at++;
        if (at == former->count)
            return;
        other = &former->files[at];
        if (!tg_bundle_is_same(file, other))
            continue;
        tg_compiled_unref(file->compiled);
        file->compiled = tg_compiled_ref(other->compiled);
    }
}

void tg_bundle_learn(struct tg_bundle *bundle, const struct tg_bundle *former)
{
    learn(&bundle->handlers, &former->handlers);
    learn(&bundle->modules, &former->modules);
}

struct tg_bundle *tg_bundle_ref(struct tg_bundle *bundle)
{
    if (bundle)
        atomic_fetch_add(&bundle->refs, 1);
    return bundle;
}

void tg_bundle_release_file(struct tg_bundle_file *file)
{
    free(file->name);
    free(file->path);
    free(file->text);
    tg_compiled_unref(file->compiled);
}

static void release_folder(struct tg_bundle_folder *folder)
{
    size_t i;

    for (i = 0; i < folder->count; i++)
        tg_bundle_release_file(&folder->files[i]);
    free(folder->files);
}

void tg_bundle_unref(struct tg_bundle *bundle)
{
    if (!bundle || atomic_fetch_sub(&bundle->refs, 1) > 1)
        return;
    release_folder(&bundle->handlers);
    release_folder(&bundle->modules);
    tg_bundle_release_file(&bundle->settings);
    free(bundle->root);
    free(bundle);
}

const struct tg_bundle_file *
tg_bundle_find(const struct tg_bundle_folder *folder, const char *name)
{
    struct tg_bundle_file key = {.name = (char *)(size_t)name};

    if (!folder->count)
        return NULL;
    return bsearch(&key, folder->files, folder->count, sizeof(key), compare);
}
