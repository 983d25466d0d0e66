/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "proc/status.h"
#include "support/files.h"
#include "support/guard.h"

#define STATUS                                                                                     \
	"Umask:\t0022\nState:\tS (sleeping)\nTgid:\t7\nNgid:\t0\nPid:\t7\nPPid:\t4194303\n"        \
	"TracerPid:\t0\nUid:\t1000\t1001\t1002\t1003\nGid:\t50\t51\t52\t53\nFDSize:\t64\n"         \
	"Groups:\t4 24 \nNStgid:\t7\nThreads:\t12\nSigQ:\t0/1\n"

static int parse(const char *text, struct status *ret)
{
	size_t size = strlen(text);
	const void *bytes = guard_copy(text, size);
	int err = status_parse(bytes, size, ret);

	guard_free(bytes, size);
	return err;
}

static void test_fields_are_told(void **state)
{
	struct status status;

	(void)state;
	assert_int_equal(parse("Name:\tsshd\n" STATUS, &status), 0);
	assert_string_equal(status.name, "sshd");
	assert_int_equal(status.ppid, 4194303);
	assert_int_equal(status.uid, 1000);
	assert_int_equal(status.euid, 1001);
	assert_int_equal(status.gid, 50);
	assert_int_equal(status.egid, 51);
	assert_int_equal(status.nr_threads, 12);
}

static void expect_name(const char *written, const char *name)
{
	struct status status;
	char text[1024];

	snprintf(text, sizeof(text), "Name:%s\n" STATUS, written);
	assert_int_equal(parse(text, &status), 0);
	assert_string_equal(status.name, name);
}

static void test_names_are_as_they_were_set(void **state)
{
	(void)state;
	expect_name("\ta\\nb\\\\n\\\\", "a\nb\\n\\");
	expect_name("\tx\\", "x\\");
	expect_name("\t\\t", "\\t");
	expect_name("\t", "");
	expect_name("", "");
	expect_name("\t\tTab: \377", "\tTab: \377");
	expect_name("\t0123456789012345678901234567890123456789012345678901234567890123456789",
		    "0123456789012345678901234567890123456789012345678901234567890123");
}

/* A process may be called like a line of the file. */
static void test_a_name_is_no_other_field(void **state)
{
	struct status status;

	(void)state;
	assert_int_equal(parse("Name:\tUid:\\nUid:\t0\t0\n" STATUS, &status), 0);
	assert_string_equal(status.name, "Uid:\nUid:\t0\t0");
	assert_int_equal(status.uid, 1000);
}

static void test_a_missing_field_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"\n\n",
		STATUS,
		"Name:\tx\nPPid:\t1\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n",
		"Name:\tx\nPPid:\t1\nUid:\t0\t0\t0\t0\nThreads:\t1\n",
		"Name:\tx\nPPid:\t1\nGid:\t0\t0\t0\t0\nThreads:\t1\n",
		"Name:\tx\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nThreads:\t1\n",
		"Name:\tx\nPPid:\t1\nUid:\t0\nGid:\t0\t0\t0\t0\nThreads:\t1\n",
		"Name:\tx\nPPid:\t\nUid:\t0\t0\nGid:\t0\t0\nThreads:\t1\n",
		"Name:\tx\nPPid:\t4294967296\nUid:\t0\t0\nGid:\t0\t0\nThreads:\t1\n",
		"Name:\tx\nPPid:\t1\nUid:\t0\t0\nGid:\t0\t0\nThreads:\t",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct status status = { .uid = 77 };

		assert_int_equal(parse(texts[i], &status), -EBADMSG);
		assert_int_equal(status.uid, 77);
	}
}

static void test_this_kernel_is_understood(void **state)
{
	struct status status;
	char before[16];

	(void)state;
	assert_int_equal(prctl(PR_GET_NAME, before), 0);
	assert_int_equal(prctl(PR_SET_NAME, "a\nb\\c )(\t"), 0);
	assert_int_equal(parse(file_text("/proc/self/status"), &status), 0);
	assert_string_equal(status.name, "a\nb\\c )(\t");
	assert_int_equal(status.ppid, getppid());
	assert_int_equal(status.uid, getuid());
	assert_int_equal(status.egid, getegid());
	assert_int_equal(status.nr_threads, 1);
	prctl(PR_SET_NAME, before);
}

static int start_ticks(const char *text, uint64_t *ret)
{
	size_t size = strlen(text);
	const void *bytes = guard_copy(text, size);
	int err = stat_start_ticks(bytes, size, ret);

	guard_free(bytes, size);
	return err;
}

#define STAT_4_TO_21 "1 7 7 0 -1 4194560 9 8 7 6 5 4 3 2 20 0 1 0"

static void test_the_start_is_field_22_whatever_the_name(void **state)
{
	static const char *const names[] = { "sshd", "a b", "x) S 1 2 3", ")", "", "((", "a\nb" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint64_t ticks = 0;
		char text[256];

		snprintf(text, sizeof(text), "7 (%s) S " STAT_4_TO_21 " 987654321 4096 12\n",
			 names[i]);
		assert_int_equal(start_ticks(text, &ticks), 0);
		assert_int_equal(ticks, 987654321);
	}
}

static void test_a_stat_without_a_start_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"7 (sshd",
		"7 (sshd)",
		"7 (sshd) S " STAT_4_TO_21,
		"7 (sshd) S " STAT_4_TO_21 " ",
		"7 (sshd) S " STAT_4_TO_21 " x",
		"7 (sshd) S " STAT_4_TO_21 " 18446744073709551616 1",
		"7 sshd S " STAT_4_TO_21 " 1 2 3 4",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		uint64_t ticks = 7;

		assert_int_equal(start_ticks(texts[i], &ticks), -EBADMSG);
		assert_int_equal(ticks, 7);
	}
}

static void test_the_start_of_this_process_is_before_now(void **state)
{
	uint64_t ticks = 0, first = 0;
	struct timespec now;

	(void)state;
	assert_int_equal(start_ticks(file_text("/proc/self/stat"), &ticks), 0);
	assert_int_equal(start_ticks(file_text("/proc/1/stat"), &first), 0);
	clock_gettime(CLOCK_BOOTTIME, &now);
	assert_true(ticks <= ((uint64_t)now.tv_sec + 1) * (uint64_t)sysconf(_SC_CLK_TCK));
	/* and the test has not run for an hour */
	assert_true(ticks + 3600 * (uint64_t)sysconf(_SC_CLK_TCK) >=
		    (uint64_t)now.tv_sec * (uint64_t)sysconf(_SC_CLK_TCK));
	assert_true(first < ticks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_are_told),
		cmocka_unit_test(test_names_are_as_they_were_set),
		cmocka_unit_test(test_a_name_is_no_other_field),
		cmocka_unit_test(test_a_missing_field_is_refused),
		cmocka_unit_test(test_this_kernel_is_understood),
		cmocka_unit_test(test_the_start_is_field_22_whatever_the_name),
		cmocka_unit_test(test_a_stat_without_a_start_is_refused),
		cmocka_unit_test(test_the_start_of_this_process_is_before_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
