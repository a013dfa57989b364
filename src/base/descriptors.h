// SPDX-License-Identifier: MIT
/* How many files and sockets the process may have open. */
#ifndef TG_BASE_DESCRIPTORS_H
#define TG_BASE_DESCRIPTORS_H

/* The most it may raise its limit to. */
long tg_descriptors_most(void);

/* Raises the limit to that. */
void tg_descriptors_raise(void);

#endif
