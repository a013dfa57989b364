// SPDX-License-Identifier: MIT
/* What tidegate.lua says of TLS on one address. */
#ifndef TG_SCRIPT_SETTINGS_TLS_H
#define TG_SCRIPT_SETTINGS_TLS_H

#include <lua.h>

struct tg_listen;

/* Takes `tls` and `redirect_https` of the table on top, which lua/tidegate has
 * checked; files are meant below `root`, NULL for ".". */
void tg_settings_take_tls(lua_State *L, struct tg_listen *listen,
                          const char *root);

#endif
