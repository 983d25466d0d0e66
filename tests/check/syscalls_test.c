/* SPDX-License-Identifier: MIT */
/* What `check` says of `syscalls` where something is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sys/ptrace.h>

#include "check/syscalls.h"
#include "check/tried.h"

static void try_syscalls(void)
{
	check_syscalls(tried);
}

static int without_ptrace(void)
{
	return without_call(SYS_ptrace);
}

static int without_seccomp(void)
{
	return without_call(SYS_seccomp);
}

/* Whether a child may be traced here: asked without the code under test. */
static bool may_trace(void)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status == 0;
}

static bool is_skipped(void)
{
	if (may_trace())
		return false;
	print_message("ptrace(2) does not work here\n");
	skip();
	return true;
}

static void test_without_rights_all_but_bpf_works(void **state)
{
	(void)state;
	if (is_skipped())
		return;
	try_with(without_rights, try_syscalls);
	assert_tells(CHECK_FEATURE_syscalls_record_ptrace, CHECK_WORKS, CHECK_NOTHING);
	assert_tells(CHECK_FEATURE_syscalls_run, CHECK_WORKS, CHECK_NOTHING);
	assert_tells(CHECK_FEATURE_syscalls_verify, CHECK_WORKS, CHECK_NOTHING);
	assert_string_equal(tried->all[CHECK_FEATURE_syscalls_run].hook, "seccomp(2)");
	if (bpf_errno_of_nobody() != EPERM)
		return;
	assert_tells(CHECK_FEATURE_syscalls_record_bpf, CHECK_UNAVAILABLE, CHECK_PRIVILEGES);
	assert_non_null(
		strstr(tried->all[CHECK_FEATURE_syscalls_record_bpf].verdict.why, "CAP_BPF"));
	assert_null(tried->all[CHECK_FEATURE_syscalls_record_bpf].hook);
}

static void test_root_records_in_the_kernel(void **state)
{
	(void)state;
	if (bpf_errno()) {
		print_message("bpf(2) does not work here\n");
		skip();
		return;
	}
	try_with(NULL, try_syscalls);
	assert_tells(CHECK_FEATURE_syscalls_record_bpf, CHECK_WORKS, CHECK_NOTHING);
	assert_string_equal(tried->all[CHECK_FEATURE_syscalls_record_bpf].hook, "tp_btf/sys_enter");
}

static void test_without_ptrace_policies_have_one_phase(void **state)
{
	const struct check_verdict *run = &tried->all[CHECK_FEATURE_syscalls_run].verdict;

	(void)state;
	try_with(without_ptrace, try_syscalls);
	assert_tells(CHECK_FEATURE_syscalls_record_ptrace, CHECK_UNAVAILABLE, CHECK_PRIVILEGES);
	assert_non_null(strstr(tried->all[CHECK_FEATURE_syscalls_record_ptrace].verdict.why,
			       "a seccomp filter refuses ptrace(2)"));
	assert_tells(CHECK_FEATURE_syscalls_run, CHECK_LIMITED, CHECK_ENVIRONMENT);
	assert_non_null(strstr(run->why, "several phases"));
	assert_tells(CHECK_FEATURE_syscalls_verify, CHECK_WORKS, CHECK_NOTHING);
}

static void test_without_seccomp_nothing_is_limited(void **state)
{
	(void)state;
	if (is_skipped())
		return;
	try_with(without_seccomp, try_syscalls);
	assert_tells(CHECK_FEATURE_syscalls_run, CHECK_UNAVAILABLE, CHECK_PRIVILEGES);
	assert_non_null(strstr(tried->all[CHECK_FEATURE_syscalls_run].verdict.why,
			       "a seccomp filter refuses seccomp(2)"));
	assert_tells(CHECK_FEATURE_syscalls_verify, CHECK_UNAVAILABLE, CHECK_PRIVILEGES);
	assert_tells(CHECK_FEATURE_syscalls_record_ptrace, CHECK_WORKS, CHECK_NOTHING);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, tried_begin, tried_end)
	const struct CMUnitTest tests[] = {
		TEST(test_without_rights_all_but_bpf_works),
		TEST(test_root_records_in_the_kernel),
		TEST(test_without_ptrace_policies_have_one_phase),
		TEST(test_without_seccomp_nothing_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
