// SPDX-License-Identifier: MIT
/* An address that only sends clients to another one. */
#ifndef TG_HTTP_REDIRECT_H
#define TG_HTTP_REDIRECT_H

struct tg_exchange;

/* Answers with 308 and the same target at `origin`: "https://HOST:PORT", or
 * what comes behind the host that was asked for: "" or ":PORT".  400 if that
 * needs a host and there is none. */
void tg_redirect_answer(struct tg_exchange *x, const char *origin);

#endif
