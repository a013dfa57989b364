// SPDX-License-Identifier: MIT
/*
 * Files that are read, by names that may come from the network.
 *
 * Functions return a descriptor, for the caller to close, or -errno.
 */
#ifndef TG_BASE_FILE_H
#define TG_BASE_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

/*
 * Opens a regular file to read it and describes it.  With a `root` it is one
 * beneath that folder: neither ".." nor a symbolic link leads out of it
 * (-EXDEV).  -EISDIR: it is a folder; -EINVAL: it is something else, which is
 * not even opened for longer than that takes to see.
 */
int tg_file_open(const char *root, const char *path, struct stat *status);

/* Opens a folder to list it, as above; "" is the root itself. */
int tg_file_open_folder(const char *root, const char *path);

/*
 * What these do where the kernel has no openat2(2): one component at a time.
 * No symbolic link below the root is followed (-ELOOP).  `flags` are those of
 * open(2).
 */
int tg_file_walk(int root, const char *path, int flags);

#endif
