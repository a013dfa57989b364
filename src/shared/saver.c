// SPDX-License-Identifier: MIT
#include "shared/saver.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "shared/dict_form.h"
#include "shared/keep.h"
#include "shared/mailbox.h"

#define IDLE 3600.0 /* seconds */
#define POLL 0.1

/* Files are opened one after another; nothing else waits for that. */
static pthread_mutex_t opening_lock = PTHREAD_MUTEX_INITIALIZER;

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    bool may_run, runs, stopping, shares;
    struct { /* when all is written, if somebody waits for that */
        struct tg_mailbox *box;
        void (*fn)(void *arg);
        void *arg;
    } asked;
    struct tg_keep *keeps; /* new ones come in front, and none goes */
} saver = {.lock = PTHREAD_MUTEX_INITIALIZER};

void tg_saver_start(bool shares)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&saver.changed, &attributes);
    pthread_condattr_destroy(&attributes);
    saver.may_run = true;
    saver.shares = shares;
    saver.stopping = false;
}

/* --- the thread --- */

static double next_due(const struct tg_keep *keep)
{
    double due = tg_clock_now() + IDLE;

    for (; keep; keep = keep->next)
        if (keep->due < due)
            due = keep->due;
    return due;
}

/* Waits until a keep is due; returns them all, or NULL: the end has come. */
static struct tg_keep *wait_until_due(void)
{
    struct tg_keep *keeps;
    double due;

    pthread_mutex_lock(&saver.lock);
    while (!saver.stopping && !saver.asked.box &&
           (due = next_due(saver.keeps)) > tg_clock_now()) {
        struct timespec until = {.tv_sec = (time_t)due};

        until.tv_nsec = (long)((due - (double)until.tv_sec) * 1e9);
        pthread_cond_timedwait(&saver.changed, &saver.lock, &until);
    }
    keeps = saver.stopping ? NULL : saver.keeps;
    pthread_mutex_unlock(&saver.lock);
    return keeps;
}

/* Is everything to be written, due or not? */
static bool is_asked(void)
{
    bool is;

    pthread_mutex_lock(&saver.lock);
    is = saver.asked.box;
    pthread_mutex_unlock(&saver.lock);
    return is;
}

static void answer(void)
{
    pthread_mutex_lock(&saver.lock);
    tg_mailbox_post(saver.asked.box, saver.asked.fn, saver.asked.arg);
    saver.asked.box = NULL;
    pthread_mutex_unlock(&saver.lock);
}

void tg_saver_save(struct tg_mailbox *box, void (*fn)(void *arg), void *arg)
{
    pthread_mutex_lock(&saver.lock);
    if (!saver.runs) {
        tg_mailbox_post(box, fn, arg);
    } else {
        saver.asked.box = box;
        saver.asked.fn = fn;
        saver.asked.arg = arg;
        pthread_cond_signal(&saver.changed);
    }
    pthread_mutex_unlock(&saver.lock);
}

/* Whose a file is, is asked often while it is not certain. */
static double pause_of(const struct tg_keep *keep)
{
    return !keep->is_ours && keep->seconds > POLL ? POLL : keep->seconds;
}

static void *run(void *arg)
{
    struct tg_keep *keep;

    (void)arg;
    while ((keep = wait_until_due())) {
        bool at_once = is_asked();

        for (; keep; keep = keep->next) {
            double now = tg_clock_now();

            if (keep->due > now && !at_once)
                continue;
            tg_keep_save(keep);
            keep->due = now + pause_of(keep);
        }
        if (at_once)
            answer();
    }
    return NULL;
}

void tg_saver_stop(void)
{
    struct tg_keep *keep;

    pthread_mutex_lock(&saver.lock);
    saver.stopping = true;
    if (saver.runs)
        pthread_cond_signal(&saver.changed);
    pthread_mutex_unlock(&saver.lock);
    if (saver.runs)
        pthread_join(saver.thread, NULL);
    while ((keep = saver.keeps)) {
        saver.keeps = keep->next;
        tg_keep_save(keep);
        tg_keep_free(keep);
    }
    saver.may_run = saver.runs = false;
}

/* --- keeping --- */

/* Returns 0 or an errno. */
static int add(struct tg_keep *keep)
{
    int error = 0;

    pthread_mutex_lock(&saver.lock);
    if (saver.runs)
        pthread_cond_signal(&saver.changed);
    else
        error = pthread_create(&saver.thread, NULL, run, NULL);
    if (!error) {
        keep->next = saver.keeps;
        saver.keeps = keep;
        saver.runs = true;
    }
    pthread_mutex_unlock(&saver.lock);
    return error;
}

/* Of a keep that has the name or the path: is it all the same?  1: yes; 0: no;
 * -1: there is none. */
static int compare(const char *name, const char *path, double seconds,
                   char *message, size_t size)
{
    const struct tg_keep *keep;
    int result = -1;

    pthread_mutex_lock(&saver.lock);
    for (keep = saver.keeps; keep; keep = keep->next)
        if (strcmp(keep->dict->name, name) == 0 ||
            strcmp(keep->path, path) == 0)
            break;
    if (keep) {
        result = 0;
        if (strcmp(keep->dict->name, name) != 0)
            snprintf(message, size, "%s: it keeps dictionary '%s' already",
                     path, keep->dict->name);
        else if (strcmp(keep->path, path) != 0)
            snprintf(message, size,
                     "dictionary '%s' is kept by %s already: only a restart "
                     "changes it",
                     name, keep->path);
        else if (seconds > 0 && keep->seconds != seconds)
            snprintf(message, size,
                     "dictionary '%s' is saved every %g s already, not every "
                     "%g s: only a restart changes it",
                     name, keep->seconds, seconds);
        else
            result = 1;
    }
    pthread_mutex_unlock(&saver.lock);
    return result;
}

bool tg_saver_keep(const char *name, const char *path, double seconds,
                   char *message, size_t size)
{
    int same = compare(name, path, seconds, message, size);
    struct tg_keep *keep;
    int error;

    if (!saver.may_run || same >= 0)
        return same != 0;
    pthread_mutex_lock(&opening_lock);
    same = compare(name, path, seconds, message, size); /* another thread */
    if (same < 0) {
        keep = tg_keep_open(name, path, seconds > 0 ? seconds : 1, saver.shares,
                            message, size);
        error = keep ? add(keep) : 0;
        if (error) {
            snprintf(message, size, "%s: cannot start a thread to save: %s",
                     path, strerror(error));
            tg_keep_free(keep);
            keep = NULL;
        }
        same = keep != NULL;
    }
    pthread_mutex_unlock(&opening_lock);
    return same;
}
