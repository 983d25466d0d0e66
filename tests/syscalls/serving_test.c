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

#include "syscalls/serving.h"

static uint32_t number(const char *name)
{
	return (uint32_t)syscall_number(syscall_arch_native(), name);
}

static void add(struct recording *recording, int node, const char *name, uint64_t count)
{
	const struct recording_call call = {
		.nr = number(name),
		.arch = (uint8_t)syscall_arch_native(),
		.count = count,
	};

	assert_true(node >= 0);
	assert_int_equal(recording_add(recording, (uint32_t)node, &call), 0);
}

static void test_the_reason_counts_what_is_recorded(void **state)
{
	struct serving serving = { .phase = 1, .nr = number("ppoll"), .listens = true };
	struct recording *recording;
	int root, worker, serves;

	(void)state;
	assert_int_equal(recording_new(&recording), 0);
	assert_int_equal(recording_add_phase(recording, "auto"), 1);
	root = recording_node(recording, RECORDING_NONE, NODE_START_command, 0, "/bin/s", NULL);
	worker = recording_node(recording, (uint32_t)root, NODE_START_fork, 0, "/bin/s", NULL);
	serves = recording_node(recording, (uint32_t)worker, NODE_START_phase, 1, "/bin/s", NULL);
	add(recording, root, "openat", 5);
	add(recording, root, "read", 5);
	/* In two parts: one call. */
	add(recording, worker, "read", 1);
	add(recording, worker, "listen", 1);
	/* Not at the point. */
	add(recording, worker, "ppoll", 3);
	add(recording, serves, "ppoll", 1234567);
	add(recording, serves, "read", 9);
	recording->phases[1].nr_hits = 4;
	memcpy(serving.name, "server", sizeof("server"));
	assert_int_equal(serving_explain(recording, &serving), 0);
	assert_string_equal(recording->phases[1].reason,
			    "first ppoll of server, which listens (4 processes waited there "
			    "1,234,567 times, after 4 different calls)");
	serving.listens = false;
	recording->phases[1].nr_hits = 1;
	/* As long as a name can be, without a NUL. */
	memcpy(serving.name, "abcdefghijklmnop", 16);
	assert_int_equal(serving_explain(recording, &serving), 0);
	assert_string_equal(
		recording->phases[1].reason,
		"first ppoll of abcdefghijklmnop, while nobody listens (1 process waited "
		"there 1,234,567 times, after 4 different calls)");
	recording_free(recording);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_reason_counts_what_is_recorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
