// SPDX-License-Identifier: MIT
/* For fuzzers of heads and bodies: what comes in pieces must mean what it
 * means whole, and what it says must lie inside the bytes. */
#ifndef TG_FUZZ_PIECES_H
#define TG_FUZZ_PIECES_H

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/framing.h"

/* Of requests, or of responses. */
struct pieces_of {
    ssize_t (*parse)(struct tg_head *head, const char *data, size_t len,
                     size_t *scanned, const struct tg_head_limits *limits);
    void (*check)(const struct tg_head *head);
    void (*begin)(struct tg_body *body, const struct tg_head *head);
};

struct outcome {
    ssize_t head; /* its length, or minus a status */
    ssize_t body; /* bytes used behind it, or minus a status */
    uint64_t content;
    size_t trailers;
    uint32_t sum; /* of the content's bytes, in order */
    bool done;
};

static void check_span(struct tg_span span, size_t len)
{
    assert((size_t)span.at + span.len <= len);
}

static void check_head(const struct pieces_of *of, const struct tg_head *head,
                       const char *data, size_t len)
{
    unsigned i;

    check_span(head->method, len);
    check_span(head->target, len);
    check_span(head->host, len);
    of->check(head);
    assert(!(head->chunked && head->content_length >= 0));
    for (i = 0; i < head->nfields; i++) {
        check_span(head->fields[i].name, len);
        check_span(head->fields[i].value, len);
        assert(head->fields[i].name.len > 0);
        assert(!memchr(data + head->fields[i].value.at, '\n',
                       head->fields[i].value.len));
    }
}

/* A copy of exact size, so that a read past the end is seen. */
static char *copy_of(const char *data, size_t len)
{
    char *copy = malloc(len ? len : 1);

    memcpy(copy, data, len);
    return copy;
}

/* Each `step` bytes more are there: 0 is all at once. */
static ssize_t run_head(const struct pieces_of *of, struct tg_head *head,
                        const char *data, size_t len, size_t step)
{
    static const struct tg_head_limits limits = {8192, 65536, 100};
    size_t have = step ? step : len, scanned = 0;
    ssize_t n;

    for (;; have += step) {
        char *copy;

        if (have > len)
            have = len;
        copy = copy_of(data, have);
        n = of->parse(head, copy, have, &scanned, &limits);
        if (n > 0)
            check_head(of, head, copy, (size_t)n);
        free(copy);
        if (n || have == len)
            return n;
    }
}

static void run_body(const struct pieces_of *of, struct outcome *outcome,
                     const struct tg_head *head, const char *data, size_t len,
                     size_t step)
{
    size_t have = step && step < len ? step : len, i;
    struct tg_body body;

    of->begin(&body, head);
    while (body.state != TG_BODY_DONE) {
        char *copy =
            copy_of(data + outcome->body, have - (size_t)outcome->body);
        struct tg_run run;
        ssize_t n =
            tg_body_decode(&body, copy, have - (size_t)outcome->body, &run);

        if (n < 0) {
            outcome->body = n;
            free(copy);
            return;
        }
        if (run.kind == TG_RUN_DATA) {
            outcome->content += run.len;
            for (i = 0; i < run.len; i++)
                outcome->sum = outcome->sum * 31 + (uint8_t)run.at[i];
        } else if (run.kind == TG_RUN_TRAILERS) {
            outcome->trailers = run.len;
        }
        free(copy);
        outcome->body += n;
        if (n == 0) {
            if (have == len)
                return;
            have = len - have < step ? len : have + step;
        }
    }
    outcome->done = true;
}

static struct outcome run(const struct pieces_of *of, const char *data,
                          size_t len, size_t step)
{
    static struct tg_head head;
    struct outcome outcome = {0};

    outcome.head = run_head(of, &head, data, len, step);
    if (outcome.head > 0)
        run_body(of, &outcome, &head, data + outcome.head,
                 len - (size_t)outcome.head, step);
    return outcome;
}

static void compare(const struct outcome *a, const struct outcome *b)
{
    assert(a->head == b->head);
    assert(a->body == b->body);
    assert(a->done == b->done);
    if (a->body < 0)
        return; /* how much came before the fault depends on the pieces */
    assert(a->content == b->content && a->sum == b->sum);
    assert(a->trailers == b->trailers);
}

/* Whole, in sevens, and byte by byte if that does not take too long. */
static int try_pieces(const struct pieces_of *of, const uint8_t *data,
                      size_t size)
{
    const char *bytes = (const char *)data;
    struct outcome whole = run(of, bytes, size, 0), pieces;

    pieces = run(of, bytes, size, 7);
    compare(&whole, &pieces);
    if (size < 512) {
        pieces = run(of, bytes, size, 1);
        compare(&whole, &pieces);
    }
    return 0;
}

#endif
