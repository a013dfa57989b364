// SPDX-License-Identifier: MIT
#include "worker/check.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/settings.h"
#include "base/text.h"
#include "bind/app.h"
#include "script/bundle.h"
#include "script/library.h"

bool tg_check_project(const struct tg_settings *settings, bool as_json,
                      struct tg_text *out)
{
    char *error;
    struct tg_bundle *bundle = tg_bundle_read(
        settings->root, settings->handlers, settings->config, &error);
    struct tg_app *app;
    bool ok;

    tg_log_setup(settings->log_level, settings->log_format);
    if (!bundle) {
        tg_text_addf(out, "%s\n", error);
        free(error);
        return false;
    }
    tg_library_setup();
    app = tg_app_new(bundle, 1, 1, 1, &settings->limits);
    ok = tg_app_load(app, out);
    if (ok)
        tg_app_routes(app, as_json, out);
    else
        tg_text_adds(out, "\n");
    tg_app_free(app);
    tg_bundle_unref(bundle);
    return ok;
}
