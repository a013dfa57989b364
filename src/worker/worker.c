// SPDX-License-Identifier: MIT
#include "worker/worker.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/census.h"
#include "base/clock.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "base/settings.h"
#include "base/text.h"
#include "http/server.h"
#include "net/loop.h"
#include "net/memory.h"
#include "script/library.h"
#include "shared/mailbox.h"
#include "shared/tally.h"
#include "worker/access.h"
#include "worker/certificates.h"
#include "worker/control.h"
#include "worker/loader.h"
#include "worker/sockets.h"
#include "worker/thread.h"
#include "worker/watchdog.h"

enum { GIVE_UP_SECONDS = 2 };

struct worker {
    const struct tg_settings *settings;
    struct tg_common common;
    struct tg_certificates certificates;
    struct tg_thread *threads;
    int nthreads, running; /* threads made; threads that have not ended */
    struct tg_loader loader;
    struct tg_control control;
    struct tg_watchdog watchdog;
    struct tg_sockets sockets[TG_SETTINGS_LISTEN_MOST]; /* of each address */
    int nsockets;
    int signal_fd;
    bool started, stopping;
    bool draining;     /* the loader has ended; the threads are to, */
    bool cut_off;      /* and at once */
    double kill_at;    /* when what is in flight is cut off, */
    double give_up_at; /* and when what did not even end then; 0: not yet */
    int exit_code;
};

static void complain(const char *sentence)
{
    fprintf(stderr, "tidegate: %s\n", sentence);
}

/* --- starting --- */

static bool open_sockets(struct worker *worker)
{
    const struct tg_listen *listen = worker->settings->listen;
    int i;

    for (i = 0; i < TG_SETTINGS_LISTEN_MOST && listen[i].address; i++) {
        char *error = tg_sockets_open(&worker->sockets[i], listen[i].address,
                                      (int)worker->settings->threads,
                                      listen[i].tls ? "https" : "http");

        if (error) {
            complain(error);
            free(error);
            return false;
        }
        worker->nsockets++;
    }
    return true;
}

/* The first generation serves: take requests. */
static void open_doors(struct worker *worker, const char *routes)
{
    int i, t;

    for (i = 0; i < worker->nsockets; i++) {
        struct tg_sockets *sockets = &worker->sockets[i];

        for (t = 0; t < worker->nthreads; t++) {
            tg_thread_listen(&worker->threads[t], sockets->fds[t],
                             &worker->settings->listen[i],
                             worker->certificates.tls[i]);
            sockets->fds[t] = -1;
        }
        fprintf(stderr, "listening on %s\n", sockets->url);
    }
    fputs(routes ? routes : "", stderr);
    worker->started = true;
}

static bool start_threads(struct worker *worker)
{
    int i, count = (int)worker->settings->threads;

    worker->threads = tg_alloc((size_t)count * sizeof(*worker->threads));
    for (i = 0; i < count; i++) {
        worker->threads[i].number = i + 1;
        worker->threads[i].common = &worker->common;
        if (!tg_thread_start(&worker->threads[i])) {
            fprintf(stderr,
                    "tidegate: libevent has no backend '%s' here "
                    "(`tidegate version` names those it has)\n",
                    worker->settings->event_backend);
            return false;
        }
        worker->nthreads++;
        worker->running++;
    }
    return true;
}

static void on_outcome(void *arg);
static void on_stopped(void *arg);

static void start_loader(struct worker *worker)
{
    struct tg_loader *loader = &worker->loader;

    loader->common = &worker->common;
    loader->mailbox = worker->common.loader;
    loader->threads = worker->threads;
    loader->nthreads = worker->nthreads;
    loader->on_outcome = on_outcome;
    loader->owner = worker;
    tg_loader_start(loader);
}

/* --- stopping --- */

static void stop(struct worker *worker, int exit_code)
{
    if (worker->stopping) { /* the second time: at once */
        worker->kill_at = 0;
        return;
    }
    worker->stopping = true;
    worker->exit_code = exit_code;
    worker->kill_at = tg_clock_now() + worker->settings->shutdown_timeout;
    tg_loader_stop(&worker->loader);
}

/* Code that never returns, in a handler or while it is loaded, keeps its
 * thread: then nothing can be closed in order. */
static void give_up(struct worker *worker)
{
    int i;

    tg_log(TG_LOG_ERROR, "code that never returns was cut off");
    for (i = 0; i < worker->nsockets; i++)
        tg_sockets_close(&worker->sockets[i]);
    tg_control_close(&worker->control);
    _exit(1);
}

/* The loader ends first, so that no generation comes while threads end. */
static void go_on_stopping(struct worker *worker)
{
    double now = tg_clock_now();
    int i;

    if (!worker->draining && tg_loader_has_ended(&worker->loader)) {
        worker->draining = true;
        for (i = 0; i < worker->nthreads; i++)
            tg_thread_drain(&worker->threads[i]);
    }
    if (now < worker->kill_at)
        return;
    if (worker->give_up_at == 0)
        worker->give_up_at = now + GIVE_UP_SECONDS;
    else if (now >= worker->give_up_at)
        give_up(worker);
    if (worker->draining && !worker->cut_off) {
        worker->cut_off = true;
        for (i = 0; i < worker->nthreads; i++)
            tg_thread_stop(&worker->threads[i]);
    }
}

static void on_stopped(void *arg)
{
    struct tg_thread *thread = arg;
    struct worker *worker = thread->common->owner;

    worker->running--;
}

/* --- reloads --- */

static void answer_clients(struct worker *worker,
                           const struct tg_outcome *outcome)
{
    int i;

    for (i = 0; i < TG_CONTROL_CLIENTS; i++) {
        struct tg_control_client *client = &worker->control.clients[i];

        if (client->fd >= 0 && client->request &&
            client->request <= outcome->request)
            tg_control_answer(client, outcome->ok, outcome->report.data);
    }
}

static void on_outcome(void *arg)
{
    struct tg_outcome *outcome = arg;
    struct worker *worker = outcome->owner;

    tg_text_adds(&outcome->report, "\n");
    if (worker->started) {
        answer_clients(worker, outcome);
    } else if (outcome->ok) {
        if (!worker->stopping)
            open_doors(worker, outcome->routes.data);
    } else if (!worker->stopping) {
        fputs(outcome->report.data, stderr);
        stop(worker, 1);
    }
    tg_outcome_free(outcome);
}

/* --- what the process hears --- */

static void on_command(struct worker *worker, struct tg_control_client *client)
{
    if (strcmp(client->line, "reload") == 0) {
        client->request = tg_loader_request(&worker->loader);
    } else if (strcmp(client->line, "stop") == 0) {
        tg_control_answer(client, true, "stopping\n");
        stop(worker, 0);
    } else {
        tg_control_answer(client, false, "no such command\n");
    }
}

static void on_signal(struct worker *worker)
{
    struct signalfd_siginfo info;
    int i;

    if (read(worker->signal_fd, &info, sizeof(info)) != sizeof(info))
        return;
    switch (info.ssi_signo) {
    case SIGHUP:
        if (!worker->stopping)
            tg_loader_request(&worker->loader);
        break;
    case SIGUSR1:
        for (i = 0; i < worker->nthreads; i++)
            tg_thread_reopen(&worker->threads[i]);
        break;
    case SIGUSR2: /* not ours yet, and no reason to die */
        break;
    default:
        stop(worker, 0);
    }
}

/* What poll() watches: signals, mail, the control socket, then its clients. */
enum { SIGNALS, MAIL, CONTROL, CLIENTS };

static int poll_timeout(const struct worker *worker)
{
    if (!worker->stopping)
        return -1;
    return worker->draining ? 50 : 1; /* nothing tells of the loader's end */
}

static void listen_once(struct worker *worker)
{
    struct pollfd watched[CLIENTS + TG_CONTROL_CLIENTS] = {
        [SIGNALS] = {worker->signal_fd, POLLIN, 0},
        [MAIL] = {tg_mailbox_fd(worker->common.main), POLLIN, 0},
        [CONTROL] = {worker->control.fd, POLLIN, 0},
    };
    int i;

    for (i = 0; i < TG_CONTROL_CLIENTS; i++)
        watched[CLIENTS + i] =
            (struct pollfd){worker->control.clients[i].fd, POLLIN, 0};
    poll(watched, CLIENTS + TG_CONTROL_CLIENTS, poll_timeout(worker));
    if (watched[SIGNALS].revents)
        on_signal(worker);
    if (watched[CONTROL].revents)
        tg_control_accept(&worker->control);
    for (i = 0; i < TG_CONTROL_CLIENTS; i++) {
        struct tg_control_client *client = &worker->control.clients[i];

        if (watched[CLIENTS + i].revents && client->fd >= 0 &&
            tg_control_read(client))
            on_command(worker, client);
    }
    tg_mailbox_run(worker->common.main);
    if (worker->stopping)
        go_on_stopping(worker);
}

static int open_signals(void)
{
    sigset_t set;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* threads inherit it */
    return signalfd(-1, &set, SFD_CLOEXEC);
}

/* --- its life --- */

static void log_census(void)
{
    static const char message[] = "stopped";
    struct tg_census census;
    struct tg_log_field fields[6];
    long now, most;

    tg_memory_flush();
    tg_census_flush();
    census = tg_census_total();
    fields[0] = TG_LOG_NUMBER("tasks", census.tasks);
    fields[1] = TG_LOG_NUMBER("exchanges", census.exchanges);
    fields[2] = TG_LOG_NUMBER("timers", census.timers);
    fields[3] = TG_LOG_NUMBER("connections", census.connections);
    fields[4] = TG_LOG_NUMBER("states", census.states);
    fields[5] = TG_LOG_NUMBER("sockets", census.sockets);
    tg_log_record(TG_LOG_INFO, message, sizeof(message) - 1, fields, 6);
    tg_memory_total(&now, &most);
    tg_log(TG_LOG_DEBUG, "libevent holds %ld bytes; it held %ld at most", now,
           most);
}

static void finish(struct worker *worker)
{
    int i;

    for (i = 0; i < worker->nthreads; i++)
        tg_thread_join(&worker->threads[i]);
    tg_mailbox_run(worker->common.main); /* outcomes nobody waits for */
    tg_loader_free(&worker->loader);
    tg_server_teardown();
    tg_certificates_release(&worker->certificates);
    for (i = 0; i < worker->nsockets; i++)
        tg_sockets_close(&worker->sockets[i]);
    tg_control_close(&worker->control);
    tg_mailbox_free(worker->common.main);
    tg_watchdog_stop(&worker->watchdog);
    tg_tally_free(worker->common.tally);
    free(worker->threads);
    close(worker->signal_fd);
    tg_loop_teardown();
    log_census();
}

/* What can be refused before anything runs. */
static bool check_environment(struct worker *worker)
{
    char *error = tg_access_check(worker->settings);

    if (!error)
        error = tg_control_open(&worker->control, worker->settings->pid_file);
    if (error)
        complain(error);
    free(error);
    return !error && open_sockets(worker);
}

static unsigned slice_of(const struct tg_settings *settings)
{
    double milliseconds = settings->time_slice * 1000;

    return milliseconds <= 0    ? 0
           : milliseconds < 1   ? 1
           : milliseconds > 1e9 ? 0
                                : (unsigned)milliseconds;
}

int tg_worker_run(const struct tg_settings *settings)
{
    struct worker worker = {.settings = settings};

    tg_log_setup(settings->log_level, settings->log_format);
    worker.signal_fd = open_signals();
    tg_descriptors_raise();
    if (!check_environment(&worker)) {
        while (worker.nsockets)
            tg_sockets_close(&worker.sockets[--worker.nsockets]);
        tg_control_close(&worker.control);
        close(worker.signal_fd);
        return 1;
    }
    tg_loop_setup(settings->debug_events);
    tg_library_setup();
    tg_certificates_init(&worker.certificates, settings);
    worker.common.certificates = &worker.certificates;
    worker.common.settings = settings;
    worker.common.owner = &worker;
    worker.common.on_stopped = on_stopped;
    worker.common.tally = tg_tally_new();
    worker.common.watchdog = &worker.watchdog;
    tg_watchdog_start(&worker.watchdog, 2 * (int)settings->threads + 1,
                      slice_of(settings));
    worker.common.main = tg_mailbox_new();
    worker.common.loader = tg_mailbox_new();
    if (start_threads(&worker)) {
        start_loader(&worker);
        tg_loader_request(&worker.loader);
    } else {
        start_loader(&worker);
        stop(&worker, 1);
    }
    while (worker.running || !worker.draining)
        listen_once(&worker);
    finish(&worker);
    return worker.exit_code;
}
