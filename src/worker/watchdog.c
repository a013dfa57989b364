// SPDX-License-Identifier: MIT
#include "worker/watchdog.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/settings.h"
#include "base/text.h"
#include "script/turn.h"
#include "shared/mailbox.h"
#include "worker/spawn.h"

enum {
    LOOK_MILLISECONDS = 20, /* or an eighth of the shortest time allowed, */
    LOOK_LEAST = 1,         /* or half a slice while there is work */
    BUSY_PART = 4,          /* of a slice is enough on a busy thread */
    SIGNAL = SIGURG         /* ignored by who does not expect it */
};

static const double blocked_seconds = 0.1, stuck_seconds = 1,
                    busy_seconds = 0.2, probe_seconds = 0.02, calm_seconds = 1;

enum { FREE, TAKEN, LOOKED_AT };

struct tg_watched {
    _Atomic int use;
    struct tg_turn turn;
    char name[16];
    pthread_t thread;
    pid_t tid;
    /* of the watchdog: */
    unsigned seen;   /* the turn it saw last, */
    double since;    /* and when first */
    double slice_at; /* seconds after which it is asked to give way */
    clockid_t clock;
    double away_since; /* its clock when the probe was sent that has not
                          reached Lua */
    double probe_at;   /* the next signal of it */
    bool serves;       /* requests wait while it is in C; nobody for a loader */
    bool is_asleep, is_told, is_lost;
};

/* Does the thread sleep in the kernel? */
static bool is_asleep(const struct tg_watched *watched)
{
    struct tg_text text = {0};
    const char *state;
    char path[64];
    bool asleep;

    snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)watched->tid);
    if (!tg_text_add_file(&text, path, 1024))
        return false;
    state = strrchr(text.data, ')'); /* the name before may hold anything */
    asleep = state && state[1] == ' ' && (state[2] == 'S' || state[2] == 'D');
    tg_text_release(&text);
    return asleep;
}

/* The first line of a trace that is no C function and none of our own. */
static void find_place(const char *trace, char *place, size_t size)
{
    const char *line;

    for (line = strstr(trace, "\n\t"); line; line = strstr(line, "\n\t")) {
        line += 2;
        if (strncmp(line, "[C]", 3) == 0 || strncmp(line, "tidegate:", 9) == 0)
            continue;
        snprintf(place, size, "%.*s", (int)strcspn(line, "\n"), line);
        return;
    }
    snprintf(place, size, "?");
}

void tg_loss_describe(const struct tg_loss *loss, struct tg_text *out)
{
    tg_text_addf(out, "%s: a call has not returned for %.1f s", loss->place,
                 loss->seconds);
}

struct letter {
    const struct tg_watchdog *watchdog;
    struct tg_loss loss;
};

static void on_letter(void *arg)
{
    struct letter *letter = arg;

    letter->watchdog->on_lost(&letter->loss, letter->watchdog->arg);
    free(letter);
}

/* Somebody who only waits for it has to be patient no longer than it may take;
 * the others of a worker go on meanwhile. */
static bool is_given_up(const struct tg_watchdog *watchdog,
                        const struct tg_watched *watched, double seconds)
{
    double allowed = watched->turn.allowed / 1000.0;

    if (!watchdog->main)
        return allowed > 0 && seconds >= allowed + stuck_seconds;
    return seconds >= watchdog->stuck_seconds && seconds >= allowed;
}

/* What was told goes on. */
static void look_for_loss(const struct tg_watchdog *watchdog,
                          struct tg_watched *watched, double seconds)
{
    struct letter *letter;

    if (watched->is_lost || !watchdog->on_lost ||
        !is_given_up(watchdog, watched, seconds))
        return;
    watched->is_lost = true;
    letter = tg_alloc(sizeof(*letter));
    letter->watchdog = watchdog;
    letter->loss.serves = watched->serves;
    letter->loss.seconds = seconds;
    snprintf(letter->loss.name, sizeof(letter->loss.name), "%s", watched->name);
    find_place(watched->turn.trace, letter->loss.place,
               sizeof(letter->loss.place));
    if (watchdog->main)
        tg_mailbox_post(watchdog->main, on_letter, letter);
    else
        on_letter(letter);
}

/* What the thread has computed: it may not get the processor for long. */
static double computed(const struct tg_watched *watched)
{
    struct timespec time;

    if (clock_gettime(watched->clock, &time) != 0)
        return 0;
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Has it been in C for long, without sleep?  Lua tells of each probe; one that
 * a coroutine took along to its end is sent again. */
static bool is_away(struct tg_watched *watched, double now)
{
    struct tg_turn *turn = &watched->turn;
    unsigned probe = atomic_load(&turn->probe);

    if (now < watched->probe_at)
        return false;
    watched->probe_at = now + probe_seconds;
    if (watched->away_since == 0 || atomic_load(&turn->alive) == probe) {
        watched->away_since = computed(watched);
        atomic_store(&turn->probe, probe + 1);
    }
    pthread_kill(watched->thread, SIGNAL);
    return computed(watched) - watched->away_since >= blocked_seconds;
}

/* Does the trace begin with a C function?  Lua may be away from its code for
 * long by itself, as where it grows or collects a deep stack; it may sleep
 * there, too, where memory has to be found. */
static bool is_in_c(const struct tg_watched *watched)
{
    return strncmp(watched->turn.trace, "\n\t[C]", 5) == 0;
}

/* Twice asleep: blocked.  Never asleep and not back in Lua: in C that does not
 * return.  Both are told once, with what Lua was doing. */
static void look_outside(const struct tg_watchdog *watchdog,
                         struct tg_watched *watched, double seconds, double now,
                         bool overdue)
{
    bool asleep = seconds >= blocked_seconds && is_asleep(watched);
    bool blocked = asleep && watched->is_asleep;
    bool late =
        overdue && seconds >= stuck_seconds + watched->turn.allowed / 1000.0;
    bool away = watched->serves && !watched->is_told && !asleep &&
                seconds >= probe_seconds && is_away(watched, now);

    watched->is_asleep = asleep;
    if (!blocked && !late && !away)
        return;
    if (watched->is_told) {
        look_for_loss(watchdog, watched, seconds);
        return;
    }
    if (atomic_load(&watched->turn.told) != watched->seen) {
        atomic_store(&watched->turn.asked, watched->seen);
        pthread_kill(watched->thread, SIGNAL);
        return; /* it is there at the next look */
    }
    if (!late && !is_in_c(watched)) {
        watched->away_since = watched->probe_at = 0; /* Lua itself was busy */
        atomic_store(&watched->turn.told, 0);
        return;
    }
    watched->is_told = true;
    if (!watchdog->main)
        look_for_loss(watchdog, watched, seconds); /* ends all: says enough */
    tg_log(TG_LOG_WARN,
           blocked ? "%s is blocked: a call has not returned for %.1f s%s"
                   : "%s does not come back: a call runs for %.1f s%s",
           watched->name, seconds, watched->turn.trace);
}

/* Where one task computes there may be many, and each takes a first slice
 * before those behind it begin: so it is a short one then. */
static unsigned slice_now(const struct tg_watchdog *watchdog, double now)
{
    if (now < watchdog->busy_until && watchdog->slice > BUSY_PART)
        return watchdog->slice / BUSY_PART;
    return watchdog->slice;
}

/* Where it could not, as in a callback of sort(), it is asked again later; a
 * thread that sleeps in a call must not be woken all the time. */
static void ask_for_way(struct tg_watchdog *watchdog,
                        struct tg_watched *watched, double seconds)
{
    watched->slice_at = 2 * seconds;
    if (!atomic_load(&watched->turn.base))
        return;
    watchdog->busy_until = tg_clock_now() + busy_seconds;
    atomic_store(&watched->turn.elapsed, (unsigned)(seconds * 1000));
    atomic_store(&watched->turn.to_slice, watched->seen);
    pthread_kill(watched->thread, SIGNAL);
}

static void look_at(struct tg_watchdog *watchdog, struct tg_watched *watched,
                    double now)
{
    unsigned number =
        atomic_load_explicit(&watched->turn.number, memory_order_acquire);
    unsigned allowed =
        atomic_load_explicit(&watched->turn.allowed, memory_order_relaxed);
    double seconds = now - watched->since;
    bool overdue;

    if (number % 2 == 1 || number != watched->seen)
        watchdog->worked_at = now;
    if (number % 2 == 0 || number != watched->seen) {
        watched->seen = number;
        watched->since = now;
        watched->is_asleep = watched->is_told = watched->is_lost = false;
        watched->away_since = watched->probe_at = 0;
        watched->slice_at = slice_now(watchdog, now) / 1000.0;
        return;
    }
    overdue = allowed && seconds * 1000 >= allowed;
    if (overdue) {
        atomic_store(&watched->turn.suspect, number);
        pthread_kill(watched->thread, SIGNAL);
    } else if (watchdog->slice && seconds >= watched->slice_at) {
        ask_for_way(watchdog, watched, seconds);
    }
    look_outside(watchdog, watched, seconds, now, overdue);
}

static void look(struct tg_watchdog *watchdog)
{
    double now = tg_clock_now();
    int i;

    for (i = 0; i < watchdog->room; i++) {
        struct tg_watched *watched = &watchdog->watched[i];
        int use = TAKEN;

        if (!atomic_compare_exchange_strong(&watched->use, &use, LOOKED_AT))
            continue;
        look_at(watchdog, watched, now);
        atomic_store(&watched->use, TAKEN);
    }
}

static void rest(const struct tg_watchdog *watchdog)
{
    double now = tg_clock_now();
    unsigned slice = slice_now(watchdog, now);
    bool is_calm = now - watchdog->worked_at >= calm_seconds;
    unsigned milliseconds = tg_turn_shortest() / 8;
    struct timespec time = {0};

    if (slice && !is_calm && milliseconds > slice / 2)
        milliseconds = slice / 2;
    if (milliseconds > LOOK_MILLISECONDS)
        milliseconds = LOOK_MILLISECONDS;
    if (milliseconds < LOOK_LEAST)
        milliseconds = LOOK_LEAST;
    time.tv_nsec = (long)milliseconds * 1000000;
    nanosleep(&time, NULL);
}

static void *run(void *arg)
{
    struct tg_watchdog *watchdog = arg;

    while (!atomic_load(&watchdog->stopping)) {
        rest(watchdog);
        look(watchdog);
    }
    return NULL;
}

static unsigned slice_of(const struct tg_settings *settings)
{
    double milliseconds = settings->time_slice * 1000;

    return milliseconds <= 0    ? 0
           : milliseconds < 1   ? 1
           : milliseconds > 1e9 ? 0
                                : (unsigned)milliseconds;
}

void tg_watchdog_start(struct tg_watchdog *watchdog,
                       const struct tg_settings *settings,
                       struct tg_mailbox *main, tg_watchdog_lost_fn *on_lost,
                       void *arg)
{
    struct sigaction action = {.sa_handler = tg_turn_signalled,
                               .sa_flags = SA_RESTART};

    sigaction(SIGNAL, &action, NULL);
    watchdog->room = 2 * (int)settings->threads + 1; /* loaders, too */
    watchdog->watched =
        tg_alloc((size_t)watchdog->room * sizeof(*watchdog->watched));
    watchdog->slice = slice_of(settings);
    watchdog->stuck_seconds = settings->stuck_timeout;
    watchdog->main = main;
    watchdog->on_lost = on_lost;
    watchdog->arg = arg;
    tg_spawn(&watchdog->handle, run, watchdog);
}

void tg_watchdog_stop(struct tg_watchdog *watchdog)
{
    atomic_store(&watchdog->stopping, true);
    pthread_join(watchdog->handle, NULL);
    free(watchdog->watched);
}

struct tg_turn *tg_watchdog_enter(struct tg_watchdog *watchdog,
                                  const char *name, int number)
{
    int i;

    for (i = 0; i < watchdog->room; i++) {
        struct tg_watched *watched = &watchdog->watched[i];
        int use = FREE;

        /* as if looked at: not before it is filled in */
        if (!atomic_compare_exchange_strong(&watched->use, &use, LOOKED_AT))
            continue;
        watched->turn = (struct tg_turn){0};
        snprintf(watched->name, sizeof(watched->name), "%s %d", name, number);
        watched->serves = strcmp(name, "thread") == 0;
        watched->thread = pthread_self();
        pthread_getcpuclockid(watched->thread, &watched->clock);
        watched->tid = gettid();
        watched->seen = 0;
        tg_turn_own(&watched->turn);
        atomic_store(&watched->use, TAKEN);
        return &watched->turn;
    }
    return NULL;
}

void tg_watchdog_leave(struct tg_watchdog *watchdog, struct tg_turn *turn)
{
    int i, use;

    if (!turn)
        return;
    for (i = 0; &watchdog->watched[i].turn != turn; i++)
        ;
    for (use = TAKEN;
         !atomic_compare_exchange_weak(&watchdog->watched[i].use, &use, FREE);
         use = TAKEN)
        sched_yield(); /* it is just looked at */
    tg_turn_own(NULL);
}
