// SPDX-License-Identifier: MIT
#include "script/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "script/value_form.h"

static const char null_mark;

/* A packed value, away from the state that packed it. */
struct packed {
    char *data;
    size_t len;
};

static int open_state(void **state)
{
    lua_State *L = luaL_newstate();

    luaL_openlibs(L);
    tg_value_set_null(L, &null_mark);
    lua_pushlightuserdata(L, (void *)&null_mark);
    lua_setglobal(L, "null");
    luaL_newmetatable(L, TG_VALUE_ARRAY);
    lua_setglobal(L, "array");
    *state = L;
    return 0;
}

static int close_state(void **state)
{
    lua_close(*state);
    return 0;
}

static void run(lua_State *L, const char *code, int nresults)
{
    if (luaL_loadstring(L, code) || lua_pcall(L, 0, nresults, 0))
        fail_msg("%s", lua_tostring(L, -1));
}

/* Pops the value. */
static struct packed pack(lua_State *L)
{
    struct packed packed;
    const char *data = tg_value_pack(L, -1, &packed.len);

    packed.data = malloc(packed.len); /* exact: a read beyond it is found */
    memcpy(packed.data, data, packed.len);
    tg_value_trim(L);
    lua_pop(L, 1);
    return packed;
}

static void push(lua_State *L, struct packed packed)
{
    int top = lua_gettop(L);

    assert_true(tg_value_push(L, packed.data, packed.len));
    assert_int_equal(lua_gettop(L), top + 1);
    free(packed.data);
}

static int pack_first(lua_State *L)
{
    size_t len;

    tg_value_pack(L, 1, &len);
    return 0;
}

static void assert_refused(lua_State *L, const char *code, const char *expected)
{
    const char *message;

    lua_pushcfunction(L, pack_first);
    run(L, code, 1);
    assert_int_equal(lua_pcall(L, 1, 0, 0), LUA_ERRRUN);
    message = lua_tostring(L, -1);
    assert_string_equal(message, expected);
    lua_pop(L, 1);
}

/* Runs `code`, which has the copy in `copy` and what was packed in `value`. */
static void assert_copied(lua_State *L, const char *value, const char *code)
{
    run(L, value, 1);
    lua_pushvalue(L, -1);
    lua_setglobal(L, "value");
    push(L, pack(L));
    lua_setglobal(L, "copy");
    run(L, code, 0);
}

static void scalars_come_back_the_same(void **state)
{
    static const char *const values[] = {
        "return true",
        "return false",
        "return 0",
        "return -1",
        "return 63",
        "return 64",
        "return -65",
        "return 1 << 62",
        "return math.maxinteger",
        "return math.mininteger",
        "return 1.0",
        "return 0.1",
        "return 1 / 0",
        "return -1 / 0",
        "return 2.0 ^ 63",
        "return ''",
        "return '\\0a\\0'",
        "return ('x'):rep(3000000)",
        "return null",
    };
    size_t i;

    for (i = 0; i < sizeof(values) / sizeof(*values); i++)
        assert_copied(*state, values[i],
                      "assert(value == copy, tostring(value))\n"
                      "assert(math.type(value) == math.type(copy))");
    assert_copied(*state, "return 0 / 0", "assert(copy ~= copy)");
    assert_copied(*state, "return -0.0", "assert(1 / copy == -1 / 0)");
}

static void tables_are_copied_deep(void **state)
{
    static const char same[] =
        "local function same(a, b)\n"
        "  if type(a) ~= 'table' then\n"
        "    return a == b and math.type(a) == math.type(b)\n"
        "  end\n"
        "  if rawequal(a, b) then return false end\n"
        "  for k, v in next, a do if not same(v, b[k]) then return false end "
        "end\n"
        "  for k in next, b do if a[k] == nil then return false end end\n"
        "  return true\n"
        "end\n"
        "assert(same(value, copy))";
    static const char *const values[] = {
        "return {}",
        "return {1, 2.5, 'three', true, false, null}",
        "return {[1] = 'a', [3] = 'c', [10] = 'j'}",
        "return {[0] = 0, [-1] = -1, [math.mininteger] = 1, [1.5] = 2}",
        "return {a = {b = {c = {}}}, [true] = 1, [false] = 2}",
        "return {{}, {{}}, {{{}}}, x = {y = 1}}",
        "local t = {} for i = 1, 5000 do t[i], t[-i] = i, {i} end return t",
        "local t = {} for i = 100, 1, -1 do t[i] = i end return t",
        "local t = {} for _ = 1, 99 do t = {t} end return t",
    };
    size_t i;

    for (i = 0; i < sizeof(values) / sizeof(*values); i++)
        assert_copied(*state, values[i], same);
}

static void a_table_in_two_places_becomes_two(void **state)
{
    assert_copied(*state, "local t = {1} return {t, t}",
                  "assert(copy[1][1] == 1 and copy[2][1] == 1)\n"
                  "assert(copy[1] ~= copy[2])");
}

static void no_metamethod_runs_and_only_arrays_keep_their_mark(void **state)
{
    assert_copied(*state,
                  "local mt = {__index = error, __newindex = error,\n"
                  "  __len = error, __pairs = error}\n"
                  "return setmetatable({1, a = 2}, mt)",
                  "assert(getmetatable(copy) == nil)\n"
                  "assert(copy[1] == 1 and copy.a == 2)");
    assert_copied(*state, "return {setmetatable({}, array), {}}",
                  "assert(getmetatable(copy[1]) == array)\n"
                  "assert(getmetatable(copy[2]) == nil)");
}

static void another_state_can_push_it(void **state)
{
    void *other;

    open_state(&other);
    run(*state, "return {name = 'Ada', list = {1, 2}, none = null}", 1);
    push(other, pack(*state));
    lua_setglobal(other, "copy");
    run(other,
        "assert(copy.name == 'Ada' and #copy.list == 2)\n"
        "assert(copy.none == null)",
        0);
    close_state(&other);
}

static void refusals_name_the_path(void **state)
{
    static const char *const cases[][2] = {
        {"return print", "a function cannot be shared"},
        {"return io.stdout", "a userdata cannot be shared"},
        {"return coroutine.create(print)", "a thread cannot be shared"},
        {"return {users = {{}, {}, {call = print}}}",
         ".users[3].call: a function cannot be shared"},
        {"return {[7] = {['a b'] = io.stdout}}",
         "[7][\"a b\"]: a userdata cannot be shared"},
        {"return {[true] = {[1.5] = print}}",
         "[true][1.5]: a function cannot be shared"},
        {"return {a = {[{}] = 1}}", ".a: a table as a key cannot be shared"},
        {"return {[print] = 1}", "a function as a key cannot be shared"},
        {"local t = {} t.a = {t} return t",
         ".a[1]: a table that contains itself cannot be shared"},
        {"local t = {} t[1] = t return t",
         "[1]: a table that contains itself cannot be shared"},
        {"local t = {} t[t] = t return t", "a table as a key cannot be shared"},
        {"return {[('k'):rep(100)] = print}",
         "[\"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk...\"]"
         ": "
         "a function cannot be shared"},
    };
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_refused(*state, cases[i][0], cases[i][1]);
    assert_int_equal(lua_gettop(*state), 0);
}

static void nesting_has_a_limit(void **state)
{
    lua_State *L = *state;
    const char *message;

    lua_pushcfunction(L, pack_first);
    run(L, "local t = {} for _ = 1, 100 do t = {t} end return t", 1);
    assert_int_equal(lua_pcall(L, 1, 0, 0), LUA_ERRRUN);
    message = lua_tostring(L, -1);
    assert_non_null(strstr(message, "[1][1]: a table nested more than 100 "
                                    "levels deep cannot be shared"));
    lua_pop(L, 1);
    lua_pushcfunction(L, pack_first);
    run(L, "local t = {} for _ = 1, 1000000 do t = {a = t} end return t", 1);
    assert_int_equal(lua_pcall(L, 1, 0, 0), LUA_ERRRUN);
    lua_pop(L, 1);
}

/* Keeps `data` as large as it is, so that no read goes beyond `len`. */
static bool push_copy(lua_State *L, const char *data, size_t len)
{
    char *exact = malloc(len ? len : 1);
    int top = lua_gettop(L);
    bool pushed;

    memcpy(exact, data, len);
    pushed = tg_value_push(L, exact, len);
    assert_int_equal(lua_gettop(L), top + pushed);
    lua_settop(L, top);
    free(exact);
    return pushed;
}

static void what_is_cut_short_is_refused(void **state)
{
    struct packed packed;
    size_t len;

    run(*state,
        "return {1, 2.5, 'three', {a = {b = null}, [true] = 'x'}, 1 << 40}", 1);
    packed = pack(*state);
    for (len = 0; len < packed.len; len++)
        assert_false(push_copy(*state, packed.data, len));
    assert_true(push_copy(*state, packed.data, packed.len));
    free(packed.data);
}

static void any_bytes_are_read_within_their_length(void **state)
{
    struct packed packed;
    uint32_t seed = 1;
    int i;

    run(*state, "return {1, 2.5, 'three', {a = {null}, [true] = 'x'}, -9}", 1);
    packed = pack(*state);
    for (i = 0; i < 50000; i++) {
        char *data = malloc(packed.len);
        int flips;

        memcpy(data, packed.data, packed.len);
        for (flips = 0; flips <= i % 4; flips++) {
            seed = seed * 1664525 + 1013904223;
            data[(seed >> 8) % packed.len] = (char)(seed >> 24);
        }
        push_copy(*state, data, packed.len);
        free(data);
    }
    free(packed.data);
}

static void malformed_bytes_are_refused(void **state)
{
    static const struct {
        const char *data;
        size_t len;
    } cases[] = {
#define BYTES(text) {(text), sizeof(text) - 1}
        BYTES(""),
        BYTES("\x00"),     /* END alone */
        BYTES("\x08"),     /* no tag */
        BYTES("\xff"),     /* no tag */
        BYTES("\x01\x01"), /* something behind it */
        BYTES("\x03"),     /* no integer */
        BYTES("\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
        BYTES("\x04\x00\x00\x00"), /* half a float */
        BYTES("\x05\x05"
              "abc"), /* too short a string */
        BYTES("\x05\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
              "abc"),
        BYTES("\x07\x00\xff\xff\xff\xff\x07\xff"), /* many, but none */
        BYTES("\x07\x00\x00\x00\x00\x06\x01\x00"), /* null as a key */
        BYTES("\x07\x00\x00\x00\x00"
              "\x04\x00\x00\x00\x00\x00\x00\xf8\x7f\x01\x00"), /* nan, too */
#undef BYTES
    };
    char deep[5 * 200];
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_false(push_copy(*state, cases[i].data, cases[i].len));
    for (i = 0; i < sizeof(deep); i += 4)
        memcpy(deep + i, "\x07\x00\x00\x00", 4);
    assert_false(push_copy(*state, deep, sizeof(deep)));
}

/* --- memory --- */

struct purse {
    long left; /* allocations; below 0 there is no limit */
    long bytes;
};

static void *spend(void *ud, void *block, size_t old, size_t size)
{
    struct purse *purse = ud;

    if (size > 0 && (!block || size > old) && purse->left >= 0 &&
        purse->left-- == 0) {
        purse->left = 0;
        return NULL;
    }
    purse->bytes += (long)size - (block ? (long)old : 0);
    if (size > 0)
        return realloc(block, size);
    free(block);
    return NULL;
}

static int pack_and_push(lua_State *L)
{
    size_t len;
    const char *data = tg_value_pack(L, 1, &len);
    char *copy = lua_newuserdatauv(L, len, 0);

    /* The userdata may have run a finalizer, but none of ours packs. */
    memcpy(copy, data, len);
    lua_pushboolean(L, tg_value_push(L, copy, len));
    return 1;
}

static void every_lack_of_memory_is_a_lua_error(void **state)
{
    struct purse purse = {-1, 0};
    lua_State *L = lua_newstate(spend, &purse);
    long limit;
    int status;

    (void)state;
    luaL_openlibs(L);
    run(L,
        "t = {} for i = 1, 300 do t[i] = {('x'):rep(i), k = i, [i / 4] = 2} "
        "end",
        0);
    for (limit = 0;; limit++) {
        lua_pushcfunction(L, pack_and_push);
        lua_getglobal(L, "t");
        purse.left = limit;
        status = lua_pcall(L, 1, 1, 0);
        purse.left = -1;
        if (status == LUA_OK)
            break;
        lua_pop(L, 1);
        lua_gc(L, LUA_GCCOLLECT, 0);
    }
    assert_true(limit > 5);
    assert_true(lua_toboolean(L, -1));
    lua_close(L);
    assert_int_equal(purse.bytes, 0);
}

/* What has a finalizer first is finalized last: after the buffer. */
static void a_closing_state_packs_no_more(void **state)
{
    lua_State *L = luaL_newstate();

    (void)state;
    luaL_openlibs(L);
    lua_pushcfunction(L, pack_first);
    lua_setglobal(L, "pack");
    run(L,
        "setmetatable({}, {__gc = function() pcall(pack, {('x'):rep(999)}) "
        "end})\n"
        "pack({1})",
        0);
    lua_close(L);
}

#define WITH_STATE(test)                                                       \
    cmocka_unit_test_setup_teardown(test, open_state, close_state)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STATE(scalars_come_back_the_same),
        WITH_STATE(tables_are_copied_deep),
        WITH_STATE(a_table_in_two_places_becomes_two),
        WITH_STATE(no_metamethod_runs_and_only_arrays_keep_their_mark),
        WITH_STATE(another_state_can_push_it),
        WITH_STATE(refusals_name_the_path),
        WITH_STATE(nesting_has_a_limit),
        WITH_STATE(what_is_cut_short_is_refused),
        WITH_STATE(any_bytes_are_read_within_their_length),
        WITH_STATE(malformed_bytes_are_refused),
        cmocka_unit_test(every_lack_of_memory_is_a_lua_error),
        cmocka_unit_test(a_closing_state_packs_no_more),
    };

    return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
