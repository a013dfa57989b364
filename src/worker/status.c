// SPDX-License-Identifier: MIT
#include "worker/status.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/census.h"
#include "base/clock.h"
#include "base/text.h"
#include "bind/app.h"
#include "shared/mailbox.h"
#include "worker/caller.h"
#include "worker/thread.h"

enum { WORKS_MOST = 50, MEBIBYTE = 1024 * 1024 };

static const double patience = 1;

struct question;

/* What one thread says. */
struct part {
    struct question *question;
    struct tg_thread *thread;
    bool is_told;
    struct tg_text text;
};

struct question {
    struct tg_list link; /* of the desk, until it is answered */
    const struct tg_status_desk *desk;
    int caller;
    bool as_json, is_answered;
    double asked;
    int awaited, nparts;
    struct part parts[];
};

/* --- on the thread --- */

static void add_work(struct tg_text *out, bool as_json,
                     const struct tg_app_work *work, bool is_first)
{
    if (!as_json) {
        tg_text_adds(out, "    ");
        tg_text_add_quoted(out, work->what, strlen(work->what));
        tg_text_addf(out, " for %.1f s, waits at %s\n", work->seconds,
                     work->where);
        return;
    }
    tg_text_addf(out, "%s{\"what\":", is_first ? "" : ",");
    tg_text_add_quoted(out, work->what, strlen(work->what));
    tg_text_addf(out, ",\"seconds\":%.3f,\"where\":", work->seconds);
    tg_text_add_quoted(out, work->where, strlen(work->where));
    tg_text_adds(out, "}");
}

/* A generation on this thread.  What holds it is of interest once it was
 * replaced; JSON has it always. */
static void add_slot(struct tg_text *out, bool as_json,
                     const struct tg_slot *slot, bool serves)
{
    struct tg_app_work works[WORKS_MOST];
    int i, count = tg_app_works(slot->app, works, WORKS_MOST);
    int shown = count < WORKS_MOST ? count : WORKS_MOST;
    double seconds = tg_clock_now() - slot->since;

    if (as_json)
        tg_text_addf(out,
                     "%s{\"generation\":%" PRIu64 ",\"serves\":%s,"
                     "\"seconds\":%.3f,\"tasks\":%d,\"timers\":%d,"
                     "\"bytes\":%zu,\"held_by\":[",
                     serves ? "" : ",", slot->number, serves ? "true" : "false",
                     seconds, count, tg_app_timers(slot->app),
                     tg_app_bytes(slot->app));
    else if (!serves)
        tg_text_addf(out,
                     "  generation %" PRIu64
                     ", replaced %.1f s ago, %.1f MiB, is held by %d:\n",
                     slot->number, seconds,
                     (double)tg_app_bytes(slot->app) / MEBIBYTE, count);
    for (i = 0; i < shown && (as_json || !serves); i++)
        add_work(out, as_json, &works[i], i == 0);
    tg_text_adds(out, as_json ? "]}" : "");
}

static void add_serving(struct tg_text *out, bool as_json,
                        const struct tg_thread *thread)
{
    const struct tg_slot *slot = thread->serving;

    if (as_json)
        tg_text_addf(out,
                     "{\"thread\":%d,\"connections\":%ld,\"requests\":%ld,"
                     "\"generations\":[",
                     thread->number, tg_census.connections,
                     tg_census.exchanges);
    else
        tg_text_addf(out,
                     "thread %d: %ld connections, %ld requests, %d timers, "
                     "%.1f MiB of Lua\n",
                     thread->number, tg_census.connections, tg_census.exchanges,
                     slot ? tg_app_timers(slot->app) : 0,
                     slot ? (double)tg_app_bytes(slot->app) / MEBIBYTE : 0.0);
    if (slot)
        add_slot(out, as_json, slot, true);
}

static void on_part(void *arg);

static void tell(void *arg)
{
    struct part *part = arg;
    const struct tg_thread *thread = part->thread;
    const struct tg_list *link;
    bool as_json = part->question->as_json;

    add_serving(&part->text, as_json, thread);
    for (link = thread->retiring.next; link != &thread->retiring;
         link = link->next)
        add_slot(&part->text, as_json, tg_list_item(link, struct tg_slot, link),
                 false);
    tg_text_adds(&part->text, as_json ? "]}" : "");
    tg_mailbox_post(part->question->desk->main, on_part, part);
}

/* --- on the main thread --- */

static double resident_mebibytes(void)
{
    struct tg_text text = {0};
    long pages = 0;

    if (tg_text_add_file(&text, "/proc/self/statm", 1024))
        pages = atol(text.data + strcspn(text.data, " "));
    tg_text_release(&text);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / MEBIBYTE;
}

static void add_reload(const struct question *question, struct tg_text *out)
{
    double since = question->desk->reloading_since;
    double seconds = tg_clock_now() - since;

    if (question->as_json && since > 0)
        tg_text_addf(out, "\"reloading\":%.3f,", seconds);
    else if (question->as_json)
        tg_text_adds(out, "\"reloading\":null,");
    else if (since > 0)
        tg_text_addf(out, "a reload is under way, for %.1f s\n", seconds);
}

static void add_head(const struct question *question, struct tg_text *out)
{
    uint64_t current = atomic_load(&question->parts[0].thread->common->current);

    add_reload(question, out);
    tg_text_addf(out,
                 question->as_json ? "\"generation\":%" PRIu64
                                     ",\"resident_mib\":%.1f,\"threads\":["
                                   : "generation %" PRIu64
                                     " serves, %.1f MiB resident\n",
                 current, resident_mebibytes());
}

static void add_part(const struct question *question, int i,
                     struct tg_text *out)
{
    const struct part *part = &question->parts[i];

    if (question->as_json && i)
        tg_text_adds(out, ",");
    if (part->is_told)
        tg_text_add(out, part->text.data, part->text.len);
    else
        tg_text_addf(out,
                     question->as_json
                         ? "{\"thread\":%d,\"answers\":false}"
                         : "thread %d does not answer: a call holds it\n",
                     part->thread->number);
}

static void answer(struct question *question)
{
    struct tg_text out = {0};
    int i;

    add_head(question, &out);
    for (i = 0; i < question->nparts; i++)
        add_part(question, i, &out);
    tg_text_adds(&out, question->as_json ? "]}\n" : "");
    tg_caller_end(question->caller, out.data, out.len);
    tg_text_release(&out);
    question->is_answered = true;
    tg_list_remove(&question->link);
}

static void free_question(struct question *question)
{
    int i;

    for (i = 0; i < question->nparts; i++)
        tg_text_release(&question->parts[i].text);
    free(question);
}

static void on_part(void *arg)
{
    struct part *part = arg;
    struct question *question = part->question;

    part->is_told = true;
    question->awaited--;
    if (question->awaited)
        return;
    if (!question->is_answered)
        answer(question);
    free_question(question);
}

void tg_status_ask(struct tg_status_desk *desk, int caller, bool as_json)
{
    size_t n = (size_t)desk->nthreads;
    struct question *question =
        tg_alloc(sizeof(*question) + n * sizeof(question->parts[0]));
    int i;

    question->desk = desk;
    question->caller = caller;
    question->as_json = as_json;
    question->asked = tg_clock_now();
    question->awaited = question->nparts = desk->nthreads;
    tg_list_append(&desk->open, &question->link);
    for (i = 0; i < desk->nthreads; i++) {
        question->parts[i].question = question;
        question->parts[i].thread = &desk->threads[i];
        tg_mailbox_post(desk->threads[i].mailbox, tell, &question->parts[i]);
    }
}

bool tg_status_is_open(const struct tg_status_desk *desk)
{
    return !tg_list_empty(&desk->open);
}

void tg_status_tick(struct tg_status_desk *desk)
{
    struct tg_list *link, *next;

    for (link = desk->open.next; link != &desk->open; link = next) {
        struct question *question = tg_list_item(link, struct question, link);

        next = link->next;
        if (tg_clock_now() - question->asked >= patience)
            answer(question); /* freed when the last part comes */
    }
}

void tg_status_release(struct tg_status_desk *desk)
{
    while (!tg_list_empty(&desk->open)) {
        struct question *question =
            tg_list_item(desk->open.next, struct question, link);

        answer(question);
        free_question(question);
    }
}
