// SPDX-License-Identifier: MIT
/* A command: `tidegate NAME ...`.  One file of cli/ defines each. */
#ifndef TG_CLI_COMMAND_H
#define TG_CLI_COMMAND_H

struct tg_command {
    const char *name;
    const char *arguments; /* as help shows them */
    const char *summary;
    int (*run)(int argc, char **argv); /* argv[0] is the name */
};

extern const struct tg_command tg_command_serve, tg_command_check,
    tg_command_routes, tg_command_reload, tg_command_stop, tg_command_status,
    tg_command_version, tg_command_help;

/* The whole command line; in main.c. */
extern char **tg_arguments;

/* Ends with NULL; in main.c. */
extern const struct tg_command *const tg_commands[];

#endif
