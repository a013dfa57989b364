// SPDX-License-Identifier: MIT
#include "cli/options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/settings.h"
#include "script/settings.h"

enum { FLAGS_MOST = 64, JSON = 1000 };

struct flag {
    const struct tg_setting *setting;
    const char *text;
};

struct command_line {
    struct flag flags[256];
    int count;
    char name[FLAGS_MOST][32]; /* of each setting's flag */
    struct option options[FLAGS_MOST];
};

int tg_options_misused(const char *format, ...)
{
    va_list args;

    fputs("tidegate: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputs(" (see `tidegate help`)\n", stderr);
    return TG_EXIT_USAGE;
}

static void flag_name(char *room, size_t size, const char *setting)
{
    char *at;

    snprintf(room, size, "%s", setting);
    for (at = room; *at; at++)
        if (*at == '_')
            *at = '-';
}

static void make_options(struct command_line *line, bool with_json)
{
    int i;

    for (i = 0; tg_settings_table[i].name; i++) {
        flag_name(line->name[i], sizeof(line->name[i]),
                  tg_settings_table[i].name);
        line->options[i] = (struct option){
            line->name[i],
            tg_settings_table[i].argument ? required_argument : no_argument,
            NULL, i + 1};
    }
    if (with_json)
        line->options[i] = (struct option){"json", no_argument, NULL, JSON};
}

static int read_flags(struct command_line *line, int argc, char **argv,
                      bool *json)
{
    int option;

    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, ":", line->options, NULL)) != -1) {
        if (option == '?' && optopt > ' ') /* one of `-abc` */
            return tg_options_misused("unknown flag '-%c'", optopt);
        if (option == '?' && optopt)
            return tg_options_misused("'%s': this flag takes no value",
                                      argv[optind - 1]);
        if (option == '?')
            return tg_options_misused("unknown flag '%s'", argv[optind - 1]);
        if (option == ':')
            return tg_options_misused("'%s' needs a value", argv[optind - 1]);
        if (option == JSON) {
            *json = true;
            continue;
        }
        if (line->count == 256)
            return tg_options_misused("too many flags");
        line->flags[line->count++] = (struct flag){
            &tg_settings_table[option - 1], optarg ? optarg : "true"};
    }
    return TG_EXIT_OK;
}

static int apply_flags(const struct command_line *line,
                       struct tg_settings *settings)
{
    int i;

    for (i = 0; i < line->count; i++)
        tg_settings_clear(settings, line->flags[i].setting);
    for (i = 0; i < line->count; i++) {
        const struct flag *flag = &line->flags[i];

        if (!tg_settings_put(settings, flag->setting, flag->text))
            return tg_options_misused(
                "--%s cannot be '%s'",
                line->name[flag->setting - tg_settings_table], flag->text);
    }
    return TG_EXIT_OK;
}

static int take_folder(struct tg_settings *settings, int argc, char **argv)
{
    struct stat st;

    if (argc - optind > 1)
        return tg_options_misused("one folder is enough: '%s'",
                                  argv[optind + 1]);
    settings->root = tg_strdup(optind < argc ? argv[optind] : ".");
    if (stat(settings->root, &st) < 0 || !S_ISDIR(st.st_mode)) {
        fprintf(stderr, "tidegate: there is no folder '%s'\n", settings->root);
        return TG_EXIT_FAILED;
    }
    return TG_EXIT_OK;
}

/* A PROXY header is read from trusted proxies only. */
static int check_listeners(const struct tg_settings *settings)
{
    const struct tg_listen *listen;

    for (listen = settings->listen; listen->address; listen++) {
        if (!listen->proxy_protocol || settings->trusted_proxies[0])
            continue;
        fprintf(stderr,
                "tidegate: %s has proxy_protocol, but trusted_proxies names "
                "no proxy\n",
                listen->address);
        return TG_EXIT_FAILED;
    }
    return TG_EXIT_OK;
}

int tg_options_read(struct tg_settings *settings, int argc, char **argv,
                    bool *json)
{
    struct command_line line = {0};
    bool must_exist;
    char *error;
    int code;

    tg_settings_init(settings);
    make_options(&line, json != NULL);
    code = read_flags(&line, argc, argv, json);
    if (!code)
        code = take_folder(settings, argc, argv);
    if (!code)
        code = apply_flags(&line, settings); /* --config is needed first */
    if (code)
        return code;
    must_exist = settings->config != NULL;
    error = tg_settings_read(settings, must_exist);
    if (error) {
        fprintf(stderr, "tidegate: %s\n", error);
        free(error);
        return TG_EXIT_FAILED;
    }
    code = apply_flags(&line, settings);
    tg_settings_complete(settings);
    return code ? code : check_listeners(settings);
}

void tg_options_print(void)
{
    const struct tg_setting *setting;
    char name[32], shown[64];

    for (setting = tg_settings_table; setting->name; setting++) {
        flag_name(name, sizeof(name), setting->name);
        snprintf(shown, sizeof(shown), "--%s %s", name,
                 setting->argument ? setting->argument : "");
        printf("  %-28s %s\n", shown, setting->help);
    }
}
