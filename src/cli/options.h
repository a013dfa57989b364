// SPDX-License-Identifier: MIT
/*
 * The command line and tidegate.lua, made into settings.
 */
#ifndef TG_CLI_OPTIONS_H
#define TG_CLI_OPTIONS_H

#include <stdbool.h>

struct tg_settings;

/* Exit codes. */
enum { TG_EXIT_OK = 0, TG_EXIT_FAILED = 1, TG_EXIT_USAGE = 2 };

/*
 * Reads `[DIR]` and the flags of every setting, then the settings file; flags
 * win.  `*json` is set by --json; NULL if the command has no such flag.
 * Returns TG_EXIT_OK, or the exit code after a sentence on standard error.
 */
int tg_options_read(struct tg_settings *settings, int argc, char **argv,
                    bool *json);

/*
 * The same for a command that asks a running gateway: it takes only the flags
 * that help to find one.  A settings file with an error does not keep it from
 * asking: `*trouble` says what is wrong, to be freed, or is NULL.
 */
int tg_options_find(struct tg_settings *settings, int argc, char **argv,
                    bool *json, char **trouble);

/* Prints the flags. */
void tg_options_print(void);

/* Says what was wrong with the usage; returns TG_EXIT_USAGE. */
int tg_options_misused(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

#endif
