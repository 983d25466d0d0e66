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

#include <gnu/libc-version.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/files.h"
#include "support/spawn.h"
#include "syscalls/executable.h"

static void test_a_name_is_found_as_execvp_finds_it(void **state)
{
	struct executable *found = calloc(1, sizeof(*found)), *same = calloc(1, sizeof(*same));
	char *path = strdup(getenv("PATH"));

	(void)state;
	assert_int_equal(executable_find("true", found), 0);
	assert_int_equal(found->path[0], '/');
	assert_int_equal(executable_find(found->path, same), 0);
	assert_string_equal(same->path, found->path);
	assert_int_equal(strlen(found->sha256), 64);
	/* One that may not be executed does not hide one behind it, but is told where there is
	 * none. */
	file_put(files_path("true"), "", 0644);
	file_put(files_path("only-here"), "", 0644);
	setenv("PATH", files_dir(), 1);
	assert_int_equal(executable_find("only-here", found), -EACCES);
	assert_int_equal(executable_find("nowhere", found), -ENOENT);
	assert_int_equal(executable_find("", found), -ENOENT);
	unlink(files_path("true"));
	unlink(files_path("only-here"));
	setenv("PATH", path, 1);
	free(path);
	free(found);
	free(same);
}

static void test_the_hash_is_that_of_sha256sum(void **state)
{
	struct executable *found = calloc(1, sizeof(*found));
	const char *out = files_path("out");

	(void)state;
	if (!spawn_has("sha256sum")) {
		free(found);
		print_message("no sha256sum\n");
		skip();
	}
	assert_int_equal(executable_find("/proc/self/exe", found), 0);

	const char *const argv[] = { "sha256sum", found->path, NULL };

	assert_int_equal(spawn_wait(argv, out), 0);
	assert_memory_equal(file_text(out), found->sha256, 64);
	assert_int_equal(strlen(found->build_id), 40);
	unlink(out);
	free(found);
}

static void test_the_c_library_is_named(void **state)
{
	struct executable *found = calloc(1, sizeof(*found));
	char want[64];

	(void)state;
	assert_int_equal(executable_find("/proc/self/exe", found), 0);
	snprintf(want, sizeof(want), "glibc %s", gnu_get_libc_version());
	assert_string_equal(found->libc, want);
	free(found);
}

static void put_script(const char *name, const char *text)
{
	file_put(files_path(name), text, 0755);
}

static void test_a_script_is_its_interpreter(void **state)
{
	struct executable *found = calloc(1, sizeof(*found));
	char text[5000], shell[PATH_MAX];

	(void)state;
	assert_non_null(realpath("/bin/sh", shell));
	put_script("plain", "#!/bin/sh\nexit\n");
	assert_int_equal(executable_find(files_path("plain"), found), 0);
	assert_string_equal(found->path, shell);
	put_script("spaces", "#! \t/bin/sh -e -x\nexit\n");
	assert_int_equal(executable_find(files_path("spaces"), found), 0);
	assert_string_equal(found->path, shell);
	/* Without a first line that says so: execvp(3). */
	put_script("none", "exit 3\n");
	assert_int_equal(executable_find(files_path("none"), found), 0);
	assert_string_equal(found->path, shell);
	/* A script of a script. */
	snprintf(text, sizeof(text), "#!%s\n", files_path("plain"));
	put_script("second", text);
	assert_int_equal(executable_find(files_path("second"), found), 0);
	assert_string_equal(found->path, shell);
	put_script("missing", "#!/no/such/interpreter\n");
	assert_int_equal(executable_find(files_path("missing"), found), -ENOENT);
	/* Of itself: it has an end. */
	snprintf(text, sizeof(text), "#!%s\n", files_path("loop"));
	put_script("loop", text);
	assert_int_equal(executable_find(files_path("loop"), found), 0);
	/* Longer than what the kernel reads. */
	memset(text, 'x', sizeof(text));
	memcpy(text, "#!/", 3);
	text[sizeof(text) - 1] = '\0';
	put_script("long", text);
	assert_int_equal(executable_find(files_path("long"), found), -ENOENT);
	put_script("empty", "#!\n");
	executable_find(files_path("empty"), found);

	static const char *const names[] = { "plain",	"spaces", "none", "second",
					     "missing", "loop",	  "long", "empty" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(files_path(names[i]));
	free(found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_name_is_found_as_execvp_finds_it),
		cmocka_unit_test(test_the_hash_is_that_of_sha256sum),
		cmocka_unit_test(test_the_c_library_is_named),
		cmocka_unit_test(test_a_script_is_its_interpreter),
	};

	return cmocka_run_group_tests(tests, files_begin, files_end);
}
