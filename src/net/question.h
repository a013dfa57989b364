// SPDX-License-Identifier: MIT
/*
 * What a resolver was asked, and the answer once it is there: by name and type,
 * with a limit to how many are remembered.  Only net/resolver.c and
 * net/name_servers.c use this.
 */
#ifndef TG_NET_QUESTION_H
#define TG_NET_QUESTION_H

#include "base/list.h"
#include "net/resolver.h"

struct evdns_request;
struct tg_name_servers;
struct tg_timer;

struct tg_question {
    struct tg_list link; /* in its bucket */
    struct tg_list age;  /* in the cache's list; the last asked for is last */
    struct tg_list waiters;
    struct tg_resolver *resolver;
    struct tg_name_servers *servers; /* who were asked */
    struct evdns_request *request;   /* while they are */
    struct tg_timer *soon;           /* about to tell what is known */
    struct tg_answer answer;         /* once it is not asked any more */
    double began;                    /* to be asked, by tg_clock_now() */
    double expires;                  /* by tg_clock_now(); 0: at once */
    enum tg_lookup_type type;
    bool searches;
    bool is_abandoned; /* nobody waits, and it is not in the cache */
    bool is_telling;
    char name[]; /* as tg_host_name_read() gives it, or an address */
};

struct tg_questions {
    struct tg_list *buckets; /* NULL until the first */
    struct tg_list ages;
    size_t count;
};

void tg_questions_init(struct tg_questions *questions);
void tg_questions_release(struct tg_questions *questions);

struct tg_question *tg_questions_find(struct tg_questions *questions,
                                      const char *name,
                                      enum tg_lookup_type type, bool searches);

/* Remembers it; forgets old ones that nobody waits for. */
void tg_questions_add(struct tg_questions *questions,
                      struct tg_question *question);
void tg_questions_remove(struct tg_questions *questions,
                         struct tg_question *question);

/* One that is in no cache.  free: nobody waits. */
struct tg_question *tg_question_new(struct tg_resolver *resolver,
                                    const char *name, enum tg_lookup_type type,
                                    bool searches);
void tg_question_free(struct tg_question *question);

/* The answer: addresses or a name, which are copied, or why there is none;
 * code and message are constant. */
void tg_question_answer(struct tg_question *question,
                        const struct tg_address *addresses, size_t count);
void tg_question_answer_name(struct tg_question *question, const char *name);
void tg_question_fail(struct tg_question *question, const char *code,
                      const char *message);

#endif
