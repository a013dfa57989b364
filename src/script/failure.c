// SPDX-License-Identifier: MIT
#include "script/failure.h"

#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "script/task.h"

enum {
    DEEP = 100 * 1000, /* calls that nobody means */
    SHOW_PART = 8      /* of the budget is for a __tostring */
};

/* Where the task is: the innermost of its coroutines. */
static lua_State *innermost(const struct tg_task *task)
{
    const struct tg_nest *nest = task->parked;

    while (nest && nest->next)
        nest = nest->next;
    return nest ? nest->co : task->co;
}

/* Endless recursion may meet the limit of memory before that of the stack:
 * then its error has to say what it is. */
static bool is_recursion(struct tg_task *task)
{
    lua_Debug at;

    return task->fault == TG_TASK_MEMORY &&
           lua_getstack(task->co, DEEP, &at) != 0;
}

static void push_overflow(lua_State *L, struct tg_task *task)
{
    lua_Debug at;

    lua_getstack(task->co, 0, &at);
    lua_getinfo(task->co, "Sl", &at);
    lua_pushfstring(L, "%s:%d: stack overflow: no memory for more calls",
                    at.short_src, at.currentline);
    task->fault = TG_TASK_ERROR;
}

/* The error at -2 may have come from a task that this one has waited for: its
 * traceback follows this one's, which is at -1. */
static void add_cause(lua_State *L, const struct tg_task *task)
{
    if (task->cause == LUA_NOREF)
        return;
    lua_rawgeti(L, LUA_REGISTRYINDEX, task->cause);
    lua_rawgeti(L, -1, 1); /* error trace cause its-error */
    if (!lua_rawequal(L, -1, -4)) {
        lua_pop(L, 2);
        return;
    }
    lua_rawgeti(L, -2, 2);
    lua_pushfstring(L, "%s\nit came from a task that this one waited for: %s",
                    lua_tostring(L, -4), lua_tostring(L, -1));
    lua_replace(L, -5);
    lua_pop(L, 3);
}

static int to_text(lua_State *L)
{
    luaL_tolstring(L, 1, NULL);
    return 1;
}

/* Pushes what __tostring makes of the error on top: code of the handler's,
 * with a budget of its own, which may fail. */
static void push_text(lua_State *L, struct tg_task *task)
{
    struct tg_state *state = task->state;
    lua_State *before = tg_turn_begin(
        state->turn, L, task->budget.milliseconds / SHOW_PART + 1);
    int status;

    lua_pushcfunction(L, to_text);
    lua_pushvalue(L, -2);
    state->ceiling = tg_state_ceiling(
        state, task->budget.task_bytes / SHOW_PART, task->budget.state_bytes);
    status = lua_pcall(L, 1, 1, 0);
    state->ceiling = SIZE_MAX;
    tg_turn_end(state->turn, L, before);
    if (status == LUA_OK)
        return;
    lua_pushfstring(L, "(the error cannot be shown: its __tostring failed: %s)",
                    lua_isstring(L, -1) ? lua_tostring(L, -1)
                                        : luaL_typename(L, -1));
    lua_remove(L, -2);
}

static int push_failure(lua_State *L)
{
    struct tg_task *task = lua_touserdata(L, 1);
    int status = (int)lua_tointeger(L, 2);

    if (status == LUA_YIELD && task->fault == TG_TASK_TIME) {
        tg_turn_push_excess(L);
        return 2;
    }
    lua_settop(L, 1);
    if (status == LUA_YIELD) /* coroutine.yield() where nobody resumes */
        lua_pushliteral(L, "coroutine.yield outside a coroutine");
    else if (is_recursion(task))
        push_overflow(L, task);
    else
        lua_xmove(task->co, L, 1); /* task error */
    if (lua_isstring(L, -1)) {
        lua_pushvalue(L, -1);
    } else if (luaL_getmetafield(L, -1, "__tostring")) {
        lua_pop(L, 1);
        push_text(L, task);
    } else {
        lua_pushfstring(L, "(the error is a %s, not a message)",
                        luaL_typename(L, -1));
    } /* task error message */
    luaL_traceback(L, innermost(task), lua_tostring(L, -1), 0);
    lua_remove(L, -2);
    add_cause(L, task);
    return 2;
}

void tg_failure_take(struct tg_task *task, int status)
{
    lua_State *L = task->state->L;

    lua_pushcfunction(L, push_failure);
    lua_pushlightuserdata(L, task);
    lua_pushinteger(L, status);
    if (lua_pcall(L, 2, 2, 0) != LUA_OK) { /* at worst: no memory for it */
        lua_pop(L, 1);
        lua_pushnil(L);
        lua_pushliteral(L, "an error that cannot be shown");
    }
}

/* What builds strings says it as an error of its own, with a line in front. */
bool tg_failure_is_memory(lua_State *co, int status)
{
    static const char words[] = "not enough memory";
    size_t len, n = sizeof(words) - 1;
    const char *text;

    if (status != LUA_ERRRUN || lua_type(co, -1) != LUA_TSTRING)
        return status == LUA_ERRMEM;
    text = lua_tolstring(co, -1, &len);
    return len >= n && memcmp(text + len - n, words, n) == 0;
}

void tg_failure_drop_cause(struct tg_task *task)
{
    luaL_unref(task->state->L, LUA_REGISTRYINDEX, task->cause);
    task->cause = LUA_NOREF;
}

void tg_failure_set_cause(lua_State *L)
{
    struct tg_task *task = tg_state_of(L)->running;

    lua_createtable(L, 2, 0); /* error trace cause */
    lua_pushvalue(L, -3);
    lua_rawseti(L, -2, 1);
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, 2);
    tg_failure_drop_cause(task);
    task->cause = luaL_ref(L, LUA_REGISTRYINDEX);
}

void tg_failure_trace(lua_State *L)
{
    luaL_traceback(L, L, luaL_tolstring(L, -1, NULL), 1);
    lua_remove(L, -2);
    add_cause(L, tg_state_of(L)->running);
}

void tg_task_trace(struct tg_task *task, lua_State *L, const char *message)
{
    luaL_traceback(L, innermost(task), message, 0);
}

/* Frames of C and of our own modules are not where a user looks. */
static bool is_theirs(const lua_Debug *at)
{
    return at->currentline > 0 && strncmp(at->short_src, "tidegate:", 9) != 0;
}

void tg_task_where(const struct tg_task *task, char *room, size_t size)
{
    lua_State *co = innermost(task);
    lua_Debug at;
    int level;

    for (level = 0; lua_getstack(co, level, &at); level++) {
        lua_getinfo(co, "Sl", &at);
        if (!is_theirs(&at))
            continue;
        snprintf(room, size, "%s:%d", at.short_src, at.currentline);
        return;
    }
    snprintf(room, size, "%s", "?");
}
