// SPDX-License-Identifier: MIT
/*
 * Finalizers run on a coroutine of their own.  Lua calls __gc with its hooks
 * off, so that one which never ends could not be stopped.
 */
#ifndef TG_SCRIPT_FINALIZER_H
#define TG_SCRIPT_FINALIZER_H

#include <lua.h>

/* Replaces setmetatable(). */
void tg_finalizer_open(lua_State *L);

#endif
