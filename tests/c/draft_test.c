// SPDX-License-Identifier: MIT
/* A file is under its final name when it is whole, and not before. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/draft.h"

static char folder[] = "/tmp/tidegate.draft.XXXXXX";
static char path[sizeof(folder) + 2];

static int enter(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof(path), "%s/a", folder);
    return 0;
}

static int leave(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder); /* fails if a draft was left */
}

static void assert_holds(const char *expected)
{
    char text[64] = "";
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    assert_int_equal(fread(text, 1, sizeof(text) - 1, file), strlen(expected));
    fclose(file);
    assert_string_equal(text, expected);
}

static void is_there_when_committed(void **state)
{
    struct tg_draft draft = TG_DRAFT_NONE;

    (void)state;
    assert_int_equal(tg_draft_open(&draft, path), 0);
    assert_int_equal(tg_draft_write(&draft, "ebb", 3), 0);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(tg_draft_write(&draft, " tide", 5), 0);
    assert_int_equal(tg_draft_commit(&draft), 0);
    assert_holds("ebb tide");
    tg_draft_release(&draft);
    tg_draft_release(&draft);
    assert_holds("ebb tide");
}

static void leaves_what_was_there(void **state)
{
    struct tg_draft draft = TG_DRAFT_NONE;

    (void)state;
    assert_int_equal(tg_draft_open(&draft, path), 0);
    assert_int_equal(tg_draft_write(&draft, "x", 1), 0);
    tg_draft_release(&draft);
    assert_holds("ebb tide");
}

static void says_that_no_more_can_be_written(void **state)
{
    struct tg_draft draft = TG_DRAFT_NONE;
    struct rlimit most, before;
    char block[8192] = {0};

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    most = (struct rlimit){sizeof(block), before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &most), 0);
    assert_int_equal(tg_draft_open(&draft, path), 0);
    assert_int_equal(tg_draft_write(&draft, block, 5000), 0);
    assert_int_equal(tg_draft_write(&draft, block, 5000), -EFBIG);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    tg_draft_release(&draft);
    assert_holds("ebb tide");
}

static void needs_a_place(void **state)
{
    struct tg_draft draft = TG_DRAFT_NONE;

    (void)state;
    assert_int_equal(tg_draft_open(&draft, "/nowhere/a"), -ENOENT);
    assert_int_equal(tg_draft_open(&draft, folder), -EISDIR);
    tg_draft_release(&draft);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_there_when_committed),
        cmocka_unit_test(leaves_what_was_there),
        cmocka_unit_test(says_that_no_more_can_be_written),
        cmocka_unit_test(needs_a_place),
    };

    return cmocka_run_group_tests_name("draft", tests, enter, leave);
}
