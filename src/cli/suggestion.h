// SPDX-License-Identifier: MIT
/*
 * A suggestion: what somebody may have meant who wrote a name that there is
 * not.  tidegate.suggest is the same for Lua.
 */
#ifndef TG_CLI_SUGGESTION_H
#define TG_CLI_SUGGESTION_H

#include <stddef.h>

struct tg_suggestion {
    const char *word;
    size_t len;
    const char *best; /* of those weighed so far, or NULL */
    size_t least;     /* how many slips away it is */
};

/* `word` is what was written; its first `len` bytes count. */
void tg_suggestion_begin(struct tg_suggestion *suggestion, const char *word,
                         size_t len);

/* Is this what was meant?  The name is kept, not copied. */
void tg_suggestion_weigh(struct tg_suggestion *suggestion, const char *name);

/* The nearest name, if it is near enough to be a slip, or NULL. */
const char *tg_suggestion_end(const struct tg_suggestion *suggestion);

#endif
