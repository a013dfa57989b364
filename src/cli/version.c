// SPDX-License-Identifier: MIT
#include <stdio.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "worker/versions.h"

static int version(int argc, char **argv)
{
    struct tg_text out = {0};

    if (argc > 1)
        return tg_options_misused("version takes no arguments: '%s'", argv[1]);
    tg_versions_describe(&out);
    fputs(out.data, stdout);
    tg_text_release(&out);
    return TG_EXIT_OK;
}

const struct tg_command tg_command_version = {
    "version", "", "tells the version of the gateway and its libraries",
    version};
