// SPDX-License-Identifier: MIT
/* Conditions: the input is field lines.  What the status says must fit the
 * fields that are there, and a date that was read is one that can be written.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/condition.h"
#include "http/date.h"
#include "http/framing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_date(const char *text, size_t len)
{
    char room[TG_DATE_LEN + 1];
    int64_t seconds, again;

    if (!tg_date_parse(text, len, 1780315200, &seconds) || seconds < 0 ||
        seconds > 253402300799)
        return;
    tg_date_format(seconds, room);
    assert(tg_date_parse(room, TG_DATE_LEN, 0, &again) && again == seconds);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct tg_validators ours = {"\"a\"", 3, 1780315200,
                                              1780315300};
    static const struct tg_validators none = {NULL, 0, -1, 1780315300};
    static struct tg_head head;
    char *bytes = malloc(size ? size : 1);
    int n, status, i;

    if (size)
        memcpy(bytes, data, size);
    n = tg_fields_parse(head.fields, TG_HEAD_FIELDS, bytes, size);
    head.nfields = n > 0 ? (unsigned)n : 0;
    status = tg_condition_weigh(&head, bytes, &ours);
    assert(status == 0 || status == 304 || status == 412);
    assert(status == 0 || n > 0);
    status = tg_condition_weigh(&head, bytes, &none);
    assert(status == 0 || status == 304 || status == 412);
    tg_condition_lets_range(&head, bytes, &ours);
    for (i = 0; i < n; i++)
        check_date(bytes + head.fields[i].value.at, head.fields[i].value.len);
    free(bytes);
    return 0;
}
