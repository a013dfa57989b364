// SPDX-License-Identifier: MIT
/*
 * A listening socket of a loop, which stays while those who serve it change:
 * a new generation opens the same address and serves it from some moment on,
 * and what the kernel has queued is not lost.
 *
 * Each loop has a socket of its own (SO_REUSEPORT): the kernel spreads the
 * connections over them.
 */
#ifndef TG_NET_ACCEPTOR_H
#define TG_NET_ACCEPTOR_H

struct tg_acceptor;
struct tg_address;
struct tg_loop;

/* A connection has come; the callee takes the descriptor, which does not block
 * and has TCP_NODELAY. */
typedef void tg_acceptor_fn(int fd, void *arg);

/* The loop's acceptor for the address, which must have a port; opens it for the
 * first who asks.  0 or -errno. */
int tg_acceptor_open(struct tg_loop *loop, const struct tg_address *address,
                     struct tg_acceptor **acceptor);

/* For each open, once: `arg` does not serve any more.  The last one closes. */
void tg_acceptor_close(struct tg_acceptor *acceptor, void *arg);

/* From here on `fn` gets what comes, and nobody else does. */
void tg_acceptor_serve(struct tg_acceptor *acceptor, tg_acceptor_fn *fn,
                       void *arg);

/* If `arg` serves: takes no more connections; takes them again. */
void tg_acceptor_pause(struct tg_acceptor *acceptor, const void *arg);
void tg_acceptor_resume(struct tg_acceptor *acceptor, const void *arg);

#endif
