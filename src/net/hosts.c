// SPDX-License-Identifier: MIT
#include "net/hosts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/text.h"
#include "net/host_name.h"

enum { LINES_MOST = 100000, SIZE_MOST = 16 * 1024 * 1024 };

struct host {
    struct tg_address address;
    char *name;
};

struct tg_hosts {
    char *path;
    struct host *list;
    size_t count, room;
    struct timespec changed;
    double checked; /* when it was last looked at */
};

struct tg_hosts *tg_hosts_new(const char *path)
{
    struct tg_hosts *hosts = tg_alloc(sizeof(*hosts));

    hosts->path = tg_strdup(path);
    return hosts;
}

static void clear(struct tg_hosts *hosts)
{
    while (hosts->count)
        free(hosts->list[--hosts->count].name);
    free(hosts->list);
    hosts->list = NULL;
    hosts->room = 0;
}

void tg_hosts_free(struct tg_hosts *hosts)
{
    clear(hosts);
    free(hosts->path);
    free(hosts);
}

static void add(struct tg_hosts *hosts, const struct tg_address *address,
                const char *text)
{
    char name[TG_HOST_NAME];
    bool is_complete;

    if (!tg_host_name_read(text, name, &is_complete))
        return;
    if (hosts->count == hosts->room) {
        hosts->room = hosts->room ? 2 * hosts->room : 16;
        hosts->list =
            tg_realloc(hosts->list, hosts->room * sizeof(*hosts->list));
    }
    hosts->list[hosts->count].address = *address;
    hosts->list[hosts->count++].name = tg_strdup(name);
}

/* "ADDRESS NAME...", up to a "#". */
static void read_line(struct tg_hosts *hosts, char *line)
{
    static const char blank[] = " \t\r\n";
    struct tg_address address;
    char *rest, *word;

    line[strcspn(line, "#")] = '\0';
    word = strtok_r(line, blank, &rest);
    if (!word || !tg_address_parse(&address, word, strlen(word)))
        return;
    while ((word = strtok_r(NULL, blank, &rest)))
        add(hosts, &address, word);
}

static void read_file(struct tg_hosts *hosts)
{
    struct tg_text text = {0};
    char *line, *rest;
    int lines = 0;

    clear(hosts);
    if (!tg_text_add_file(&text, hosts->path, SIZE_MOST))
        return;
    for (line = strtok_r(text.data, "\n", &rest); line && lines < LINES_MOST;
         line = strtok_r(NULL, "\n", &rest), lines++)
        read_line(hosts, line);
    tg_text_release(&text);
}

static void refresh(struct tg_hosts *hosts)
{
    double now = tg_clock_coarse();
    struct stat st;

    if (hosts->checked > 0 && now - hosts->checked < 1)
        return;
    hosts->checked = now;
    if (stat(hosts->path, &st) < 0 || !S_ISREG(st.st_mode)) {
        clear(hosts);
        hosts->changed = (struct timespec){0};
    } else if (st.st_mtim.tv_sec != hosts->changed.tv_sec ||
               st.st_mtim.tv_nsec != hosts->changed.tv_nsec) {
        hosts->changed = st.st_mtim;
        read_file(hosts);
    }
}

bool tg_hosts_find(struct tg_hosts *hosts, const char *name, bool is_ipv4,
                   struct tg_address *addresses, size_t most, size_t *count)
{
    bool found = false;
    size_t i;

    *count = 0;
    refresh(hosts);
    for (i = 0; i < hosts->count; i++) {
        const struct host *host = &hosts->list[i];

        if (strcmp(host->name, name) != 0)
            continue;
        found = true;
        if (tg_address_is_ipv4(&host->address) == is_ipv4 && *count < most)
            addresses[(*count)++] = host->address;
    }
    return found;
}

const char *tg_hosts_name(struct tg_hosts *hosts,
                          const struct tg_address *address)
{
    size_t i;

    refresh(hosts);
    for (i = 0; i < hosts->count; i++)
        if (memcmp(hosts->list[i].address.bytes, address->bytes,
                   sizeof(address->bytes)) == 0)
            return hosts->list[i].name;
    return NULL;
}
