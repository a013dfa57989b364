// SPDX-License-Identifier: MIT
#include "master/master.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/descriptors.h"
#include "base/link.h"
#include "base/log.h"
#include "base/settings.h"
#include "base/text.h"
#include "master/control.h"
#include "master/doors.h"
#include "master/handover.h"
#include "master/inherited.h"
#include "master/notify.h"
#include "master/orphans.h"
#include "master/report.h"
#include "master/signals.h"
#include "master/staff.h"
#include "master/user.h"
#include "worker/access.h"
#include "worker/caller.h"

struct master {
    struct tg_settings *settings;
    struct tg_doors doors;
    struct tg_control control;
    struct tg_staff staff;
    struct tg_handover handover;
    int predecessor; /* the link to the gateway this one replaces, or -1 */
    int signal_fd;
    struct tg_report report;
    double ping_at; /* the manager's watchdog; 0: it has none */
    bool stopping;
    bool is_handover_due; /* once ours serves */
    bool is_replaced;     /* by a newer program, which has our files */
};

static bool complain(char *sentence)
{
    if (sentence)
        fprintf(stderr, "tidegate: %s\n", sentence);
    free(sentence);
    return !sentence;
}

/* --- starting --- */

/* In a new worker: what it must not keep open. */
static void prepare_worker(void *owner)
{
    struct master *master = owner;

    tg_control_leave(&master->control);
    tg_notify_close();
    tg_notify_forget();
    if (master->predecessor >= 0)
        close(master->predecessor);
    if (master->handover.link >= 0)
        close(master->handover.link);
    close(master->signal_fd);
}

static char *give_up_rights(struct master *master)
{
    const char *text = master->settings->user;
    struct tg_user user;
    char *error;

    if (!text)
        return NULL;
    error = tg_user_find(&user, text);
    if (error)
        return error;
    if (master->control.pid_path)
        tg_control_give(&master->control, user.uid, user.gid);
    error = tg_user_become(&user);
    tg_user_release(&user);
    return error;
}

/* What can be refused before anything runs.  A successor gets the pid file
 * later. */
static bool open_all(struct master *master)
{
    struct tg_inherited inherited = {0};
    char *error = NULL;

    tg_inherited_from_manager(&inherited);
    master->predecessor = tg_handover_receive(&inherited);
    master->staff.has_elders = master->predecessor >= 0;
    if (master->predecessor < 0)
        error = tg_control_open(&master->control, master->settings->pid_file);
    if (!error)
        error = tg_doors_open(&master->doors, master->settings, &inherited);
    if (!error)
        error = give_up_rights(master);
    if (!error)
        error = tg_access_check(master->settings);
    tg_inherited_release(&inherited);
    return complain(error);
}

/* --- stopping --- */

/* Are the paths of the sockets another gateway's? */
static bool are_left(const struct master *master)
{
    return master->is_replaced || master->predecessor >= 0;
}

static void stop(struct master *master)
{
    if (!master->is_replaced)
        tg_notify("STOPPING=1");
    tg_handover_give_up(&master->handover);
    tg_staff_stop(&master->staff, false);
    if (!master->stopping)
        tg_doors_close(&master->doors, are_left(master));
    master->stopping = true;
}

/* --- replacing the program --- */

static void hand_over(struct master *master)
{
    char *error;
    int i, j;

    master->is_handover_due = !master->staff.has_served;
    if (master->stopping || master->handover.pid || master->is_handover_due)
        return;
    error = tg_handover_begin(&master->handover,
                              master->settings->start_timeout + 10);
    if (error) {
        tg_log(TG_LOG_ERROR, "%s", error);
        free(error);
        return;
    }
    for (i = 0; i < master->doors.count; i++)
        for (j = 0; j < master->doors.sockets[i].count; j++)
            tg_handover_give(&master->handover, master->doors.sockets[i].fds[j],
                             master->settings->listen[i].address,
                             master->doors.sockets[i].is_lent);
    tg_staff_save(&master->staff);
    tg_handover_go(&master->handover);
    tg_log(TG_LOG_INFO, "process %d is to take over",
           (int)master->handover.pid);
}

/* The successor serves: it gets the files, and our workers may go. */
static void leave(struct master *master)
{
    tg_log(TG_LOG_INFO, "process %d has taken over", (int)master->handover.pid);
    tg_control_leave(&master->control);
    tg_link_send(master->handover.link, -1, "yours");
    close(master->handover.link);
    master->handover.link = -1;
    master->handover.pid = 0;
    master->is_replaced = true;
    tg_staff_stop(&master->staff, true);
    tg_doors_close(&master->doors, true);
    master->stopping = true;
}

static void follow_handover(struct master *master)
{
    struct tg_link_message message;
    enum tg_link_state state;

    if (!master->handover.pid)
        return;
    state = tg_link_receive(master->handover.link, &message);
    if (state == TG_LINK_MESSAGE && tg_link_is(&message, "ready")) {
        leave(master);
    } else if (state == TG_LINK_GONE ||
               tg_clock_now() >= master->handover.deadline) {
        tg_log(TG_LOG_ERROR,
               "the new program did not become ready; this one goes on");
        tg_handover_give_up(&master->handover);
    }
}

/* --- what the worker says --- */

/* Ours is the gateway from now on. */
static void take_over(struct master *master)
{
    tg_handover_take(master->predecessor);
    master->predecessor = -1;
    if (complain(tg_control_open(&master->control, master->settings->pid_file)))
        return;
    tg_log(TG_LOG_ERROR, "it cannot be reached by its control socket");
}

static void on_message(const struct tg_link_message *message, void *owner)
{
    struct master *master = owner;
    struct timespec now;
    const char *text;

    if (tg_link_is(message, "reloading")) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        tg_notify("RELOADING=1\nMONOTONIC_USEC=%lld",
                  (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    } else if ((text = tg_link_is(message, "reloaded"))) {
        tg_report_add_reload(&master->report, true, text);
        tg_notify("READY=1\nSTATUS=%.*s", (int)strcspn(text, "\n"), text);
    } else if ((text = tg_link_is(message, "refused"))) {
        tg_report_add_reload(&master->report, false, text);
        tg_notify("READY=1\nSTATUS=the last reload was refused");
    } else if ((text = tg_link_is(message, "signals"))) {
        tg_signals_pass(master->signal_fd, strtoull(text, NULL, 16));
    } else if (tg_link_is(message, "pong")) {
        tg_notify("WATCHDOG=1");
    } else if (tg_link_is(message, "ready")) {
        if (master->predecessor >= 0)
            take_over(master);
        tg_notify("MAINPID=%d\nREADY=1", (int)getpid());
    }
}

static void ping(struct master *master)
{
    if (master->ping_at <= 0 || tg_clock_now() < master->ping_at)
        return;
    master->ping_at = tg_clock_now() + tg_notify_watchdog() / 3;
    tg_staff_tell(&master->staff, -1, "ping");
}

/* --- what the process hears --- */

/* The worker answers; it gets the caller.  Without one the answer that has
 * begun is cut off. */
static void pass_on(struct master *master, struct tg_control_client *client,
                    bool has_begun)
{
    int caller = tg_control_hand_on(client);

    if (tg_staff_tell(&master->staff, caller, client->line) || has_begun)
        close(caller);
    else
        tg_caller_answer(caller, false, "no worker serves just now\n");
}

/* The worker adds its part. */
static void tell_status(struct master *master, struct tg_control_client *client,
                        bool as_json)
{
    struct tg_text out = {0};

    tg_text_adds(&out, "ok\n");
    tg_report_write(&master->report, &master->staff, as_json, &out);
    tg_caller_send(client->fd, out.data, out.len);
    tg_text_release(&out);
    pass_on(master, client, true);
}

static void on_command(struct master *master, struct tg_control_client *client)
{
    bool as_json = strcmp(client->line, "status-json") == 0;
    double seconds;

    if (strcmp(client->line, "stop") == 0) {
        tg_control_answer(client, true, "stopping\n");
        stop(master);
    } else if (strcmp(client->line, "reload") == 0) {
        pass_on(master, client, false);
    } else if (as_json || strcmp(client->line, "status") == 0) {
        if (tg_staff_pid(&master->staff, &seconds))
            tell_status(master, client, as_json);
        else
            tg_control_answer(client, false, "no worker serves just now\n");
    } else {
        tg_control_answer(client, false, "no such command\n");
    }
}

static void on_signal(struct master *master)
{
    int number = tg_signals_next(master->signal_fd);

    switch (number) {
    case 0:
    case SIGCHLD: /* the staff looks */
        break;
    case SIGHUP:
        tg_staff_tell(&master->staff, -1, "reload");
        break;
    case SIGUSR1:
        tg_staff_tell(&master->staff, -1, "reopen");
        break;
    case SIGUSR2:
        hand_over(master);
        break;
    case SIGTERM:
    case SIGINT:
        stop(master);
        break;
    default: /* handlers have asked for it */
        tg_staff_signal(&master->staff, number);
    }
}

/* What poll() watches: signals, the control socket, its clients, workers. */
enum {
    SIGNALS,
    CONTROL,
    HANDOVER,
    CLIENTS,
    STAFF = CLIENTS + TG_CONTROL_CLIENTS,
    ALL = STAFF + TG_STAFF_MOST
};

static int milliseconds_until(double due)
{
    double left = due - tg_clock_now();

    return left > 0 ? (int)(left * 1000) + 1 : 0;
}

static int sooner(int timeout, double due)
{
    int other = milliseconds_until(due);

    return timeout < 0 || other < timeout ? other : timeout;
}

static int poll_timeout(const struct master *master)
{
    int timeout = tg_staff_timeout(&master->staff);
    double due = tg_control_due(&master->control);

    if (due > 0)
        timeout = sooner(timeout, due);
    if (master->ping_at > 0)
        timeout = sooner(timeout, master->ping_at);
    if (master->handover.pid)
        timeout = sooner(timeout, master->handover.deadline);
    return timeout;
}

static void hear_clients(struct master *master, const struct pollfd *watched)
{
    int i;

    for (i = 0; i < TG_CONTROL_CLIENTS; i++) {
        struct tg_control_client *client = &master->control.clients[i];

        if (watched[i].revents && client->fd >= 0 &&
            client->fd == watched[i].fd && tg_control_read(client))
            on_command(master, client);
    }
}

static bool is_ours(pid_t pid, const void *arg)
{
    const struct master *master = arg;

    return pid == master->handover.pid || tg_staff_has(&master->staff, pid);
}

static void listen_once(struct master *master)
{
    bool has_control = master->control.pid_path != NULL;
    struct pollfd watched[ALL] = {
        [SIGNALS] = {master->signal_fd, POLLIN, 0},
        [CONTROL] = {has_control ? master->control.fd : -1, POLLIN, 0},
        [HANDOVER] = {master->handover.pid ? master->handover.link : -1, POLLIN,
                      0},
    };
    int i;

    for (i = 0; i < TG_CONTROL_CLIENTS; i++)
        watched[CLIENTS + i] = (struct pollfd){
            has_control ? master->control.clients[i].fd : -1, POLLIN, 0};
    tg_staff_watch(&master->staff, watched + STAFF);
    poll(watched, ALL, poll_timeout(master));
    if (watched[SIGNALS].revents)
        on_signal(master);
    if (has_control && watched[CONTROL].revents)
        tg_control_accept(&master->control);
    if (has_control)
        hear_clients(master, watched + CLIENTS);
    tg_control_expire(&master->control);
    follow_handover(master);
    tg_staff_work(&master->staff);
    if (master->is_handover_due && master->staff.has_served)
        hand_over(master);
    tg_orphans_bury(is_ours, master);
    ping(master);
}

/* --- its life --- */

static void finish(struct master *master)
{
    tg_handover_release(&master->handover);
    tg_doors_close(&master->doors, are_left(master));
    if (master->is_replaced)
        tg_control_leave(&master->control);
    else
        tg_control_close(&master->control);
    if (master->predecessor >= 0)
        close(master->predecessor);
    tg_staff_release(&master->staff);
    tg_report_release(&master->report);
    tg_notify_close();
    close(master->signal_fd);
}

int tg_master_run(struct tg_settings *settings, char **arguments)
{
    struct master master = {.settings = settings, .predecessor = -1};
    int exit_code = 1;

    tg_log_setup(settings->log_level, settings->log_format);
    tg_report_init(&master.report);
    master.signal_fd = tg_signals_open();
    tg_descriptors_raise();
    tg_notify_open();
    tg_handover_init(&master.handover, arguments);
    tg_staff_init(&master.staff, settings);
    master.staff.prepare = prepare_worker;
    master.staff.on_message = on_message;
    master.staff.owner = &master;
    if (open_all(&master)) {
        if (tg_notify_watchdog() > 0)
            master.ping_at = tg_clock_now() + tg_notify_watchdog() / 3;
        master.staff.nlisteners =
            tg_doors_show(&master.doors, master.staff.listeners);
        tg_staff_hire(&master.staff);
        while (!tg_staff_has_gone(&master.staff))
            listen_once(&master);
        exit_code = master.staff.exit_code;
    }
    finish(&master);
    return exit_code;
}
