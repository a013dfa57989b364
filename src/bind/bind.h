// SPDX-License-Identifier: MIT
/*
 * The toolkit every binding is written with.
 *
 * A binding turns Lua arguments into one call of our C, and the outcome back
 * into Lua values.  It decides nothing.  Misuse raises; an expected failure
 * returns nil, message, code.
 */
#ifndef TG_BIND_BIND_H
#define TG_BIND_BIND_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

struct tg_app;
struct tg_buffer;
struct tg_exchange;
struct tg_headers;
struct tg_loop;

/* Makes metatable `name`.  `__index` is the methods, unless `metamethods` has
 * one of its own.  Leaves nothing. */
void tg_bind_class(lua_State *L, const char *name, const luaL_Reg *methods,
                   const luaL_Reg *metamethods);

/* Gives the value on top that metatable; `name` is the same by address. */
void tg_bind_set_class(lua_State *L, const char *name);

/* What runs `L`: its thread's loop.  Raises while handlers are loading, when
 * there is no loop yet. */
struct tg_loop *tg_bind_loop(lua_State *L);

/* Raises what tidegate.fail(status, message) raises. */
int tg_bind_fail(lua_State *L, int status, const char *message);

/* Raises at the caller's line unless the options at `index`, an absolute one,
 * are nil or a table with no keys but these, which end with a NULL. */
void tg_bind_options(lua_State *L, int index, const char *what,
                     const char *const *names);

/* The time at `index`, from 0 to 1e9; raises if it is none. */
double tg_bind_seconds(lua_State *L, int index);

/* Pushes what a wait gives whose time was over: nil, "timed out", "timeout". */
int tg_bind_timeout(lua_State *L);

/* Pushes a failure that lua/tidegate/failure.lua makes. */
void tg_bind_push_failure(lua_State *L, const char *maker);

/* Pushes the path at `index` as open(2) takes it: a relative one is below the
 * project's folder.  Raises if it is no path. */
const char *tg_bind_path(lua_State *L, int index);

/* Returns nil, "path: what is wrong", "ENOENT" or the like, for an -errno. */
int tg_bind_errno(lua_State *L, const char *path, int error);

/*
 * How Lua holds an exchange: with its serial number, since an object may be
 * kept longer than the exchange lives.  Requests, responses and their headers
 * begin with one.
 */
struct tg_handle {
    const char *class; /* by address: names are slow to compare */
    struct tg_exchange *x;
    uint64_t serial;
};

extern const char tg_request_class[], tg_response_class[];
#define TG_BUFFER "tidegate.buffer"

/* The exchange of the object at `index`; raises if it is over. */
struct tg_exchange *tg_bind_exchange(lua_State *L, int index,
                                     const char *class);

/* Pushes a handle of the class on the exchange: `size` bytes that begin with
 * it, and so many uservalues. */
void *tg_bind_push(lua_State *L, const char *class, struct tg_exchange *x,
                   size_t size, int nuservalues);

/* Uservalues of a request; from TG_REQUEST_TABLES on its table fields. */
enum {
    TG_REQUEST_PARAMS = 1,
    TG_REQUEST_ROUTE,
    TG_REQUEST_TEXT,
    TG_REQUEST_FORM,
    TG_REQUEST_TABLES
};

/* What a route, a table that app.lua made, has by number. */
enum {
    TG_ROUTE_PATH = 1,
    TG_ROUTE_BODY_LIMIT,
    TG_ROUTE_WAIT, /* this and the next two may be false */
    TG_ROUTE_TIME,
    TG_ROUTE_MEMORY,
    TG_ROUTE_ENTRIES /* by method: what to run, does it take the response? */
};

void tg_request_push(lua_State *L, struct tg_exchange *x);
void tg_response_push(lua_State *L, struct tg_exchange *x);
void tg_request_push_path(lua_State *L, struct tg_exchange *x);
void tg_request_push_host(lua_State *L, struct tg_exchange *x);
void tg_request_push_tls(lua_State *L, struct tg_exchange *x);

/* Header objects of the exchange whose request or response is at `index`. */
void tg_headers_push(lua_State *L, struct tg_exchange *x, bool of_response);

/* Pushes a headers object that belongs to no exchange; it owns what is to be
 * put into the result. */
struct tg_headers *tg_headers_push_own(lua_State *L);

/* Adds `value`, a string, number or list of them, to the response's fields;
 * raises at the caller's line if HTTP cannot carry it. */
void tg_headers_set(lua_State *L, struct tg_exchange *x, int name, int value);

/* The buffer at `index`, or NULL if it is something else. */
struct tg_buffer *tg_buffer_test(lua_State *L, int index);

/* Pushes a new buffer object, which owns the buffer in it. */
struct tg_buffer *tg_buffer_push(lua_State *L);

/* The methods that read a request's content; request_body.c. */
extern const luaL_Reg tg_request_body_methods[];

#endif
