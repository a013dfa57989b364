// SPDX-License-Identifier: MIT
/*
 * When the innermost coroutine parks, each resume on the way out finds that
 * the task now waits, leaves a record in the task, and yields too.  On
 * the way back each continues the coroutine below it.
 */
#include "script/coroutine.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <lauxlib.h>

#include "base/alloc.h"
#include "script/state.h"
#include "script/task.h"

/* Below the tested limit of Lua, which does not count closes. */
enum { CLOSES_MOST = 100 };

/* The lowest bits of what a coroutine knows of its state.  To set them takes no
 * memory, so that nothing can fail between start and park. */
enum { PARKED = 1, DEAF = 2 };

static void mark(lua_State *co, uintptr_t bit, bool yes)
{
    uintptr_t *space = lua_getextraspace(co);

    *space = (*space & ~bit) | (yes ? bit : 0);
}

static bool is_marked(lua_State *co, uintptr_t bit)
{
    return *(uintptr_t *)lua_getextraspace(co) & bit;
}

static void set_parked(lua_State *co, bool yes)
{
    mark(co, PARKED, yes);
}

static bool is_parked(lua_State *co)
{
    return is_marked(co, PARKED);
}

/* New coroutines have the marks of the main thread, which is never closed. */
void tg_coroutine_set_deaf(lua_State *co, bool yes)
{
    if (co != tg_state_of(co)->L)
        mark(co, DEAF, yes);
}

int tg_coroutine_reset(lua_State *co)
{
    struct tg_turn *turn = tg_state_of(co)->turn;
    lua_State *before;
    int status;

    if (is_marked(co, DEAF)) /* what it runs would never end */
        return lua_status(co);
    before = tg_turn_begin(turn, co, tg_state_of(co)->budget.milliseconds);
    status = lua_resetthread(co);
    tg_turn_end(turn, co, before);
    return status;
}

void tg_coroutine_keep(lua_State *co)
{
    set_parked(co, true);
}

static int go_on(lua_State *L, lua_State *co, int nargs, int base);

/* The task is woken: continue the coroutine below. */
static int continue_inner(lua_State *L, int status, lua_KContext base)
{
    struct tg_task *task = tg_state_of(L)->running;
    struct tg_nest *nest = task->parked;
    lua_State *co = nest->co;

    (void)status;
    task->parked = nest->next;
    free(nest);
    set_parked(co, false);
    lua_settop(L, (int)base);
    return go_on(L, co, 0, (int)base);
}

static int park_outer(lua_State *L, lua_State *co, int base)
{
    struct tg_task *task = tg_state_of(L)->running;
    struct tg_nest *nest = tg_alloc(sizeof(*nest)); /* Lua's could collect */

    nest->co = co;
    nest->next = task->parked;
    task->parked = nest;
    set_parked(co, true);
    return lua_yieldk(L, 0, base, continue_inner);
}

/*
 * Resumes `co`, whose arguments are on its stack.  `base` values stay on L's:
 * the coroutine first, then a boolean: is this a wrap?  Returns the results as
 * coroutine.resume or a wrapped function gives them.
 */
static int go_on(lua_State *L, lua_State *co, int nargs, int base)
{
    struct tg_task *task = tg_state_of(L)->running;
    struct tg_turn *turn = tg_state_of(L)->turn;
    struct tg_nest resumer = {L, task ? task->resumers : NULL};
    int is_wrap = lua_toboolean(L, base);
    int status, nresults;
    lua_State *before;

    if (task)
        task->resumers = &resumer;
    before = tg_turn_begin(turn, co, 0);
    status = lua_resume(co, L, nargs, &nresults);
    tg_turn_end(turn, co, before);
    if (task)
        task->resumers = resumer.next;
    if (status == LUA_YIELD && task &&
        (task->wait || (tg_turn_is_overdue(turn) && lua_isyieldable(L))))
        return park_outer(L, co, base);
    if (status == LUA_YIELD && tg_turn_is_overdue(turn)) {
        tg_coroutine_reset(co);
        tg_turn_push_excess(L);
        lua_pop(L, 1);
        return lua_error(L);
    }
    if (status == LUA_OK || status == LUA_YIELD) {
        luaL_checkstack(L, nresults + 1, "too many results");
        if (!is_wrap)
            lua_pushboolean(L, 1);
        lua_xmove(co, L, nresults);
        return nresults + !is_wrap;
    }
    if (is_wrap && lua_status(co) != LUA_OK && lua_status(co) != LUA_YIELD)
        tg_coroutine_reset(co); /* its variables are closed, as wrap promises */
    if (!is_wrap)
        lua_pushboolean(L, 0);
    lua_xmove(co, L, 1);
    if (!is_wrap)
        return 2;
    if (lua_type(L, -1) == LUA_TSTRING) { /* add where it was called */
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static const char *why_not(lua_State *L, lua_State *co)
{
    if (co == L)
        return "cannot resume non-suspended coroutine";
    if (is_parked(co))
        return "cannot resume a coroutine that waits in another task";
    if (lua_status(co) == LUA_OK && lua_gettop(co) == 0)
        return "cannot resume dead coroutine";
    if (lua_status(co) != LUA_OK && lua_status(co) != LUA_YIELD)
        return "cannot resume dead coroutine";
    return NULL;
}

/* Stack: the coroutine at 1, is_wrap at 2, then the arguments. */
static int start_inner(lua_State *L)
{
    lua_State *co = lua_tothread(L, 1);
    int nargs = lua_gettop(L) - 2;
    const char *why = why_not(L, co);

    if (!why && !lua_checkstack(co, nargs))
        why = "too many arguments to resume";
    if (why && lua_toboolean(L, 2))
        return luaL_error(L, "%s", why);
    if (why) {
        lua_pushboolean(L, 0);
        lua_pushstring(L, why);
        return 2;
    }
    lua_xmove(L, co, nargs);
    return go_on(L, co, nargs, 2);
}

static int co_resume(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTHREAD);
    lua_pushboolean(L, 0);
    lua_insert(L, 2);
    return start_inner(L);
}

static int call_wrapped(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_pushboolean(L, 1);
    lua_insert(L, 2);
    return start_inner(L);
}

static int co_wrap(lua_State *L)
{
    lua_State *co;

    luaL_checktype(L, 1, LUA_TFUNCTION);
    co = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    lua_pushcclosure(L, call_wrapped, 1);
    return 1;
}

/* NULL: it is suspended, or dead. */
static const char *why_not_close(lua_State *L, lua_State *co)
{
    lua_Debug at;

    if (co == L)
        return "cannot close a running coroutine";
    if (is_parked(co))
        return "cannot close a coroutine that waits";
    if (lua_status(co) == LUA_OK && lua_getstack(co, 0, &at))
        return "cannot close a normal coroutine";
    if (tg_state_of(L)->closes == CLOSES_MOST)
        return "cannot close here: coroutines that close coroutines, too deep";
    return NULL;
}

static int co_close(lua_State *L)
{
    struct tg_state *state = tg_state_of(L);
    const char *why;
    lua_State *co;
    int status;

    luaL_checktype(L, 1, LUA_TTHREAD);
    co = lua_tothread(L, 1);
    why = why_not_close(L, co);
    if (why)
        return luaL_error(L, "%s", why);
    state->closes++;
    status = tg_coroutine_reset(co);
    state->closes--;
    lua_pushboolean(L, status == LUA_OK);
    if (status == LUA_OK)
        return 1;
    if (lua_gettop(co) > 0)
        lua_xmove(co, L, 1);
    else
        lua_pushnil(L);
    return 2;
}

void tg_coroutine_open(lua_State *L)
{
    lua_getglobal(L, "coroutine");
    lua_pushcfunction(L, co_resume);
    lua_setfield(L, -2, "resume");
    lua_pushcfunction(L, co_wrap);
    lua_setfield(L, -2, "wrap");
    lua_pushcfunction(L, co_close);
    lua_setfield(L, -2, "close");
    lua_pop(L, 1);
}

static void close_from(struct tg_nest *nest, bool close)
{
    if (!nest)
        return;
    close_from(nest->next, close);
    set_parked(nest->co, false);
    if (close)
        tg_coroutine_reset(nest->co);
    free(nest);
}

void tg_coroutine_close_parked(struct tg_task *task, bool close)
{
    struct tg_nest *nest = task->parked;

    task->parked = NULL;
    close_from(nest, close);
}
