// SPDX-License-Identifier: MIT
#include "cli/glance.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/settings.h"
#include "base/text.h"
#include "script/settings.h"

static void add_string(struct tg_text *text, const char *string)
{
    tg_text_add(text, string ? string : "", string ? strlen(string) + 1 : 1);
}

/* In the new process: three strings, each with its NUL. */
static void tell(int fd, struct tg_settings *settings, int must_exist)
{
    struct tg_text text = {0};
    const char *at;
    ssize_t n = 1;
    char *trouble;

    settings->start_timeout = 1;
    trouble = tg_settings_read(settings, must_exist);
    tg_text_addf(&text, "%a", settings->shutdown_timeout);
    tg_text_add(&text, "", 1);
    add_string(&text, settings->pid_file);
    add_string(&text, trouble);
    for (at = text.data; n > 0 && at < text.data + text.len; at += n)
        n = write(fd, at, (size_t)(text.data + text.len - at));
    _exit(0);
}

/* What the file itself writes into the pipe is nothing to rely on. */
static bool is_whole(const struct tg_text *text)
{
    size_t i, strings = 0;

    for (i = 0; i < text->len; i++)
        strings += text->data[i] == '\0';
    return strings == 3 && text->data[text->len - 1] == '\0';
}

static char *take(struct tg_settings *settings, const struct tg_text *text)
{
    const char *pid_file, *trouble;

    if (!is_whole(text))
        return tg_strdup("the file does not return");
    pid_file = text->data + strlen(text->data) + 1;
    trouble = pid_file + strlen(pid_file) + 1;
    settings->shutdown_timeout = strtod(text->data, NULL);
    if (*pid_file) {
        free(settings->pid_file);
        settings->pid_file = tg_strdup(pid_file);
    }
    return *trouble ? tg_strdup(trouble) : NULL;
}

char *tg_glance_read(struct tg_settings *settings, int must_exist)
{
    struct tg_text text = {0};
    char *trouble;
    ssize_t n;
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return tg_strf("cannot make a pipe: %s", strerror(errno));
    pid = fork();
    if (pid == 0)
        tell(ends[1], settings, must_exist);
    close(ends[1]);
    while (pid > 0 && (n = read(ends[0], tg_text_room(&text, 4096), 4096)) > 0)
        text.len += (size_t)n;
    close(ends[0]);
    if (pid < 0)
        return tg_strf("cannot start a process: %s", strerror(errno));
    waitpid(pid, NULL, 0);
    trouble = take(settings, &text);
    tg_text_release(&text);
    return trouble;
}
