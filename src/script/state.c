// SPDX-License-Identifier: MIT
#include "script/state.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

#include <lauxlib.h>

#include "base/alloc.h"
#include "base/census.h"
#include "base/log.h"
#include "script/bundle.h"
#include "script/library.h"
#include "script/task.h"

enum {
    FRESH_KILOBYTES = 8192, /* a state is loaded: most of what is made stays */
    GARBAGE_KILOBYTES = 4096, /* so much may come before it is collected */
    PAUSE_MOST = 1000,        /* Lua takes no more */
    FULL_PART = 8,            /* so little of the limit is left */
    RELIEF_PART = 4,          /* the same, where garbage may be in the way, */
    RELIEF_STEP = 16,         /* and so much was added since it was taken */
    LARGE = 1024 * 1024       /* what a turn over its time is not given */
};

/* If not, Lua collects, asks again, then raises. */
static bool may_grow(const struct tg_state *state, size_t old, size_t size)
{
    if (state->bytes - old + size > state->ceiling)
        return false;
    /* a __call that is itself grows its stack in C */
    return size < LARGE || !tg_turn_is_overdue(state->turn);
}

/* For a new block `old` is a type, not a size. */
static void *allocate(void *arg, void *block, size_t old, size_t size)
{
    struct tg_state *state = arg;

    if (!block) {
        if (size && may_grow(state, 0, size))
            block = tg_pool_take(&state->pool, size);
        if (block)
            state->bytes += size;
        return block;
    }
    if (size == 0) {
        tg_pool_give(&state->pool, block, old);
        state->bytes -= old;
        return NULL;
    }
    if (size > old && !may_grow(state, old, size))
        return NULL;
    block = tg_pool_resize(&state->pool, block, old, size);
    if (block)
        state->bytes += size - old;
    return block;
}

/* Every call from C is protected; if one is not, the process must not go on
 * with a state that is half changed. */
static int on_panic(lua_State *L)
{
    const char *message = lua_tostring(L, -1);

    tg_log(TG_LOG_ERROR, "Lua error outside a protected call: %s",
           message ? message : "(not a string)");
    return 0; /* Lua aborts */
}

static int add_traceback(lua_State *L)
{
    const char *message = luaL_tolstring(L, 1, NULL);

    luaL_traceback(L, L, message, 1);
    return 1;
}

char *tg_state_protect(struct tg_state *state, lua_CFunction fn, void *arg)
{
    lua_State *L = state->L;
    lua_State *outer;
    char *error = NULL;
    int top = lua_gettop(L), status;

    lua_pushcfunction(L, add_traceback);
    lua_pushcfunction(L, fn);
    lua_pushlightuserdata(L, arg);
    outer = tg_turn_begin(state->turn, L, state->budget.milliseconds);
    status = lua_pcall(L, 1, 0, top + 1);
    tg_turn_end(state->turn, L, outer);
    if (status != LUA_OK) {
        const char *message = lua_tostring(L, -1);

        error = tg_strdup(message ? message : "an error without a message");
    }
    lua_settop(L, top);
    return error;
}

void tg_state_attempt(struct tg_state *state, lua_CFunction fn, void *arg,
                      const char *what)
{
    char *error = tg_state_protect(state, fn, arg);

    if (error)
        tg_log(TG_LOG_ERROR, "%s: %s", what, error);
    free(error);
}

/* Lua makes these where no error can be caught: they must be there already, or
 * one of them, out of memory, would end the process. */
static int keep_words(lua_State *L)
{
    static const char *const words[] = {
        "error in error handling", "C stack overflow",
        "cannot resume dead coroutine",
        "cannot resume non-suspended coroutine"};
    size_t i;

    for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
        lua_pushstring(L, words[i]);
        luaL_ref(L, LUA_REGISTRYINDEX);
    }
    return 0;
}

void tg_state_tune(struct tg_state *state)
{
    int kilobytes = lua_gc(state->L, LUA_GCCOUNT) + 1;
    int pause = 200 + 100 * GARBAGE_KILOBYTES / kilobytes;

    lua_gc(state->L, LUA_GCSETPAUSE, pause < PAUSE_MOST ? pause : PAUSE_MOST);
    lua_gc(state->L, LUA_GCRESTART); /* a handler may have stopped it */
}

struct tg_state *tg_state_new(struct tg_bundle *bundle, uint64_t generation,
                              int thread)
{
    struct tg_state *state = tg_alloc(sizeof(*state));

    state->turn = &state->unwatched;
    state->ceiling = SIZE_MAX;
    state->budget = (struct tg_budget){UINT_MAX, SIZE_MAX, SIZE_MAX};
    state->L = lua_newstate(allocate, state);
    if (!state->L) {
        tg_log(TG_LOG_ERROR, "out of memory");
        abort();
    }
    lua_gc(state->L, LUA_GCSTEP, -FRESH_KILOBYTES); /* as if freed: no step */
    lua_atpanic(state->L, on_panic);
    *(struct tg_state **)lua_getextraspace(state->L) = state;
    state->bundle = tg_bundle_ref(bundle);
    state->generation = generation;
    state->thread = thread;
    tg_list_init(&state->tasks);
    tg_list_init(&state->spare);
    tg_list_init(&state->ready);
    tg_census.states++;
    tg_state_attempt(state, tg_library_open, NULL, "cannot open the libraries");
    tg_state_attempt(state, keep_words, NULL, "cannot keep words");
    return state;
}

void tg_state_move(struct tg_state *state, struct tg_turn *turn,
                   const struct tg_budget *budget)
{
    state->turn = turn ? turn : &state->unwatched;
    state->budget = *budget;
}

size_t tg_state_ceiling(const struct tg_state *state, size_t bytes, size_t most)
{
    size_t held = state->bytes;

    return bytes < most && held < most - bytes ? held + bytes : most;
}

bool tg_state_is_exhausted(const struct tg_state *state)
{
    size_t most = state->budget.state_bytes, bytes = state->bytes;
    struct tg_list *link;

    for (link = state->tasks.next; link != &state->tasks; link = link->next) {
        struct tg_task *task = tg_list_item(link, struct tg_task, link);

        if (!task->parent)
            bytes -= task->bytes < bytes ? task->bytes : bytes;
    }
    return bytes > most - most / FULL_PART;
}

void tg_state_relieve(struct tg_state *state)
{
    size_t most = state->budget.state_bytes;

    if (state->bytes < most / 2)
        state->lived = 0;
    if (state->bytes < most - most / RELIEF_PART ||
        state->bytes < state->lived + most / RELIEF_STEP)
        return;
    lua_gc(state->L, LUA_GCCOLLECT);
    state->lived = state->bytes;
}

void tg_state_hold(lua_State *L, size_t bytes)
{
    struct tg_state *state = tg_state_of(L);

    if (state->bytes + bytes > state->ceiling)
        lua_gc(L, LUA_GCCOLLECT);
    if (state->bytes + bytes > state->ceiling) {
        lua_pushliteral(L, "not enough memory");
        lua_error(L);
    }
    state->bytes += bytes;
    if (bytes >= 1024) /* the collector has to know how fast this grows */
        lua_gc(L, LUA_GCSTEP, bytes < INT_MAX ? (int)(bytes / 1024) : INT_MAX);
}

void tg_state_give_back(lua_State *L, size_t bytes)
{
    tg_state_of(L)->bytes -= bytes;
}

void tg_state_free(struct tg_state *state)
{
    tg_task_free_spare(state);
    state->closing = true;
    lua_close(state->L);
    tg_pool_free(&state->pool);
    tg_bundle_unref(state->bundle);
    free(state);
    tg_census.states--;
}
