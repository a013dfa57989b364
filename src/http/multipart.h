// SPDX-License-Identifier: MIT
/*
 * multipart/form-data, strictly (RFC 7578; RFC 2046, section 5.1), as it comes.
 *
 * Pure: no socket, no allocation.  Whatever pieces the bytes come in, the steps
 * mean the same.  What is malformed is refused with a fault, and the same fault
 * is given from then on.
 */
#ifndef TG_HTTP_MULTIPART_H
#define TG_HTTP_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "http/framing.h"

enum {
    TG_MULTIPART_BOUNDARY = 70, /* bytes of a boundary, at most */
    TG_MULTIPART_HEAD = 8192,   /* of a part's header section */
    TG_MULTIPART_FIELDS = 32
};

enum tg_multipart_fault {
    TG_MULTIPART_SOUND,
    TG_MULTIPART_TRUNCATED,
    TG_MULTIPART_BAD_LINE,
    TG_MULTIPART_LONG_HEAD,
    TG_MULTIPART_MANY_FIELDS,
    TG_MULTIPART_BAD_FIELD,
    TG_MULTIPART_NO_DISPOSITION,
    TG_MULTIPART_BAD_DISPOSITION,
    TG_MULTIPART_NO_NAME
};

/* What a fault is, as a sentence for the client. */
const char *tg_multipart_describe(enum tg_multipart_fault fault);

enum tg_multipart_state {
    TG_MULTIPART_PREAMBLE,
    TG_MULTIPART_DELIMITER, /* behind a boundary */
    TG_MULTIPART_PADDING,
    TG_MULTIPART_FIELD_LINES,
    TG_MULTIPART_CONTENT,
    TG_MULTIPART_CLOSING, /* behind the last boundary's "--" */
    TG_MULTIPART_EPILOGUE,
    TG_MULTIPART_FAILED
};

struct tg_multipart {
    enum tg_multipart_state state;
    enum tg_multipart_fault fault;
    size_t scanned;  /* of a header section that is not whole yet */
    bool line_start; /* a boundary may stand here without a line end */
    bool in_part;    /* its end was not told yet */
    uint8_t delimiter_len;
    char delimiter[4 + TG_MULTIPART_BOUNDARY]; /* CRLF "--" boundary */
    struct tg_field fields[TG_MULTIPART_FIELDS];
};

/*
 * Begins.  `type` is the content-type; returns false if that is another one
 * than multipart/form-data.  A boundary that is missing or malformed leaves
 * `delimiter_len` 0, and nothing may be decoded then.
 */
bool tg_multipart_init(struct tg_multipart *multipart, const char *type,
                       size_t len);

enum tg_multipart_kind {
    TG_MULTIPART_NONE,
    TG_MULTIPART_PART,     /* one begins: its fields */
    TG_MULTIPART_DATA,     /* some of its content */
    TG_MULTIPART_PART_END, /* it is whole: the boundary's line is, too */
    TG_MULTIPART_END       /* of everything */
};

struct tg_multipart_step {
    enum tg_multipart_kind kind;
    const char *at; /* inside the bytes that were given */
    size_t len;
    /* of a part: spans from `at`, and of its content-disposition the
     * parameters, still escaped */
    const struct tg_field *fields;
    unsigned nfields;
    struct tg_span name, filename, type;
    bool has_filename, has_type;
};

/*
 * Decodes one step from `data`; `last` says that nothing comes behind it.
 * Returns how many bytes it used, 0 if it needs more than there are (keep them
 * and come again) or is at the end, or minus a fault.
 */
ssize_t tg_multipart_decode(struct tg_multipart *multipart, const char *data,
                            size_t len, bool last,
                            struct tg_multipart_step *step);

/*
 * Undoes what browsers and RFC 9110 do to a name within quotes: %22, %0D, %0A,
 * and a backslash in front of a quote or a backslash; all else is as it was
 * sent.  `room` has `len` bytes; returns the length.
 */
size_t tg_multipart_unescape(const char *text, size_t len, char *room);

/*
 * The part of a filename that is safe as the name of a file in a folder: behind
 * the last slash or backslash, without control bytes and without dots at its
 * start.  Returns its length, 0 if nothing is left or it is too long.
 */
size_t tg_multipart_safe_name(const char *filename, size_t len, char *room);

#endif
