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
#include "cli/expectation.h"
#include "cli/glance.h"
#include "cli/suggestion.h"
#include "script/settings.h"

/* What getopt_long() gives for a long flag: no character. */
enum { FLAGS_MOST = 64, LONG = 1000, JSON = LONG + FLAGS_MOST };

struct flag {
    const struct tg_setting *setting;
    const char *text;
};

struct command_line {
    struct flag flags[256];
    int count;
    bool has_json;
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

static void make_options(struct command_line *line)
{
    int i;

    for (i = 0; tg_settings_table[i].name; i++) {
        flag_name(line->name[i], sizeof(line->name[i]),
                  tg_settings_table[i].name);
        line->options[i] = (struct option){
            line->name[i],
            tg_settings_table[i].argument ? required_argument : no_argument,
            NULL, LONG + i};
    }
    line->options[i] = (struct option){"json", no_argument, NULL, JSON};
}

/* The flag as it was written, without its dashes and its value. */
static const char *bare(const char *flag, size_t *len)
{
    flag += strspn(flag, "-");
    *len = strcspn(flag, "=");
    return flag;
}

static int refuse_unknown(const struct command_line *line, const char *flag)
{
    const struct option *option, *first = NULL;
    struct tg_suggestion suggestion;
    size_t len;
    const char *word = bare(flag, &len), *meant;

    tg_suggestion_begin(&suggestion, word, len);
    for (option = line->options; option->name; option++) {
        tg_suggestion_weigh(&suggestion, option->name);
        if (!len || strncmp(word, option->name, len) != 0)
            continue;
        if (first)
            return tg_options_misused("'%s' may be --%s or --%s", flag,
                                      first->name, option->name);
        first = option;
    }
    meant = first ? first->name : tg_suggestion_end(&suggestion);
    return meant ? tg_options_misused("unknown flag '%s'; did you mean '--%s'?",
                                      flag, meant)
                 : tg_options_misused("unknown flag '%s'", flag);
}

/* getopt_long() reads '-listen' as '-l -i -s ...', and knows no such flag. */
static int refuse_short(const struct command_line *line, char **argv)
{
    for (; *argv; argv++)
        if ((*argv)[0] == '-' && (*argv)[1] == optopt)
            return refuse_unknown(line, *argv);
    return tg_options_misused("unknown flag '-%c'", optopt);
}

/* getopt_long() takes what one flag alone begins with for that flag. */
static bool is_whole(const struct command_line *line, int option,
                     const char *flag)
{
    size_t len;
    const char *word = bare(flag, &len);
    const char *name = option == JSON ? "json" : line->name[option - LONG];

    return strlen(name) == len && strncmp(word, name, len) == 0;
}

static int refuse(const struct command_line *line, int option, char **argv)
{
    const char *flag = argv[optind - 1];

    if (optopt >= LONG && !is_whole(line, optopt, flag))
        return refuse_unknown(line, flag);
    if (option == ':')
        return tg_options_misused("--%s needs a value: %s",
                                  line->name[optopt - LONG],
                                  tg_settings_table[optopt - LONG].argument);
    if (optopt >= LONG)
        return tg_options_misused("'%s': this flag takes no value", flag);
    return optopt ? refuse_short(line, argv) : refuse_unknown(line, flag);
}

static int read_flags(struct command_line *line, int argc, char **argv)
{
    const char *flag;
    int option;

    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, ":", line->options, NULL)) != -1) {
        if (option == '?' || option == ':')
            return refuse(line, option, argv);
        flag = argv[optind - 1 - (optarg == argv[optind - 1])];
        if (!is_whole(line, option, flag))
            return refuse_unknown(line, flag);
        if (option == JSON) {
            line->has_json = true;
            continue;
        }
        if (line->count == 256)
            return tg_options_misused("too many flags");
        line->flags[line->count++] = (struct flag){
            &tg_settings_table[option - LONG], optarg ? optarg : "true"};
    }
    return TG_EXIT_OK;
}

static bool is_among(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

/* Not every command takes every flag; `taken` NULL: all settings. */
static int check_taken(const struct command_line *line, const char *command,
                       const char *const *taken, bool *json)
{
    int i;

    if (line->has_json && !json)
        return tg_options_misused("%s takes no --json", command);
    if (json)
        *json = line->has_json;
    for (i = 0; taken && i < line->count; i++)
        if (!is_among(taken, line->flags[i].setting->name))
            return tg_options_misused(
                "%s takes no --%s: it asks a running gateway", command,
                line->name[line->flags[i].setting - tg_settings_table]);
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
                "--%s must be %s, not '%s'",
                line->name[flag->setting - tg_settings_table],
                tg_expectation_of(flag->setting), flag->text);
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

/* Fills `line` and `settings` from the command line alone. */
static int read_line(struct command_line *line, struct tg_settings *settings,
                     int argc, char **argv, const char *const *taken,
                     bool *json)
{
    int code;

    tg_settings_init(settings);
    make_options(line);
    code = read_flags(line, argc, argv);
    if (!code)
        code = check_taken(line, argv[0], taken, json);
    if (!code)
        code = take_folder(settings, argc, argv);
    return code ? code : apply_flags(line, settings); /* --config is needed */
}

int tg_options_read(struct tg_settings *settings, int argc, char **argv,
                    bool *json)
{
    struct command_line line = {0};
    int code = read_line(&line, settings, argc, argv, NULL, json);
    char *error;

    if (code)
        return code;
    error = tg_settings_read(settings, settings->config != NULL);
    if (error) {
        fprintf(stderr, "tidegate: %s\n", error);
        free(error);
        return TG_EXIT_FAILED;
    }
    code = apply_flags(&line, settings);
    tg_settings_complete(settings);
    return code ? code : check_listeners(settings);
}

int tg_options_find(struct tg_settings *settings, int argc, char **argv,
                    bool *json, char **trouble)
{
    static const char *const taken[] = {"config", "pid_file",
                                        "shutdown_timeout", NULL};
    struct command_line line = {0};
    int code = read_line(&line, settings, argc, argv, taken, json);

    *trouble = NULL;
    if (code)
        return code;
    *trouble = tg_glance_read(settings, settings->config != NULL);
    code = apply_flags(&line, settings);
    tg_settings_complete(settings);
    return code;
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
