// SPDX-License-Identifier: MIT
#include "script/settings.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>

#include "base/address.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/settings.h"
#include "base/trust.h"
#include "script/bundle.h"
#include "script/settings_tls.h"
#include "script/state.h"

/* Nobody watches what runs before there is a gateway: so it looks itself. */
enum {
    SECONDS_MOST = 5, /* unless --start-timeout says more, or less */
    BYTES_MOST = 512 << 20,
    LOOK_INSTRUCTIONS = 1000, /* each may be a call that takes its time, */
    GRACE = 2,                /* seconds; or one that does not return */
    WAIT_MOST = 1000000
};

struct reading {
    struct tg_settings *settings;
    struct tg_bundle_file *file;
    double until; /* tg_clock_now() */
};

/* Paths in the file are meant from the project's folder, whatever folder the
 * program was started in.  Pushes the text with the folder in front. */
static const char *push_anchored(lua_State *L,
                                 const struct tg_settings *settings,
                                 const char *name, const char *text)
{
    const char *root = settings->root ? settings->root : ".";

    if (strcmp(name, "listen") == 0 && strncmp(text, "unix:", 5) == 0 &&
        text[5] != '/')
        return lua_pushfstring(L, "unix:%s/%s", root, text + 5);
    if ((strcmp(name, "pid_file") == 0 ||
         (strcmp(name, "access_log") == 0 && strcmp(text, "-") != 0 &&
          strcmp(text, "off") != 0)) &&
        *text && *text != '/')
        return lua_pushfstring(L, "%s/%s", root, text);
    return lua_pushstring(L, text);
}

/* The list of tables that tidegate.settings makes of 'listen' is on top. */
static void take_listen(lua_State *L, struct tg_settings *settings)
{
    lua_Integer i, count = (lua_Integer)lua_rawlen(L, -1);

    for (i = 1; i <= count; i++) {
        struct tg_listen *listen;

        lua_rawgeti(L, -1, i);
        lua_getfield(L, -1, "address");
        listen = tg_settings_add_listen(
            settings,
            push_anchored(L, settings, "listen", lua_tostring(L, -1)));
        lua_getfield(L, -3, "proxy_protocol");
        listen->proxy_protocol = lua_toboolean(L, -1);
        lua_pop(L, 3);
        tg_settings_take_tls(L, listen, settings->root);
        lua_pop(L, 1);
    }
}

static void put(lua_State *L, struct tg_settings *settings,
                const struct tg_setting *setting)
{
    const char *text;
    int is_integer;
    lua_Integer whole = lua_tointegerx(L, -1, &is_integer);

    if (lua_type(L, -1) == LUA_TNUMBER && is_integer) /* 2^20 is 1048576.0 */
        lua_pushinteger(L, whole);
    else
        lua_pushvalue(L, -1);
    text = luaL_tolstring(L, -1, NULL);
    lua_replace(L, -2);
    text = push_anchored(L, settings, setting->name, text);
    lua_replace(L, -2);
    if (!tg_settings_put(settings, setting, text))
        luaL_error(L, "tidegate.lua: '%s' cannot be '%s'", setting->name, text);
    lua_pop(L, 1);
}

/* The table that tidegate.settings has checked is on top. */
static void take(lua_State *L, struct tg_settings *settings,
                 const struct tg_setting *setting)
{
    lua_Integer i, count;

    if (setting->kind == TG_SETTING_LISTEN)
        return; /* take_listen() does */
    if (lua_getfield(L, -1, setting->name) == LUA_TTABLE) {
        count = (lua_Integer)lua_rawlen(L, -1);
        for (i = 1; i <= count; i++) {
            lua_rawgeti(L, -1, i);
            put(L, settings, setting);
            lua_pop(L, 1);
        }
    } else if (!lua_isnil(L, -1)) {
        put(L, settings, setting);
    }
    lua_pop(L, 1);
}

static int read_settings(lua_State *L)
{
    struct reading *reading = lua_touserdata(L, 1);
    const struct tg_setting *setting;

    lua_getglobal(L, "require");
    lua_pushliteral(L, "tidegate.settings");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "load");
    lua_pushstring(L, reading->file->path);
    lua_pushlstring(L, reading->file->text, reading->file->len);
    lua_call(L, 2, 1);
    for (setting = tg_settings_table; setting->name; setting++)
        take(L, reading->settings, setting);
    lua_getfield(L, -2, "listeners");
    lua_pushvalue(L, -2);
    lua_call(L, 1, 1);
    take_listen(L, reading->settings);
    return 0;
}

static int is_trustee(lua_State *L)
{
    struct tg_trust trust = {0};

    lua_pushboolean(L, tg_trust_add(&trust, luaL_checkstring(L, 1)));
    return 1;
}

static int is_server(lua_State *L)
{
    struct tg_address address;

    lua_pushboolean(
        L, tg_address_parse_port(&address, luaL_checkstring(L, 1), 53));
    return 1;
}

static int open_trust(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"is_trustee", is_trustee}, {"is_server", is_server}, {NULL, NULL}};

    luaL_newlib(L, functions);
    return 1;
}

int tg_settings_open(lua_State *L)
{
    luaL_requiref(L, "tidegate.core.trust", open_trust, 0);
    return 0;
}

/* Coroutines have the hook of who makes them. */
static void look(lua_State *L, lua_Debug *at)
{
    const struct reading *reading = tg_state_of(L)->host;

    (void)at;
    if (tg_clock_now() >= reading->until)
        tg_turn_cut(L);
}

/* --- what does not come back from C --- */

static char verdict[512];

static void on_alarm(int number)
{
    (void)number;
    if (write(STDERR_FILENO, verdict, strlen(verdict)) < 0) {
        /* nobody reads it */
    }
    _exit(1);
}

static void set_alarm(const char *path, double seconds)
{
    struct sigaction action = {.sa_handler = on_alarm};
    unsigned whole = (unsigned)ceil(fmin(seconds, WAIT_MOST)) + GRACE;

    snprintf(verdict, sizeof(verdict),
             "tidegate: %s: a call has not returned for %u s\n", path, whole);
    sigaction(SIGALRM, &action, NULL);
    alarm(whole);
}

static void clear_alarm(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};

    alarm(0);
    sigaction(SIGALRM, &action, NULL);
}

/* Runs the file, which may be as wrong as a file can be. */
static char *run_file(struct reading *reading)
{
    double seconds = reading->settings->start_timeout;
    struct tg_state *state = tg_state_new(NULL, 0, 0);
    char *error, *trace;

    if (seconds < 0)
        seconds = SECONDS_MOST;
    reading->until = tg_clock_now() + seconds;
    state->host = reading;
    state->ceiling = BYTES_MOST;
    state->budget.milliseconds =
        seconds < 1e6 ? (unsigned)(seconds * 1000) : UINT_MAX;
    lua_sethook(state->L, look, LUA_MASKCOUNT, LOOK_INSTRUCTIONS);
    set_alarm(reading->file->path, seconds);
    error = tg_state_protect(state, read_settings, reading);
    tg_state_free(state);
    clear_alarm();
    trace = error ? strstr(error, "\nstack traceback") : NULL;
    if (trace)
        *trace = '\0'; /* of our own code: of no use here */
    return error;
}

char *tg_settings_read(struct tg_settings *settings, int must_exist)
{
    const char *config = settings->config ? settings->config : "tidegate.lua";
    const char *root = settings->root ? settings->root : ".";
    struct tg_bundle_file file = {0};
    struct reading reading = {settings, &file, 0};
    char *error = tg_bundle_read_settings(&file, root, config);

    if (!error && !file.text && must_exist)
        error = tg_strf("cannot read %s: %s", config, strerror(ENOENT));
    if (!error && file.text)
        error = run_file(&reading);
    tg_bundle_release_file(&file);
    return error;
}
