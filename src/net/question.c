// SPDX-License-Identifier: MIT
#include "net/question.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "net/timer.h"

enum { BUCKETS = 256, COUNT_MOST = 1024 };

void tg_questions_init(struct tg_questions *questions)
{
    *questions = (struct tg_questions){0};
    tg_list_init(&questions->ages);
}

void tg_questions_release(struct tg_questions *questions)
{
    while (!tg_list_empty(&questions->ages)) {
        struct tg_question *question =
            tg_list_item(questions->ages.next, struct tg_question, age);

        tg_questions_remove(questions, question);
        tg_question_free(question);
    }
    free(questions->buckets);
    tg_questions_init(questions);
}

static struct tg_list *bucket_of(struct tg_questions *questions,
                                 const char *name)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    size_t i;

    if (!questions->buckets) {
        questions->buckets = tg_alloc(BUCKETS * sizeof(*questions->buckets));
        for (i = 0; i < BUCKETS; i++)
            tg_list_init(&questions->buckets[i]);
    }
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return &questions->buckets[hash % BUCKETS];
}

struct tg_question *tg_questions_find(struct tg_questions *questions,
                                      const char *name,
                                      enum tg_lookup_type type, bool searches)
{
    struct tg_list *bucket = bucket_of(questions, name), *link;

    for (link = bucket->next; link != bucket; link = link->next) {
        struct tg_question *question =
            tg_list_item(link, struct tg_question, link);

        if (question->type != type || question->searches != searches ||
            strcmp(question->name, name) != 0)
            continue;
        tg_list_remove(&question->age);
        tg_list_append(&questions->ages, &question->age);
        return question;
    }
    return NULL;
}

static bool is_idle(const struct tg_question *question)
{
    return !question->request && !question->soon && !question->is_telling &&
           tg_list_empty(&question->waiters);
}

static void forget_old(struct tg_questions *questions)
{
    struct tg_list *age = questions->ages.next, *next;

    for (; questions->count >= COUNT_MOST && age != &questions->ages;
         age = next) {
        struct tg_question *question =
            tg_list_item(age, struct tg_question, age);

        next = age->next;
        if (!is_idle(question))
            continue;
        tg_questions_remove(questions, question);
        tg_question_free(question);
    }
}

void tg_questions_add(struct tg_questions *questions,
                      struct tg_question *question)
{
    forget_old(questions);
    tg_list_append(bucket_of(questions, question->name), &question->link);
    tg_list_append(&questions->ages, &question->age);
    questions->count++;
}

void tg_questions_remove(struct tg_questions *questions,
                         struct tg_question *question)
{
    if (tg_list_empty(&question->age))
        return;
    tg_list_remove(&question->link);
    tg_list_remove(&question->age);
    questions->count--;
}

struct tg_question *tg_question_new(struct tg_resolver *resolver,
                                    const char *name, enum tg_lookup_type type,
                                    bool searches)
{
    size_t len = strlen(name);
    struct tg_question *question = tg_alloc(sizeof(*question) + len + 1);

    tg_list_init(&question->link);
    tg_list_init(&question->age);
    tg_list_init(&question->waiters);
    question->resolver = resolver;
    question->type = type;
    question->searches = searches;
    memcpy(question->name, name, len + 1);
    return question;
}

static void clear(struct tg_question *question)
{
    free((void *)(uintptr_t)question->answer.addresses);
    free((void *)(uintptr_t)question->answer.name);
    question->answer = (struct tg_answer){0};
}

void tg_question_free(struct tg_question *question)
{
    if (question->soon)
        tg_timer_stop(question->soon);
    clear(question);
    free(question);
}

void tg_question_answer(struct tg_question *question,
                        const struct tg_address *addresses, size_t count)
{
    struct tg_address *copy;

    clear(question);
    copy = tg_alloc((count ? count : 1) * sizeof(*copy));
    if (count)
        memcpy(copy, addresses, count * sizeof(*copy));
    question->answer.addresses = copy;
    question->answer.count = count;
    if (count == 0)
        tg_question_fail(question, "nodata",
                         "the name has no address of this type");
}

void tg_question_answer_name(struct tg_question *question, const char *name)
{
    clear(question);
    question->answer.name = tg_strdup(name);
    question->answer.count = 1;
}

void tg_question_fail(struct tg_question *question, const char *code,
                      const char *message)
{
    clear(question);
    question->answer.code = code;
    question->answer.message = message;
}
