// SPDX-License-Identifier: MIT
#include <stdio.h>

#include "base/settings.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "worker/check.h"

static int show(const struct tg_settings *settings, enum tg_check outcome,
                const char *text, bool with_routes)
{
    if (outcome == TG_CHECK_FAILED) {
        fputs(text, stderr);
        return TG_EXIT_FAILED;
    }
    if (with_routes)
        fputs(text, stdout);
    else if (outcome == TG_CHECK_SERVES)
        puts("all handlers load");
    else
        printf("there are no handlers: put a file such as hello.lua into %s\n",
               settings->handlers);
    return TG_EXIT_OK;
}

static int load(int argc, char **argv, bool *json, bool with_routes)
{
    struct tg_settings settings;
    struct tg_text out = {0};
    int code = tg_options_read(&settings, argc, argv, json);
    enum tg_check outcome;

    if (!code) {
        outcome = tg_check_project(&settings, json && *json, &out);
        code = show(&settings, outcome, out.data, with_routes);
    }
    tg_text_release(&out);
    tg_settings_release(&settings);
    return code;
}

static int check(int argc, char **argv)
{
    return load(argc, argv, NULL, false);
}

static int routes(int argc, char **argv)
{
    bool json = false;

    return load(argc, argv, &json, true);
}

const struct tg_command tg_command_check = {
    "check", "[DIR] [FLAGS]", "loads everything, starts nothing, lists errors",
    check};

const struct tg_command tg_command_routes = {"routes", "[DIR] [--json] [FLAGS]",
                                             "lists the routes", routes};
