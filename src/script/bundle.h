// SPDX-License-Identifier: MIT
/*
 * A bundle: every Lua source of a project as it was at one moment.
 *
 * States load from it and never from the disk again.  It does not change, so
 * any thread may read it; the last reference frees it.
 */
#ifndef TG_SCRIPT_BUNDLE_H
#define TG_SCRIPT_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>

struct tg_compiled;

struct tg_bundle_file {
    char *name; /* below its folder: "users/{id}.lua" */
    char *path; /* as errors show it: "handlers/users/{id}.lua" */
    char *text;
    size_t len;
    struct tg_compiled *compiled; /* of the text; the settings have none */
};

struct tg_bundle_folder {
    struct tg_bundle_file *files; /* in the order of their names */
    size_t count;
};

struct tg_bundle {
    struct tg_bundle_folder handlers;
    struct tg_bundle_folder modules; /* lua/ beside the handlers */
    struct tg_bundle_file settings;  /* tidegate.lua; text NULL: none */
    char *root;                      /* the project's folder */
    _Atomic int refs;
};

/*
 * Reads `handlers` and `settings` (paths below `root`, or absolute ones), and
 * `lua` beside the handlers.  Settings may be missing.  NULL when that cannot
 * be done; `*error` is then one sentence, to be freed.
 */
struct tg_bundle *tg_bundle_read(const char *root, const char *handlers,
                                 const char *settings, char **error);

/* Puts the files in order, for who has filled the folder. */
void tg_bundle_sort(struct tg_bundle_folder *folder);

/* Takes what is compiled already from an earlier bundle, for the files that are
 * the same.  While `bundle` is the caller's alone. */
void tg_bundle_learn(struct tg_bundle *bundle, const struct tg_bundle *former);

/* Is it the same text under the same path? */
bool tg_bundle_is_same(const struct tg_bundle_file *a,
                       const struct tg_bundle_file *b);

struct tg_bundle *tg_bundle_ref(struct tg_bundle *bundle);
void tg_bundle_unref(struct tg_bundle *bundle);

/* The file of that name, or NULL. */
const struct tg_bundle_file *
tg_bundle_find(const struct tg_bundle_folder *folder, const char *name);

/* Reads only the settings; no text if there is no such file.  Returns NULL, or
 * one sentence, to be freed. */
char *tg_bundle_read_settings(struct tg_bundle_file *file, const char *root,
                              const char *settings);
void tg_bundle_release_file(struct tg_bundle_file *file);

#endif
