// SPDX-License-Identifier: MIT
#include "base/settings.h"
#include "cli/command.h"
#include "cli/options.h"
#include "master/master.h"

static int serve(int argc, char **argv)
{
    struct tg_settings settings;
    int code = tg_options_read(&settings, argc, argv, NULL);

    if (!code)
        code = tg_master_run(&settings, tg_arguments);
    tg_settings_release(&settings);
    return code;
}

const struct tg_command tg_command_serve = {
    "serve", "[DIR] [FLAGS]", "serves the handlers of a project", serve};
