/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "inspect/elf.h"
#include "support/files.h"
#include "support/policies.h"
#include "support/spawn.h"

/* What sha256sum(1) says of PATH. */
static const char *sha256_of(const char *path)
{
	const char *const argv[] = { "sha256sum", path, NULL };
	static char digits[65];

	assert_int_equal(spawn_wait(argv, files_path("sum")), 0);
	snprintf(digits, sizeof(digits), "%.64s", file_text(files_path("sum")));
	return digits;
}

static int check(struct policy *policy, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int result;

	assert_true(fd >= 0);
	result = policy_is_of(policy, fd);
	close(fd);
	return result;
}

static void test_the_same_bytes_are_the_program(void **state)
{
	struct policy *policy = policy_made("read");

	(void)state;
	policy->exe_sha256 = sha256_of("/bin/ls");
	assert_int_equal(check(policy, "/bin/ls"), 1);
	assert_int_equal(check(policy, "/proc/self/exe"), 0);
	policy_free(policy);
}

static void test_one_byte_makes_it_another(void **state)
{
	struct policy *policy = policy_made("read");

	(void)state;
	file_put(files_path("program"), "#!/bin/true\n", 0700);
	policy->exe_sha256 = sha256_of(files_path("program"));
	assert_int_equal(check(policy, files_path("program")), 1);
	file_put(files_path("program"), "#!/bin/trve\n", 0700);
	assert_int_equal(check(policy, files_path("program")), 0);
	file_put(files_path("program"), "", 0700);
	assert_int_equal(check(policy, files_path("program")), 0);
	policy_free(policy);
}

static void test_without_a_hash_the_build_id_counts(void **state)
{
	struct policy *policy = policy_made("read");
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char build_id[ELF_BUILD_ID_TEXT];
	struct window window;
	struct elf elf;
	off_t size = lseek(fd, 0, SEEK_END);

	(void)state;
	policy->exe_sha256 = NULL;
	policy->build_id = build_id;
	assert_int_equal(window_open(&window, fd, (uint64_t)size, 1U << 20), 0);
	assert_int_equal(elf_open(&elf, &window), 0);
	if (!elf_build_id(&elf, build_id)) {
		print_message("this program was linked without a build id\n");
		window_close(&window);
		close(fd);
		policy_free(policy);
		skip();
	}
	window_close(&window);
	close(fd);
	assert_int_equal(check(policy, "/proc/self/exe"), 1);
	assert_int_equal(check(policy, "/bin/sh"), 0);
	file_put(files_path("text"), "no ELF", 0600);
	assert_int_equal(check(policy, files_path("text")), 0);
	policy_free(policy);
}

static void test_without_both_nothing_is_known(void **state)
{
	struct policy *policy = policy_made("read");

	(void)state;
	policy->exe_sha256 = NULL;
	assert_int_equal(check(policy, "/proc/self/exe"), -ENODATA);
	policy_free(policy);
}

static void test_what_cannot_be_read_is_an_error(void **state)
{
	struct policy *policy = policy_made("read");

	(void)state;
	assert_int_equal(policy_is_of(policy, -1), -EBADF);
	assert_int_equal(check(policy, files_dir()), -EISDIR);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_same_bytes_are_the_program, files_begin,
						files_end),
		cmocka_unit_test_setup_teardown(test_one_byte_makes_it_another, files_begin,
						files_end),
		cmocka_unit_test_setup_teardown(test_without_a_hash_the_build_id_counts,
						files_begin, files_end),
		cmocka_unit_test(test_without_both_nothing_is_known),
		cmocka_unit_test_setup_teardown(test_what_cannot_be_read_is_an_error, files_begin,
						files_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
