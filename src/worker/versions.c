// SPDX-License-Identifier: MIT
#include "worker/versions.h"

#include "base/text.h"
#include "http/encoder.h"
#include "net/loop.h"
#include "net/tls.h"
#include "script/library.h"

void tg_versions_describe(struct tg_text *out)
{
    struct tg_loop *loop;

    tg_loop_setup(0);
    loop = tg_loop_new(NULL);
    tg_text_addf(out, "tidegate %s\n", TG_VERSION);
    tg_text_addf(out, "libevent %s, backend %s of", tg_loop_version(),
                 tg_loop_backend(loop));
    tg_loop_list_backends(out);
    tg_text_addf(out, "\n%s",
                 tg_loop_is_patched()
                     ? ""
                     : "  its security fixes of 2026 are missing: "
                       "upgrade it (Debian: 2.1.12-stable-8+"
                       "deb12u1)\n");
    tg_text_addf(out, "%s\n", tg_tls_version());
    tg_text_adds(out, "codings ");
    tg_encoder_describe(out);
    tg_text_adds(out, "\n");
    tg_library_versions(out);
    tg_loop_free(loop);
    tg_loop_teardown();
}
