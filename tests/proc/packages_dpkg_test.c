/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/array.h"
#include "lib/cleanup.h"
#include "proc/packages.h"
#include "support/files.h"
#include "support/package_tree.h"

#define STATUS "var/lib/dpkg/status"
#define INFO   PACKAGE_INFO

#define PACKAGE(name, arch, version, state)                                                        \
	"Package: " name "\nStatus: install ok " state "\nPriority: optional\nArchitecture: " arch \
	"\nVersion: " version                                                                      \
	"\nDepends: libc6\nDescription: something\n Version: 9\n .\n more\n\n"

static const struct tree_file debian[] = {
	{ STATUS,
	  PACKAGE("libssl3", "amd64", "3.0.17-1~deb12u2", "installed") PACKAGE(
		  "libssl3", "i386", "3.0.16-1",
		  "installed") PACKAGE("zlib1g", "amd64", "1:1.2.13",
				       "installed") PACKAGE("unmerged", "amd64", "1.0", "installed")
		  PACKAGE("merged", "amd64", "2.0", "installed") PACKAGE(
			  "halfway", "amd64", "3.0",
			  "half-installed") PACKAGE("waiting", "amd64", "3.1", "triggers-awaited")
			  PACKAGE("removed", "amd64", "4.0", "config-files") PACKAGE(
				  "never", "amd64", "4.1",
				  "not-installed") "Package: versionless\nStatus: install ok "
						   "installed\n\n" PACKAGE("libssl", "all", "0",
									   "installed"),
	  0 },
	{ INFO "libssl3:amd64.list",
	  "/.\n/usr\n/usr/lib\n/usr/lib/x86_64-linux-gnu\n"
	  "/usr/lib/x86_64-linux-gnu/libssl.so.3\n/usr/share/doc/both\n/opt/last",
	  0 },
	{ INFO "libssl3:i386.list", "/.\n/usr/lib/i386-linux-gnu/libssl.so.3\n", 0 },
	{ INFO "libssl.list", "/opt/short\n", 0 },
	{ INFO "zlib1g.list", "/.\r\n/opt/libz.so.1\r\n\r\n/opt/libz.so.1.2\r\n", 0 },
	{ INFO "unmerged.list",
	  "/lib/x86_64-linux-gnu/libc.so.6\n/lib64/ld.so\n/bin/sh\n/lib/two\n", 0 },
	{ INFO "merged.list", "/usr/lib/new.so\n/usr/sbin/new\n/usr/lib/two\n/usr/libexec/x\n", 0 },
	{ INFO "halfway.list", "/opt/half\n", 0 },
	{ INFO "waiting.list", "/opt/waiting\n", 0 },
	{ INFO "removed.list", "/etc/removed.cnf\n/opt/half\n", 0 },
	{ INFO "never.list", "/opt/never\n", 0 },
	{ INFO "versionless.list", "/opt/versionless\n", 0 },
	{ INFO "unknown.list", "/opt/unknown\n", 0 },
	{ INFO "libssl3:riscv64.list", "/opt/riscv\n", 0 },
	{ INFO "zlib1g.md5sums", "/opt/sums\n", 0 },
};

static void expect(const char *path, const char *package)
{
	assert_string_equal(tree_owner(debian, ARRAY_SIZE(debian), path), package);
}

static void test_a_listed_path_is_of_its_package(void **state)
{
	(void)state;
	expect("/usr/lib/x86_64-linux-gnu/libssl.so.3", "libssl3 3.0.17-1~deb12u2");
	expect("/usr/lib/i386-linux-gnu/libssl.so.3", "libssl3 3.0.16-1");
	expect("/opt/short", "libssl 0");
	expect("/opt/last", "libssl3 3.0.17-1~deb12u2");
}

static void test_only_the_whole_path_counts(void **state)
{
	(void)state;
	expect("/usr/lib/x86_64-linux-gnu/libssl.so", "");
	expect("/usr/lib/x86_64-linux-gnu/libssl.so.3.1", "");
	expect("usr/lib/x86_64-linux-gnu/libssl.so.3", "");
	expect("/opt/libz.so.1", "zlib1g 1:1.2.13");
	expect("/opt/libz.so.1.2", "zlib1g 1:1.2.13");
	expect("/opt/libz.so.1.", "");
	expect("", "");
}

static void test_states_without_files_have_none(void **state)
{
	(void)state;
	expect("/opt/half", "halfway 3.0");
	expect("/opt/waiting", "waiting 3.1");
	expect("/etc/removed.cnf", "");
	expect("/opt/never", "");
	expect("/opt/unknown", "");
	expect("/opt/riscv", "");
	expect("/opt/versionless", "");
	expect("/opt/sums", "");
}

static void test_nothing_more_is_read_once_all_is_answered(void **state)
{
	struct package_query query = { .path = "/opt/last" };
	struct tree tree = { .files = debian, .nr_files = ARRAY_SIZE(debian) };

	(void)state;
	assert_int_equal(tree_find(&tree, &query, 1), 0);
	assert_int_equal(tree.nr_opened, 2);
}

static void test_a_status_with_carriage_returns_is_read(void **state)
{
	static const struct tree_file files[] = {
		{ STATUS,
		  "Package: a\r\nStatus: install ok installed\r\nArchitecture: all\r\n"
		  "Version: 1\r\n\r\nVersion:\t2 \r\nStatus: hold ok unpacked\r\nPackage: b",
		  0 },
		{ INFO "a.list", "/opt/a\n", 0 },
		{ INFO "b.list", "/opt/b\n", 0 },
	};

	(void)state;
	assert_string_equal(tree_owner(files, ARRAY_SIZE(files), "/opt/a"), "a 1");
	assert_string_equal(tree_owner(files, ARRAY_SIZE(files), "/opt/b"), "b 2");
}

static void test_what_does_not_fit_is_not_told(void **state)
{
	static char status[1024];
	const struct tree_file files[] = {
		{ STATUS, status, 0 },
		{ INFO "a.list", "/opt/a\n", 0 },
	};
	int longest = 128;

	(void)state;
	snprintf(status, sizeof(status),
		 "Package: a\nStatus: install ok installed\nVersion: %0*d\n", longest, 7);
	assert_int_equal(strlen(tree_owner(files, ARRAY_SIZE(files), "/opt/a")), 2 + longest);
	snprintf(status, sizeof(status),
		 "Package: a\nStatus: install ok installed\nVersion: %0*d\n", longest + 1, 7);
	assert_string_equal(tree_owner(files, ARRAY_SIZE(files), "/opt/a"), "");
}

static void test_one_list_that_cannot_be_read_hides_no_other(void **state)
{
	static const struct tree_file files[] = {
		{ STATUS,
		  PACKAGE("a", "all", "1", "installed") PACKAGE("b", "all", "2", "installed"), 0 },
		{ INFO "a.list", NULL, -EACCES },
		{ INFO "b.list", "/opt/b\n", 0 },
	};
	struct package_query queries[] = { { .path = "/opt/b" }, { .path = "/opt/a" } };
	struct tree tree = { .files = files, .nr_files = ARRAY_SIZE(files) };

	(void)state;
	assert_int_equal(tree_find(&tree, queries, 2), -EACCES);
	assert_string_equal(queries[0].package, "b 2");
	assert_string_equal(queries[1].package, "");
}

static void test_a_list_that_has_gone_is_no_error(void **state)
{
	static const struct tree_file files[] = {
		{ STATUS, PACKAGE("a", "all", "1", "installed"), 0 },
		{ INFO "a.list", NULL, -ENOENT },
	};
	struct package_query query = { .path = "/opt/a" };
	struct tree tree = { .files = files, .nr_files = ARRAY_SIZE(files) };

	(void)state;
	assert_int_equal(tree_find(&tree, &query, 1), 0);
	assert_string_equal(query.package, "");
}

/* The real root of this machine. */
static int host_open(void *ctx, const char *path)
{
	int fd = openat(*(int *)ctx, path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int host_list(void *ctx, int (*take)(void *arg, const char *name), void *arg)
{
	int fd = openat(*(int *)ctx, "var/lib/dpkg/info", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(cleanup_dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int err = 0;

	if (!dir)
		return -errno;
	while (!err && (entry = readdir(dir)))
		if (strlen(entry->d_name) > 5 &&
		    strcmp(entry->d_name + strlen(entry->d_name) - 5, ".list") == 0)
			err = take(arg, entry->d_name);
	return err;
}

/* Runs dpkg-query; what it prints. Errors of it, for paths it does not know, are of no interest. */
static char *dpkg_query(const char *const *arguments)
{
	const char *output = files_path("dpkg-query");
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int err;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output,
					 O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	err = posix_spawnp(&pid, "dpkg-query", &actions, NULL, (char *const *)arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (err)
		return NULL;
	assert_int_equal(waitpid(pid, NULL, 0), pid);

	char *text = strdup(file_text(output));

	unlink(output);
	return text;
}

static int is_library(const struct dirent *entry)
{
	return strstr(entry->d_name, ".so") != NULL;
}

#define NR_ASKED 50

/* Fills QUERIES with paths of libraries; returns how many. */
static size_t host_libraries(struct package_query *queries, char (*paths)[300])
{
	static const char directory[] = "/usr/lib/x86_64-linux-gnu";
	struct dirent **entries;
	int nr_entries = scandir(directory, &entries, is_library, alphasort);
	size_t nr = 0;

	for (int i = 0; i < nr_entries; i++) {
		if (nr < NR_ASKED && i % (nr_entries / NR_ASKED + 1) == 0) {
			snprintf(paths[nr], sizeof(paths[nr]), "%s/%s", directory,
				 entries[i]->d_name);
			queries[nr] = (struct package_query){ .path = paths[nr] };
			nr++;
		}
		free(entries[i]);
	}
	if (nr_entries >= 0)
		free(entries);
	return nr;
}

/* Compares with a line "package:arch: /path" of dpkg-query. Returns whether there was an answer. */
static bool check_line(const char *line, const struct package_query *queries, size_t nr)
{
	const char *path = strstr(line, ": /");
	size_t name_size = strcspn(line, ":,");

	if (!path || line[name_size] == ',' || strstr(line, "diversion"))
		return false;
	for (size_t i = 0; i < nr; i++) {
		if (strcmp(queries[i].path, path + 2) != 0)
			continue;
		assert_memory_equal(queries[i].package, line, name_size);
		assert_int_equal(queries[i].package[name_size], ' ');
		return true;
	}
	return false;
}

static void test_the_answers_of_this_machine_are_those_of_dpkg(void **state)
{
	static struct package_query queries[NR_ASKED + 1];
	static char paths[NR_ASKED][300];
	const char *arguments[NR_ASKED + 4] = { "dpkg-query", "-S", "--" };
	const char *const version[] = { "dpkg-query", "-W", "-f", "${Package} ${Version}",
					"libc6",      NULL };
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct package_root root = { .ctx = &fd, .open = host_open, .list = host_list };
	size_t nr = host_libraries(queries, paths), nr_checked = 0;
	char *text, *rest = NULL;

	(void)state;
	for (size_t i = 0; i < nr; i++)
		arguments[3 + i] = queries[i].path;
	text = nr < NR_ASKED / 2 ? NULL : dpkg_query(arguments);
	if (!text) {
		close(fd);
		skip();
	}
	/* dpkg -S does not know the names of a merged /usr; we do */
	queries[nr] = (struct package_query){ .path = "/usr/lib/x86_64-linux-gnu/libc.so.6" };
	assert_int_equal(packages_find(&root, queries, nr + 1), 0);
	close(fd);
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		nr_checked += check_line(line, queries, nr);
	free(text);
	assert_true(nr_checked > nr / 2);
	text = dpkg_query(version);
	assert_string_equal(queries[nr].package, text);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_listed_path_is_of_its_package),
		cmocka_unit_test(test_only_the_whole_path_counts),
		cmocka_unit_test(test_states_without_files_have_none),
		cmocka_unit_test(test_nothing_more_is_read_once_all_is_answered),
		cmocka_unit_test(test_a_status_with_carriage_returns_is_read),
		cmocka_unit_test(test_what_does_not_fit_is_not_told),
		cmocka_unit_test(test_one_list_that_cannot_be_read_hides_no_other),
		cmocka_unit_test(test_a_list_that_has_gone_is_no_error),
		cmocka_unit_test_setup_teardown(test_the_answers_of_this_machine_are_those_of_dpkg,
						files_begin, files_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
