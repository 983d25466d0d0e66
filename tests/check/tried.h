/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CHECK_TRIED_H
#define TESTS_CHECK_TRIED_H

/*
 * Trials of `check` in a process of its own, which may have less than this one: what they find is
 * in memory that is shared. To be included after cmocka.h; a failure fails the test.
 */

#include <errno.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check/check.h"
#include "check/host.h"
#include "syscalls/filter.h"

#define TRIED_NOBODY 65534
#define TRIED_UNUSED __attribute__((unused))

static struct check *tried;

static int tried_begin(void **state)
{
	(void)state;
	tried = mmap(NULL, sizeof(*tried), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (tried == MAP_FAILED)
		return -1;
	check_begin(tried);
	return 0;
}

static int tried_end(void **state)
{
	(void)state;
	return munmap(tried, sizeof(*tried));
}

/* Calls LIMIT, which returns 0, unless it is NULL, then TRY; and ends what is found. */
static void try_with(int (*limit)(void), void (*try)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (limit && limit())
			_exit(1);
		check_host_read(&tried->host);
		try();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	check_end(tried, NULL, 0);
}

/* Becomes nobody, with no capability. Returns 0 where it could. */
static TRIED_UNUSED int without_rights(void)
{
	if (geteuid() != 0)
		return 0;
	if (setgroups(0, NULL) || setresgid(TRIED_NOBODY, TRIED_NOBODY, TRIED_NOBODY) ||
	    setresuid(TRIED_NOBODY, TRIED_NOBODY, TRIED_NOBODY))
		return -errno;
	/* As a program is that a user has started: it may be traced by itself. */
	return prctl(PR_SET_DUMPABLE, 1L, 0L, 0L, 0L);
}

/* Has CALL fail with EPERM, as the filter of a container does. */
static TRIED_UNUSED int without_call(uint32_t call)
{
	const struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) < 0)
		return -errno;
	return filter_install(filter, sizeof(filter) / sizeof(filter[0]), 0);
}

/* Whether this process, with all it has, may make a BPF map: 0 or an errno. */
static TRIED_UNUSED int bpf_errno(void)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_RINGBUF, .max_entries = 4096 };
	int fd = (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* The same of nobody. */
static TRIED_UNUSED int bpf_errno_of_nobody(void)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(without_rights() ? 255 : bpf_errno());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void assert_tells(size_t feature, enum check_status status, enum check_cause cause)
{
	const struct check_verdict *verdict = &tried->all[feature].verdict;

	if (verdict->status != status || verdict->cause != cause)
		fail_msg("%s: status %u for cause %u: '%s'", tried->all[feature].name,
			 verdict->status, verdict->cause, verdict->why);
	/* Who fails says why. */
	if (status != CHECK_WORKS)
		assert_true(verdict->why[0]);
}

#endif /* TESTS_CHECK_TRIED_H */
