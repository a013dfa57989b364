// SPDX-License-Identifier: MIT
#include "net/name_servers.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <event2/dns.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "net/host_name.h"
#include "net/loop.h"
#include "net/question.h"

enum {
    ADDRESSES_MOST = 32, /* of one answer, as evdns has it */
    KEEP_MOST = 86400,   /* seconds */
    KEEP_FAILURE = 5,    /* that there is no such name */
    SERVER_PORT = 53,
    TIMEOUT_LEAST = 1 /* second that evdns waits for a server */
};

static const char system_file[] = "/etc/resolv.conf";

struct tg_name_servers {
    struct tg_loop *loop;
    char **list, **search; /* NULL: the system's */
    tg_name_servers_fn *fn;
    struct evdns_base *evdns; /* NULL until the first question */
    size_t asked;             /* questions that wait for a server */
    struct timespec changed;
    double checked; /* when the system's file was last looked at */
    bool is_stale;  /* it is to be read again, when nothing is asked */
};

/* --- the servers --- */

static void read_servers(struct tg_name_servers *servers)
{
    int flags = DNS_OPTION_MISC;
    size_t n;
    char **name;

    if (!servers->list)
        flags |= DNS_OPTION_NAMESERVERS | DNS_OPTION_NAMESERVERS_NO_DEFAULT;
    if (!servers->search)
        flags |= DNS_OPTION_SEARCH;
    evdns_base_resolv_conf_parse(servers->evdns, flags, system_file);
    for (name = servers->list; name && *name; name++) {
        struct tg_address address;
        char room[TG_ADDRESS_TEXT], *text;

        if (!tg_address_parse_port(&address, *name, SERVER_PORT))
            continue;
        tg_address_format(&address, room);
        text = tg_strf(tg_address_is_ipv4(&address) ? "%s:%u" : "[%s]:%u", room,
                       (unsigned)address.port);
        evdns_base_nameserver_ip_add(servers->evdns, text);
        free(text);
    }
    if (!servers->search)
        return;
    for (n = 0; servers->search[n]; n++)
        ;
    while (n) /* the one that was added last is tried first */
        evdns_base_search_add(servers->evdns, servers->search[--n]);
}

/* Looks, once a second, whether the system's file has changed. */
static void look(struct tg_name_servers *servers)
{
    double now = tg_clock_coarse();
    struct stat st;

    if (now - servers->checked < 1)
        return;
    servers->checked = now;
    if (stat(system_file, &st) < 0 ||
        (st.st_mtim.tv_sec == servers->changed.tv_sec &&
         st.st_mtim.tv_nsec == servers->changed.tv_nsec))
        return;
    servers->changed = st.st_mtim;
    servers->is_stale = true;
}

static void prepare(struct tg_name_servers *servers)
{
    look(servers);
    if (servers->evdns && (!servers->is_stale || servers->asked))
        return;
    if (servers->evdns)
        evdns_base_free(servers->evdns, 0);
    servers->evdns = evdns_base_new(tg_loop_base(servers->loop), 0);
    if (!servers->evdns)
        tg_alloc_failed();
    servers->is_stale = false;
    read_servers(servers);
}

/* --- answers of servers --- */

static void refuse(struct tg_question *question, int result)
{
    /* evdns says so, too, when each server has failed */
    if (result == DNS_ERR_TIMEOUT &&
        tg_clock_now() - question->began < TIMEOUT_LEAST)
        result = DNS_ERR_SERVERFAILED;
    switch (result) {
    case DNS_ERR_NOTEXIST:
        tg_question_fail(question, "nxdomain", "there is no such name");
        break;
    case DNS_ERR_NONE:
    case DNS_ERR_NODATA:
        tg_question_fail(question, "nodata",
                         question->type == TG_LOOKUP_PTR
                             ? "the address has no name"
                             : "the name has no address of this type");
        break;
    case DNS_ERR_TIMEOUT:
        tg_question_fail(question, "timeout", "no server answered in time");
        return;
    case DNS_ERR_SERVERFAILED:
        tg_question_fail(question, "servfail", "the server failed");
        return;
    case DNS_ERR_REFUSED:
        tg_question_fail(question, "refused", "the server refused to answer");
        return;
    case DNS_ERR_TRUNCATED:
        tg_question_fail(question, "truncated",
                         "the answer is too long for a datagram");
        return;
    default:
        tg_question_fail(question, "failed",
                         "the server's answer cannot be understood");
        return;
    }
    question->expires = tg_clock_now() + KEEP_FAILURE;
}

static void take_addresses(struct tg_question *question, const void *data,
                           int count)
{
    struct tg_address list[ADDRESSES_MOST];
    size_t len = question->type == TG_LOOKUP_A ? 4 : 16, i;
    const uint8_t *bytes = data;

    for (i = 0; i < (size_t)count && i < ADDRESSES_MOST; i++)
        tg_address_of_bytes(&list[i], bytes + i * len, len, 0);
    tg_question_answer(question, list, i);
}

static void take_name(struct tg_question *question, const char *text)
{
    char name[TG_HOST_NAME];
    bool is_complete;

    if (tg_host_name_read(text, name, &is_complete))
        tg_question_answer_name(question, name);
    else
        tg_question_fail(question, "failed",
                         "the server's answer is no name of a host");
}

static void on_answer(int result, char type, int count, int ttl,
                      void *addresses, void *arg)
{
    struct tg_question *question = arg;

    (void)type;
    question->request = NULL;
    if (question->is_abandoned) {
        tg_question_free(question);
        return;
    }
    question->servers->asked--;
    question->expires = 0;
    if (result != DNS_ERR_NONE || count <= 0 || !addresses) {
        refuse(question, result);
    } else {
        if (question->type == TG_LOOKUP_PTR)
            take_name(question, *(char **)addresses);
        else
            take_addresses(question, addresses, count);
        if (ttl > 0)
            question->expires =
                tg_clock_now() + (ttl < KEEP_MOST ? ttl : KEEP_MOST);
    }
    question->servers->fn(question);
}

/* --- asking --- */

static struct evdns_request *ask_reverse(struct tg_name_servers *servers,
                                         struct tg_question *question)
{
    struct tg_address address;
    struct in6_addr six;
    struct in_addr four;

    tg_address_parse(&address, question->name, strlen(question->name));
    if (tg_address_is_ipv4(&address)) {
        memcpy(&four, address.bytes + 12, sizeof(four));
        return evdns_base_resolve_reverse(
            servers->evdns, &four, DNS_QUERY_NO_SEARCH, on_answer, question);
    }
    memcpy(&six, address.bytes, sizeof(six));
    return evdns_base_resolve_reverse_ipv6(
        servers->evdns, &six, DNS_QUERY_NO_SEARCH, on_answer, question);
}

bool tg_name_servers_ask(struct tg_name_servers *servers,
                         struct tg_question *question)
{
    int flags = question->searches ? 0 : DNS_QUERY_NO_SEARCH;

    prepare(servers);
    question->expires = 0;
    question->servers = servers;
    question->began = tg_clock_now();
    if (evdns_base_count_nameservers(servers->evdns) <= 0) {
        tg_question_fail(question, "noserver", "there is no server to ask");
        return false;
    }
    if (question->type == TG_LOOKUP_PTR)
        question->request = ask_reverse(servers, question);
    else if (question->type == TG_LOOKUP_A)
        question->request = evdns_base_resolve_ipv4(
            servers->evdns, question->name, flags, on_answer, question);
    else
        question->request = evdns_base_resolve_ipv6(
            servers->evdns, question->name, flags, on_answer, question);
    if (question->request)
        servers->asked++;
    else
        tg_question_fail(question, "failed", "the question cannot be asked");
    return question->request;
}

/* evdns calls back once more, later. */
void tg_name_servers_abandon(struct tg_name_servers *servers,
                             struct tg_question *question)
{
    servers->asked--;
    question->is_abandoned = true;
    evdns_cancel_request(servers->evdns, question->request);
}

/* --- their life --- */

static char **copy_list(const char *const *list)
{
    size_t n = 0, i;
    char **copy;

    if (!list)
        return NULL;
    while (list[n])
        n++;
    copy = tg_alloc((n + 1) * sizeof(*copy));
    for (i = 0; i < n; i++)
        copy[i] = tg_strdup(list[i]);
    return copy;
}

static void free_list(char **list)
{
    char **text;

    for (text = list; text && *text; text++)
        free(*text);
    free(list);
}

struct tg_name_servers *tg_name_servers_new(struct tg_loop *loop,
                                            const char *const *list,
                                            const char *const *search,
                                            tg_name_servers_fn *fn)
{
    struct tg_name_servers *servers = tg_alloc(sizeof(*servers));

    servers->loop = loop;
    servers->list = copy_list(list);
    servers->search = copy_list(search);
    servers->fn = fn;
    return servers;
}

void tg_name_servers_free(struct tg_name_servers *servers)
{
    if (servers->evdns)
        evdns_base_free(servers->evdns, 0);
    free_list(servers->list);
    free_list(servers->search);
    free(servers);
}
