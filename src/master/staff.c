// SPDX-License-Identifier: MIT
#include "master/staff.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/link.h"
#include "base/log.h"
#include "base/text.h"
#include "master/process.h"

/* Seconds: who has served for so long did not fail; the first pause of who
 * fails again, and the longest; what a worker has beyond shutdown_timeout,
 * and what it has to save. */
static const double proven = 10, pause_first = 0.1, pause_most = 5, grace = 5,
                    patience = 2;

static struct tg_process *process_of(const struct tg_list *entry)
{
    return tg_list_item(entry, struct tg_process, entry);
}

/* The newest in that stage, or NULL. */
static struct tg_process *find(const struct tg_staff *staff,
                               enum tg_process_stage stage)
{
    const struct tg_list *entry;

    for (entry = staff->processes.prev; entry != &staff->processes;
         entry = entry->prev)
        if (process_of(entry)->stage == stage)
            return process_of(entry);
    return NULL;
}

void tg_staff_init(struct tg_staff *staff, const struct tg_settings *settings)
{
    *staff = (struct tg_staff){.settings = settings, .bundle = -1};
    tg_list_init(&staff->processes);
}

static void forget_bundle(struct tg_staff *staff)
{
    if (staff->bundle >= 0)
        close(staff->bundle);
    staff->bundle = -1;
}

void tg_staff_release(struct tg_staff *staff)
{
    while (!tg_list_empty(&staff->processes))
        tg_process_free(process_of(staff->processes.next));
    forget_bundle(staff);
    free(staff->last_death);
}

/* --- starting --- */

static int work(struct tg_process *process, void *arg)
{
    const struct tg_staff *staff = arg;
    struct tg_worker_place place = {
        .settings = staff->settings,
        .listeners = staff->listeners,
        .nlisteners = staff->nlisteners,
        .link = process->link,
        .blackbox = process->blackbox,
        .bundle = staff->bundle,
        .generation = staff->generation,
        .is_quiet = staff->has_served,
        .has_elders = staff->has_elders || staff->has_served,
    };

    return tg_worker_run(&place);
}

/* In the new process, too: the links of the others are not its. */
static void prepare(void *arg)
{
    struct tg_staff *staff = arg;
    const struct tg_list *entry;

    for (entry = staff->processes.next; entry != &staff->processes;
         entry = entry->next)
        close(process_of(entry)->link);
    staff->prepare(staff->owner);
}

static void restart_later(struct tg_staff *staff)
{
    double pause =
        staff->failures > 1 ? pause_first * pow(2, staff->failures - 2) : 0;

    staff->restart_at =
        tg_clock_now() + (pause < pause_most ? pause : pause_most);
}

void tg_staff_hire(struct tg_staff *staff)
{
    struct tg_process *process;

    staff->restart_at = 0;
    process =
        tg_process_start((int)staff->settings->threads, prepare, work, staff);
    if (process) {
        tg_list_append(&staff->processes, &process->entry);
        process->end = tg_clock_now() + grace +
                       fmax(2 * staff->settings->start_timeout,
                            staff->settings->stuck_timeout + patience);
        return;
    }
    tg_log(TG_LOG_ERROR, "cannot start a worker: %s", strerror(errno));
    staff->failures++;
    if (staff->has_served)
        restart_later(staff);
    else
        staff->exit_code = 1;
}

/* --- stopping --- */

/* Who has not gone after so many seconds hangs. */
static void let_go(struct tg_process *process, const char *word, double seconds)
{
    tg_link_send(process->link, -1, "%s", word);
    tg_process_enter(process, TG_PROCESS_LEAVING);
    process->end = tg_clock_now() + seconds + grace;
}

void tg_staff_stop(struct tg_staff *staff, bool is_replaced)
{
    bool again = staff->stopping && !staff->is_left;
    double seconds = again ? 0 : staff->settings->shutdown_timeout;
    const struct tg_list *entry;

    staff->restart_at = 0;
    staff->stopping = true;
    staff->is_left = is_replaced;
    for (entry = staff->processes.next; entry != &staff->processes;
         entry = entry->next)
        let_go(process_of(entry), is_replaced ? "leave" : "stop", seconds);
}

bool tg_staff_has_gone(const struct tg_staff *staff)
{
    return tg_list_empty(&staff->processes) && staff->restart_at == 0;
}

bool tg_staff_has(const struct tg_staff *staff, pid_t pid)
{
    const struct tg_list *entry;

    for (entry = staff->processes.next; entry != &staff->processes;
         entry = entry->next)
        if (process_of(entry)->pid == pid)
            return true;
    return false;
}

/* --- what they say --- */

bool tg_staff_tell(struct tg_staff *staff, int fd, const char *message)
{
    struct tg_process *process = find(staff, TG_PROCESS_STARTING);

    if (!process || find(staff, TG_PROCESS_SERVING))
        process = find(staff, TG_PROCESS_SERVING);
    if (process)
        return tg_link_send(process->link, fd, "%s", message);
    if (strcmp(message, "reload") == 0) /* maybe they are what kills it */
        forget_bundle(staff);
    return false;
}

/* A new one serves: whoever did before may go. */
static void take_over(struct tg_staff *staff, struct tg_process *process)
{
    struct tg_process *former = find(staff, TG_PROCESS_SERVING);

    if (former)
        let_go(former, "leave", staff->settings->shutdown_timeout);
    tg_process_enter(process, TG_PROCESS_SERVING);
    process->end = 0;
    if (staff->has_served)
        tg_log(TG_LOG_INFO, "worker %d serves", (int)process->pid);
    staff->has_served = true;
}

static void on_message(struct tg_staff *staff, struct tg_process *process,
                       struct tg_link_message *message);

void tg_staff_save(struct tg_staff *staff)
{
    struct tg_process *process = find(staff, TG_PROCESS_SERVING);
    double until = tg_clock_now() + patience;
    struct tg_link_message message = {0};

    if (!process || !tg_link_send(process->link, -1, "save"))
        return;
    while (!tg_link_is(&message, "saved") && tg_clock_now() < until) {
        struct pollfd word = {process->link, POLLIN, 0};

        if (poll(&word, 1, (int)(patience * 1000)) <= 0 ||
            tg_link_receive(process->link, &message) != TG_LINK_MESSAGE)
            return;
        if (!tg_link_is(&message, "saved"))
            on_message(staff, process, &message);
    }
}

static void replace(struct tg_staff *staff, struct tg_process *process,
                    const char *why)
{
    if (staff->stopping || staff->is_replacing ||
        process->stage != TG_PROCESS_SERVING ||
        find(staff, TG_PROCESS_STARTING))
        return;
    staff->is_replacing = true; /* another thread may be lost meanwhile */
    tg_log(TG_LOG_ERROR, "worker %d is replaced: %s", (int)process->pid, why);
    free(staff->last_death);
    staff->last_death =
        tg_strf("worker %d was replaced: %s", (int)process->pid, why);
    staff->restarts++;
    tg_staff_save(staff);
    tg_staff_hire(staff);
    staff->is_replacing = false;
}

static void on_message(struct tg_staff *staff, struct tg_process *process,
                       struct tg_link_message *message)
{
    const char *rest;

    if ((rest = tg_link_is(message, "bundle")) && message->fd >= 0) {
        forget_bundle(staff);
        staff->bundle = message->fd;
        staff->generation = strtoull(rest, NULL, 10);
        return;
    }
    if ((rest = tg_link_is(message, "replace"))) {
        replace(staff, process, rest);
        return;
    }
    if (tg_link_is(message, "ready") && !staff->stopping)
        take_over(staff, process);
    if (process->stage == TG_PROCESS_SERVING || tg_link_is(message, "signals"))
        staff->on_message(message, staff->owner);
    if (tg_link_is(message, "signals"))
        tg_link_send(process->link, -1, "signals");
}

static void hear(struct tg_staff *staff, struct tg_process *process)
{
    struct tg_link_message message;

    while (tg_link_receive(process->link, &message) == TG_LINK_MESSAGE)
        on_message(staff, process, &message);
}

/* --- their end --- */

static void note_death(struct tg_staff *staff, struct tg_process *process,
                       int status)
{
    struct tg_text text = {0};
    char stamp[32];

    tg_clock_stamp(stamp, sizeof(stamp));
    tg_text_addf(&text, "worker %d ", (int)process->pid);
    tg_process_describe_end(process, status, &text);
    tg_log(TG_LOG_ERROR, "%s", text.data);
    tg_text_addf(&text, ", at %s", stamp);
    free(staff->last_death);
    staff->last_death = text.data;
}

/* Another one is needed: in place of who served, or did not come to it. */
static void make_up_for(struct tg_staff *staff, enum tg_process_stage stage,
                        bool has_proven)
{
    staff->failures = has_proven ? 1 : staff->failures + 1;
    staff->restarts++;
    if (find(staff, TG_PROCESS_STARTING))
        return;
    if (stage == TG_PROCESS_STARTING || !find(staff, TG_PROCESS_SERVING))
        restart_later(staff);
}

static void bury(struct tg_staff *staff, struct tg_process *process, int status)
{
    enum tg_process_stage stage = process->stage;
    bool has_proven = stage == TG_PROCESS_SERVING &&
                      tg_clock_now() - process->since >= proven;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 1;

    if (WIFSIGNALED(status) ||
        (stage != TG_PROCESS_LEAVING && staff->has_served))
        note_death(staff, process, status);
    tg_process_free(process);
    if (staff->stopping || !staff->has_served)
        staff->exit_code = code ? code : staff->exit_code;
    else if (stage != TG_PROCESS_LEAVING)
        make_up_for(staff, stage, has_proven);
}

static void work_on(struct tg_staff *staff)
{
    struct tg_list *entry, *next;
    int status;

    for (entry = staff->processes.next; entry != &staff->processes;
         entry = next) {
        struct tg_process *process = process_of(entry);

        next = entry->next;
        hear(staff, process);
        if (waitpid(process->pid, &status, WNOHANG) != process->pid)
            continue;
        hear(staff, process); /* its last words */
        bury(staff, process, status);
    }
}

/* --- the loop's part --- */

void tg_staff_watch(const struct tg_staff *staff, struct pollfd *watched)
{
    const struct tg_list *entry = staff->processes.prev; /* the newest */
    int i;

    for (i = 0; i < TG_STAFF_MOST; i++) {
        watched[i] = (struct pollfd){-1, POLLIN, 0};
        if (entry == &staff->processes)
            continue;
        watched[i].fd = process_of(entry)->link;
        entry = entry->prev;
    }
}

static double sooner(double a, double b)
{
    return a <= 0 || (b > 0 && b < a) ? b : a;
}

int tg_staff_timeout(const struct tg_staff *staff)
{
    double due = staff->restart_at, left;
    const struct tg_list *entry;

    for (entry = staff->processes.next; entry != &staff->processes;
         entry = entry->next)
        due = sooner(due, process_of(entry)->end);
    if (due <= 0)
        return -1;
    left = due - tg_clock_now();
    return left <= 0 ? 0 : left < 1e6 ? (int)(left * 1000) + 1 : 1000000000;
}

static void kill_hung(const struct tg_staff *staff, double now)
{
    const struct tg_list *entry;

    for (entry = staff->processes.next; entry != &staff->processes;
         entry = entry->next) {
        double end = process_of(entry)->end;

        if (end > 0 && now >= end)
            kill(process_of(entry)->pid, SIGKILL);
    }
}

void tg_staff_work(struct tg_staff *staff)
{
    double now;

    work_on(staff);
    now = tg_clock_now();
    if (staff->restart_at > 0 && now >= staff->restart_at)
        tg_staff_hire(staff);
    kill_hung(staff, now);
}

void tg_staff_signal(const struct tg_staff *staff, int number)
{
    const struct tg_process *process = find(staff, TG_PROCESS_SERVING);

    if (!process) /* it has our mask, and keeps the signal until it listens */
        process = find(staff, TG_PROCESS_STARTING);
    if (process)
        kill(process->pid, number);
}

int tg_staff_pid(const struct tg_staff *staff, double *seconds)
{
    const struct tg_process *process = find(staff, TG_PROCESS_SERVING);

    if (!process)
        return 0;
    *seconds = tg_clock_now() - process->since;
    return (int)process->pid;
}
