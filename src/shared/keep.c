// SPDX-License-Identifier: MIT
#include "shared/keep.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "shared/dict_form.h"
#include "shared/store.h"

/* --- opening --- */

struct loading {
    struct tg_dict *dict;
    double now;  /* since 1970 */
    bool is_new; /* than what is there and has not changed */
};

static bool restore(const struct tg_store_record *record, void *arg)
{
    struct loading *loading = arg;
    struct tg_dict_value value = {record->data, record->len, record->type};
    struct tg_shard_key key =
        tg_dict_key(loading->dict, record->key, record->key_len);
    double seconds = 0;

    if (record->expires != 0) {
        seconds = record->expires - loading->now;
        if (!(seconds > 0))
            return true; /* it is over by now */
    }
    return tg_shard_restore(tg_dict_shard(loading->dict, &key), &key, &value,
                            seconds, loading->is_new);
}

struct tg_keep *tg_keep_open(const char *name, const char *path, double seconds,
                             bool shares, char *message, size_t size)
{
    struct tg_store *store = tg_store_open(path, shares, message, size);
    struct loading loading = {0};
    struct tg_keep *keep;
    bool was_empty;
    int i;

    if (!store)
        return NULL;
    keep = tg_alloc(sizeof(*keep));
    keep->dict = loading.dict = tg_dict_open(name);
    keep->store = store;
    keep->path = tg_strdup(path);
    keep->seconds = seconds;
    for (i = 0; i < TG_DICT_PARTS; i++)
        tg_shard_note(&keep->dict->shards[i], true);
    was_empty = tg_dict_size(keep->dict) == 0;
    keep->dict->afresh = !was_empty;
    keep->is_ours = tg_store_own(store);
    keep->due = keep->is_ours ? tg_clock_now() + seconds : 0;
    loading.now = tg_clock_wall();
    if (tg_store_load(store, false, restore, &loading, message, size))
        return keep;
    for (i = 0; i < TG_DICT_PARTS; i++)
        tg_shard_note(&keep->dict->shards[i], false);
    if (was_empty)
        tg_dict_flush(keep->dict);
    tg_keep_free(keep);
    return NULL;
}

void tg_keep_free(struct tg_keep *keep)
{
    tg_store_close(keep->store);
    tg_dict_unref(keep->dict);
    free(keep->path);
    free(keep);
}

/* --- taking over --- */

/* Deletes what the file does not have any more, unless it is new here. */
static void drop_deleted(struct tg_keep *keep, const struct tg_text *keys)
{
    size_t at = 0, len;

    while (at < keys->len) {
        struct tg_shard_key key;

        memcpy(&len, keys->data + at, sizeof(len));
        at += sizeof(len);
        key = tg_dict_key(keep->dict, keys->data + at, len);
        if (!tg_store_has(keep->store, key.text, len))
            tg_shard_drop(tg_dict_shard(keep->dict, &key), &key);
        at += len;
    }
}

/* The other process has gone: what it wrote last counts, but for what was
 * stored here and is not written yet. */
static void take_over(struct tg_keep *keep)
{
    struct loading loading = {keep->dict, tg_clock_wall(), true};
    char message[512];
    int i;

    keep->is_ours = true;
    if (keep->dict->afresh)
        return;
    if (!tg_store_load(keep->store, true, restore, &loading, message,
                       sizeof(message)))
        tg_log(TG_LOG_ERROR, "cannot read what was written last: %s", message);
    for (i = 0; i < TG_DICT_PARTS; i++) {
        struct tg_text keys = tg_shard_unchanged(&keep->dict->shards[i]);

        drop_deleted(keep, &keys);
        tg_text_release(&keys);
    }
}

/* --- saving --- */

struct saving {
    struct tg_keep *keep;
    bool afresh;
    double now; /* since 1970 */
    struct tg_text data;
};

static bool save_key(struct saving *saving, const char *text, size_t len)
{
    struct tg_dict *dict = saving->keep->dict;
    struct tg_shard_key key = tg_dict_key(dict, text, len);
    struct tg_store_record record = {.key = text, .key_len = len};
    double left;

    if (!tg_shard_fetch(tg_dict_shard(dict, &key), &key, &saving->data,
                        &record.type, &left))
        return tg_store_remove(saving->keep->store, text, len);
    record.data = saving->data.data;
    record.len = saving->data.len;
    record.expires = left > 0 ? saving->now + left : 0;
    return tg_store_put(saving->keep->store, &record);
}

static bool save_keys(struct saving *saving, const struct tg_text *changes)
{
    size_t at = 0, len;

    while (at < changes->len) {
        memcpy(&len, changes->data + at, sizeof(len));
        at += sizeof(len);
        if (!save_key(saving, changes->data + at, len))
            return false;
        at += len;
    }
    return true;
}

static bool save(struct saving *saving,
                 const struct tg_text changes[TG_DICT_PARTS])
{
    struct tg_store *store = saving->keep->store;
    bool ok = tg_store_begin(store, saving->afresh);
    int i;

    for (i = 0; ok && i < TG_DICT_PARTS; i++)
        ok = save_keys(saving, &changes[i]);
    return ok && tg_store_commit(store);
}

static void tell(struct tg_keep *keep, bool ok)
{
    if (!ok && !keep->failing)
        tg_log(TG_LOG_ERROR,
               "cannot write '%s': %s; dictionary '%s' goes on in memory, and "
               "it is tried again",
               keep->path, tg_store_error(keep->store), keep->dict->name);
    else if (ok && keep->failing)
        tg_log(TG_LOG_WARN, "'%s' is written again", keep->path);
    keep->failing = !ok;
}

void tg_keep_save(struct tg_keep *keep)
{
    struct saving saving = {.keep = keep, .now = tg_clock_wall()};
    struct tg_text changes[TG_DICT_PARTS];
    bool ok = true;
    size_t len = 0;
    int i;

    if (!keep->is_ours && tg_store_own(keep->store))
        take_over(keep);
    saving.afresh = atomic_exchange(&keep->dict->afresh, false);
    for (i = 0; i < TG_DICT_PARTS; i++) {
        if (saving.afresh)
            tg_shard_note_all(&keep->dict->shards[i]);
        changes[i] = tg_shard_take_changes(&keep->dict->shards[i]);
        len += changes[i].len;
    }
    if (len || saving.afresh) {
        ok = save(&saving, changes);
        tell(keep, ok);
    }
    if (!ok) { /* what was noted is lost: all of it is written next time */
        tg_store_roll_back(keep->store);
        keep->dict->afresh = true;
    }
    for (i = 0; i < TG_DICT_PARTS; i++)
        tg_text_release(&changes[i]);
    tg_text_release(&saving.data);
}
