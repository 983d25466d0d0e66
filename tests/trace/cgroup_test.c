/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "trace/cgroup.h"
#include "trace/detached.h"

static void need_root(void)
{
	if (geteuid() == 0)
		return;
	print_message("needs root\n");
	skip();
}

/* Whether FD is the root of the cgroup2 hierarchy of the host; closes it. */
static bool is_root(int fd)
{
	struct statfs statfs;
	bool is_good = fd >= 0 && fstatfs(fd, &statfs) == 0 &&
		       statfs.f_type == CGROUP2_SUPER_MAGIC && cgroup_is_whole(fd) &&
		       faccessat(fd, "cgroup.procs", R_OK, 0) == 0;

	if (fd >= 0)
		close(fd);
	return is_good;
}

static void test_root_is_found(void **state)
{
	(void)state;
	need_root();
	assert_true(is_root(cgroup_open()));
}

/* What CHECK returns in a process of its own. */
static int in_child(int (*check)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(check());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* As on a host that has it nowhere, or only the older hierarchies. */
static int check_hidden(void)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/sys/fs/cgroup", "tmpfs", 0, NULL))
		return 77;
	return !is_root(cgroup_open());
}

static void test_root_is_found_where_it_is_not_mounted(void **state)
{
	(void)state;
	need_root();
	assert_int_equal(in_child(check_hidden), 0);
}

/* A mount made within a cgroup namespace begins at the group of who made that. */
static int check_namespace(void)
{
	int root = cgroup_open();
	char name[32];
	int procs;
	int own;
	int status;

	snprintf(name, sizeof(name), "ct-test-%d", getpid());
	if (root < 0 || mkdirat(root, name, 0755))
		return 77;
	procs = openat(root, name, O_RDONLY | O_DIRECTORY);
	own = openat(procs, "cgroup.procs", O_WRONLY);
	status = write(own, "0", 1) == 1 && unshare(CLONE_NEWCGROUP) == 0 ? 0 : 77;
	close(own);
	own = status ? -1 : detached_open("cgroup2");
	if (!status && (own < 0 || cgroup_is_whole(own) || !cgroup_is_whole(root)))
		status = 1;
	own = openat(root, "cgroup.procs", O_WRONLY);
	if (write(own, "0", 1) != 1 || unlinkat(root, name, AT_REMOVEDIR))
		status = 2;
	return status;
}

static void test_namespace_is_not_the_host(void **state)
{
	int status;

	(void)state;
	need_root();
	status = in_child(check_namespace);
	if (status == 77) {
		print_message("control groups cannot be made\n");
		skip();
	}
	assert_int_equal(status, 0);
}

static void test_other_things_are_not_whole(void **state)
{
	(void)state;
	assert_false(cgroup_is_whole(-1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_root_is_found),
		cmocka_unit_test(test_root_is_found_where_it_is_not_mounted),
		cmocka_unit_test(test_namespace_is_not_the_host),
		cmocka_unit_test(test_other_things_are_not_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
