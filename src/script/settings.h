// SPDX-License-Identifier: MIT
/* Reads tidegate.lua. */
#ifndef TG_SCRIPT_SETTINGS_H
#define TG_SCRIPT_SETTINGS_H

struct tg_settings;

/*
 * Fills `settings` from the file `settings->config` below `settings->root`.
 * Returns NULL, or one sentence with file and line, to be freed.  A file that
 * is not there is fine, unless `must_exist`.
 */
char *tg_settings_read(struct tg_settings *settings, int must_exist);

struct lua_State;

/* A Lua function: makes the module "tidegate.core.trust" known, whose
 * `is_trustee` and `is_server` tell whether a text may stand in trusted_proxies
 * and in dns_servers. */
int tg_settings_open(struct lua_State *L);

#endif
