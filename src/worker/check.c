// SPDX-License-Identifier: MIT
#include "worker/check.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/settings.h"
#include "base/text.h"
#include "bind/app.h"
#include "script/bundle.h"
#include "script/lpeg.h"
#include "worker/certificates.h"
#include "worker/watchdog.h"

/* Adds the routes. */
static enum tg_check list(struct tg_app *app, bool as_json, struct tg_text *out)
{
    tg_app_routes(app, as_json, out);
    return tg_list_empty(&app->services) &&
                   strcmp(out->data, as_json ? "[]\n" : "\n") == 0
               ? TG_CHECK_EMPTY
               : TG_CHECK_SERVES;
}

/* In C nothing ends it, and nothing else is to be done. */
static void on_lost(const struct tg_loss *loss, void *arg)
{
    struct tg_text sentence = {0};

    (void)arg;
    tg_loss_describe(loss, &sentence);
    tg_text_adds(&sentence, "\n");
    if (write(STDERR_FILENO, sentence.data, sentence.len) < 0) {
        /* nobody reads it; stdio's locks may be held for ever */
    }
    _exit(1);
}

/* Code that does not return is ended as a gateway would end it, finalizers
 * among it. */
static enum tg_check try_bundle(struct tg_bundle *bundle,
                                const struct tg_settings *settings,
                                bool as_json, struct tg_text *out)
{
    struct tg_app *app = tg_app_new(bundle, 1, 1, 1, &settings->limits);
    enum tg_check outcome = TG_CHECK_FAILED;
    struct tg_watchdog watchdog = {0};
    struct tg_turn *turn;

    tg_watchdog_start(&watchdog, settings, NULL, on_lost, NULL);
    turn = tg_watchdog_enter(&watchdog, "check", 1);
    tg_app_watch(app, turn, settings->start_timeout);
    if (tg_app_load(app, out))
        outcome = list(app, as_json, out);
    else
        tg_text_adds(out, "\n");
    tg_app_free(app);
    tg_watchdog_leave(&watchdog, turn);
    tg_watchdog_stop(&watchdog);
    return outcome;
}

enum tg_check tg_check_project(const struct tg_settings *settings, bool as_json,
                               struct tg_text *out)
{
    char *error;
    struct tg_bundle *bundle = tg_bundle_read(
        settings->root, settings->handlers, settings->config, &error);
    struct tg_certificates_fresh certificates;
    enum tg_check outcome = TG_CHECK_FAILED;

    tg_log_setup(settings->log_level, settings->log_format);
    if (bundle)
        error = tg_certificates_read(NULL, settings, &certificates);
    if (error) {
        tg_bundle_unref(bundle);
        tg_text_addf(out, "%s\n", error);
        free(error);
        return outcome;
    }
    tg_certificates_drop(&certificates);
    tg_lpeg_find();
    outcome = try_bundle(bundle, settings, as_json, out);
    tg_bundle_unref(bundle);
    return outcome;
}
