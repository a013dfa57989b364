// SPDX-License-Identifier: MIT
/*
 * What a service manager is told, by sd_notify(3)'s protocol; nothing if there
 * is none.
 */
#ifndef TG_MASTER_NOTIFY_H
#define TG_MASTER_NOTIFY_H

/* Takes NOTIFY_SOCKET and WATCHDOG_USEC from the environment. */
void tg_notify_open(void);
void tg_notify_close(void);

/* In a worker: what handlers start must not speak to the manager. */
void tg_notify_forget(void);

/* Lines of NAME=VALUE. */
void tg_notify(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Seconds within which WATCHDOG=1 is awaited; 0: it is not. */
double tg_notify_watchdog(void);

#endif
