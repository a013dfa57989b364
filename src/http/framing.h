// SPDX-License-Identifier: MIT
/*
 * The bytes of HTTP/1.1, strictly: heads, bodies and trailers (RFC 9112).
 *
 * Pure: no socket, no allocation, no clock.  What the RFC says must be refused
 * is refused here, with the status to answer; after a refusal the connection
 * cannot go on.  Spans are offsets, so the bytes may be moved or copied.
 */
#ifndef TG_HTTP_FRAMING_H
#define TG_HTTP_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    TG_HEAD_FIELDS = 100,   /* more fields: 431; limits may be lower */
    TG_CHUNK_LINE = 256,    /* a longer chunk-size line: 400 */
    TG_TRAILERS_SIZE = 8192 /* a longer trailer section: 431 */
};

struct tg_span {
    uint32_t at, len;
};

struct tg_field {
    struct tg_span name, value; /* the value without white space around it */
};

struct tg_head {
    struct tg_span method, target;
    struct tg_span host;    /* of the Host field; len 0 if there is none */
    int64_t content_length; /* -1: none */
    unsigned nfields;
    uint16_t status;      /* of a response */
    uint8_t minor;        /* HTTP/1.0 or HTTP/1.1 */
    bool chunked;         /* Transfer-Encoding: chunked */
    bool keep_alive;      /* as Connection and the version say (9.3) */
    bool expect_continue; /* Expect: 100-continue, in a 1.1 request */
    bool upgrade;         /* Connection names "upgrade" */
    struct tg_field fields[TG_HEAD_FIELDS];
};

/* What a head may have at most. */
struct tg_head_limits {
    size_t line;     /* a longer request line: 414 */
    size_t size;     /* a longer head: 431 */
    unsigned fields; /* more of them: 431; TG_HEAD_FIELDS at most */
};

/*
 * Parses the request head at the start of `data`.  Returns its length with the
 * empty line, 0 if more bytes are needed, or minus the status that refuses it.
 * `*scanned` is how far earlier calls looked; start it with 0 for each head, so
 * that bytes which drip in are not read twice.  A refusal is found as early as
 * the offending line is whole, or too long.
 */
ssize_t tg_head_parse(struct tg_head *head, const char *data, size_t len,
                      size_t *scanned, const struct tg_head_limits *limits);

/*
 * Parses a response head in the same way; minus 400: it is malformed, 431: it
 * is too large.  Its length and coding are only what it says: tg_body_respond()
 * knows where the body ends.
 */
ssize_t tg_head_parse_response(struct tg_head *head, const char *data,
                               size_t len, size_t *scanned,
                               const struct tg_head_limits *limits);

/* The next field of that lower-case name at or after *index, which moves behind
 * it; NULL: there is none.  `bytes` are those that were parsed. */
const struct tg_field *tg_head_field(const struct tg_head *head,
                                     const char *bytes, const char *name,
                                     unsigned *index);

/*
 * Splits `len` bytes of whole field lines, as in a trailer section, into at
 * most `max` fields.  Returns how many, or minus a status.
 */
int tg_fields_parse(struct tg_field *fields, int max, const char *data,
                    size_t len);

/* Is it host [ ":" port ], without userinfo (RFC 3986, 3.2)? */
bool tg_host_is_valid(const char *at, size_t len);

enum tg_body_state {
    TG_BODY_LENGTH, /* content-length: `left` bytes to come */
    TG_BODY_CHUNK_SIZE,
    TG_BODY_CHUNK_DATA,
    TG_BODY_CHUNK_END,
    TG_BODY_TRAILERS,
    TG_BODY_CLOSE, /* of a response: all that comes until the end */
    TG_BODY_DONE
};

struct tg_body {
    enum tg_body_state state;
    uint64_t left;  /* of the content or of the chunk */
    size_t scanned; /* of a line or section that is not whole yet */
};

/* The body that follows `head`: done at once if it has none (6.3). */
void tg_body_init(struct tg_body *body, const struct tg_head *head);

/* The body of the response to a request, which may be HEAD (6.3). */
void tg_body_respond(struct tg_body *body, const struct tg_head *head,
                     bool to_head);

enum tg_run_kind { TG_RUN_NONE, TG_RUN_DATA, TG_RUN_TRAILERS };

struct tg_run {
    enum tg_run_kind kind;
    const char *at; /* inside the bytes that were given */
    size_t len;
};

/*
 * Decodes one step of the body from `data`.  Returns how many bytes it used, 0
 * if it needs more than there are (keep them and come again), or minus a
 * status.  `run` is what the step yields: content, or the field lines of a
 * trailer section, already checked.  Call it until the state is TG_BODY_DONE
 * or it returns 0; it never uses a byte behind the body's end.
 */
ssize_t tg_body_decode(struct tg_body *body, const char *data, size_t len,
                       struct tg_run *run);

#endif
