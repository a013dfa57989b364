// SPDX-License-Identifier: MIT
#include "script/compiled.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

static const char good[] = "local n = 0\n"
                           "return function(a)\n"
                           "  n = n + 1\n"
                           "  return a .. n\n"
                           "end\n";
static const char bad[] = "return )\n";

static lua_State *open_state(void)
{
    lua_State *L = luaL_newstate();

    luaL_openlibs(L);
    return L;
}

static int load(struct tg_compiled *compiled, lua_State *L, const char *text)
{
    return tg_compiled_load(compiled, L, text, strlen(text), "@a.lua");
}

static void keeps_the_form_of_what_is_loaded_twice(void **unused)
{
    struct tg_compiled *compiled = tg_compiled_new();
    int i;

    (void)unused;
    for (i = 0; i < 4; i++) {
        lua_State *L = open_state();

        assert_int_equal(load(compiled, L, good), LUA_OK);
        assert_int_equal(compiled->code != NULL, i > 0);
        lua_call(L, 0, 1);
        lua_pushliteral(L, "x");
        lua_call(L, 1, 1);
        assert_string_equal(lua_tostring(L, -1), "x1"); /* its own n */
        lua_close(L);
    }
    tg_compiled_unref(compiled);
}

static void knows_its_lines_and_its_name(void **unused)
{
    struct tg_compiled *compiled = tg_compiled_new();
    int i;

    (void)unused;
    for (i = 0; i < 4; i++) {
        lua_State *L = open_state();

        load(compiled, L, good);
        lua_call(L, 0, 1);
        assert_int_equal(lua_pcall(L, 0, 0, 0), LUA_ERRRUN);
        assert_string_equal(
            lua_tostring(L, -1),
            "a.lua:4: attempt to concatenate a nil value (local 'a')");
        lua_close(L);
    }
    tg_compiled_unref(compiled);
}

static void says_each_time_what_is_wrong_with_a_text(void **unused)
{
    struct tg_compiled *compiled = tg_compiled_new();
    int i;

    (void)unused;
    for (i = 0; i < 4; i++) {
        lua_State *L = open_state();

        assert_int_equal(load(compiled, L, bad), LUA_ERRSYNTAX);
        assert_non_null(strstr(lua_tostring(L, -1), "a.lua:1: "));
        assert_null(compiled->code);
        lua_close(L);
    }
    tg_compiled_unref(compiled);
}

static void takes_no_binary_text(void **unused)
{
    struct tg_compiled *compiled = tg_compiled_new();
    lua_State *L = open_state();

    (void)unused;
    assert_int_equal(load(compiled, L, LUA_SIGNATURE "x"), LUA_ERRSYNTAX);
    assert_non_null(strstr(lua_tostring(L, -1), "attempt to load a binary"));
    lua_close(L);
    tg_compiled_unref(compiled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_form_of_what_is_loaded_twice),
        cmocka_unit_test(knows_its_lines_and_its_name),
        cmocka_unit_test(says_each_time_what_is_wrong_with_a_text),
        cmocka_unit_test(takes_no_binary_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
