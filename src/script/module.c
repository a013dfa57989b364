// SPDX-License-Identifier: MIT
#include "script/module.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

static const struct tg_embedded *find(const char *name)
{
    const struct tg_embedded *module;

    for (module = tg_embedded_modules; module->name; module++)
        if (strcmp(module->name, name) == 0)
            return module;
    return NULL;
}

int tg_module_load(lua_State *L, const char *name)
{
    const struct tg_embedded *module = find(name);
    const char *dir = getenv("TIDEGATE_LUA_DIR");
    int status;

    if (!module) {
        lua_pushnil(L);
        return 0;
    }
    if (dir) { /* DIR holds what "lua/" holds in the source tree */
        const char *path =
            lua_pushfstring(L, "%s/%s", dir, strchr(module->path, '/') + 1);

        status = luaL_loadfilex(L, path, "t");
    } else {
        lua_pushfstring(L, "@tidegate:%s", module->path);
        status = tg_compiled_load(module->compiled, L, module->text,
                                  module->len, lua_tostring(L, -1));
    }
    lua_remove(L, -2);
    return status == LUA_OK;
}
