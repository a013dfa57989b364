// SPDX-License-Identifier: MIT
#include "master/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

static bool is_number(const char *text)
{
    return *text && strspn(text, "0123456789") == strlen(text);
}

static bool find_user(struct tg_user *user, const char *name)
{
    const struct passwd *entry = getpwnam(name);

    if (!entry && is_number(name))
        entry = getpwuid((uid_t)strtoul(name, NULL, 10));
    if (entry) {
        user->name = tg_strdup(entry->pw_name);
        user->uid = entry->pw_uid;
        user->gid = entry->pw_gid;
    }
    return entry;
}

static bool find_group(struct tg_user *user, const char *name)
{
    const struct group *entry = getgrnam(name);

    if (!entry && is_number(name))
        entry = getgrgid((gid_t)strtoul(name, NULL, 10));
    if (entry)
        user->gid = entry->gr_gid;
    return entry;
}

char *tg_user_find(struct tg_user *user, const char *text)
{
    const char *group = strchr(text, ':');
    char *name =
        tg_strndup(text, group ? (size_t)(group - text) : strlen(text));
    char *error = NULL;

    *user = (struct tg_user){0};
    if (!find_user(user, name))
        error = tg_strf("there is no user '%s'", name);
    else if (group && !find_group(user, group + 1))
        error = tg_strf("there is no group '%s'", group + 1);
    free(name);
    if (error)
        tg_user_release(user);
    return error;
}

void tg_user_release(struct tg_user *user)
{
    free(user->name);
    user->name = NULL;
}

char *tg_user_become(const struct tg_user *user)
{
    if (geteuid() == user->uid && getegid() == user->gid)
        return NULL; /* it is already */
    if (initgroups(user->name, user->gid) < 0 || setgid(user->gid) < 0 ||
        setuid(user->uid) < 0)
        return tg_strf("cannot become the user '%s': %s", user->name,
                       strerror(errno));
    return NULL;
}
