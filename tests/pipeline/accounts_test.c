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
#include <unistd.h>

#include <cmocka.h>

#include "pipeline/accounts.h"
#include "support/guard.h"

#define BYTES(literal) literal, sizeof(literal) - 1

static char passwd_path[] = "/tmp/accounts_test.XXXXXX";

/* Reads accounts from a file with this content. */
static struct accounts *accounts_from(const char *content, size_t size)
{
	struct accounts *accounts = NULL;
	FILE *file = fopen(passwd_path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(content, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(accounts_read(&accounts, passwd_path), 0);
	return accounts;
}

/* Asserts what becomes of PATH. */
static void check(const struct accounts *accounts, const char *path, const char *expected)
{
	size_t size = strlen(path);
	const char *copy = guard_copy(path, size);
	struct judged_path judged;
	char out[8192];
	struct appender to = appender_make(out, sizeof(out));

	accounts_judge(accounts, copy, size, true, &judged);
	judged_path_append(&judged, &to);
	if (strcmp(out, expected) != 0)
		fail_msg("'%s' became '%s', not '%s'", path, out, expected);
	guard_free(copy, size);
}

static void test_usual_places_are_known(void **state)
{
	static const char *const cases[][2] = {
		{ "/home/john/app/certs/server.crt", "/home/USER/app/certs/server.crt" },
		{ "/root/.ssh/id_rsa", "/home/ROOT/.ssh/id_rsa" },
		{ "/home/x", "/home/USER" },
		{ "/home/x/", "/home/USER/" },
		{ "/home", "/home" },
		{ "/home/", "/home/" },
		{ "/root", "/home/ROOT" },
		{ "/root/", "/home/ROOT/" },
		{ "/rooted/x", "/rooted/x" },
		{ "/homes/x", "/homes/x" },
		{ "/var/home/alice/k", "/var/home/USER/k" },
		{ "/export/home/alice/k", "/export/home/USER/k" },
		{ "/Users/alice/k", "/Users/USER/k" },
		{ "/run/user/1000", "/run/user/UID" },
		{ "/run/user/1000/bus", "/run/user/UID/bus" },
		{ "/var/run/user/1000/bus", "/var/run/user/UID/bus" },
		{ "/run/media/alice/stick/k.pem", "/run/media/USER/stick/k.pem" },
		{ "/var/lib/docker/volumes/username_data/x",
		  "/var/lib/docker/volumes/USERID_data/x" },
		{ "/var/lib/docker/volumes/a_b_c", "/var/lib/docker/volumes/USERID_b_c" },
		{ "/var/lib/docker/volumes/plain/_data", "/var/lib/docker/volumes/USERID/_data" },
		{ "/var/lib/docker/volumes", "/var/lib/docker/volumes" },
		/* system paths stay */
		{ "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs/ca-certificates.crt" },
		{ "/usr/lib/x86_64-linux-gnu/libssl.so.3",
		  "/usr/lib/x86_64-linux-gnu/libssl.so.3" },
		{ "/lib64/libcrypto.so.3", "/lib64/libcrypto.so.3" },
		{ "/var/lib/postgresql/server.key", "/var/lib/postgresql/server.key" },
		{ "/tmp/x.pem", "/tmp/x.pem" },
		{ "/opt/home/x", "/opt/home/x" },
		{ "/etc/root/x", "/etc/root/x" },
	};
	struct accounts *accounts = accounts_from("", 0);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(accounts, cases[i][0], cases[i][1]);
	accounts_free(accounts);
}

static void test_other_spellings_are_seen_through(void **state)
{
	static const char *const cases[][2] = {
		{ "/proc/self/root/home/dave", "/proc/self/root/home/USER" },
		{ "/proc/1/root/root/x", "/proc/1/root/home/ROOT/x" },
		{ "/proc/1/task/2/root/home/dave/x", "/proc/1/task/2/root/home/USER/x" },
		{ "/proc/self/root/../home/dave", "/proc/self/root/home/USER" },
		{ "/proc/self/cwd/home/dave", "/proc/self/cwd/home/USER" },
		{ "/proc/self/cwd/../home/dave", "/proc/self/cwd/../home/USER" },
		{ "/proc/self/cwd/root/x", "/proc/self/cwd/root/x" },
		{ "/srv/../home/bob", "/home/USER" },
		{ "/home//carol/k.pem", "/home/USER/k.pem" },
		{ "/home/./x", "/home/USER" },
		{ "/home/a/../b/x", "/home/USER/x" },
		{ "//home/x", "/home/USER" },
		{ "/../home/x", "/home/USER" },
		{ "../../home/x/y", "../../home/USER/y" },
		{ "home/x/y", "home/USER/y" },
		{ "./home/x", "home/USER" },
		{ "root/x", "root/x" },
		{ "../root/x", "../root/x" },
		{ "x/y", "x/y" },
	};
	struct accounts *accounts = accounts_from("", 0);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(accounts, cases[i][0], cases[i][1]);
	accounts_free(accounts);
}

static const char passwd[] = "root:x:0:0:root:/root:/bin/bash\n"
			     "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
			     "www-data:x:33:33::/srv/www-data:/usr/sbin/nologin\n"
			     "dave:x:1000:1000:Dave,,,:/srv/people/dave:/bin/sh\n"
			     "dan:x:1001:1001::/srv/people/dave/sub/dan/:/bin/sh\n"
			     "erin:x:1002:1002::/home/example.com/erin:/bin/sh\n"
			     "fred:x:1003:1003::/home/fred:/bin/sh\n"
			     "gus:x:1004:1004::/data//staff/./gus:/bin/sh\n"
			     "svc1:x:1005:1005::/var/lib/svc:/bin/sh\n"
			     "svc2:x:1006:1006::/:/bin/sh\n"
			     "svc3:x:1007:1007::/nonexistent:/bin/sh\n"
			     "svc4:x:1008:1008::/opt:/bin/sh\n"
			     "svc5:x:1009:1009::/usr/share/svc:/bin/sh\n"
			     "svc6:x:1010:1010::/run/svc:/bin/sh\n"
			     "rel:x:1011:1011::rel/home:/bin/sh\n"
			     "last:x:65533:65533::/data/last:/bin/sh\n"
			     "nobody:x:65534:65534::/data/nobody:/bin/sh\n"
			     "dyn:x:65535:65535::/data/dyn:/bin/sh\n"
			     "+nis::::::\n"
			     "# a comment\n"
			     "short:x:1012\n"
			     "bad:x:10x:10::/data/bad:/bin/sh\n"
			     "minus:x:-5:10::/data/minus:/bin/sh\n"
			     "huge:x:99999999999999999999:10::/data/huge:/bin/sh\n"
			     "toor:x:0:0::/data/toor:/bin/sh\n"
			     "noend:x:1013:1013::/data/noend";

static void test_homes_of_the_file_are_replaced(void **state)
{
	static const char *const cases[][2] = {
		{ "/srv/people/dave", "/home/USER" },
		{ "/srv/people/dave/", "/home/USER/" },
		{ "/srv/people/dave/k.pem", "/home/USER/k.pem" },
		{ "/srv/people/dave/sub/dan/k", "/home/USER/k" },
		{ "/srv/people/dave/sub/x", "/home/USER/sub/x" },
		{ "/srv/people/davey/k", "/srv/people/davey/k" },
		{ "/srv/people", "/srv/people" },
		{ "/home/example.com/erin/k", "/home/USER/k" },
		{ "/home/fred/k", "/home/USER/k" },
		{ "/data/staff/gus/k", "/home/USER/k" },
		{ "/data/x/../staff/gus/k", "/home/USER/k" },
		{ "/proc/self/root/data/staff/gus", "/proc/self/root/home/USER" },
		{ "../data/staff/gus/k", "../home/USER/k" },
		{ "data/staff/gus/k", "home/USER/k" },
		{ "/data/last", "/home/USER" },
		{ "/data/toor/x", "/home/USER/x" },
		{ "/data/noend/x", "/home/USER/x" },
		/* not homes of people */
		{ "/srv/www-data/x", "/srv/www-data/x" },
		{ "/var/lib/svc/x", "/var/lib/svc/x" },
		{ "/opt/x", "/opt/x" },
		{ "/usr/share/svc/x", "/usr/share/svc/x" },
		{ "/run/svc/x", "/run/svc/x" },
		{ "/nonexistent/x", "/nonexistent/x" },
		{ "/etc/x", "/etc/x" },
		{ "/data/nobody/x", "/data/nobody/x" },
		{ "/data/dyn/x", "/data/dyn/x" },
		{ "/data/bad/x", "/data/bad/x" },
		{ "/data/huge/x", "/data/huge/x" },
	};
	struct accounts *accounts = accounts_from(BYTES(passwd));

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(accounts, cases[i][0], cases[i][1]);
	assert_int_equal(accounts_nr_skipped(accounts), 0);
	accounts_free(accounts);
}

static void test_system_accounts_are_told_from_people(void **state)
{
	struct accounts *accounts = accounts_from(BYTES(passwd));

	(void)state;
	assert_true(accounts_is_system(accounts, BYTES("root")));
	assert_true(accounts_is_system(accounts, BYTES("www-data")));
	assert_true(accounts_is_system(accounts, BYTES("nobody")));
	assert_false(accounts_is_system(accounts, BYTES("dave")));
	assert_false(accounts_is_system(accounts, BYTES("roo")));
	assert_false(accounts_is_system(accounts, BYTES("")));
	assert_false(accounts_is_system(accounts, BYTES("stranger")));
	accounts_free(accounts);
}

static void test_line_that_is_too_long_is_skipped(void **state)
{
	static char content[3 * ACCOUNTS_LINE_MAX];
	const size_t long_size = 2 * ACCOUNTS_LINE_MAX;
	static const char begin[] = "long:x:1000:1000::/data/long:";
	static const char next[] = "\nnext:x:1000:1000::/data/next:\n";
	struct accounts *accounts;

	(void)state;
	memset(content, 'x', long_size);
	memcpy(content, begin, sizeof(begin) - 1);
	memcpy(content + long_size, next, sizeof(next) - 1);
	accounts = accounts_from(content, long_size + sizeof(next) - 1);
	assert_int_equal(accounts_nr_skipped(accounts), 1);
	check(accounts, "/data/next/x", "/home/USER/x");
	check(accounts, "/data/long/x", "/data/long/x");
	accounts_free(accounts);
}

static void test_line_of_the_greatest_size_counts(void **state)
{
	static char content[ACCOUNTS_LINE_MAX + 1];
	static const char begin[] = "most:x:1000:1000::/data/most:";
	struct accounts *accounts;

	(void)state;
	memset(content, 'x', ACCOUNTS_LINE_MAX);
	memcpy(content, begin, sizeof(begin) - 1);
	content[ACCOUNTS_LINE_MAX] = '\n';
	accounts = accounts_from(content, sizeof(content));
	assert_int_equal(accounts_nr_skipped(accounts), 0);
	check(accounts, "/data/most/x", "/home/USER/x");
	accounts_free(accounts);
}

static void test_nul_in_a_line_hides_no_other_line(void **state)
{
	struct accounts *accounts =
		accounts_from(BYTES("a\0b:x:1000:1000::/data/a:\nb:x:1000:1000::/data/b:\n"));

	(void)state;
	check(accounts, "/data/b/x", "/home/USER/x");
	accounts_free(accounts);
}

static void test_number_of_homes_is_bounded(void **state)
{
	const unsigned int nr_too_many = 5;
	struct accounts *accounts = NULL;
	FILE *file = fopen(passwd_path, "w");

	(void)state;
	for (unsigned int i = 0; i < ACCOUNTS_MAX + nr_too_many; i++)
		fprintf(file, "u%u:x:%u:1::/data/%u:\n", i, 1000 + i, i);
	fprintf(file, "deep:x:9999:1::/data/");
	for (int i = 0; i < ACCOUNTS_HOME_MAX; i++)
		fputc('d', file);
	fprintf(file, ":\n");
	assert_int_equal(fclose(file), 0);
	assert_int_equal(accounts_read(&accounts, passwd_path), 0);
	assert_int_equal(accounts_nr_skipped(accounts), nr_too_many + 1);
	check(accounts, "/data/0/x", "/home/USER/x");
	check(accounts, "/data/4095/x", "/home/USER/x");
	check(accounts, "/data/4096/x", "/data/4096/x");
	accounts_free(accounts);
}

static void test_missing_file_has_no_accounts(void **state)
{
	struct accounts *accounts = NULL;

	(void)state;
	assert_int_equal(accounts_read(&accounts, "/nonexistent/passwd"), 0);
	check(accounts, "/home/x/y", "/home/USER/y");
	assert_false(accounts_is_system(accounts, BYTES("root")));
	accounts_free(accounts);
}

static void test_unreadable_file_is_an_error(void **state)
{
	struct accounts *accounts = NULL;

	(void)state;
	assert_int_equal(accounts_read(&accounts, "/tmp"), -EIO);
	assert_int_equal(accounts_read(&accounts, "/dev/null/passwd"), -ENOTDIR);
	assert_null(accounts);
}

static int make_file(void **state)
{
	int fd = mkstemp(passwd_path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(passwd_path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_usual_places_are_known),
		cmocka_unit_test(test_other_spellings_are_seen_through),
		cmocka_unit_test(test_homes_of_the_file_are_replaced),
		cmocka_unit_test(test_system_accounts_are_told_from_people),
		cmocka_unit_test(test_line_that_is_too_long_is_skipped),
		cmocka_unit_test(test_line_of_the_greatest_size_counts),
		cmocka_unit_test(test_nul_in_a_line_hides_no_other_line),
		cmocka_unit_test(test_number_of_homes_is_bounded),
		cmocka_unit_test(test_missing_file_has_no_accounts),
		cmocka_unit_test(test_unreadable_file_is_an_error),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
