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

#include <sys/stat.h>
#include <unistd.h>

#include "support/files.h"
#include "support/spawn.h"
#include "syscalls/loader.h"

static bool has_path(const struct loader *loader, const char *path)
{
	struct stat wanted, st;

	if (stat(path, &wanted) < 0)
		return false;
	for (size_t i = 0; i < loader->nr_files; i++)
		if (stat(loader->files[i].path, &st) == 0 && st.st_ino == wanted.st_ino &&
		    st.st_dev == wanted.st_dev)
			return true;
	return false;
}

/* Compares with what the dynamic loader itself says. Returns how many libraries there are. */
static size_t compare(const char *program)
{
	const char *const argv[] = { "ldd", program, NULL };
	const char *out = files_path("ldd");
	struct loader *loader;
	size_t nr = 0;
	char *text, *line;

	if (spawn_wait(argv, out) != 0)
		return 0;
	assert_int_equal(loader_find(program, &loader), 0);
	text = strdup(file_text(out));
	for (char *rest = text; (line = strsep(&rest, "\n"));) {
		char *path = strstr(line, "=> ");

		if (!path)
			continue;
		path += 3;
		path[strcspn(path, " ")] = '\0';
		if (!has_path(loader, path))
			fail_msg("%s: %s is missing", program, path);
		nr++;
	}
	/* And no others: the program, and the loader, which some name as a library. */
	if (loader->nr_files > nr + 2)
		fail_msg("%s: %zu files, %zu libraries", program, loader->nr_files, nr);
	free(text);
	unlink(out);
	loader_free(loader);
	return nr;
}

static void test_libraries_are_those_that_the_loader_finds(void **state)
{
	static const char *const programs[] = {
		"/usr/bin/python3", "/usr/bin/redis-server", "/usr/bin/sqlite3",
		"/usr/sbin/nginx",  "/usr/bin/gdb",	     "/usr/bin/git",
		"/bin/bash",	    "/usr/bin/perl",	     "/usr/bin/strace",
	};
	char self[4096] = "";
	size_t nr = 0;

	(void)state;
	if (!spawn_has("ldd")) {
		print_message("no ldd\n");
		skip();
	}
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	nr += compare(self);
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (access(programs[i], R_OK) == 0)
			nr += compare(programs[i]);
	assert_true(nr > 5);
}

static void gcc(const char *const *argv)
{
	if (spawn_wait(argv, "/dev/null") != 0)
		fail_msg("gcc failed");
}

/* Makes a program that needs libone.so, which needs libtwo.so; both in DIR/sub. */
static void make(const char *dir, const char *tag, const char *rpath)
{
	static char program[600], one[600], two[600], path[640], sub[600];

	snprintf(sub, sizeof(sub), "-L%s/sub", dir);
	snprintf(program, sizeof(program), "%s/program", dir);
	snprintf(one, sizeof(one), "%s/sub/libone.so", dir);
	snprintf(two, sizeof(two), "%s/sub/libtwo.so", dir);
	snprintf(path, sizeof(path), "-Wl,%s,-rpath,%s", tag, rpath);

	const char *const last[] = { "gcc", "-shared",		 "-fPIC", "-x", "c", "-o",
				     two,   files_path("two.c"), NULL };
	const char *const first[] = { "gcc",
				      "-shared",
				      "-fPIC",
				      "-Wl,--no-as-needed",
				      "-o",
				      one,
				      "-x",
				      "c",
				      files_path("one.c"),
				      "-x",
				      "none",
				      sub,
				      "-ltwo",
				      NULL };
	const char *const whole[] = { "gcc",
				      "-Wl,--no-as-needed",
				      "-Wl,--allow-shlib-undefined",
				      path,
				      "-o",
				      program,
				      "-x",
				      "c",
				      files_path("main.c"),
				      "-x",
				      "none",
				      sub,
				      "-lone",
				      NULL };

	gcc(last);
	gcc(first);
	gcc(whole);
}

static size_t nr_found(const char *dir)
{
	char program[600];
	struct loader *loader;
	size_t nr = 0;

	snprintf(program, sizeof(program), "%s/program", dir);
	assert_int_equal(loader_find(program, &loader), 0);
	for (size_t i = 1; i < loader->nr_files; i++)
		nr += strstr(loader->files[i].path, "/sub/lib") != NULL;
	if (nr > 0) {
		assert_non_null(loader_path(loader, "libone.so"));
		assert_non_null(strstr(loader_path(loader, "libone.so"), "/sub/libone.so"));
	}
	loader_free(loader);
	return nr;
}

static void test_paths_in_files_and_in_the_environment(void **state)
{
	const char *dir = files_dir();
	char sub[600], path[700];

	(void)state;
	if (!spawn_has("gcc")) {
		print_message("no gcc\n");
		skip();
	}
	unsetenv("LD_LIBRARY_PATH");
	snprintf(sub, sizeof(sub), "%s/sub", dir);
	mkdir(sub, 0700);
	file_put(files_path("two.c"), "int two(void) { return 2; }\n", 0600);
	file_put(files_path("one.c"), "int two(void); int one(void) { return two(); }\n", 0600);
	file_put(files_path("main.c"), "int one(void); int main(void) { return one(); }\n", 0600);
	/* DT_RPATH is for what a library needs in turn, too; DT_RUNPATH is not. */
	make(dir, "--disable-new-dtags", "$ORIGIN/sub");
	assert_int_equal(nr_found(dir), 2);
	make(dir, "--enable-new-dtags", "${ORIGIN}/sub");
	assert_int_equal(nr_found(dir), 1);
	make(dir, "--enable-new-dtags", "/nowhere:$UNKNOWN/sub");
	assert_int_equal(nr_found(dir), 0);
	snprintf(path, sizeof(path), "/nowhere:%s", sub);
	setenv("LD_LIBRARY_PATH", path, 1);
	assert_int_equal(nr_found(dir), 2);
	unsetenv("LD_LIBRARY_PATH");
	snprintf(path, sizeof(path), "%s/libone.so", sub);
	/* What is no library is passed over. */
	file_put(path, "no library", 0600);
	make(dir, "--disable-new-dtags", "$ORIGIN/sub");
	file_put(path, "no library", 0600);
	assert_int_equal(nr_found(dir), 0);
	unlink(path);
	snprintf(path, sizeof(path), "%s/libtwo.so", sub);
	unlink(path);
	rmdir(sub);
}

static void test_what_is_no_program_is_refused(void **state)
{
	struct loader *loader = NULL;

	(void)state;
	file_put(files_path("text"), "#!/bin/sh\n", 0700);
	assert_int_equal(loader_find(files_path("text"), &loader), -ENOEXEC);
	assert_int_equal(loader_find("/no/such/program", &loader), -ENOENT);
	assert_int_equal(loader_find(files_dir(), &loader), -EISDIR);
	assert_int_equal(loader_find("ls", &loader), -EINVAL);
	assert_null(loader);
	loader_free(NULL);
}

static void test_a_library_that_is_not_needed_is_found_too(void **state)
{
	struct loader *loader;

	(void)state;
	assert_int_equal(loader_find("/proc/self/exe", &loader), 0);
	assert_false(loader->is_static);
	assert_false(loader->is_musl);
	assert_non_null(loader_path(loader, "libm.so.6"));
	assert_null(loader_path(loader, "libnosuch.so.1"));
	assert_null(loader_path(loader, "no/such/path"));
	loader_free(loader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_libraries_are_those_that_the_loader_finds),
		cmocka_unit_test(test_paths_in_files_and_in_the_environment),
		cmocka_unit_test(test_what_is_no_program_is_refused),
		cmocka_unit_test(test_a_library_that_is_not_needed_is_found_too),
	};

	return cmocka_run_group_tests(tests, files_begin, files_end);
}
