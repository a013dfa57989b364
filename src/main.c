// SPDX-License-Identifier: MIT
#include <string.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/suggestion.h"

const struct tg_command *const tg_commands[] = {
    &tg_command_serve,   &tg_command_check, &tg_command_routes,
    &tg_command_reload,  &tg_command_stop,  &tg_command_status,
    &tg_command_version, &tg_command_help,  NULL,
};

char **tg_arguments;

static int refuse(const char *name)
{
    const struct tg_command *const *command;
    struct tg_suggestion suggestion;
    const char *meant;

    tg_suggestion_begin(&suggestion, name, strlen(name));
    for (command = tg_commands; *command; command++)
        tg_suggestion_weigh(&suggestion, (*command)->name);
    meant = tg_suggestion_end(&suggestion);
    return meant ? tg_options_misused(
                       "unknown command '%s'; did you mean '%s'?", name, meant)
                 : tg_options_misused("unknown command '%s'", name);
}

int main(int argc, char **argv)
{
    const struct tg_command *const *command;
    const char *name = argc > 1 ? argv[1] : "help";
    int i;

    tg_arguments = argv;
    for (i = 1; i < argc; i++) /* wherever it stands */
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            name = "help";
    if (strcmp(name, "--version") == 0)
        name = "version";
    for (command = tg_commands; *command; command++)
        if (strcmp((*command)->name, name) == 0)
            return (*command)->run(argc > 1 ? argc - 1 : 1,
                                   argc > 1 ? argv + 1 : argv);
    return refuse(name);
}
