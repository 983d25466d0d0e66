/* SPDX-License-Identifier: MIT */
/*
 * Most tests put a script of their own in rpm's place, so that they tell the same everywhere. It
 * gets the arguments -qf --queryformat FORMAT -- PATH SEPARATOR PATH SEPARATOR ...
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/array.h"
#include "proc/packages_private.h"
#include "support/files.h"

#define TIMEOUT_MS 60000

/* What rpm does for each path: /two is of two packages, /gone not there, /none of no package. */
#define ANSWERS                                                                                    \
	"#!/bin/sh\n"                                                                              \
	"shift 4\n"                                                                                \
	"for path; do\n"                                                                           \
	"	case $path in\n"                                                                         \
	"	/gone) echo \"error: file $path: No such file or directory\" >&2 ;;\n"                   \
	"	/two) printf '=first 1-1\\n=second 2-2\\n' ;;\n"                                         \
	"	/one/*) echo \"=openssl-libs-${path#/one/} 1:3.0.7-27.el9\" ;;\n"                        \
	"	/odd) printf '=nospace\\nfile /odd is odd\\n\\n' ;;\n"                                   \
	"	*) echo \"file $path is not owned by any package\" ;;\n"                                 \
	"	esac\n"                                                                                  \
	"done\n"                                                                                   \
	"exit 3\n"

/* The script, which nobody (the user) has to be able to run too. */
static const char *script(const char *text)
{
	const char *path = files_path("rpm");

	assert_int_equal(chmod(files_dir(), 0755), 0);
	file_put(path, text, 0755);
	return path;
}

static int scene_end(void **state)
{
	unlink(files_path("rpm"));
	return files_end(state);
}

/* What the script makes of one path. */
static int ask_one(const char *text, unsigned int timeout_ms, struct package_query *query)
{
	*query = (struct package_query){ .path = "/one/a", .package = "left over" };
	return packages_ask_rpm_program(script(text), timeout_ms, query, 1);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void test_answers_belong_to_their_paths(void **state)
{
	struct package_query queries[] = {
		{ .path = "/gone" },  { .path = "/two" },  { .path = "/none" },
		{ .path = "/one/a" }, { .path = "/odd" },  { .path = "/gone" },
		{ .path = "/one/b" }, { .path = "/none" },
	};

	(void)state;
	assert_int_equal(
		packages_ask_rpm_program(script(ANSWERS), TIMEOUT_MS, queries, ARRAY_SIZE(queries)),
		0);
	assert_string_equal(queries[0].package, "");
	assert_string_equal(queries[1].package, "first 1-1");
	assert_string_equal(queries[2].package, "");
	assert_string_equal(queries[3].package, "openssl-libs-a 1:3.0.7-27.el9");
	assert_string_equal(queries[4].package, "");
	assert_string_equal(queries[5].package, "");
	assert_string_equal(queries[6].package, "openssl-libs-b 1:3.0.7-27.el9");
	assert_string_equal(queries[7].package, "");
}

static void test_many_paths_take_several_calls(void **state)
{
	enum {
		COUNT = 150
	};
	static struct package_query queries[COUNT];
	static char paths[COUNT][24];

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		snprintf(paths[i], sizeof(paths[i]), "/one/%d", i);
		queries[i].path = paths[i];
	}
	assert_int_equal(packages_ask_rpm_program(script(ANSWERS), TIMEOUT_MS, queries, COUNT), 0);
	for (int i = 0; i < COUNT; i++) {
		char expected[64];

		snprintf(expected, sizeof(expected), "openssl-libs-%d 1:3.0.7-27.el9", i);
		assert_string_equal(queries[i].package, expected);
	}
}

static void test_paths_that_could_be_misread_are_not_asked_for(void **state)
{
	struct package_query queries[] = {
		{ .path = "--eval" },
		{ .path = "one/a" },
		{ .path = "/x\nfile /proc/self is not owned by any package" },
		{ .path = "" },
		{ .path = "/one/a" },
	};

	(void)state;
	assert_int_equal(packages_ask_rpm_program(script(ANSWERS), TIMEOUT_MS, queries, 5), 0);
	for (int i = 0; i < 4; i++)
		assert_string_equal(queries[i].package, "");
	assert_string_equal(queries[4].package, "openssl-libs-a 1:3.0.7-27.el9");
	/* with none left nothing is run */
	assert_int_equal(packages_ask_rpm_program(script("#!/bin/false\n"), TIMEOUT_MS, queries, 4),
			 0);
}

static void test_no_program_is_told(void **state)
{
	struct package_query query = { .path = "/one/a", .package = "left over" };

	(void)state;
	assert_int_equal(packages_ask_rpm_program("/nonexistent/rpm", TIMEOUT_MS, &query, 1),
			 -ENOENT);
	assert_string_equal(query.package, "");
	assert_int_equal(
		packages_ask_rpm_program(script("\177not a program"), TIMEOUT_MS, &query, 1), -EIO);
}

static void test_one_that_hangs_is_ended_with_what_it_started(void **state)
{
	struct package_query query;
	unsigned int timeout_ms = 30;
	uint64_t before;

	(void)state;
	/* until a shell has been started in that time */
	do {
		timeout_ms *= 10;
		before = now_ms();
		/* the answer is there, the end is not; the grandchild holds the output open */
		assert_int_equal(ask_one("#!/bin/sh\necho '=early 1'\nsleep 300 &\nwait\n",
					 timeout_ms, &query),
				 -ETIMEDOUT);
		assert_true(now_ms() - before >= timeout_ms);
	} while (strcmp(query.package, "early 1") != 0 && timeout_ms < 30000);
	assert_string_equal(query.package, "early 1");
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void test_one_that_closes_its_output_is_not_waited_for(void **state)
{
	struct package_query query;

	(void)state;
	/* neither 300 s nor TIMEOUT_MS, which would be -ETIMEDOUT */
	assert_int_equal(ask_one("#!/bin/sh\nexec >&-\nsleep 300\n", TIMEOUT_MS, &query), -EIO);
}

static void test_one_that_prints_too_much_is_ended(void **state)
{
	struct package_query query;

	(void)state;
	assert_int_equal(ask_one("#!/bin/sh\nhead -c 10000000 /dev/zero\n", TIMEOUT_MS, &query),
			 -EFBIG);
	assert_string_equal(query.package, "");
	assert_int_equal(ask_one("#!/bin/sh\nyes '=a 1' | head -c 10000000\n", TIMEOUT_MS, &query),
			 -EFBIG);
	assert_string_equal(query.package, "a 1");
}

static void test_nonsense_is_no_answer(void **state)
{
	struct package_query query;

	(void)state;
	assert_int_equal(
		ask_one("#!/bin/sh\nprintf '= 1\\n=a \\n=\\n=a\\0b 1\\nb 1\\n \\n\\377\\n'\n",
			TIMEOUT_MS, &query),
		-EIO);
	assert_string_equal(query.package, "");
	/* more ends than there are questions */
	assert_int_equal(ask_one("#!/bin/sh\nfor i in 1 2 3; do\n"
				 "echo 'file /proc/self is not owned by any package'\n"
				 "echo '=late 1'; done\n",
				 TIMEOUT_MS, &query),
			 0);
	assert_string_equal(query.package, "");
}

/* Says one thing about the process it is in, as a package. */
static void expect_inside(const char *command, const char *expected)
{
	struct package_query query;
	char text[512];

	snprintf(text, sizeof(text),
		 "#!/bin/sh\necho \"=x $(%s)\"\n"
		 "echo 'file /proc/self is not owned by any package'\n",
		 command);
	assert_int_equal(ask_one(text, TIMEOUT_MS, &query), 0);
	assert_string_equal(query.package, expected);
}

static void test_it_runs_with_nothing_of_ours(void **state)
{
	int leaked = fcntl(STDIN_FILENO, F_DUPFD, 99); /* not close-on-exec */

	(void)state;
	assert_int_equal(leaked, 99);
	setenv("SECRET", "1", 1);
	/* dash sets PWD itself */
	expect_inside("env | grep -v -e ^PWD= -e ^_= | sort | tr '\\n' ,",
		      "x LC_ALL=C,PATH=/usr/sbin:/usr/bin:/sbin:/bin,");
	expect_inside("pwd", "x /");
	expect_inside("readlink /proc/$$/fd/0 /proc/$$/fd/2 | tr '\\n' ,",
		      "x /dev/null,/dev/null,");
	expect_inside("ls /proc/$$/fd | grep -c -w 99", "x 0");
	expect_inside("ulimit -t", "x 10");
	expect_inside("grep CapPrm /proc/self/status | tr -d '[:space:]'",
		      "x CapPrm:0000000000000000");
	expect_inside("grep -c '^NoNewPrivs:.1' /proc/self/status", "x 1");
	if (getuid() == 0)
		expect_inside("{ id -u; id -g; id -G; } | tr '\\n' ,", "x 65534,65534,65534,");
	close(leaked);
	unsetenv("SECRET");
}

static void test_signals_that_we_hold_back_reach_it(void **state)
{
	sigset_t blocked, before;

	(void)state;
	sigfillset(&blocked);
	sigprocmask(SIG_SETMASK, &blocked, &before);
	expect_inside("grep SigBlk /proc/self/status | tr -d '[:space:]'",
		      "x SigBlk:0000000000000000");
	sigprocmask(SIG_SETMASK, &before, NULL);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, files_begin, scene_end)
	const struct CMUnitTest tests[] = {
		TEST(test_answers_belong_to_their_paths),
		TEST(test_many_paths_take_several_calls),
		TEST(test_paths_that_could_be_misread_are_not_asked_for),
		TEST(test_no_program_is_told),
		TEST(test_one_that_hangs_is_ended_with_what_it_started),
		TEST(test_one_that_closes_its_output_is_not_waited_for),
		TEST(test_one_that_prints_too_much_is_ended),
		TEST(test_nonsense_is_no_answer),
		TEST(test_it_runs_with_nothing_of_ours),
		TEST(test_signals_that_we_hold_back_reach_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
