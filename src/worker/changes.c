// SPDX-License-Identifier: MIT
#include "worker/changes.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"
#include "script/bundle.h"

enum { NAMES_MOST = 8 };

struct tally {
    int added, removed, changed, named;
    struct tg_text names;
};

static void name(struct tally *tally, const struct tg_bundle_file *file)
{
    if (tally->named++ < NAMES_MOST)
        tg_text_addf(&tally->names, "%s%s", tally->named > 1 ? ", " : "",
                     file->path);
    else if (tally->named == NAMES_MOST + 1)
        tg_text_adds(&tally->names, ", ...");
}

static void compare(struct tally *tally, const struct tg_bundle_folder *before,
                    const struct tg_bundle_folder *after)
{
    const struct tg_bundle_file *other;
    size_t i;

    for (i = 0; i < after->count; i++) {
        other = before ? tg_bundle_find(before, after->files[i].name) : NULL;
        if (other && tg_bundle_is_same(other, &after->files[i]))
            continue;
        if (other)
            tally->changed++;
        else
            tally->added++;
        name(tally, &after->files[i]);
    }
    for (i = 0; before && i < before->count; i++) {
        if (tg_bundle_find(after, before->files[i].name))
            continue;
        tally->removed++;
        name(tally, &before->files[i]);
    }
}

/* Returns whether they differ. */
static bool compare_settings(struct tally *tally,
                             const struct tg_bundle_file *before,
                             const struct tg_bundle_file *after)
{
    if (before->text && after->text && tg_bundle_is_same(before, after))
        return false;
    if (before->text && after->text)
        tally->changed++;
    else if (after->text)
        tally->added++;
    else if (before->text)
        tally->removed++;
    else
        return false;
    name(tally, after->text ? after : before);
    return true;
}

void tg_changes_describe(const struct tg_bundle *before,
                         const struct tg_bundle *after, struct tg_text *out)
{
    struct tally tally = {0};
    bool set;

    compare(&tally, before ? &before->handlers : NULL, &after->handlers);
    compare(&tally, before ? &before->modules : NULL, &after->modules);
    set =
        before && compare_settings(&tally, &before->settings, &after->settings);
    tg_text_addf(out, "%d added, %d removed, %d changed", tally.added,
                 tally.removed, tally.changed);
    if (before && tally.named)
        tg_text_addf(out, " (%s)", tally.names.data);
    if (set)
        tg_text_adds(out, "; the gateway's own settings wait for a restart");
    tg_text_release(&tally.names);
}
