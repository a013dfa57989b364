// SPDX-License-Identifier: MIT
/*
 * A line: tasks that wait for permits, first come, first served.
 *
 * A permit that is given goes to whoever has waited longest, so nobody who
 * comes later takes it first; if that task is cancelled before it goes on, the
 * next one has it.  Embed it in a userdata that the waiting function has on its
 * stack.
 */
#ifndef TG_BIND_LINE_H
#define TG_BIND_LINE_H

#include <lua.h>
#include <stdbool.h>

#include "base/list.h"

struct tg_line {
    lua_Integer permits; /* that nobody has */
    struct tg_list waiting;
    lua_Integer nwaiting;
    bool broadcasts; /* one for each that waits: none is handed on */
};

void tg_line_init(struct tg_line *line, lua_Integer permits);

/*
 * Takes a permit, or parks until there is one.  `next` runs in either case and
 * finds on top of the stack whether it has one: if not, the seconds were over.
 * `seconds`: the index of a number, or of nil for any time; not above the top.
 */
int tg_line_take(lua_State *L, struct tg_line *line, int seconds,
                 lua_KFunction next, lua_KContext context);

void tg_line_give(struct tg_line *line);

#endif
