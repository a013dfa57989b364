// SPDX-License-Identifier: MIT
#include "base/blackbox.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/alloc.h"
#include "base/text.h"

struct tg_note {
    _Atomic size_t len; /* written last */
    char text[248];
};

/* Only the notes are shared: a process that writes wildly harms no other. */
struct tg_blackbox {
    size_t threads;
    struct tg_note *notes;
};

struct tg_blackbox *tg_blackbox_new(int threads)
{
    size_t count = (size_t)threads;
    void *notes =
        mmap(NULL, count * sizeof(struct tg_note), PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct tg_blackbox *box;

    if (notes == MAP_FAILED)
        return NULL;
    box = tg_alloc(sizeof(*box));
    box->threads = count;
    box->notes = notes;
    return box;
}

void tg_blackbox_free(struct tg_blackbox *box)
{
    if (!box)
        return;
    munmap(box->notes, box->threads * sizeof(*box->notes));
    free(box);
}

struct tg_note *tg_blackbox_note(struct tg_blackbox *box, int thread)
{
    return box ? &box->notes[thread - 1] : NULL;
}

void tg_note_write(struct tg_note *note, const char *text, size_t len)
{
    if (!note)
        return;
    if (len > sizeof(note->text))
        len = sizeof(note->text);
    memcpy(note->text, text, len);
    atomic_store_explicit(&note->len, len, memory_order_release);
}

void tg_note_clear(struct tg_note *note)
{
    if (note)
        atomic_store_explicit(&note->len, 0, memory_order_release);
}

void tg_blackbox_read(const struct tg_blackbox *box, struct tg_text *out)
{
    const char *before = "";
    size_t i;

    for (i = 0; box && i < box->threads; i++) {
        const struct tg_note *note = &box->notes[i];
        size_t len = atomic_load(&note->len);

        if (!len || len > sizeof(note->text)) /* whoever died wrote it */
            continue;
        tg_text_addf(out, "%sthread %zu: %.*s", before, i + 1, (int)len,
                     note->text);
        before = "; ";
    }
}
