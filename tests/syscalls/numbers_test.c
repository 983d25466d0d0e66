/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/audit.h>
#include <seccomp.h>
#include <sys/syscall.h>

#include "syscalls/numbers.h"

static const struct {
	enum syscall_arch arch;
	const char *name;
	uint32_t seccomp;
	uint32_t audit;
} arches[] = {
	{ SYSCALL_ARCH_x86_64, "x86_64", SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64 },
	{ SYSCALL_ARCH_i386, "i386", SCMP_ARCH_X86, AUDIT_ARCH_I386 },
	{ SYSCALL_ARCH_x32, "x32", SCMP_ARCH_X32, AUDIT_ARCH_X86_64 },
	{ SYSCALL_ARCH_arm64, "arm64", SCMP_ARCH_AARCH64, AUDIT_ARCH_AARCH64 },
};

#define NR_ARCHES (sizeof(arches) / sizeof(arches[0]))

static void test_architectures_have_names(void **state)
{
	(void)state;
	assert_int_equal(NR_ARCHES, NR_SYSCALL_ARCHES);
	for (size_t i = 0; i < NR_ARCHES; i++) {
		assert_string_equal(syscall_arch_name(arches[i].arch), arches[i].name);
		assert_int_equal(syscall_arch_find(arches[i].name), arches[i].arch);
		assert_int_equal(syscall_arch_audit(arches[i].arch), arches[i].audit);
	}
	assert_int_equal(syscall_arch_find("amd64"), -ENOENT);
	assert_int_equal(syscall_arch_find(""), -ENOENT);
}

static void assert_call(uint32_t audit, uint32_t nr, int arch, uint32_t want)
{
	assert_int_equal(syscall_arch_of(audit, &nr), arch);
	assert_int_equal(nr, want);
}

static void test_calls_are_told_apart_by_architecture_and_bit(void **state)
{
	(void)state;
	assert_call(AUDIT_ARCH_X86_64, 39, SYSCALL_ARCH_x86_64, 39);
	assert_call(AUDIT_ARCH_X86_64, SYSCALL_X32_BIT | 39, SYSCALL_ARCH_x32, 39);
	assert_call(AUDIT_ARCH_I386, 64, SYSCALL_ARCH_i386, 64);
	/* there the bit is none */
	assert_call(AUDIT_ARCH_I386, SYSCALL_X32_BIT | 64, SYSCALL_ARCH_i386, SYSCALL_X32_BIT | 64);
	assert_call(AUDIT_ARCH_AARCH64, 172, SYSCALL_ARCH_arm64, 172);
	assert_call(AUDIT_ARCH_X86_64, UINT32_MAX, SYSCALL_ARCH_x86_64, UINT32_MAX);
	assert_call(AUDIT_ARCH_RISCV64, 172, -ENOENT, 172);
}

/* Numbers as the C library's header has them; a few of each age, all of them are in the bats. */
static void test_native_numbers_are_the_c_librarys(void **state)
{
	static const struct {
		const char *name;
		int nr;
	} calls[] = {
		{ "read", SYS_read },	    { "write", SYS_write },
		{ "openat", SYS_openat },   { "close", SYS_close },
		{ "clone", SYS_clone },	    { "execve", SYS_execve },
		{ "getppid", SYS_getppid }, { "exit_group", SYS_exit_group },
		{ "futex", SYS_futex },	    { "seccomp", SYS_seccomp },
		{ "statx", SYS_statx },	    { "io_uring_enter", SYS_io_uring_enter },
		{ "clone3", SYS_clone3 },   { "faccessat2", SYS_faccessat2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		assert_int_equal(syscall_number(syscall_arch_native(), calls[i].name), calls[i].nr);
		assert_string_equal(syscall_name(syscall_arch_native(), (uint32_t)calls[i].nr),
				    calls[i].name);
	}
}

static void test_every_name_leads_to_its_number(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_ARCHES; i++) {
		size_t nr_names = 0;

		for (uint32_t nr = 0; nr < SYSCALLS_MAX; nr++) {
			const char *name = syscall_name(arches[i].arch, nr);

			if (!name)
				continue;
			nr_names++;
			assert_true(*name);
			assert_int_equal(syscall_number(arches[i].arch, name), nr);
			assert_true(nr <= syscall_last(arches[i].arch));
		}
		assert_true(nr_names > 300);
		assert_non_null(syscall_name(arches[i].arch, syscall_last(arches[i].arch)));
	}
}

static void test_what_is_not_there_is_not_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_ARCHES; i++) {
		assert_null(syscall_name(arches[i].arch, syscall_last(arches[i].arch) + 1));
		assert_null(syscall_name(arches[i].arch, SYSCALLS_MAX));
		assert_null(syscall_name(arches[i].arch, UINT32_MAX));
		assert_int_equal(syscall_number(arches[i].arch, "no_such_call"), -ENOENT);
		assert_int_equal(syscall_number(arches[i].arch, ""), -ENOENT);
		assert_int_equal(syscall_number(arches[i].arch, "sys_read"), -ENOENT);
	}
	/* a gap of the table, and a call that arm64 never had */
	assert_null(syscall_name(SYSCALL_ARCH_x86_64, 400));
	assert_int_equal(syscall_number(SYSCALL_ARCH_arm64, "open"), -ENOENT);
}

/* `int $0x80` with 20 is getpid, and `syscall` with it is writev. */
static void test_numbers_depend_on_the_architecture(void **state)
{
	(void)state;
	assert_string_equal(syscall_name(SYSCALL_ARCH_i386, 20), "getpid");
	assert_string_equal(syscall_name(SYSCALL_ARCH_x86_64, 20), "writev");
	assert_string_equal(syscall_name(SYSCALL_ARCH_arm64, 20), "epoll_create1");
	assert_string_equal(syscall_name(SYSCALL_ARCH_x32, 515), "readv");
	assert_null(syscall_name(SYSCALL_ARCH_x32, 19));
}

/* Newer than the library at hand may be: those of Linux 6.4 and later. */
static bool may_be_unknown(uint32_t nr, const char *name)
{
	return nr >= 451 || strcmp(name, "uretprobe") == 0 || strcmp(name, "uprobe") == 0;
}

/*
 * What libseccomp calls number NR; "" for what it does not know. Its numbers below 0 stand for
 * calls that some architecture has no number for.
 */
static char *seccomp_name(uint32_t arch, uint32_t nr)
{
	uint32_t bit = arch == SCMP_ARCH_X32 ? SYSCALL_X32_BIT : 0;
	char *name = seccomp_syscall_resolve_num_arch(arch, (int)(nr | bit));

	return name ? name : strdup("");
}

static void test_names_are_libseccomps(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_ARCHES; i++) {
		size_t nr_equal = 0;

		for (uint32_t nr = 0; nr < SYSCALLS_MAX; nr++) {
			const char *ours = syscall_name(arches[i].arch, nr);
			char *theirs = seccomp_name(arches[i].seccomp, nr);

			if (ours && !*theirs) {
				if (!may_be_unknown(nr, ours))
					fail_msg("%s: libseccomp has no %s", arches[i].name, ours);
				print_message("%s %u %s: newer than libseccomp\n", arches[i].name,
					      nr, ours);
			} else {
				assert_string_equal(ours ? ours : "", theirs);
				nr_equal += ours != NULL;
			}
			free(theirs);
		}
		assert_true(nr_equal > 300);
	}
}

static void test_numbers_are_libseccomps(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_ARCHES; i++) {
		size_t nr_equal = 0;

		for (uint32_t nr = 0; nr < SYSCALLS_MAX; nr++) {
			const char *name = syscall_name(arches[i].arch, nr);
			int theirs =
				name ? seccomp_syscall_resolve_name_arch(arches[i].seccomp, name)
				     : -1;

			if (theirs < 0)
				continue;
			assert_int_equal((uint32_t)theirs & ~SYSCALL_X32_BIT, nr);
			nr_equal++;
		}
		assert_true(nr_equal > 300);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_architectures_have_names),
		cmocka_unit_test(test_calls_are_told_apart_by_architecture_and_bit),
		cmocka_unit_test(test_native_numbers_are_the_c_librarys),
		cmocka_unit_test(test_every_name_leads_to_its_number),
		cmocka_unit_test(test_what_is_not_there_is_not_found),
		cmocka_unit_test(test_numbers_depend_on_the_architecture),
		cmocka_unit_test(test_names_are_libseccomps),
		cmocka_unit_test(test_numbers_are_libseccomps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
