// SPDX-License-Identifier: MIT
/* The media type of a file, by the end of its name.  Pure. */
#ifndef TG_HTTP_FILE_TYPE_H
#define TG_HTTP_FILE_TYPE_H

/* With its charset, UTF-8, where it is text; "application/octet-stream" if the
 * name tells nothing.  A constant. */
const char *tg_file_type(const char *path);

#endif
