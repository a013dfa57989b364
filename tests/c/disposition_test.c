// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "http/disposition.h"

static void names_a_download(void **state)
{
    static const struct {
        const char *name, *expected;
    } cases[] = {
        {"a.txt", "filename=\"a.txt\""},
        {"two words.txt", "filename=\"two words.txt\""},
        {"a\"b\\c.txt", "filename=\"a_b_c.txt\"; filename*=UTF-8''a%22b_c.txt"},
        {"50%.txt", "filename=\"50_.txt\"; filename*=UTF-8''50%25.txt"},
        {"../etc/passwd", "filename=\".._etc_passwd\""},
        {"a\r\nb", "filename=\"a__b\""},
        {"na\xc3\xafve.txt",
         "filename=\"na_ve.txt\"; filename*=UTF-8''na%C3%AFve.txt"},
        {"\xe2\x82\xac;1.txt",
         "filename=\"_;1.txt\"; filename*=UTF-8''%E2%82%AC%3B1.txt"},
        {"\xff.txt", "filename=\"_.txt\""}, /* not UTF-8 */
    };
    struct tg_text out = {0};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        out.len = 0;
        tg_disposition_attachment(cases[i].name, strlen(cases[i].name), &out);
        assert_memory_equal(out.data, "attachment; ", 12);
        assert_string_equal(out.data + 12, cases[i].expected);
    }
    tg_text_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_a_download),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
