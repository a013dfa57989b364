// SPDX-License-Identifier: MIT
/*
 * Our own Lua modules, compiled into the program as text.
 *
 * With TIDEGATE_LUA_DIR in the environment they are read from that folder
 * instead: edit and restart, without a build.
 */
#ifndef TG_SCRIPT_MODULE_H
#define TG_SCRIPT_MODULE_H

#include <lua.h>
#include <stddef.h>

#include "script/compiled.h"

struct tg_embedded {
    const char *name; /* as require() knows it: "tidegate.router" */
    const char *path; /* "lua/tidegate/router.lua" */
    const char *text;
    size_t len;
    struct tg_compiled *compiled;
};

/* Ends with an entry whose name is NULL. */
extern const struct tg_embedded tg_embedded_modules[];

/* Pushes the loaded chunk of module `name` and returns true, or pushes an
 * error message and returns false.  A name we do not have: message is nil. */
int tg_module_load(lua_State *L, const char *name);

#endif
