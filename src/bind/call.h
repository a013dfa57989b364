// SPDX-License-Identifier: MIT
/* What an app and its calls know of each other. */
#ifndef TG_BIND_CALL_H
#define TG_BIND_CALL_H

struct tg_app;

/* A time budget as turns count it. */
unsigned tg_app_milliseconds(double seconds);

/* The call that the running task belongs to goes on even if its client leaves,
 * until that was undone as often.  If the client has left by then, the task is
 * cancelled in its turn. */
void tg_call_shield(struct tg_app *app);
void tg_call_unshield(struct tg_app *app);

/* Frees the calls that wait to be used again; with the app. */
void tg_call_free_spare(struct tg_app *app);

#endif
