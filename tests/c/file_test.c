// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* Around the root: outside.  In it: a, sub/b, and links. */
static char folder[] = "/tmp/tidegate.file.XXXXXX";
static int root;

static int run(const char *command)
{
    return system(command) == 0 ? 0 : -1;
}

static int enter(void **state)
{
    (void)state;
    if (!mkdtemp(folder) || chdir(folder) < 0 ||
        run("mkdir root root/sub && echo 1 >outside && echo 2 >root/a &&"
            " echo 3 >root/sub/b && mkfifo root/pipe && cd root &&"
            " ln -s ../outside out && ln -s a in && ln -s ../a sub/up &&"
            " ln -s /etc/hostname absolute && ln -s loop loop &&"
            " ln -s .. parent && ln -s sub folder") < 0)
        return -1;
    root = open("root", O_PATH | O_DIRECTORY);
    return root < 0 ? -1 : 0;
}

static int leave(void **state)
{
    (void)state;
    close(root);
    return chdir("/tmp") < 0 ? -1 : run("rm -r /tmp/tidegate.file.??????");
}

static int opened(const char *path)
{
    struct stat status;
    int fd = tg_file_open("root", path, &status);

    if (fd < 0)
        return fd;
    assert_int_equal(status.st_size, 2);
    close(fd);
    return 0;
}

static void opens_files_beneath_the_root(void **state)
{
    (void)state;
    assert_int_equal(opened("a"), 0);
    assert_int_equal(opened("sub/b"), 0);
    assert_int_equal(opened("sub/../a"), 0);
    assert_int_equal(opened("in"), 0);
    assert_int_equal(opened("sub/up"), 0);
    assert_int_equal(opened("folder/b"), 0);
}

static void leaves_it_by_no_way(void **state)
{
    (void)state;
    assert_int_equal(opened("../outside"), -EXDEV);
    assert_int_equal(opened("sub/../../outside"), -EXDEV);
    assert_int_equal(opened("/etc/hostname"), -EXDEV);
    assert_int_equal(opened("out"), -EXDEV);
    assert_int_equal(opened("absolute"), -EXDEV);
    assert_int_equal(opened("parent/outside"), -EXDEV);
    assert_int_equal(opened("loop"), -ELOOP);
}

static void opens_nothing_but_files(void **state)
{
    (void)state;
    assert_int_equal(opened("sub"), -EISDIR);
    assert_int_equal(opened("sub/"), -EISDIR);
    assert_int_equal(opened(""), -EISDIR);
    assert_int_equal(opened("pipe"), -EINVAL); /* and does not wait */
    assert_int_equal(opened("a/"), -ENOTDIR);
    assert_int_equal(opened("none"), -ENOENT);
    assert_int_equal(opened("a/b"), -ENOTDIR);
}

static int walked(const char *path)
{
    int fd = tg_file_walk(root, path, O_RDONLY | O_NONBLOCK);

    if (fd < 0)
        return fd;
    close(fd);
    return 0;
}

static void walks_without_following(void **state)
{
    char longest[1024];

    (void)state;
    memset(longest, 'x', 300);
    longest[300] = '\0';
    assert_int_equal(walked("a"), 0);
    assert_int_equal(walked("sub/b"), 0);
    assert_int_equal(walked("sub//b"), 0);
    assert_int_equal(walked("./sub/./b"), 0);
    assert_int_equal(walked("sub"), 0);
    assert_int_equal(walked("sub/"), 0);
    assert_int_equal(walked(""), 0);
    assert_int_equal(walked("a/"), -ENOTDIR);
    assert_int_equal(walked("a/b"), -ENOTDIR);
    assert_int_equal(walked("none"), -ENOENT);
    assert_int_equal(walked("none/b"), -ENOENT);
    assert_int_equal(walked(".."), -EXDEV);
    assert_int_equal(walked("sub/../a"), -EXDEV);
    assert_int_equal(walked("/a"), -EXDEV);
    assert_int_equal(walked("in"), -ELOOP);
    assert_int_equal(walked("out"), -ELOOP);
    assert_int_equal(walked("folder/b"), -ENOTDIR);
    assert_int_equal(walked(longest), -ENAMETOOLONG);
}

static void holds_no_descriptor(void **state)
{
    int before = dup(0), after, i;

    (void)state;
    close(before);
    for (i = 0; i < 100; i++) {
        opened("sub/b");
        opened("sub");
        opened("../outside");
        walked("sub/b");
        walked("sub/none");
        walked("sub/../a");
    }
    after = dup(0);
    close(after);
    assert_int_equal(after, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_files_beneath_the_root),
        cmocka_unit_test(leaves_it_by_no_way),
        cmocka_unit_test(opens_nothing_but_files),
        cmocka_unit_test(walks_without_following),
        cmocka_unit_test(holds_no_descriptor),
    };

    return cmocka_run_group_tests(tests, enter, leave);
}
