// SPDX-License-Identifier: MIT
#include "base/descriptors.h"

#include <sys/resource.h>

enum { ENOUGH = 1024 * 1024 }; /* "unlimited" is no number to count with */

long tg_descriptors_most(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 1024;
    return limit.rlim_max < ENOUGH ? (long)limit.rlim_max : ENOUGH;
}

void tg_descriptors_raise(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = (rlim_t)tg_descriptors_most();
    setrlimit(RLIMIT_NOFILE, &limit);
}
