// SPDX-License-Identifier: MIT
/*
 * Whose rights the gateway has: after its sockets are bound it may give up
 * those of root for those of a user.
 */
#ifndef TG_MASTER_USER_H
#define TG_MASTER_USER_H

#include <sys/types.h>

struct tg_user {
    char *name;
    uid_t uid;
    gid_t gid;
};

/* Finds "NAME" or "NAME:GROUP", each a name or a number.  NULL, or one
 * sentence, to be freed. */
char *tg_user_find(struct tg_user *user, const char *text);
void tg_user_release(struct tg_user *user);

/* Becomes that user for good, with the groups it is in.  NULL, or one sentence,
 * to be freed. */
char *tg_user_become(const struct tg_user *user);

#endif
