// SPDX-License-Identifier: MIT
/*
 * An app: the handlers of one generation, loaded on one thread, and what they
 * do there: tasks that answer exchanges, timers, start and stop functions.
 *
 * Life: new and load on a loader thread; attach, start, go_live on the serving
 * thread; then serve; then retire; when that has called back, free, on any
 * thread.  Nothing here is called on two threads at once.
 */
#ifndef TG_BIND_APP_H
#define TG_BIND_APP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/text.h"

struct lua_State;
struct tg_bell;
struct tg_bundle;
struct tg_call;
struct tg_exchange;
struct tg_limits;
struct tg_loop;
struct tg_note;
struct tg_state;
struct tg_task;
struct tg_turn;

typedef void tg_app_started_fn(const char *error, void *arg);
typedef void tg_app_idle_fn(void *arg);

/* What Lua has open and only its thread may close: it is closed there before
 * the app goes to a loader. */
struct tg_open {
    struct tg_list link;
    void (*close)(struct tg_open *open); /* removes the link */
};

struct tg_app {
    struct tg_state *state;
    struct tg_loop *loop;  /* NULL until it is attached */
    struct tg_bell *bell;  /* of its thread; set before it is attached */
    struct tg_list alarms; /* of bind/timer.c: every timer that may fire */
    struct tg_list subscriptions; /* of bind/channel.c: those open */
    struct tg_list open;          /* each a struct tg_open */
    struct tg_list services;      /* of bind/service.c */
    struct tg_call *spare;
    int find, failed;               /* registry: functions of tidegate.app, */
    int plain;                      /* and its routes without parameters */
    bool by_host;                   /* does any route name a host? */
    struct tg_note *note;           /* what it runs, in the black box */
    const struct tg_limits *limits; /* where no route sets its own */
    bool live, retired;
    uint64_t signals; /* that its files ask for; fixed once it is loaded */

    tg_app_started_fn *on_started;
    tg_app_idle_fn *on_idle;
    void *arg;
    void (*on_exhausted)(void *arg); /* its state is full for good */
    void *exhausted_arg;
    struct tg_timer *deadline; /* of the start */
    struct tg_timer *idle;     /* about to tell that no task is left */
    struct tg_timer *turn;     /* about to run the tasks that are ready */
    struct tg_task *starting;
};

struct tg_app *tg_app_new(struct tg_bundle *bundle, uint64_t generation,
                          int thread, int threads,
                          const struct tg_limits *limits);
void tg_app_free(struct tg_app *app);

/* Runs every handler file and builds the router.  False: `report` gets all
 * errors, one a paragraph. */
bool tg_app_load(struct tg_app *app, struct tg_text *report);

/* Adds a table of routes, or JSON, for people and programs. */
void tg_app_routes(struct tg_app *app, bool as_json, struct tg_text *out);

/* The app belongs to the calling thread from here on; `turn` is what its
 * watchdog looks at, and in `note`, or NULL, it writes what it runs. */
void tg_app_attach(struct tg_app *app, struct tg_loop *loop,
                   struct tg_turn *turn, struct tg_note *note);

/* Loads, or frees, in so many seconds; before or after it has a loop. */
void tg_app_watch(struct tg_app *app, struct tg_turn *turn, double seconds);

/* Runs the on_start functions; `fn` hears the outcome, maybe at once.  `error`
 * is NULL, or what failed. */
void tg_app_start(struct tg_app *app, double seconds, tg_app_started_fn *fn,
                  void *arg);

/* Timers that were made while loading begin to run. */
void tg_app_go_live(struct tg_app *app);

void tg_app_serve(struct tg_app *app, struct tg_exchange *x);

/* Cancels its timers, runs the on_stop functions, and calls `fn` when its last
 * task has ended, maybe at once. */
void tg_app_retire(struct tg_app *app, tg_app_idle_fn *fn, void *arg);

/* Ends all it does at once, without telling anybody: its thread ends. */
void tg_app_stop(struct tg_app *app);

/* Cancels the tasks that are left, and names them in the log; returns how many
 * there were. */
int tg_app_cancel(struct tg_app *app);

/* What an app is busy with. */
struct tg_app_work {
    char what[128]; /* "GET /slow", "a timer", "a task" */
    char where[96]; /* the line where it waits: "handlers/slow.lua:3" */
    double seconds; /* since it began */
};

/* Lists its tasks, up to so many; returns how many there are.  On its thread,
 * while none of them runs. */
int tg_app_works(const struct tg_app *app, struct tg_app_work *works, int most);

/* How many of its timers may fire, and the bytes its Lua state holds. */
int tg_app_timers(const struct tg_app *app);
size_t tg_app_bytes(const struct tg_app *app);
/* A signal has come: what its files have for it runs. */
void tg_app_signal(struct tg_app *app, int number);

/* For bind/: a task of this app has ended. */
void tg_app_task_ended(struct tg_app *app);

/* For bind/: what a task is that tg_app_spawn() or the app itself has made:
 * "timer", "on_stop"; of others "a task". */
const char *tg_app_own_task(struct tg_task *task);

/* For bind/: runs the function and its `nargs` arguments on top of `L` as a
 * task of its own; an error is logged as of `what`, a literal. */
void tg_app_spawn(struct tg_app *app, struct lua_State *L, int nargs,
                  const char *what);

/* For app.c: every timer made so far starts; every timer is cancelled. */
void tg_timers_start(struct tg_app *app);
void tg_timers_cancel(struct tg_app *app);

/* For app.c: every subscription ends. */
void tg_subscriptions_end(struct tg_app *app);

/* The exchange that the running task answers, or NULL. */
struct tg_exchange *tg_app_exchange(struct tg_app *app);

/* The same of any task: its first ancestor may answer one. */
struct tg_exchange *tg_app_exchange_of(struct tg_task *task);

#endif
