// SPDX-License-Identifier: MIT
/* The commands that talk to a running gateway. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/settings.h"
#include "cli/command.h"
#include "cli/options.h"
#include "master/control.h"

/* A gateway's pid file is found by the settings; those that cannot be read may
 * have named another one, if nobody is where we look. */
static int call(const struct tg_settings *settings, const char *command,
                const char *trouble)
{
    char *text;
    int outcome = tg_control_call(settings->pid_file, command, &text);

    fputs(outcome < 0 ? "tidegate: " : "", stderr);
    fputs(text, outcome == 0 ? stdout : stderr);
    fputs(outcome < 0 ? "\n" : "", stderr);
    if (outcome < 0 && trouble)
        fprintf(stderr,
                "tidegate: the settings may name another pid_file, but they "
                "cannot be read: %s\n",
                trouble);
    free(text);
    return outcome == 0 ? TG_EXIT_OK : TG_EXIT_FAILED;
}

/* The gateway holds a lock on its pid file for as long as it lives. */
static int wait_for_end(const struct tg_settings *settings)
{
    double until = tg_clock_now() + settings->shutdown_timeout + 5;
    int fd = open(settings->pid_file, O_RDONLY | O_CLOEXEC);
    int failed = -1;

    if (fd < 0)
        return TG_EXIT_OK;
    while (tg_clock_now() < until &&
           (failed = flock(fd, LOCK_EX | LOCK_NB)) < 0)
        poll(NULL, 0, 10);
    close(fd);
    if (failed)
        fprintf(stderr, "tidegate: it has not ended yet\n");
    return failed ? TG_EXIT_FAILED : TG_EXIT_OK;
}

/* `json` is NULL for a command that has no --json. */
static int ask(struct tg_settings *settings, int argc, char **argv,
               const char *command, const char *json)
{
    bool as_json = false;
    char *trouble;
    int code =
        tg_options_find(settings, argc, argv, json ? &as_json : NULL, &trouble);

    if (!code)
        code = call(settings, as_json ? json : command, trouble);
    free(trouble);
    return code;
}

static int reload(int argc, char **argv)
{
    struct tg_settings settings;
    int code = ask(&settings, argc, argv, "reload", NULL);

    tg_settings_release(&settings);
    return code;
}

static int stop(int argc, char **argv)
{
    struct tg_settings settings;
    int code = ask(&settings, argc, argv, "stop", NULL);

    if (!code)
        code = wait_for_end(&settings);
    tg_settings_release(&settings);
    return code;
}

static int status(int argc, char **argv)
{
    struct tg_settings settings;
    int code = ask(&settings, argc, argv, "status", "status-json");

    tg_settings_release(&settings);
    return code;
}

const struct tg_command tg_command_status = {
    "status", "[DIR] [--json]",
    "what a running gateway is busy with, and what holds old code", status};

const struct tg_command tg_command_reload = {
    "reload", "[DIR] [--pid-file FILE]",
    "replaces all routes of a running gateway, or none, and says which",
    reload};

const struct tg_command tg_command_stop = {
    "stop", "[DIR] [--pid-file FILE]",
    "stops a running gateway after the requests in flight", stop};
