// SPDX-License-Identifier: MIT
#include "script/turn.h"

#include <limits.h>
#include <string.h>

#include <lauxlib.h>

#include "base/clock.h"
#include "script/coroutine.h"
#include "script/state.h"
#include "script/task.h"

enum { TRACE_LEVELS = 12 };

static const char excess_key; /* registry: {message, traceback} */

static _Thread_local struct tg_turn *own;
static _Atomic unsigned shortest = UINT_MAX;

void tg_turn_own(struct tg_turn *turn)
{
    own = turn;
}

void tg_turn_allow(struct tg_turn *turn, unsigned milliseconds)
{
    atomic_store_explicit(&turn->allowed, milliseconds, memory_order_relaxed);
    if (milliseconds < atomic_load_explicit(&shortest, memory_order_relaxed))
        atomic_store(&shortest, milliseconds);
}

unsigned tg_turn_shortest(void)
{
    return atomic_load(&shortest);
}

/* --- the hook --- */

void tg_turn_push_excess(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &excess_key);
    lua_rawgeti(L, -1, 1);
    lua_rawgeti(L, -2, 2);
    lua_remove(L, -3);
}

/* Slices of a task are turns of their own, which have what is left. */
static unsigned allowed_in(lua_State *L, const struct tg_turn *turn)
{
    const struct tg_task *task = tg_state_of(L)->running;

    return task && !task->unwinding ? task->budget.milliseconds : turn->allowed;
}

/* Only from here can be seen where it is, since a yield steps back; and only
 * the first time, since pcall() may catch what is raised. */
static void keep_excess(lua_State *L, lua_Debug *at, struct tg_turn *turn)
{
    if (turn->kept == turn->number)
        return;
    turn->kept = turn->number;
    lua_getinfo(L, "Sl", at);
    lua_createtable(L, 2, 0);
    lua_pushfstring(L, "%s:%d: time budget exceeded: %d ms without a wait",
                    at->short_src, at->currentline, (int)allowed_in(L, turn));
    luaL_traceback(L, L, lua_tostring(L, -1), 0);
    lua_rawseti(L, -3, 2);
    lua_rawseti(L, -2, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &excess_key);
}

static void tell_alive(struct tg_turn *turn)
{
    atomic_store(&turn->alive, atomic_load(&turn->probe));
}

static void on_probe(lua_State *L, lua_Debug *at)
{
    (void)at;
    lua_sethook(L, NULL, 0, 0);
    tell_alive(tg_state_of(L)->turn);
}

/* Found on a coroutine that outlived its turn it takes itself away. */
static void on_step(lua_State *L, lua_Debug *at)
{
    struct tg_turn *turn = tg_state_of(L)->turn;

    tg_coroutine_set_deaf(L, false);
    tell_alive(turn);
    if (!tg_turn_is_overdue(turn)) {
        lua_sethook(L, NULL, 0, 0);
        return;
    }
    keep_excess(L, at, turn);
    if (lua_isyieldable(L)) {
        lua_yield(L, 0);
        return;
    }
    tg_turn_push_excess(L);
    lua_pop(L, 1);
    tg_coroutine_set_deaf(L, true);
    lua_error(L);
}

void tg_turn_slice(struct tg_turn *turn, lua_State *base, unsigned used)
{
    turn->base_began = used ? tg_clock_now() : 0;
    atomic_store_explicit(&turn->base, base, memory_order_relaxed);
}

/* At its first call Lua may stand within a line: between lines only, so that
 * nothing else runs within `n = n + 1`. */
static void on_line(lua_State *L, lua_Debug *at)
{
    struct tg_turn *turn = tg_state_of(L)->turn;
    unsigned milliseconds = atomic_load(&turn->elapsed);
    bool stale = atomic_load(&turn->to_slice) != atomic_load(&turn->number);

    (void)at;
    tell_alive(turn);
    if (!stale && !turn->is_primed) {
        turn->is_primed = true;
        return;
    }
    lua_sethook(L, NULL, 0, 0);
    if (turn->base_began > 0)
        milliseconds = (unsigned)((tg_clock_now() - turn->base_began) * 1000);
    if (!stale && tg_task_give_way(L, milliseconds))
        lua_yield(L, 0);
}

static void arm(lua_State *L)
{
    if (L && lua_gethook(L) != on_step)
        lua_sethook(L, on_step, LUA_MASKCOUNT, 1);
}

void tg_turn_cut(lua_State *L)
{
    tg_turn_overrun(tg_state_of(L)->turn);
    arm(L);
}

void tg_turn_end_overdue(struct tg_turn *turn, lua_State *L, lua_State *outer)
{
    lua_sethook(L, NULL, 0, 0);
    atomic_store(&turn->current, outer);
    if (--turn->depth == 0)
        atomic_fetch_add(&turn->number, 1);
    else
        arm(outer);
}

/* --- in the signal's handler: nothing here may allocate --- */

static size_t put(char *room, size_t at, const char *text)
{
    size_t len = strlen(text);

    if (at + len >= TG_TURN_TRACE)
        return at;
    memcpy(room + at, text, len + 1);
    return at + len;
}

static size_t put_number(char *room, size_t at, int number)
{
    char digits[16];
    size_t i = sizeof(digits) - 1;

    digits[i] = '\0';
    do {
        digits[--i] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return put(room, at, digits + i);
}

static void trace(struct tg_turn *turn, lua_State *L)
{
    lua_Debug at;
    size_t len = put(turn->trace, 0, "");
    int level;

    for (level = 0; level < TRACE_LEVELS && lua_getstack(L, level, &at);
         level++) {
        lua_getinfo(L, "Sl", &at);
        len = put(turn->trace, len, "\n\t");
        len = put(turn->trace, len, at.short_src);
        if (at.currentline > 0) {
            len = put(turn->trace, len, ":");
            len = put_number(turn->trace, len, at.currentline);
        }
    }
}

void tg_turn_signalled(int signal)
{
    struct tg_turn *turn = own;
    unsigned number;
    lua_State *L;

    (void)signal;
    if (!turn)
        return;
    number = atomic_load(&turn->number);
    L = atomic_load(&turn->current);
    if (number % 2 == 0 || !L)
        return;
    if (atomic_load(&turn->asked) == number &&
        atomic_load(&turn->told) != number) {
        trace(turn, L);
        atomic_store(&turn->told, number);
    }
    if (atomic_load(&turn->suspect) == number) {
        atomic_store(&turn->overdue, number);
        arm(L);
        return;
    }
    if (atomic_load(&turn->probe) != atomic_load(&turn->alive) &&
        !lua_gethook(L))
        lua_sethook(L, on_probe, LUA_MASKCOUNT, 1);
    L = atomic_load(&turn->base);
    if (L && atomic_load(&turn->to_slice) == number &&
        (!lua_gethook(L) || lua_gethook(L) == on_probe)) {
        turn->is_primed = false;
        lua_sethook(L, on_line, LUA_MASKLINE, 0);
    }
}
