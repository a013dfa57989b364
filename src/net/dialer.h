// SPDX-License-Identifier: MIT
/*
 * Opens connections to others.  A name is resolved, and both families of
 * addresses are tried (RFC 8305): IPv6 first, each next one 250 ms later, or at
 * once when one has failed; the first that connects is taken.
 */
#ifndef TG_NET_DIALER_H
#define TG_NET_DIALER_H

#include <stdint.h>

struct tg_dial; /* one attempt, of one loop */
struct tg_loop;

struct tg_dial_target {
    const char *host; /* a name or an address, IPv6 without brackets; copied */
    uint16_t port;
    const char *unix_path; /* instead of host; NULL: TCP */
    double timeout; /* seconds for resolving and connecting; <= 0: none */
};

/*
 * `fd` is connected, does not block, is closed on exec, has TCP_NODELAY, and is
 * the callee's; or it is -1, and there are a sentence and a code: "resolve",
 * "refused", "unreachable", "timeout", or the name of the error, "ENOENT". Both
 * are valid during the call.  The dial is over.
 */
typedef void tg_dial_fn(int fd, const char *message, const char *code,
                        void *arg);

/* `fn` is never called before this returns. */
struct tg_dial *tg_dial_start(struct tg_loop *loop,
                              const struct tg_dial_target *target,
                              tg_dial_fn *fn, void *arg);

/* `fn` will not be called. */
void tg_dial_cancel(struct tg_dial *dial);

#endif
