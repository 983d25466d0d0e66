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

#include "syscalls/ready.h"

#define MS UINT64_C(1000000)

static void test_who_listens_is_ready_at_once(void **state)
{
	struct ready ready = { 0 };

	(void)state;
	assert_false(ready_now(&ready, false, false, 1 * MS));
	assert_true(ready_now(&ready, true, false, 2 * MS));
	/* Once. */
	assert_false(ready_now(&ready, true, true, 3 * MS));
	assert_false(ready_now(&ready, true, true, 9000 * MS));
}

static void test_who_waits_may_listen_later(void **state)
{
	struct ready ready = { 0 }, other = { 0 };

	(void)state;
	assert_false(ready_now(&ready, false, true, 0));
	assert_false(ready_now(&ready, false, true, 299 * MS));
	assert_true(ready_now(&ready, false, true, 301 * MS));
	assert_false(ready_now(&other, false, true, 1000 * MS));
	assert_true(ready_now(&other, true, true, 1001 * MS));
}

static void test_who_does_neither_is_ready_after_five_seconds(void **state)
{
	struct ready ready = { 0 };

	(void)state;
	assert_false(ready_now(&ready, false, false, 4999 * MS));
	assert_true(ready_now(&ready, false, false, 5000 * MS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_listens_is_ready_at_once),
		cmocka_unit_test(test_who_waits_may_listen_later),
		cmocka_unit_test(test_who_does_neither_is_ready_after_five_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
