// SPDX-License-Identifier: MIT
/* Calls of an app that wait to be used again are freed with it. */
#ifndef TG_BIND_CALL_H
#define TG_BIND_CALL_H

struct tg_app;

void tg_call_free_spare(struct tg_app *app);

#endif
