// SPDX-License-Identifier: MIT
/*
 * What an app serves beside HTTP: addresses whose connections a function gets.
 * For app.c.
 */
#ifndef TG_BIND_SERVICE_H
#define TG_BIND_SERVICE_H

struct tg_app;

/* Opens the addresses, on the serving thread; connections wait.  NULL, or why
 * one cannot be opened, to be freed. */
char *tg_services_open(struct tg_app *app);

/* Connections from now on are this app's. */
void tg_services_go_live(struct tg_app *app);

/* It takes no more of them. */
void tg_services_close(struct tg_app *app);

#endif
