// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/file_type.h"

static void knows_types_by_name(void **state)
{
    (void)state;
    assert_string_equal(tg_file_type("a.html"), "text/html; charset=utf-8");
    assert_string_equal(tg_file_type("b/A.PNG"), "image/png");
    assert_string_equal(tg_file_type("a.tar.gz"), "application/gzip");
    assert_string_equal(tg_file_type("a.7z"), "application/x-7z-compressed");
    assert_string_equal(tg_file_type("a.zst"), "application/zstd");
    assert_string_equal(tg_file_type("a"), "application/octet-stream");
    assert_string_equal(tg_file_type("a."), "application/octet-stream");
    assert_string_equal(tg_file_type("a.html/b"), "application/octet-stream");
    assert_string_equal(tg_file_type(".html"), "application/octet-stream");
    assert_string_equal(tg_file_type(""), "application/octet-stream");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_types_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
