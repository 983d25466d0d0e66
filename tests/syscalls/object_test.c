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

#include <elf.h>
#include <inttypes.h>
#include <unistd.h>

#include "support/files.h"
#include "syscalls/object.h"

/* Functions of this program to be found, and such as are like them. */
__attribute__((noinline, used)) static int sought_function(int a)
{
	return a * 3 + 1;
}

__attribute__((noinline, used)) static int sought_functiom(int a)
{
	return a * 5 + 1;
}

int sought_variable = 3;

static struct object *object;

static int open_self(void **state)
{
	(void)state;
	return object_open("/proc/self/exe", &object);
}

static int close_self(void **state)
{
	(void)state;
	object_close(object);
	return 0;
}

/* Where in its file the code at ADDRESS is, as the kernel says. */
static uint64_t offset_by_maps(uintptr_t address)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	uint64_t start, end, offset, found = 0;
	char line[4400];

	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64, &start, &end, &offset) ==
			    3 &&
		    address >= start && address < end)
			found = offset + (address - start);
	fclose(maps);
	return found;
}

static void test_a_function_is_where_it_runs(void **state)
{
	struct object_symbol symbols[OBJECT_SYMBOLS_MAX], around;
	uint64_t offset = 0, address = 0;

	(void)state;
	assert_int_equal(object_symbols(object, "sought_function", symbols), 1);
	assert_int_equal(symbols[0].type, STT_FUNC);
	assert_true(object_code_at(object, symbols[0].address, &offset));
	assert_int_equal(offset, offset_by_maps((uintptr_t)sought_function));
	assert_true(object_is_code(object, offset, &address));
	assert_int_equal(address, symbols[0].address);
	assert_true(object_function_at(object, address + 1, &around));
	assert_int_equal(around.address, address);
	assert_int_equal(around.size, symbols[0].size);
	/* The end of a name is another name. */
	assert_int_equal(object_symbols(object, "ought_function", symbols), 0);
	assert_int_equal(object_symbols(object, "sought_functio", symbols), 0);
	assert_int_equal(object_symbols(object, "", symbols), 0);
}

static void test_a_variable_is_no_code(void **state)
{
	struct object_symbol symbols[OBJECT_SYMBOLS_MAX];
	uint64_t offset;

	(void)state;
	assert_int_equal(object_symbols(object, "sought_variable", symbols), 1);
	assert_int_equal(symbols[0].type, STT_OBJECT);
	assert_false(object_code_at(object, symbols[0].address, &offset));
	/* The header is read only. */
	assert_false(object_is_code(object, 0, NULL));
	assert_false(object_is_code(object, UINT64_MAX, NULL));
}

static void test_what_is_only_used_is_not_found(void **state)
{
	struct object_symbol symbols[OBJECT_SYMBOLS_MAX];

	(void)state;
	assert_int_equal(object_symbols(object, "fgets", symbols), 0);
}

static void test_names_that_are_like_it(void **state)
{
	struct object_near near = { 0 };

	(void)state;
	object_near(object, "sought_functoin", &near);
	assert_true(near.nr >= 2);
	assert_string_equal(near.names[0], "sought_function");
	for (size_t i = 1; i < near.nr; i++)
		assert_true(near.distances[i] >= near.distances[i - 1]);
	near = (struct object_near){ 0 };
	object_near(object, "SOUGHT_FUNCTION", &near);
	assert_string_equal(near.names[0], "sought_function");
	near = (struct object_near){ 0 };
	/* As a part of it, and nothing that is not defined here. */
	object_near(object, "fgets", &near);
	for (size_t i = 0; i < near.nr; i++)
		assert_null(strstr(near.names[i], "fgets"));
	near = (struct object_near){ 0 };
	object_near(object, "qqqqqqqqqqqqqqqqqq", &near);
	assert_int_equal(near.nr, 0);
}

static void test_the_default_version_of_a_library(void **state)
{
	struct object_symbol symbols[OBJECT_SYMBOLS_MAX];
	struct object *libc;

	(void)state;
	if (object_open("/lib/x86_64-linux-gnu/libc.so.6", &libc)) {
		print_message("the C library is elsewhere\n");
		skip();
	}
	/* It has two: GLIBC_2.2.5 and, by default, GLIBC_2.3.2 (pthread_cond_*). */
	assert_int_equal(object_symbols(libc, "pthread_cond_signal", symbols), 1);
	object_close(libc);
}

static void test_what_is_no_elf_file_is_refused(void **state)
{
	struct object *none = NULL;

	(void)state;
	file_put(files_path("text"), "hello, this is no program at all", 0600);
	assert_int_equal(object_open(files_path("text"), &none), -ENOEXEC);
	assert_int_equal(object_open(files_dir(), &none), -EISDIR);
	assert_int_equal(object_open("/dev/null", &none), -ENOEXEC);
	assert_int_equal(object_open("/no/such/file", &none), -ENOENT);
	assert_null(none);
	object_close(NULL);
	unlink(files_path("text"));
}

static int begin(void **state)
{
	return files_begin(state) || open_self(state);
}

static int end(void **state)
{
	return close_self(state) || files_end(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_function_is_where_it_runs),
		cmocka_unit_test(test_a_variable_is_no_code),
		cmocka_unit_test(test_what_is_only_used_is_not_found),
		cmocka_unit_test(test_names_that_are_like_it),
		cmocka_unit_test(test_the_default_version_of_a_library),
		cmocka_unit_test(test_what_is_no_elf_file_is_refused),
	};

	if (sought_function(1) + sought_functiom(1) == 0)
		return 1;
	return cmocka_run_group_tests(tests, begin, end);
}
