// SPDX-License-Identifier: MIT
#include "master/process.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/blackbox.h"
#include "base/clock.h"
#include "base/link.h"
#include "base/text.h"

struct tg_process *tg_process_start(int threads, void (*prepare)(void *arg),
                                    tg_process_main *main, void *arg)
{
    struct tg_process *process;
    int ends[2], error;

    if (!tg_link_open(ends))
        return NULL;
    process = tg_alloc(sizeof(*process));
    tg_list_init(&process->entry);
    process->blackbox = tg_blackbox_new(threads);
    fflush(NULL);
    process->pid = fork();
    if (process->pid == 0) {
        close(ends[0]);
        process->link = ends[1];
        prepare(arg);
        exit(main(process, arg));
    }
    error = errno;
    close(ends[1]);
    process->link = ends[0];
    tg_process_enter(process, TG_PROCESS_STARTING);
    if (process->pid > 0)
        return process;
    tg_process_free(process);
    errno = error;
    return NULL;
}

void tg_process_free(struct tg_process *process)
{
    tg_list_remove(&process->entry);
    tg_blackbox_free(process->blackbox);
    close(process->link);
    free(process);
}

void tg_process_enter(struct tg_process *process, enum tg_process_stage stage)
{
    process->stage = stage;
    process->since = tg_clock_now();
}

void tg_process_describe_end(const struct tg_process *process, int status,
                             struct tg_text *out)
{
    struct tg_text notes = {0};

    if (!WIFSIGNALED(status)) {
        tg_text_addf(out, "ended with exit code %d", WEXITSTATUS(status));
        return;
    }
    tg_text_addf(out, "died of signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    tg_blackbox_read(process->blackbox, &notes);
    if (notes.len)
        tg_text_addf(out, "; %s", notes.data);
    tg_text_release(&notes);
}
