// SPDX-License-Identifier: MIT
/*
 * A response whose content is a file: with its type, its validators, the
 * conditions and ranges a client asks for (RFC 9110, sections 8.8, 13 and 14),
 * and encoded versions of it that lie beside it.
 */
#ifndef TG_HTTP_FILE_RESPONSE_H
#define TG_HTTP_FILE_RESPONSE_H

#include <stdbool.h>

struct tg_exchange;

struct tg_file_response {
    const char *root;     /* the folder it lies beneath; NULL: anywhere */
    const char *path;     /* below the root, or as open(2) takes it */
    const char *type;     /* NULL: what its name says */
    const char *download; /* save it under this name; NULL: show it */
    bool precompressed;   /* prefer path.br, path.zst and path.gz */
};

/*
 * Answers, or returns -errno if the file cannot be opened; nothing is changed
 * then.  Fields and a status that
 * the handler has set count more than ours; with a status but 200 the file
 * goes out whole.  It is sent as it is now: if it shrinks meanwhile, the
 * connection is cut.
 */
int tg_file_respond(struct tg_exchange *x, const struct tg_file_response *file);

#endif
