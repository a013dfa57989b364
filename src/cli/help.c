// SPDX-License-Identifier: MIT
#include <stdio.h>

#include "cli/command.h"
#include "cli/options.h"

static int help(int argc, char **argv)
{
    const struct tg_command *const *command;

    (void)argc, (void)argv;
    puts("tidegate: the HTTP gateway you script in Lua and can edit while it "
         "runs\n\nCommands:");
    for (command = tg_commands; *command; command++)
        printf("  tidegate %-8s %-24s %s\n", (*command)->name,
               (*command)->arguments, (*command)->summary);
    puts("\nDIR is the project's folder (the current one).  Flags, each but "
         "--config also a key of tidegate.lua:");
    tg_options_print();
    puts("\nSignals: HUP reloads, TERM and INT stop (twice: at once), USR1 "
         "reopens the access log,\nUSR2 has a newer program take over.");
    return TG_EXIT_OK;
}

const struct tg_command tg_command_help = {"help", "", "prints this", help};
