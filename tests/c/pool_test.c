// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/pool.h"

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct tg_pool));
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    tg_pool_free(*state);
    free(*state);
    return 0;
}

static void gives_a_freed_block_again(void **state)
{
    void *a = tg_pool_resize(*state, NULL, 0, 40), *b;

#ifdef __SANITIZE_ADDRESS__
    tg_pool_resize(*state, a, 40, 0);
    skip(); /* every block is malloc's then */
#endif
    assert_non_null(a);
    assert_null(tg_pool_resize(*state, a, 40, 0));
    b = tg_pool_resize(*state, NULL, 0, 48); /* of the same class */
    assert_ptr_equal(a, b);
    tg_pool_resize(*state, b, 48, 0);
}

static void keeps_the_bytes_when_a_block_grows_and_shrinks(void **state)
{
    static const size_t sizes[] = {1,   16,  17,  511,    512, 513,
                                   600, 512, 100, 100000, 8,   1};
    unsigned char *block = tg_pool_resize(*state, NULL, 5, 1);
    size_t i, at, old = 1;

    *block = 0;
    for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        size_t size = sizes[i];

        block = tg_pool_resize(*state, block, old, size);
        for (at = 0; at < old && at < size; at++)
            assert_int_equal(block[at], at & 0xff);
        for (at = 0; at < size; at++)
            block[at] = (unsigned char)at;
        old = size;
    }
    assert_null(tg_pool_resize(*state, block, old, 0));
}

static void aligns_every_block(void **state)
{
    size_t size;

    for (size = 1; size < 1100; size++) {
        void *block = tg_pool_resize(*state, NULL, 0, size);

        assert_int_equal((uintptr_t)block % _Alignof(max_align_t), 0);
        memset(block, 0xff, size);
        tg_pool_resize(*state, block, size, 0);
    }
}

static void frees_nothing_for_no_block(void **state)
{
    assert_null(tg_pool_resize(*state, NULL, 0, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_a_freed_block_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            keeps_the_bytes_when_a_block_grows_and_shrinks, setup, teardown),
        cmocka_unit_test_setup_teardown(aligns_every_block, setup, teardown),
        cmocka_unit_test_setup_teardown(frees_nothing_for_no_block, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
