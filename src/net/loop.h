// SPDX-License-Identifier: MIT
/*
 * One thread's event loop: a libevent base without locks.
 *
 * Only its own thread touches a loop; others reach it through a mailbox whose
 * descriptor it watches.
 */
#ifndef TG_NET_LOOP_H
#define TG_NET_LOOP_H

struct tg_loop;
struct event_base;
struct tg_text;

/* Once, before the first loop.  `debug` turns on libevent's debug mode. */
void tg_loop_setup(int debug);

/* NULL when this system has no such backend; NULL picks the best one. */
struct tg_loop *tg_loop_new(const char *backend);
void tg_loop_free(struct tg_loop *loop);

/* Runs until tg_loop_stop(). */
void tg_loop_run(struct tg_loop *loop);
void tg_loop_stop(struct tg_loop *loop);

/* Calls `fn` whenever `fd` is readable, until the loop is freed. */
typedef void tg_loop_fn(void *arg);
void tg_loop_watch(struct tg_loop *loop, int fd, tg_loop_fn *fn, void *arg);

/*
 * What lives as long as the loop, one thing for each `key`, an address that
 * nobody else uses.  kept: NULL if there is none yet.  `release` is called when
 * the loop is freed, the last that came first.
 */
typedef void tg_loop_release_fn(void *thing);
void *tg_loop_kept(const struct tg_loop *loop, const void *key);
void tg_loop_keep(struct tg_loop *loop, const void *key, void *thing,
                  tg_loop_release_fn *release);

/* For the nouns that build on libevent. */
struct event_base *tg_loop_base(struct tg_loop *loop);

/* "epoll", ... */
const char *tg_loop_backend(const struct tg_loop *loop);

/* "2.1.12-stable" */
const char *tg_loop_version(void);

/* Adds " epoll poll select". */
void tg_loop_list_backends(struct tg_text *out);

/* Has this libevent the security fixes of 2026?  Debian's packages with and
 * without them have the same version number. */
int tg_loop_is_patched(void);

/* Frees what libevent keeps for the process; after the last loop. */
void tg_loop_teardown(void);

#endif
