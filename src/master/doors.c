// SPDX-License-Identifier: MIT
#include "master/doors.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "master/inherited.h"

static bool listens_on(const struct tg_settings *settings, const char *address)
{
    const struct tg_listen *listen;

    for (listen = settings->listen; listen->address; listen++)
        if (strcmp(listen->address, address) == 0)
            return true;
    return false;
}

/* A manager's sockets say where to listen, if nobody else does. */
static void listen_where_told(struct tg_settings *settings,
                              const struct tg_inherited *inherited)
{
    int i;

    if (!settings->listens_by_default || !inherited->count)
        return;
    tg_settings_clear_listen(settings);
    for (i = 0; i < inherited->count; i++) {
        char *address = tg_inherited_address(inherited, i);

        if (!listens_on(settings, address))
            tg_settings_add_listen(settings, address);
        free(address);
    }
}

/* Such a socket waits for somebody who never accepts. */
static void tell_of_the_rest(const struct tg_inherited *inherited)
{
    int i;

    for (i = 0; i < inherited->count; i++) {
        char *address = tg_inherited_address(inherited, i);

        if (address)
            tg_log(TG_LOG_WARN,
                   "a socket of %s was handed over, but 'listen' does not "
                   "name it",
                   address);
        free(address);
    }
}

char *tg_doors_open(struct tg_doors *doors, struct tg_settings *settings,
                    struct tg_inherited *inherited)
{
    const struct tg_listen *listen = settings->listen;
    int i;

    listen_where_told(settings, inherited);
    for (i = 0; i < TG_SETTINGS_LISTEN_MOST && listen[i].address; i++) {
        char *error = tg_sockets_open(
            &doors->sockets[i], listen[i].address, (int)settings->threads,
            listen[i].tls ? "https" : "http", inherited);

        if (error)
            return error;
        doors->count++;
    }
    tell_of_the_rest(inherited);
    return NULL;
}

int tg_doors_show(const struct tg_doors *doors, struct tg_listening *listeners)
{
    int i;

    for (i = 0; i < doors->count; i++) {
        const struct tg_sockets *sockets = &doors->sockets[i];

        listeners[i] =
            (struct tg_listening){sockets->url, sockets->fds, sockets->count};
    }
    return doors->count;
}

void tg_doors_close(struct tg_doors *doors, bool are_left)
{
    while (doors->count)
        tg_sockets_close(&doors->sockets[--doors->count], are_left);
}
