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

#include <dlfcn.h>
#include <pthread.h>

#include "support/files.h"
#include "syscalls/thread_entry.h"

static int32_t place;

/* Reads from its own descriptor what it was begun with. */
static void *routine(void *seen)
{
	memcpy(seen, (char *)__builtin_thread_pointer() + place, sizeof(void *));
	return NULL;
}

/* As glibc has it: sanitizers begin threads with a routine of their own. */
static int begin(pthread_t *thread, void *seen)
{
	int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
	void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);

	assert_non_null(libc);
	*(void **)&create = dlsym(libc, "pthread_create");
	assert_non_null(create);
	return create(thread, NULL, routine, seen);
}

static void test_the_start_routine_is_where_it_is_said_to_be(void **state)
{
	void *seen = NULL;
	pthread_t thread;

	(void)state;
	place = thread_entry_place("/proc/self/exe");
	assert_int_not_equal(place, 0);
	assert_int_equal(begin(&thread, &seen), 0);
	pthread_join(thread, NULL);
	assert_ptr_equal(seen, (void *)(uintptr_t)routine);
}

static void test_of_what_has_no_such_library_nothing_is_known(void **state)
{
	(void)state;
	file_put(files_path("script"), "#!/bin/sh\n", 0700);
	assert_int_equal(thread_entry_place(files_path("script")), 0);
	assert_int_equal(thread_entry_place("/no/such/program"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_start_routine_is_where_it_is_said_to_be),
		cmocka_unit_test(test_of_what_has_no_such_library_nothing_is_known),
	};

	return cmocka_run_group_tests(tests, files_begin, files_end);
}
