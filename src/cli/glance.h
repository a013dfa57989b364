// SPDX-License-Identifier: MIT
/*
 * A glance at tidegate.lua: where it says that a running gateway is.
 *
 * It is read by a process of its own, which has a second, and two more for a
 * call that does not return: nothing in the file keeps a command from asking,
 * or from stopping, the gateway.
 */
#ifndef TG_CLI_GLANCE_H
#define TG_CLI_GLANCE_H

struct tg_settings;

/* As tg_settings_read(), but takes `pid_file` and `shutdown_timeout` only. */
char *tg_glance_read(struct tg_settings *settings, int must_exist);

#endif
