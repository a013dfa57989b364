// SPDX-License-Identifier: MIT
#include "http/file_response.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "http/accept.h"
#include "http/byteranges.h"
#include "http/compression.h"
#include "http/condition.h"
#include "http/connection.h"
#include "http/date.h"
#include "http/disposition.h"
#include "http/file_type.h"
#include "http/range.h"
#include "net/source.h"

enum {
    READ_MOST = 64 * 1024,    /* so much is read, and sent with the head */
    ENCODE_MOST = 1024 * 1024 /* so much is worth encoding at each request */
};

#define LITERAL(text) text, sizeof(text) - 1

/* One response on its way. */
struct answer {
    struct tg_exchange *x;
    const struct tg_file_response *file;
    struct tg_headers *headers;
    const char *type;
    int fd; /* -1: it was handed on */
    struct stat stat;
    struct tg_validators validators;
};

/* --- which file --- */

/* The encoded version beside it is only good if it is not older. */
static int open_encoded(const struct answer *a, const char *end,
                        const struct timespec *was, struct stat *status)
{
    char *path = tg_strf("%s.%s", a->file->path, end);
    int fd = tg_file_open(a->file->root, path, status);
    const struct timespec *is = &status->st_mtim;

    free(path);
    if (fd >= 0 && (is->tv_sec < was->tv_sec || (is->tv_sec == was->tv_sec &&
                                                 is->tv_nsec < was->tv_nsec))) {
        close(fd);
        return -ESTALE;
    }
    return fd;
}

static const struct {
    enum tg_coding coding;
    const char *end;
} encoded[] = {{TG_CODING_BROTLI, "br"},
               {TG_CODING_ZSTD, "zst"},
               {TG_CODING_GZIP, "gz"}}; /* the smallest first */

/* Takes the one of those that are there which the client likes best. */
static void choose_encoded(struct answer *a)
{
    const struct timespec modified = a->stat.st_mtim;
    struct tg_accept accept = {0};
    int least, most = 0;
    size_t i;

    tg_compression_accept(a->x, &accept);
    least = accept.named[TG_CODING_IDENTITY] - 1; /* if it is asked for */
    for (i = 0; i < sizeof(encoded) / sizeof(*encoded); i++) {
        int q = tg_accept_quality(&accept, encoded[i].coding), fd;
        const char *name = tg_coding_name(encoded[i].coding);
        struct stat status;

        if (q <= most || q < least)
            continue;
        fd = open_encoded(a, encoded[i].end, &modified, &status);
        if (fd < 0)
            continue;
        close(a->fd);
        a->fd = fd;
        a->stat = status;
        most = q;
        tg_headers_replace(a->headers, "Content-Encoding", name, strlen(name));
    }
    tg_compression_vary(a->headers);
}

/* --- what its fields say --- */

static void set_etag(struct answer *a)
{
    uint64_t nanoseconds = (uint64_t)a->stat.st_mtim.tv_sec * 1000000000 +
                           (uint64_t)a->stat.st_mtim.tv_nsec;
    char etag[64];
    size_t len = 0;
    const char *coding = tg_headers_get(a->headers, "content-encoding", &len);
    int n;

    if (tg_headers_get(a->headers, "etag", &len))
        return;
    n = snprintf(etag, sizeof(etag), "\"%" PRIx64 "-%" PRIx64 "%s%.*s\"",
                 nanoseconds, (uint64_t)a->stat.st_size, coding ? "-" : "",
                 coding && len < 16 ? (int)len : 0, coding ? coding : "");
    tg_headers_replace(a->headers, "ETag", etag, (size_t)n);
}

/* The file's, unless the handler has set one.  It must not lie in the future
 * (8.8.2.1). */
static void set_modified(struct answer *a, int64_t now)
{
    struct tg_validators *v = &a->validators;
    int64_t modified = a->stat.st_mtim.tv_sec;
    char text[TG_DATE_LEN + 1];
    size_t len;
    const char *date = tg_headers_get(a->headers, "last-modified", &len);

    if (date) {
        if (!tg_date_parse(date, len, now, &v->modified))
            v->modified = -1;
        return;
    }
    v->modified = modified < 0 ? 0 : modified < now ? modified : now;
    tg_date_format(v->modified, text);
    tg_headers_replace(a->headers, "Last-Modified", text, TG_DATE_LEN);
}

static void set_disposition(struct answer *a)
{
    struct tg_text value = {0};

    tg_disposition_attachment(a->file->download, strlen(a->file->download),
                              &value);
    tg_headers_replace(a->headers, "Content-Disposition", value.data,
                       value.len);
    tg_text_release(&value);
}

/* Will it be encoded now, if the client likes that? */
static bool is_to_encode(const struct answer *a)
{
    size_t len = 0;
    const char *type = tg_headers_get(a->headers, "content-type", &len);

    if (!type) {
        type = a->type;
        len = strlen(type);
    }
    return a->x->compress && a->stat.st_size <= ENCODE_MOST &&
           tg_compression_is_for((size_t)a->stat.st_size, type, len) &&
           !tg_headers_get(a->headers, "content-encoding", &len);
}

/* --- what is sent --- */

/* Without fields of the content that is not sent. */
static void answer_without(struct answer *a, int status)
{
    tg_headers_remove(a->headers, LITERAL("content-disposition"));
    tg_headers_remove(a->headers, LITERAL("content-encoding"));
    tg_headers_remove(a->headers, LITERAL("content-type"));
    tg_exchange_respond(a->x, status, NULL, "", 0);
}

static bool read_whole(const struct answer *a, int64_t at, char *room,
                       size_t len)
{
    size_t got = 0;

    while (got < len) {
        ssize_t n = pread(a->fd, room + got, len - got, at + (int64_t)got);

        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
        got += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool send_read(struct answer *a, int status, const struct tg_range *r)
{
    char *content = tg_alloc((size_t)r->len + 1);
    bool is_read = read_whole(a, r->at, content, (size_t)r->len);

    if (is_read)
        tg_exchange_respond(a->x, status, a->type, content, (size_t)r->len);
    free(content);
    return is_read;
}

static struct tg_source *take_source(struct answer *a)
{
    struct tg_source *source = tg_source_new(a->fd);

    a->fd = -1;
    return source;
}

/* One piece of the file; with the head if it is small.  If it cannot be read
 * any more, the source finds that, too, and cuts the connection. */
static void send_range(struct answer *a, int status, const struct tg_range *r)
{
    bool is_small = r->len <= READ_MOST && !tg_exchange_is_method(a->x, "HEAD");
    struct tg_source *source;

    if ((a->x->compress || is_small) && send_read(a, status, r))
        return;
    source = take_source(a);
    tg_source_add_range(source, r->at, r->len);
    tg_exchange_respond_file(a->x, status, a->type, source);
}

static void send_whole(struct answer *a, int status)
{
    struct tg_range whole = {0, a->stat.st_size};

    send_range(a, status, &whole);
}

static void send_ranges(struct answer *a, const struct tg_range *ranges, int n)
{
    size_t len = 0;
    const char *own = tg_headers_get(a->headers, "content-type", &len);
    char *part_type = own ? tg_strndup(own, len) : tg_strdup(a->type);
    struct tg_source *source = take_source(a);
    struct tg_text type = {0};

    if (tg_byteranges_add(source, ranges, n, a->stat.st_size, part_type,
                          &type)) {
        tg_headers_remove(a->headers, LITERAL("content-type"));
        tg_exchange_respond_file(a->x, 206, type.data, source);
    } else { /* Range may always be ignored */
        tg_source_add_range(source, 0, a->stat.st_size);
        tg_exchange_respond_file(a->x, 200, a->type, source);
    }
    tg_text_release(&type);
    free(part_type);
}

static void set_content_range(struct answer *a, const struct tg_range *range)
{
    struct tg_text value = {0};

    if (range)
        tg_byteranges_describe(range, a->stat.st_size, &value);
    else
        tg_text_addf(&value, "bytes */%" PRId64, (int64_t)a->stat.st_size);
    tg_headers_replace(a->headers, "Content-Range", value.data, value.len);
    tg_text_release(&value);
}

/* The Range field, if it counts and stands there once; NULL: send all. */
static const struct tg_field *range_field(const struct answer *a)
{
    const struct tg_head *head = &a->x->head;
    const char *bytes = a->x->bytes.data;
    unsigned index = 0;
    const struct tg_field *field = tg_head_field(head, bytes, "range", &index);

    if (!field || tg_head_field(head, bytes, "range", &index) ||
        !tg_exchange_is_method(a->x, "GET") ||
        !tg_condition_lets_range(head, bytes, &a->validators))
        return NULL;
    return field;
}

static void send_what_is_asked(struct answer *a)
{
    struct tg_range ranges[TG_RANGES_MOST];
    const struct tg_field *field = range_field(a);
    int n = 0;

    if (field)
        n = tg_range_parse(a->x->bytes.data + field->value.at, field->value.len,
                           a->stat.st_size, ranges);
    if (n == 0) {
        send_whole(a, 200);
        return;
    }
    a->x->compress = false;
    if (n > 1) {
        send_ranges(a, ranges, n);
        return;
    }
    set_content_range(a, n > 0 ? ranges : NULL);
    if (n > 0)
        send_range(a, 206, ranges);
    else
        answer_without(a, 416);
}

/* As the content of what was asked for, with all that belongs to it. */
static void respond_fully(struct answer *a)
{
    struct tg_exchange *x = a->x;
    int64_t now = time(NULL);
    int status;
    size_t len;

    set_etag(a);
    set_modified(a, now);
    if (!tg_headers_get(a->headers, "accept-ranges", &len))
        tg_headers_replace(a->headers, "Accept-Ranges", "bytes", 5);
    a->validators.now = now;
    a->validators.etag =
        tg_headers_get(a->headers, "etag", &a->validators.etag_len);
    if (!tg_exchange_is_method(x, "GET") && !tg_exchange_is_method(x, "HEAD")) {
        send_whole(a, 200);
        return;
    }
    status = tg_condition_weigh(&x->head, x->bytes.data, &a->validators);
    if (status)
        answer_without(a, status);
    else
        send_what_is_asked(a);
}

int tg_file_respond(struct tg_exchange *x, const struct tg_file_response *file)
{
    struct answer a = {.x = x, .file = file};

    a.headers = tg_exchange_response_headers(x);
    a.type = file->type ? file->type : tg_file_type(file->path);
    a.fd = tg_file_open(file->root, file->path, &a.stat);
    if (a.fd < 0)
        return a.fd;
    if (file->precompressed)
        choose_encoded(&a);
    x->compress = is_to_encode(&a);
    if (file->download)
        set_disposition(&a);
    if (x->status == 0 || x->status == 200)
        respond_fully(&a);
    else
        send_whole(&a, x->status);
    if (a.fd >= 0)
        close(a.fd);
    return 0;
}
