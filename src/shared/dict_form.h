// SPDX-License-Identifier: MIT
/* What a dict is made of, for dict.c and keep.c only. */
#ifndef TG_SHARED_DICT_FORM_H
#define TG_SHARED_DICT_FORM_H

#include "shared/dict.h"
#include "shared/shard.h"

struct tg_dict {
    struct tg_dict *next;
    char *name;
    long refs;
    uint64_t secret[2];
    struct tg_shard_room room;
    /* What its file has is not what it had: all is to be written anew. */
    _Atomic bool afresh;
    struct tg_shard shards[TG_DICT_PARTS];
};

struct tg_shard_key tg_dict_key(const struct tg_dict *dict, const char *text,
                                size_t len);
struct tg_shard *tg_dict_shard(struct tg_dict *dict,
                               const struct tg_shard_key *key);

#endif
