// SPDX-License-Identifier: MIT
#include "worker/loader.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/census.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/settings.h"
#include "bind/app.h"
#include "script/bundle.h"
#include "shared/mailbox.h"
#include "worker/certificates.h"
#include "worker/changes.h"
#include "worker/signals.h"
#include "worker/spawn.h"
#include "worker/thread.h"
#include "worker/watchdog.h"

/* One reload under way. */
struct reload {
    struct tg_loader *loader;
    struct tg_bundle *bundle;
    uint64_t number;
    int first, count;       /* the threads it is for */
    struct tg_slot **slots; /* one for each of them */
    struct tg_certificates_fresh certificates;
    struct tg_outcome *outcome;
    double began;
    bool is_first; /* of this process */
};

void tg_outcome_free(struct tg_outcome *outcome)
{
    tg_text_release(&outcome->report);
    tg_text_release(&outcome->routes);
    tg_bundle_unref(outcome->bundle);
    free(outcome);
}

/* --- building --- */

struct build {
    pthread_t handle;
    const struct tg_common *common;
    int number;
    struct tg_app *app;
    struct tg_text report;
    bool ok;
};

static void *build_one(void *arg)
{
    struct build *build = arg;
    struct tg_watchdog *watchdog = build->common->watchdog;
    struct tg_turn *turn = tg_watchdog_enter(watchdog, "loader", build->number);

    tg_app_watch(build->app, turn, build->common->settings->start_timeout);
    build->ok = tg_app_load(build->app, &build->report);
    tg_app_watch(build->app, NULL, build->common->settings->start_timeout);
    tg_watchdog_leave(watchdog, turn);
    tg_census_flush();
    return NULL;
}

/* Loads an app for each thread, beside each other.  The first one's errors are
 * everyone's. */
static bool build(struct reload *reload)
{
    int i, started, error = 0, n = reload->count;
    struct build *builds = tg_alloc((size_t)n * sizeof(*builds));
    bool ok = true;

    for (i = 0; i < n; i++) {
        builds[i].common = reload->loader->common;
        builds[i].number = reload->first + i + 1;
        builds[i].app = tg_app_new(reload->bundle, reload->number,
                                   builds[i].number, reload->loader->nthreads,
                                   &reload->loader->common->settings->limits);
    }
    for (i = 1; i < n && !error; i++)
        error = pthread_create(&builds[i].handle, NULL, build_one, &builds[i]);
    started = error ? i - 1 : i;
    if (error)
        tg_text_addf(&builds[0].report, "cannot start a thread to load: %s",
                     strerror(error));
    else
        build_one(&builds[0]);
    while (--started > 0)
        pthread_join(builds[started].handle, NULL);
    for (i = 0; i < n; i++) {
        struct tg_slot *slot = tg_alloc(sizeof(*slot));

        slot->app = builds[i].app;
        slot->thread = &reload->loader->threads[reload->first + i];
        slot->number = reload->number;
        slot->arg = reload->loader;
        reload->slots[i] = slot;
        if (ok && !builds[i].ok)
            tg_text_add(&reload->outcome->report, builds[i].report.data,
                        builds[i].report.len);
        ok = ok && builds[i].ok;
        tg_text_release(&builds[i].report);
    }
    free(builds);
    for (i = 0; !ok && i < n; i++)
        tg_slot_free(reload->slots[i]);
    return ok;
}

/* --- warming up --- */

static void on_prepared(void *arg)
{
    struct tg_slot *slot = arg;
    struct tg_loader *loader = slot->arg;

    slot->answered = true;
    if (slot->attempt == loader->attempts) /* not one that was given up */
        loader->waiting_for--;
}

/* What keeps the warm-up from being done: an on_start that failed, or a thread
 * that has not even looked. */
static char *find_fault(const struct reload *reload)
{
    int i;

    for (i = 0; i < reload->loader->nthreads; i++) {
        const struct tg_slot *slot = reload->slots[i];

        if (!slot->answered)
            return tg_strf("thread %d has not answered: code that does not "
                           "return holds it",
                           i + 1);
        if (slot->error)
            return tg_strf("on_start failed: %s", slot->error);
    }
    return NULL;
}

/* Runs the on_start functions on the serving threads, and waits for them. */
static bool warm_up(struct reload *reload)
{
    struct tg_loader *loader = reload->loader;
    double until = tg_clock_now() + loader->common->settings->start_timeout + 1;
    char *fault;
    int i;

    loader->attempts++;
    loader->waiting_for = loader->nthreads;
    for (i = 0; i < loader->nthreads; i++) {
        reload->slots[i]->on_prepared = on_prepared;
        reload->slots[i]->attempt = loader->attempts;
        tg_thread_prepare(reload->slots[i]);
    }
    while (loader->waiting_for && !loader->stopping && tg_clock_now() < until) {
        tg_mailbox_wait(loader->mailbox, until - tg_clock_now());
        tg_mailbox_run(loader->mailbox);
    }
    if (loader->stopping)
        return false; /* the threads clear what they have */
    fault = find_fault(reload);
    if (!fault)
        return true;
    tg_text_adds(&reload->outcome->report, fault);
    free(fault);
    for (i = 0; i < loader->nthreads; i++)
        tg_thread_drop(reload->slots[i]);
    return false;
}

/* --- the transaction --- */

static void commit(struct reload *reload)
{
    struct tg_loader *loader = reload->loader;
    struct tg_text *report = &reload->outcome->report;
    int i;

    tg_certificates_commit(loader->common->certificates, &reload->certificates);
    atomic_store(&loader->common->current, reload->number);
    reload->outcome->signals = reload->slots[0]->app->signals;
    tg_signals_catch(reload->outcome->signals);
    for (i = 0; i < loader->nthreads; i++)
        tg_thread_nudge(&loader->threads[i]);
    tg_text_addf(report, "generation %" PRIu64 " serves: ", reload->number);
    tg_changes_describe(loader->bundle, reload->bundle, report);
    tg_text_addf(report, ", %.1f ms", (tg_clock_now() - reload->began) * 1000);
    tg_bundle_unref(loader->bundle);
    loader->bundle = tg_bundle_ref(reload->bundle);
    reload->outcome->bundle = tg_bundle_ref(reload->bundle);
}

/* The sources: from the files, or what an earlier process has served. */
static struct tg_bundle *take_bundle(struct tg_loader *loader, char **error)
{
    const struct tg_settings *settings = loader->common->settings;
    struct tg_bundle *bundle = loader->restored;

    *error = NULL;
    loader->restored = NULL;
    if (!bundle)
        bundle = tg_bundle_read(settings->root, settings->handlers,
                                settings->config, error);
    if (bundle && loader->bundle)
        tg_bundle_learn(bundle, loader->bundle);
    return bundle;
}

static bool run_reload(struct reload *reload)
{
    struct tg_common *common = reload->loader->common;
    const struct tg_settings *settings = common->settings;
    char *error;

    reload->bundle = take_bundle(reload->loader, &error);
    if (reload->bundle)
        error = tg_certificates_read(common->certificates, settings,
                                     &reload->certificates);
    if (error) {
        tg_text_adds(&reload->outcome->report, error);
        free(error);
        return false;
    }
    if (!build(reload))
        return false;
    if (reload->is_first) /* while the states are still ours alone */
        tg_app_routes(reload->slots[0]->app, false, &reload->outcome->routes);
    if (!warm_up(reload))
        return false;
    commit(reload);
    return true;
}

static void log_outcome(const struct reload *reload)
{
    const struct tg_outcome *outcome = reload->outcome;
    struct tg_log_field fields[] = {
        TG_LOG_NUMBER("generation", (int64_t)outcome->generation),
        TG_LOG_NUMBER("ms", (int64_t)((tg_clock_now() - reload->began) * 1000)),
        TG_LOG_TEXT("report", outcome->report.data, outcome->report.len),
    };
    const char *message = outcome->ok ? "reloaded" : "reload refused";

    tg_log_record(outcome->ok ? TG_LOG_INFO : TG_LOG_ERROR, message,
                  strlen(message), fields, 3);
}

static void reload_once(struct tg_loader *loader)
{
    struct tg_outcome *outcome = tg_alloc(sizeof(*outcome));
    struct reload reload = {
        .loader = loader, .count = loader->nthreads, .outcome = outcome};

    outcome->owner = loader->owner;
    /* the first one is nobody's: who asks for more gets one that reads the
     * files after that */
    outcome->request = loader->bundle ? atomic_load(&loader->wanted) : 1;
    loader->done = outcome->request;
    reload.began = tg_clock_now();
    reload.is_first = !loader->bundle;
    reload.number = atomic_load(&loader->common->current) + 1;
    reload.slots = tg_alloc((size_t)loader->nthreads * sizeof(*reload.slots));
    outcome->ok = run_reload(&reload);
    outcome->generation = atomic_load(&loader->common->current);
    tg_certificates_drop(&reload.certificates);
    tg_bundle_unref(reload.bundle);
    free(reload.slots);
    if (!loader->stopping && !reload.is_first)
        log_outcome(&reload);
    tg_mailbox_post(loader->common->main, loader->on_outcome, outcome);
    malloc_trim(0); /* a whole state is gone or will be soon */
}

/* --- a fresh state --- */

void tg_loader_renew(void *arg)
{
    struct tg_slot *slot = arg;
    struct tg_loader *loader = slot->arg;

    loader->exhausted[slot->thread->number - 1] = slot->number;
}

/* The thread takes it over by itself once it has started. */
static void renew(struct tg_loader *loader, int thread)
{
    struct tg_outcome outcome = {0};
    struct tg_slot *slot;
    struct reload reload = {.loader = loader,
                            .bundle = loader->bundle,
                            .number = loader->exhausted[thread],
                            .first = thread,
                            .count = 1,
                            .slots = &slot,
                            .outcome = &outcome};

    if (build(&reload)) {
        slot->renews = true;
        tg_thread_prepare(slot);
    } else {
        tg_log(TG_LOG_ERROR, "a fresh state did not load: %.*s",
               (int)outcome.report.len, outcome.report.data);
    }
    tg_text_release(&outcome.report);
}

static void renew_exhausted(struct tg_loader *loader)
{
    int i;

    for (i = 0; i < loader->nthreads; i++) {
        if (loader->exhausted[i] &&
            loader->exhausted[i] == atomic_load(&loader->common->current))
            renew(loader, i);
        loader->exhausted[i] = 0;
    }
}

/* --- its life --- */

static void *run(void *arg)
{
    struct tg_loader *loader = arg;

    while (!loader->stopping) {
        tg_mailbox_wait(loader->mailbox, -1);
        tg_mailbox_run(loader->mailbox);
        while (!loader->stopping && loader->done < atomic_load(&loader->wanted))
            reload_once(loader);
        if (!loader->stopping)
            renew_exhausted(loader);
    }
    tg_bundle_unref(loader->bundle);
    tg_bundle_unref(loader->restored);
    tg_census_flush();
    return NULL;
}

void tg_loader_start(struct tg_loader *loader)
{
    loader->exhausted =
        tg_alloc((size_t)loader->nthreads * sizeof(*loader->exhausted));
    tg_spawn(&loader->handle, run, loader);
}

static void on_request(void *arg)
{
    (void)arg; /* run() looks at the number */
}

uint64_t tg_loader_request(struct tg_loader *loader)
{
    uint64_t request = atomic_fetch_add(&loader->wanted, 1) + 1;

    tg_mailbox_post(loader->mailbox, on_request, loader);
    return request;
}

static void on_stop(void *arg)
{
    ((struct tg_loader *)arg)->stopping = true;
}

void tg_loader_stop(struct tg_loader *loader)
{
    tg_mailbox_post(loader->mailbox, on_stop, loader);
}

bool tg_loader_has_ended(struct tg_loader *loader)
{
    return loader->is_lost || pthread_tryjoin_np(loader->handle, NULL) == 0;
}

void tg_loader_free(struct tg_loader *loader)
{
    tg_mailbox_run(loader->mailbox);
    tg_mailbox_free(loader->mailbox);
    free(loader->exhausted);
}
