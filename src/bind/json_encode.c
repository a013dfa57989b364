// SPDX-License-Identifier: MIT
/*
 * The encoder: one walk over the value, written into one growing buffer.
 *
 * The walk makes no Lua object, so nothing can start the collector, whose
 * finalizers might encode too.
 */
#include <lauxlib.h>
#include <math.h>
#include <stdarg.h>

#include "bind/json.h"
#include "bind/json_buffer.h"
#include "bind/json_codec.h"
#include "bind/json_keys.h"
#include "bind/json_path.h"

struct encoder {
    lua_State *L;
    struct tg_json_buffer *buffer;
    char *at, *end; /* in the buffer */
    size_t keys_len;
    size_t sorted_at, sorted; /* where the keys of the last object are that was
                                 sorted, and how many */
    struct tg_json_style style;
};

/* --- writing --- */

static void grow(struct encoder *e, size_t more)
{
    size_t len = (size_t)(e->at - e->buffer->data);

    tg_json_buffer_grow(e->L, e->buffer, len, more);
    e->at = e->buffer->data + len;
    e->end = e->buffer->data + e->buffer->cap;
}

static inline char *room(struct encoder *e, size_t len)
{
    if ((size_t)(e->end - e->at) < len)
        grow(e, len);
    return e->at;
}

static inline void add_char(struct encoder *e, char c)
{
    *room(e, 1) = c;
    e->at++;
}

static inline void add(struct encoder *e, const char *text, size_t len)
{
    memcpy(room(e, len), text, len);
    e->at += len;
}

/* Starts a line at `depth`, if the text is indented at all. */
static inline void add_line(struct encoder *e, int depth)
{
    if (e->style.indent) {
        size_t len = 1 + (size_t)(depth * e->style.indent);
        char *at = room(e, len);

        memset(at, ' ', len);
        *at = '\n';
        e->at += len;
    }
}

/* --- refusing --- */

/* Raises what is wrong with the value at `step`; NULL is the whole value. */
static void refuse(struct encoder *e, const struct tg_json_step *step,
                   const char *format, ...)
{
    const char *problem;
    va_list args;

    luaL_checkstack(e->L, LUA_MINSTACK, "cannot encode the value");
    va_start(args, format);
    problem = lua_pushvfstring(e->L, format, args);
    va_end(args);
    tg_json_push_path(e->L, step);
    luaL_error(e->L, "cannot encode %s: %s",
               step ? lua_tostring(e->L, -1) : "the value", problem);
}

/* --- values --- */

/* Adds the value at an index of the stack, an absolute one. */
static void add_value(struct encoder *e, int value,
                      const struct tg_json_step *step);

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

/* Adds the rest of a string, behind which is its quote; returns false if it is
 * not UTF-8. */
static bool add_rest(struct encoder *e, const char *text, const char *end)
{
    char *at = room(e, (size_t)(end - text) + 1);

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
        e->at = at;
        at = room(e, (size_t)(end - text) + 7);
        at = put_escape(at, (unsigned char)*text++);
    }
    *at++ = '"';
    e->at = at;
    return true;
}

/* Adds a string with its quotes; returns false if it is not UTF-8. */
static inline bool add_string(struct encoder *e, const char *text, size_t len)
{
    char *at = room(e, len + 2);
    size_t plain;

    *at++ = '"';
    plain = tg_json_copy_plain(at, text, len);
    e->at = at + plain;
    if (plain < len)
        return add_rest(e, text + plain, text + len);
    *e->at++ = '"';
    return true;
}

static void add_number(struct encoder *e, int value,
                       const struct tg_json_step *step)
{
    char *at = room(e, TG_JSON_NUMBER);
    lua_Number real;

    if (lua_isinteger(e->L, value)) {
        e->at = tg_json_print_integer(at, lua_tointeger(e->L, value));
        return;
    }
    real = lua_tonumber(e->L, value);
    if (isnan(real))
        refuse(e, step, "nan has no form in JSON");
    if (isinf(real))
        refuse(e, step, "infinity has no form in JSON");
    e->at = tg_json_print_float(at, real);
}

/* --- tables: a step of the walk has its key and value on top --- */

/* Raises what is wrong with the key below the top. */
static void refuse_key(struct encoder *e, struct tg_json_step *step,
                       bool in_array)
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
static lua_Integer check_array(struct encoder *e, int table,
                               struct tg_json_step *step)
{
    lua_State *L = e->L;
    lua_Integer count = 0, last = 0;

    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1), count++) {
        if (!lua_isinteger(L, -2) || lua_tointeger(L, -2) < 1)
            refuse_key(e, step, true);
        if (lua_tointeger(L, -2) > last)
            last = lua_tointeger(L, -2);
    }
    if (last > count) {
        for (step->index = 1; lua_rawgeti(L, table, step->index); step->index++)
            lua_pop(L, 1);
        refuse(e, step, "an array has no gaps");
    }
    return count;
}

/* The item is on top. */
static void add_item(struct encoder *e, int value, struct tg_json_step *step,
                     lua_Integer i)
{
    add_char(e, i == 1 ? '[' : ',');
    add_line(e, step->depth);
    step->index = i;
    add_value(e, value, step);
    lua_pop(e->L, 1);
}

/* Items usually come in order; from the first that does not on they are looked
 * up, once it is clear that they are all there.  Only a walk of the whole table
 * tells: names and gaps may come before the last item. */
static void add_array(struct encoder *e, int table, struct tg_json_step *step)
{
    lua_State *L = e->L;
    lua_Integer i = 1, count;
    bool more = true;

    for (; more && lua_isinteger(L, table + 1) &&
           lua_tointeger(L, table + 1) == i;
         i++) {
        add_item(e, table + 2, step, i);
        more = lua_next(L, table);
    }
    if (more) {
        lua_pop(L, 2);
        for (count = check_array(e, table, step); i <= count; i++) {
            lua_rawgeti(L, table, i);
            add_item(e, table + 1, step, i);
        }
    }
    add_line(e, step->depth - 1);
    add_char(e, ']');
}

/* Adds the value with the step's key. */
static void add_member(struct encoder *e, int value, struct tg_json_step *step,
                       char c)
{
    add_char(e, c);
    add_line(e, step->depth);
    if (!add_string(e, step->key, step->len))
        refuse(e, step, "the key is not UTF-8");
    add_char(e, ':');
    if (e->style.indent)
        add_char(e, ' ');
    add_value(e, value, step);
}

/* Leaves the values of the table on the stack, from `table` + 1 on, and a
 * description of each key in the buffer.  The keys live: the table has them. */
static size_t push_values(struct encoder *e, int table,
                          struct tg_json_step *step)
{
    struct tg_json_buffer *buffer = e->buffer;
    lua_State *L = e->L;
    int place = 0;
    size_t len;

    do {
        const char *text;

        if (lua_type(L, -2) != LUA_TSTRING)
            refuse_key(e, step, false);
        if (e->keys_len == buffer->keys_cap)
            tg_json_buffer_grow_keys(L, buffer);
        text = lua_tolstring(L, -2, &len);
        buffer->keys[e->keys_len++] =
            tg_json_key(lua_topointer(L, -2), text, len, place++);
        if (place % (LUA_MINSTACK / 4) == 0)
            luaL_checkstack(L, LUA_MINSTACK, "too many keys to sort");
        lua_insert(L, -2); /* the value below its key */
    } while (lua_next(L, table));
    return (size_t)place;
}

/* The same, if the keys are those of the object that was sorted last and come
 * in the same order: then they are described and sorted already.  Otherwise
 * the walk is at its first member again. */
static bool push_alike(struct encoder *e, int table)
{
    const struct tg_json_key *keys = e->buffer->keys + e->keys_len;
    lua_State *L = e->L;
    bool more = true;
    size_t i = 0;

    while (more && i < e->sorted &&
           lua_topointer(L, -2) == keys[keys[i].rank].string) {
        if (++i % (LUA_MINSTACK / 4) == 0)
            luaL_checkstack(L, LUA_MINSTACK, "too many keys to sort");
        lua_insert(L, -2);
        more = lua_next(L, table);
    }
    if (!more && i == e->sorted)
        return true;
    lua_settop(L, table);
    lua_pushnil(L);
    lua_next(L, table);
    return false;
}

static void add_sorted(struct encoder *e, int table, struct tg_json_step *step)
{
    size_t first = e->keys_len, i, count;

    if (e->sorted_at == first && push_alike(e, table)) {
        count = e->sorted;
        e->keys_len += count;
    } else {
        count = push_values(e, table, step);
        tg_json_keys_sort(e->buffer->keys + first, count);
    }
    for (i = 0; i < count; i++) {
        struct tg_json_key *key = &e->buffer->keys[first + i];

        step->key = key->text;
        step->len = key->len;
        add_member(e, table + 1 + key->place, step, i ? ',' : '{');
    }
    e->keys_len = e->sorted_at = first;
    e->sorted = count;
    lua_settop(e->L, table);
}

static void add_unsorted(struct encoder *e, int table,
                         struct tg_json_step *step)
{
    lua_State *L = e->L;
    char c = '{';

    do {
        if (lua_type(L, table + 1) != LUA_TSTRING)
            refuse_key(e, step, false);
        step->key = lua_tolstring(L, table + 1, &step->len);
        add_member(e, table + 2, step, c);
        lua_pop(L, 1);
        c = ',';
    } while (lua_next(L, table));
}

static void add_object(struct encoder *e, int table, struct tg_json_step *step)
{
    if (e->style.sort)
        add_sorted(e, table, step);
    else
        add_unsorted(e, table, step);
    add_line(e, step->depth - 1);
    add_char(e, '}');
}

static void add_table(struct encoder *e, int value,
                      const struct tg_json_step *up)
{
    struct tg_json_step step = {.up = up, .depth = up ? up->depth + 1 : 1};
    lua_State *L = e->L;
    bool marked = false;
    int table;

    if (step.depth > TG_JSON_DEPTH)
        refuse(e, up, "nested deeper than %d levels", TG_JSON_DEPTH);
    luaL_checkstack(L, LUA_MINSTACK, "cannot encode the value");
    if (lua_getmetatable(L, value)) {
        marked = lua_topointer(L, -1) == e->buffer->array;
        lua_pop(L, 1);
    }
    lua_pushvalue(L, value);
    table = lua_gettop(L);
    lua_pushnil(L);
    if (!lua_next(L, table))
        add(e, marked ? "[]" : "{}", 2);
    else if (lua_type(L, table + 1) == LUA_TSTRING && !marked)
        add_object(e, table, &step);
    else
        add_array(e, table, &step);
    lua_settop(L, table - 1);
}

static void add_value(struct encoder *e, int value,
                      const struct tg_json_step *step)
{
    lua_State *L = e->L;
    const char *text;
    size_t len;

    switch (lua_type(L, value)) {
    case LUA_TSTRING:
        text = lua_tolstring(L, value, &len);
        if (!add_string(e, text, len))
            refuse(e, step, "the string is not UTF-8");
        return;
    case LUA_TNUMBER:
        add_number(e, value, step);
        return;
    case LUA_TTABLE:
        add_table(e, value, step);
        return;
    case LUA_TBOOLEAN:
        if (lua_toboolean(L, value))
            add(e, "true", 4);
        else
            add(e, "false", 5);
        return;
    default:
        if (!lua_isnil(L, value) && !tg_json_is_null(L, value))
            refuse(e, step, "a %s has no form in JSON",
                   luaL_typename(L, value));
        add(e, "null", 4);
    }
}

/* --- the whole --- */

const char *tg_json_encode_styled(lua_State *L, int index,
                                  const struct tg_json_style *style,
                                  size_t *len)
{
    struct encoder e = {.L = L, .style = *style, .sorted_at = SIZE_MAX};

    index = lua_absindex(L, index);
    luaL_checkstack(L, LUA_MINSTACK, "cannot encode the value");
    e.buffer = tg_json_buffer_get(L);
    e.at = e.buffer->data;
    e.end = e.at + e.buffer->cap;
    add_value(&e, index, NULL);
    *len = (size_t)(e.at - e.buffer->data);
    return e.buffer->data;
}

const char *tg_json_encode(lua_State *L, int index, size_t *len)
{
    static const struct tg_json_style sorted = {.sort = true};

    return tg_json_encode_styled(L, index, &sorted, len);
}
