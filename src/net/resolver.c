// SPDX-License-Identifier: MIT
#include "net/resolver.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/text.h"
#include "net/host_name.h"
#include "net/hosts.h"
#include "net/loop.h"
#include "net/name_servers.h"
#include "net/question.h"
#include "net/timer.h"

enum { HOSTS_MOST = 32, RESOLVERS_MOST = 16 };

/* All of a loop. */
struct resolvers {
    struct tg_loop *loop;
    const char *const *servers; /* NULL: the system's */
    struct tg_list list;        /* the last used is last */
    size_t count;
    struct tg_resolver *own; /* the gateway's */
};

struct tg_resolver {
    struct tg_list link;
    struct resolvers *all;
    char *key;              /* what tells it from others; "" is the gateway's */
    struct tg_hosts *hosts; /* NULL: not asked */
    struct tg_name_servers *servers;
    struct tg_questions questions;
    size_t users; /* lookups, and answers that are being told */
};

struct tg_lookup {
    struct tg_list link; /* in the question's waiters */
    struct tg_question *question;
    struct tg_timer *deadline;
    tg_lookup_fn *fn;
    void *arg;
};

/* --- telling --- */

static void drop(struct tg_resolver *resolver, struct tg_question *question)
{
    tg_questions_remove(&resolver->questions, question);
    tg_question_free(question);
}

static bool is_fresh(const struct tg_question *question)
{
    return question->expires > tg_clock_now();
}

static void release_lookup(struct tg_lookup *lookup)
{
    tg_list_remove(&lookup->link);
    if (lookup->deadline)
        tg_timer_stop(lookup->deadline);
    lookup->question->resolver->users--;
    free(lookup);
}

static void end_lookup(struct tg_lookup *lookup, const struct tg_answer *answer)
{
    tg_lookup_fn *fn = lookup->fn;
    void *arg = lookup->arg;

    release_lookup(lookup);
    fn(answer, arg);
}

/* Who asks the same meanwhile is told in the loop's next turn. */
static void tell(struct tg_question *question)
{
    struct tg_list batch;
    double left = question->expires - tg_clock_now();

    question->answer.ttl = left > 0 ? (unsigned)ceil(left) : 0;
    tg_list_init(&batch);
    while (!tg_list_empty(&question->waiters)) {
        struct tg_list *link = question->waiters.next;

        tg_list_remove(link);
        tg_list_append(&batch, link);
    }
    question->is_telling = true;
    question->resolver->users++;
    while (!tg_list_empty(&batch))
        end_lookup(tg_list_item(batch.next, struct tg_lookup, link),
                   &question->answer);
    question->resolver->users--;
    question->is_telling = false;
    if (tg_list_empty(&question->waiters) && !is_fresh(question))
        drop(question->resolver, question);
}

static void on_soon(void *arg)
{
    struct tg_question *question = arg;

    question->soon = NULL;
    tell(question);
}

static void tell_soon(struct tg_question *question)
{
    if (!question->soon)
        question->soon =
            tg_timer_start(question->resolver->all->loop, 0, on_soon, question);
}

/* Nobody waits for it any more. */
static void abandon(struct tg_question *question)
{
    tg_questions_remove(&question->resolver->questions, question);
    tg_name_servers_abandon(question->servers, question);
}

/* --- asking --- */

static void ask(struct tg_resolver *resolver, struct tg_question *question)
{
    if (!tg_name_servers_ask(resolver->servers, question))
        tell_soon(question);
}

/* An answer that no server is needed for. */
static struct tg_question *answer_at_once(struct tg_resolver *resolver,
                                          enum tg_lookup_type type,
                                          const struct tg_address *addresses,
                                          size_t count)
{
    struct tg_question *question = tg_question_new(resolver, "", type, false);

    tg_question_answer(question, addresses, count);
    tell_soon(question);
    return question;
}

static struct tg_question *find_local(struct tg_resolver *resolver,
                                      const char *name,
                                      enum tg_lookup_type type)
{
    static const uint8_t here[16] = {127, 0, 0, 1}, here6[16] = {[15] = 1};
    struct tg_address list[HOSTS_MOST];
    bool is_ipv4 = type == TG_LOOKUP_A;
    size_t count;

    if (resolver->hosts &&
        tg_hosts_find(resolver->hosts, name, is_ipv4, list, HOSTS_MOST, &count))
        return answer_at_once(resolver, type, list, count);
    if (!tg_host_name_is_local(name))
        return NULL;
    tg_address_of_bytes(list, is_ipv4 ? here : here6, is_ipv4 ? 4 : 16, 0);
    return answer_at_once(resolver, type, list, 1);
}

static struct tg_question *find(struct tg_resolver *resolver, const char *name,
                                enum tg_lookup_type type, bool searches)
{
    struct tg_question *question =
        tg_questions_find(&resolver->questions, name, type, searches);

    if (!question) {
        question = tg_question_new(resolver, name, type, searches);
        tg_questions_add(&resolver->questions, question);
        ask(resolver, question);
    } else if (!question->request && !question->is_telling) {
        if (is_fresh(question) || question->soon)
            tell_soon(question);
        else
            ask(resolver, question);
    } else if (question->is_telling) {
        tell_soon(question);
    }
    return question;
}

static struct tg_question *fail_at_once(struct tg_resolver *resolver,
                                        enum tg_lookup_type type,
                                        const char *message)
{
    struct tg_question *question = answer_at_once(resolver, type, NULL, 0);

    tg_question_fail(question, "badname", message);
    return question;
}

static struct tg_question *find_reverse(struct tg_resolver *resolver,
                                        const char *text)
{
    struct tg_address address;
    char room[TG_ADDRESS_TEXT];
    const char *name;
    struct tg_question *question;

    if (!tg_address_parse(&address, text, strlen(text)))
        return fail_at_once(resolver, TG_LOOKUP_PTR, "it is no address");
    name = resolver->hosts ? tg_hosts_name(resolver->hosts, &address) : NULL;
    if (!name) {
        tg_address_format(&address, room);
        return find(resolver, room, TG_LOOKUP_PTR, false);
    }
    question = answer_at_once(resolver, TG_LOOKUP_PTR, NULL, 0);
    tg_question_answer_name(question, name);
    return question;
}

static struct tg_question *find_forward(struct tg_resolver *resolver,
                                        const char *text,
                                        enum tg_lookup_type type, bool searches)
{
    struct tg_address address;
    struct tg_question *question;
    char name[TG_HOST_NAME];
    bool is_complete;

    if (tg_address_parse(&address, text, strlen(text)))
        return answer_at_once(resolver, type, &address,
                              tg_address_is_ipv4(&address) ==
                                  (type == TG_LOOKUP_A));
    if (!tg_host_name_read(text, name, &is_complete))
        return fail_at_once(resolver, type, "it is no name of a host");
    question = find_local(resolver, name, type);
    return question ? question
                    : find(resolver, name, type, searches && !is_complete);
}

/* --- lookups --- */

static void leave(struct tg_question *question)
{
    if (!tg_list_empty(&question->waiters) || question->is_telling)
        return;
    if (question->request)
        abandon(question);
    else if (!is_fresh(question))
        drop(question->resolver, question);
}

static void on_deadline(void *arg)
{
    static const struct tg_answer late = {.code = "timeout",
                                          .message = "timed out"};
    struct tg_lookup *lookup = arg;
    struct tg_question *question = lookup->question;
    tg_lookup_fn *fn = lookup->fn;
    void *its = lookup->arg;

    lookup->deadline = NULL;
    release_lookup(lookup);
    leave(question);
    fn(&late, its);
}

struct tg_lookup *tg_lookup_start(struct tg_resolver *resolver,
                                  const char *name, enum tg_lookup_type type,
                                  bool searches, double timeout,
                                  tg_lookup_fn *fn, void *arg)
{
    struct tg_lookup *lookup = tg_alloc(sizeof(*lookup));
    struct tg_question *question =
        type == TG_LOOKUP_PTR ? find_reverse(resolver, name)
                              : find_forward(resolver, name, type, searches);

    lookup->question = question;
    lookup->fn = fn;
    lookup->arg = arg;
    resolver->users++;
    tg_list_append(&question->waiters, &lookup->link);
    if (timeout > 0)
        lookup->deadline =
            tg_timer_start(resolver->all->loop, timeout, on_deadline, lookup);
    return lookup;
}

void tg_lookup_cancel(struct tg_lookup *lookup)
{
    struct tg_question *question = lookup->question;

    release_lookup(lookup);
    leave(question);
}

/* --- resolvers --- */

static struct tg_resolver *new_resolver(struct resolvers *all, char *key,
                                        const char *const *servers,
                                        const char *const *search)
{
    struct tg_resolver *resolver = tg_alloc(sizeof(*resolver));

    resolver->all = all;
    resolver->key = key;
    resolver->servers = tg_name_servers_new(
        all->loop, servers ? servers : all->servers, search, tell);
    tg_questions_init(&resolver->questions);
    tg_list_append(&all->list, &resolver->link);
    all->count++;
    return resolver;
}

/* None of its questions has somebody who waits. */
static void free_resolver(struct tg_resolver *resolver)
{
    struct tg_list *ages = &resolver->questions.ages, *age, *next;

    for (age = ages->next; age != ages; age = next) {
        struct tg_question *question =
            tg_list_item(age, struct tg_question, age);

        next = age->next;
        if (question->request)
            abandon(question);
    }
    tg_questions_release(&resolver->questions);
    tg_name_servers_free(resolver->servers);
    if (resolver->hosts)
        tg_hosts_free(resolver->hosts);
    tg_list_remove(&resolver->link);
    resolver->all->count--;
    free(resolver->key);
    free(resolver);
}

static const char kept[] = "resolvers";

static void release(void *thing)
{
    struct resolvers *all = thing;

    while (!tg_list_empty(&all->list))
        free_resolver(tg_list_item(all->list.next, struct tg_resolver, link));
    free(all);
}

static struct resolvers *resolvers_of(struct tg_loop *loop)
{
    struct resolvers *all = tg_loop_kept(loop, kept);

    if (!all) {
        all = tg_alloc(sizeof(*all));
        all->loop = loop;
        tg_list_init(&all->list);
        tg_loop_keep(loop, kept, all, release);
    }
    return all;
}

void tg_resolver_configure(struct tg_loop *loop, char *const *servers)
{
    resolvers_of(loop)->servers =
        servers[0] ? (const char *const *)servers : NULL;
}

bool tg_resolver_is_name(const char *text)
{
    char name[TG_HOST_NAME];
    bool is_complete;

    return tg_host_name_read(text, name, &is_complete);
}

struct tg_resolver *tg_resolver_of(struct tg_loop *loop)
{
    struct resolvers *all = resolvers_of(loop);

    if (!all->own) {
        all->own = new_resolver(all, tg_strdup(""), NULL, NULL);
        all->own->hosts = tg_hosts_new("/etc/hosts");
    }
    return all->own;
}

static char *key_of(const char *const *servers, const char *const *search)
{
    struct tg_text key = {0};

    for (; servers && *servers; servers++)
        tg_text_addf(&key, "%s ", *servers);
    tg_text_adds(&key, search ? "in" : "as the system");
    for (; search && *search; search++)
        tg_text_addf(&key, " %s", *search);
    return key.data;
}

static bool make_room(struct resolvers *all)
{
    struct tg_list *link;

    if (all->count < RESOLVERS_MOST)
        return true;
    for (link = all->list.next; link != &all->list; link = link->next) {
        struct tg_resolver *resolver =
            tg_list_item(link, struct tg_resolver, link);

        if (resolver == all->own || resolver->users)
            continue;
        free_resolver(resolver);
        return true;
    }
    return false;
}

struct tg_resolver *tg_resolver_with(struct tg_loop *loop,
                                     const char *const *servers,
                                     const char *const *search)
{
    struct resolvers *all = resolvers_of(loop);
    char *key = key_of(servers, search);
    struct tg_list *link;

    for (link = all->list.next; link != &all->list; link = link->next) {
        struct tg_resolver *resolver =
            tg_list_item(link, struct tg_resolver, link);

        if (strcmp(resolver->key, key) != 0)
            continue;
        free(key);
        tg_list_remove(&resolver->link);
        tg_list_append(&all->list, &resolver->link);
        return resolver;
    }
    if (!make_room(all)) {
        free(key);
        return NULL;
    }
    return new_resolver(all, key, servers, search);
}
