// SPDX-License-Identifier: MIT
/*
 * A worker process, as the master sees it: a number, a link, and what it does
 * just now.
 */
#ifndef TG_MASTER_PROCESS_H
#define TG_MASTER_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/list.h"

struct tg_text;

enum tg_process_stage {
    TG_PROCESS_STARTING, /* it loads */
    TG_PROCESS_SERVING,
    TG_PROCESS_LEAVING /* it was told to stop, or has lost a thread */
};

struct tg_process {
    struct tg_list entry; /* of its owner */
    pid_t pid;
    int link;
    enum tg_process_stage stage;
    double since; /* it is in this stage; tg_clock_now() */
    double end;   /* it hangs, and is killed, if it is there then; 0: never */
    struct tg_blackbox *blackbox;
};

/* What the new process does; returns its exit code. */
typedef int tg_process_main(struct tg_process *process, void *arg);

/* Starts one that runs `main` with the other end of the link in place of
 * `link`; `prepare` closes before that what it must not have.  NULL, with
 * errno: the system does not allow one more. */
struct tg_process *tg_process_start(int threads, void (*prepare)(void *arg),
                                    tg_process_main *main, void *arg);

/* It has ended, and was waited for. */
void tg_process_free(struct tg_process *process);

void tg_process_enter(struct tg_process *process, enum tg_process_stage stage);

/* Adds how it died, by what waitpid() said, and what its threads were in:
 * "died of signal 11 (Segmentation fault); thread 1: GET /x". */
void tg_process_describe_end(const struct tg_process *process, int status,
                             struct tg_text *out);

#endif
