// SPDX-License-Identifier: MIT
/* What the header fields of a part say (private to multipart). */
#ifndef TG_HTTP_MULTIPART_PART_H
#define TG_HTTP_MULTIPART_PART_H

#include "http/multipart.h"

/* Fills the step's name, filename and type from its fields. */
enum tg_multipart_fault tg_multipart_part(struct tg_multipart_step *step);

#endif
