// SPDX-License-Identifier: MIT
#include "script/compiled.h"

#include <stdatomic.h>
#include <stdlib.h>

#include <lauxlib.h>

#include "base/alloc.h"
#include "base/text.h"

struct tg_compiled *tg_compiled_new(void)
{
    struct tg_compiled *compiled = tg_alloc(sizeof(*compiled));

    compiled->refs = 1;
    return compiled;
}

struct tg_compiled *tg_compiled_ref(struct tg_compiled *compiled)
{
    atomic_fetch_add(&compiled->refs, 1);
    return compiled;
}

static void free_code(struct tg_text *code)
{
    if (code)
        tg_text_release(code);
    free(code);
}

void tg_compiled_unref(struct tg_compiled *compiled)
{
    if (!compiled || atomic_fetch_sub(&compiled->refs, 1) > 1)
        return;
    free_code(atomic_load(&compiled->code));
    free(compiled);
}

static int write_code(lua_State *L, const void *data, size_t len, void *arg)
{
    (void)L;
    tg_text_add(arg, data, len);
    return 0;
}

/* Keeps the function on top, unless another thread has done so just now. */
static void keep(struct tg_compiled *compiled, lua_State *L)
{
    struct tg_text *code = tg_alloc(sizeof(*code)), *none = NULL;

    lua_dump(L, write_code, code, 0); /* with its lines; raises nothing */
    if (!atomic_compare_exchange_strong(&compiled->code, &none, code))
        free_code(code);
}

int tg_compiled_load(struct tg_compiled *compiled, lua_State *L,
                     const char *text, size_t len, const char *name)
{
    const struct tg_text *code = atomic_load(&compiled->code);
    int status;

    if (code)
        return luaL_loadbufferx(L, code->data, code->len, name, "b");
    status = luaL_loadbufferx(L, text, len, name, "t");
    if (status == LUA_OK && atomic_fetch_add(&compiled->loads, 1) > 0)
        keep(compiled, L);
    return status;
}
