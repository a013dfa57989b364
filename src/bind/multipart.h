// SPDX-License-Identifier: MIT
/* The parts of a request's content, one after the other (private to
 * multipart.c and part.c). */
#ifndef TG_BIND_MULTIPART_H
#define TG_BIND_MULTIPART_H

#include "bind/bind.h"
#include "http/multipart.h"

extern const char tg_parts_class[], tg_part_class[];

struct tg_parts {
    struct tg_handle handle;
    struct tg_multipart parser;
    struct tg_buffer *kept; /* what text() had read, or NULL: as it comes */
    size_t used;            /* bytes of the last step, still in the buffer */
    uint64_t size;          /* of the part so far */
    uint64_t most_size;
    lua_Integer count, most;
    lua_Integer number;  /* how often a part was asked for */
    bool in_part;        /* its content is not at its end */
    const char *refused; /* too many, or too large: it stays so */
};

/* The exchange of the object of that class at index 1; ends the task with 413
 * if its content is too large. */
struct tg_exchange *tg_parts_exchange(lua_State *L, const char *class);

/* Makes one step.  False: more content must come first.  What is malformed ends
 * the task with 400, what is too much with 413. */
bool tg_parts_step(lua_State *L, struct tg_parts *parts, struct tg_exchange *x,
                   struct tg_multipart_step *step);

/* Pushes the part that the step began; the parts are at index 1. */
void tg_part_push(lua_State *L, struct tg_exchange *x,
                  const struct tg_multipart_step *step);

/* Makes the class. */
void tg_part_open(lua_State *L);

#endif
