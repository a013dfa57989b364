// SPDX-License-Identifier: MIT
/*
 * The encoder: one walk over the value, written into one growing buffer.
 *
 * The walk makes no Lua object, so nothing can start the collector, whose
 * finalizers might encode too.
 */
#include <ctype.h>
#include <lauxlib.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

#include "bind/json.h"
#include "bind/json_buffer.h"
#include "bind/json_codec.h"

struct encoder {
    lua_State *L;
    struct tg_json_buffer *buffer;
    size_t len, keys_len;
    struct tg_json_style style;
};

/* Where the walk is: the member of a table, and the step to that table. */
struct step {
    const struct step *up;
    const char *key; /* NULL in an array */
    size_t len;
    lua_Integer index;
    int depth;
};

/* --- writing --- */

static inline char *room(struct encoder *e, size_t len)
{
    if (e->buffer->cap - e->len < len)
        tg_json_buffer_grow(e->L, e->buffer, e->len, len);
    return e->buffer->data + e->len;
}

static inline void wrote(struct encoder *e, const char *end)
{
    e->len = (size_t)(end - e->buffer->data);
}

static inline void add_char(struct encoder *e, char c)
{
    *room(e, 1) = c;
    e->len++;
}

static void add(struct encoder *e, const char *text, size_t len)
{
    memcpy(room(e, len), text, len);
    e->len += len;
}

/* Starts a line at `depth`, if the text is indented at all. */
static inline void add_line(struct encoder *e, int depth)
{
    if (e->style.indent) {
        size_t len = 1 + (size_t)(depth * e->style.indent);
        char *at = room(e, len);

        memset(at, ' ', len);
        *at = '\n';
        e->len += len;
    }
}

/* --- refusing --- */

static bool is_name(const char *text, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++)
        if (!isalnum((unsigned char)text[i]) && text[i] != '_')
            return false;
    return len > 0 && !isdigit((unsigned char)*text);
}

static void add_quoted(luaL_Buffer *text, const char *key, size_t len)
{
    size_t i;

    for (i = 0; i < len && i < 60; i++) {
        unsigned char c = (unsigned char)key[i];

        luaL_addchar(text, c < 0x20 || c > 0x7e || c == '"' ? '?' : key[i]);
    }
    if (i < len)
        luaL_addstring(text, "...");
}

/* Adds the path to `step`: `.users[3].name`; the middle of a long one is left
 * out. */
static void add_path(luaL_Buffer *text, const struct step *step, int depth)
{
    char number[TG_JSON_NUMBER];

    if (!step)
        return;
    add_path(text, step->up, depth);
    if (depth > 20 && 10 < step->depth && step->depth <= depth - 5) {
        if (step->depth == 11)
            luaL_addstring(text, "...");
    } else if (!step->key) {
        luaL_addchar(text, '[');
        luaL_addlstring(
            text, number,
            (size_t)(tg_json_print_integer(number, step->index) - number));
        luaL_addchar(text, ']');
    } else {
        bool name = is_name(step->key, step->len);

        luaL_addstring(text, name ? "." : "[\"");
        add_quoted(text, step->key, step->len);
        luaL_addstring(text, name ? "" : "\"]");
    }
}

/* Raises what is wrong with the value at `step`; NULL is the whole value. */
static void refuse(struct encoder *e, const struct step *step,
                   const char *format, ...)
{
    const char *problem;
    luaL_Buffer path;
    va_list args;

    luaL_checkstack(e->L, LUA_MINSTACK, "cannot encode the value");
    va_start(args, format);
    problem = lua_pushvfstring(e->L, format, args);
    va_end(args);
    luaL_buffinit(e->L, &path);
    add_path(&path, step, step ? step->depth : 0);
    luaL_pushresult(&path);
    luaL_error(e->L, "cannot encode %s: %s",
               step ? lua_tostring(e->L, -1) : "the value", problem);
}

/* --- values --- */

static void add_value(struct encoder *e, const struct step *step);

static char *put_escape(char *at, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    static const char shorts[] = "uuuuuuuubtnufruuuuuuuuuuuuuuuuuu";
    char letter = c < 0x20 ? shorts[c] : (char)c;

    *at++ = '\\';
    *at++ = letter;
    if (letter == 'u') {
        memcpy(at, "00", 2);
        at[2] = digits[c >> 4];
        at[3] = digits[c & 15];
        at += 4;
    }
    return at;
}

/* Adds a string with its quotes; returns false if it is not UTF-8. */
static bool add_string(struct encoder *e, const char *text, size_t len)
{
    const char *end = text + len;
    char *at = room(e, len + 2);

    *at++ = '"';
    for (;;) {
        const char *run = text;

        text = tg_json_skip_plain(text, end);
        while (text < end && (unsigned char)*text >= 0x80) {
            size_t size = tg_json_utf8(text, end);

            if (!size)
                return false;
            text += size;
        }
        memcpy(at, run, (size_t)(text - run));
        at += text - run;
        if (text == end)
            break;
        if ((unsigned char)*text >= 0x20 && *text != '"' && *text != '\\')
            continue;
        wrote(e, at);
        at = room(e, (size_t)(end - text) + 7);
        at = put_escape(at, (unsigned char)*text++);
    }
    *at++ = '"';
    wrote(e, at);
    return true;
}

static void add_number(struct encoder *e, const struct step *step)
{
    char *at = room(e, TG_JSON_NUMBER);
    lua_Number real;

    if (lua_isinteger(e->L, -1)) {
        wrote(e, tg_json_print_integer(at, lua_tointeger(e->L, -1)));
        return;
    }
    real = lua_tonumber(e->L, -1);
    if (isnan(real))
        refuse(e, step, "nan has no form in JSON");
    if (isinf(real))
        refuse(e, step, "infinity has no form in JSON");
    wrote(e, tg_json_print_float(at, real));
}

/* --- tables: on top of the stack, or below a key and its value --- */

/* Raises what is wrong with the key below the top. */
static void refuse_key(struct encoder *e, struct step *step, bool in_array)
{
    lua_State *L = e->L;

    if (lua_type(L, -2) == LUA_TSTRING) {
        step->key = lua_tolstring(L, -2, &step->len);
        refuse(e, step, "an array has no names");
    }
    if (lua_isinteger(L, -2)) {
        step->key = NULL;
        step->index = lua_tointeger(L, -2);
        refuse(e, step,
               in_array ? "an array has indexes from 1 on"
                        : "an object has no indexes");
    }
    refuse(e, step->up, "a table with a %s as a key", luaL_typename(L, -2));
}

/* Returns how many items an array has whose keys come in any order. */
static lua_Integer check_array(struct encoder *e, struct step *step)
{
    lua_State *L = e->L;
    lua_Integer count = 0, last = 0;

    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1), count++) {
        if (!lua_isinteger(L, -2) || lua_tointeger(L, -2) < 1)
            refuse_key(e, step, true);
        if (lua_tointeger(L, -2) > last)
            last = lua_tointeger(L, -2);
    }
    if (last > count) {
        for (step->index = 1; lua_rawgeti(L, -1, step->index); step->index++)
            lua_pop(L, 1);
        refuse(e, step, "an array has no gaps");
    }
    return count;
}

static void add_item(struct encoder *e, struct step *step, lua_Integer i)
{
    add_char(e, i == 1 ? '[' : ',');
    add_line(e, step->depth);
    step->index = i;
    add_value(e, step);
    lua_pop(e->L, 1);
}

/* Items usually come in order; from the first that does not on they are looked
 * up, once it is clear that they are all there. */
static void add_array(struct encoder *e, struct step *step)
{
    lua_State *L = e->L;
    lua_Integer i = 1, count;
    bool more = true;

    for (; more && lua_isinteger(L, -2) && lua_tointeger(L, -2) == i; i++) {
        add_item(e, step, i);
        more = lua_next(L, -2);
    }
    if (more) {
        lua_pop(L, 2);
        for (count = check_array(e, step); i <= count; i++) {
            lua_rawgeti(L, -1, i);
            add_item(e, step, i);
        }
    }
    add_line(e, step->depth - 1);
    add_char(e, ']');
}

/* Adds the key below the top and the value there. */
static void add_member(struct encoder *e, struct step *step, char c)
{
    lua_State *L = e->L;

    if (lua_type(L, -2) != LUA_TSTRING)
        refuse_key(e, step, false);
    step->key = lua_tolstring(L, -2, &step->len);
    add_char(e, c);
    add_line(e, step->depth);
    if (!add_string(e, step->key, step->len))
        refuse(e, step, "the key is not UTF-8");
    add_char(e, ':');
    if (e->style.indent)
        add_char(e, ' ');
    add_value(e, step);
}

static int compare_keys(const void *a, const void *b)
{
    const struct tg_json_key *x = a, *y = b;
    size_t len = x->len < y->len ? x->len : y->len;
    int order = memcmp(x->text, y->text, len);

    return order ? order : (x->len > y->len) - (x->len < y->len);
}

/* Leaves the keys of the table at `table` on the stack, and a description of
 * each in the buffer; there is a key and its value on top. */
static void push_keys(struct encoder *e, struct step *step, int table)
{
    struct tg_json_buffer *buffer = e->buffer;
    lua_State *L = e->L;

    do {
        struct tg_json_key *key;

        if (lua_type(L, -2) != LUA_TSTRING)
            refuse_key(e, step, false);
        if (e->keys_len == buffer->keys_cap)
            tg_json_buffer_grow_keys(L, buffer);
        lua_pop(L, 1);
        key = &buffer->keys[e->keys_len++];
        key->text = lua_tolstring(L, -1, &key->len);
        key->slot = lua_gettop(L);
        luaL_checkstack(L, LUA_MINSTACK, "too many keys to sort");
        lua_pushvalue(L, -1);
    } while (lua_next(L, table));
}

static void add_sorted(struct encoder *e, struct step *step)
{
    lua_State *L = e->L;
    int table = lua_gettop(L) - 2;
    size_t first = e->keys_len, i, count;

    push_keys(e, step, table);
    count = e->keys_len - first;
    qsort(e->buffer->keys + first, count, sizeof(struct tg_json_key),
          compare_keys);
    for (i = 0; i < count; i++) {
        lua_pushvalue(L, e->buffer->keys[first + i].slot);
        lua_pushvalue(L, -1);
        lua_rawget(L, table);
        add_member(e, step, i ? ',' : '{');
        lua_pop(L, 2);
    }
    e->keys_len = first;
    lua_settop(L, table);
}

static void add_object(struct encoder *e, struct step *step)
{
    char c = '{';

    if (e->style.sort) {
        add_sorted(e, step);
    } else {
        do {
            add_member(e, step, c);
            lua_pop(e->L, 1);
            c = ',';
        } while (lua_next(e->L, -2));
    }
    add_line(e, step->depth - 1);
    add_char(e, '}');
}

static void add_table(struct encoder *e, const struct step *up)
{
    struct step step = {.up = up, .depth = up ? up->depth + 1 : 1};
    lua_State *L = e->L;
    bool marked = false;

    if (step.depth > TG_JSON_DEPTH)
        refuse(e, up, "nested deeper than %d levels", TG_JSON_DEPTH);
    luaL_checkstack(L, LUA_MINSTACK, "cannot encode the value");
    if (lua_getmetatable(L, -1)) {
        marked = lua_topointer(L, -1) == e->buffer->array;
        lua_pop(L, 1);
    }
    lua_pushnil(L);
    if (!lua_next(L, -2))
        add(e, marked ? "[]" : "{}", 2);
    else if (lua_type(L, -2) == LUA_TSTRING && !marked)
        add_object(e, &step);
    else
        add_array(e, &step);
}

static void add_value(struct encoder *e, const struct step *step)
{
    lua_State *L = e->L;
    const char *text;
    size_t len;

    switch (lua_type(L, -1)) {
    case LUA_TSTRING:
        text = lua_tolstring(L, -1, &len);
        if (!add_string(e, text, len))
            refuse(e, step, "the string is not UTF-8");
        return;
    case LUA_TNUMBER:
        add_number(e, step);
        return;
    case LUA_TTABLE:
        add_table(e, step);
        return;
    case LUA_TBOOLEAN:
        if (lua_toboolean(L, -1))
            add(e, "true", 4);
        else
            add(e, "false", 5);
        return;
    default:
        if (!lua_isnil(L, -1) && !tg_json_is_null(L, -1))
            refuse(e, step, "a %s has no form in JSON", luaL_typename(L, -1));
        add(e, "null", 4);
    }
}

/* --- the whole --- */

const char *tg_json_encode_styled(lua_State *L, int index,
                                  const struct tg_json_style *style,
                                  size_t *len)
{
    struct encoder e = {.L = L, .style = *style};

    index = lua_absindex(L, index);
    luaL_checkstack(L, LUA_MINSTACK, "cannot encode the value");
    e.buffer = tg_json_buffer_get(L);
    lua_pushvalue(L, index);
    add_value(&e, NULL);
    lua_pop(L, 1);
    *len = e.len;
    return e.buffer->data;
}

const char *tg_json_encode(lua_State *L, int index, size_t *len)
{
    static const struct tg_json_style sorted = {.sort = true};

    return tg_json_encode_styled(L, index, &sorted, len);
}
