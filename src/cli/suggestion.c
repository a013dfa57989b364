// SPDX-License-Identifier: MIT
#include "cli/suggestion.h"

#include <ctype.h>
#include <string.h>

enum { LONGEST = 40 }; /* bytes of a name */

void tg_suggestion_begin(struct tg_suggestion *suggestion, const char *word,
                         size_t len)
{
    *suggestion = (struct tg_suggestion){.word = word, .len = len};
}

static size_t least_of(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;

    return ab < c ? ab : c;
}

static int lower(const char *text, size_t at)
{
    return tolower((unsigned char)text[at]);
}

/* Optimal string alignment: insertions, deletions, changes and swaps. */
static size_t distance(const char *a, size_t alen, const char *b, size_t blen)
{
    size_t rows[LONGEST + 1][LONGEST + 1], i, j;

    for (j = 0; j <= blen; j++)
        rows[0][j] = j;
    for (i = 1; i <= alen; i++) {
        rows[i][0] = i;
        for (j = 1; j <= blen; j++) {
            size_t other = lower(a, i - 1) != lower(b, j - 1);

            rows[i][j] = least_of(rows[i - 1][j] + 1, rows[i][j - 1] + 1,
                                  rows[i - 1][j - 1] + other);
            if (i > 1 && j > 1 && lower(a, i - 1) == lower(b, j - 2) &&
                lower(a, i - 2) == lower(b, j - 1))
                rows[i][j] = least_of(rows[i][j], rows[i - 2][j - 2] + 1,
                                      rows[i - 2][j - 2] + 1);
        }
    }
    return rows[alen][blen];
}

void tg_suggestion_weigh(struct tg_suggestion *suggestion, const char *name)
{
    size_t len = strlen(name), slips;

    if (suggestion->len > LONGEST || len > LONGEST)
        return;
    slips = distance(suggestion->word, suggestion->len, name, len);
    if (suggestion->best && slips >= suggestion->least)
        return;
    suggestion->best = name;
    suggestion->least = slips;
}

const char *tg_suggestion_end(const struct tg_suggestion *suggestion)
{
    size_t most = suggestion->len / 3;

    if (!suggestion->len || suggestion->least > (most ? most : 1))
        return NULL;
    return suggestion->best;
}
