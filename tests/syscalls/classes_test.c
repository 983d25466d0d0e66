/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/policies.h"
#include "syscalls/policy_private.h"

static const struct policy_config drift = { .action = POLICY_ERRNO };
static const struct policy_config portable = { .action = POLICY_ERRNO, .is_portable = true };

static struct policy *made(const char *calls, const struct policy_config *config)
{
	struct recording *recording = recording_made("later");

	recording_did(recording, NODE_START_command, 0, "statfs");
	recording_did(recording, NODE_START_phase, 1, calls);
	recording_ran(recording, "00000000000000000000000000000001");
	return policy_made_of(recording, config);
}

static void test_versions_of_a_library_call_one_for_the_other(void **state)
{
	struct policy *policy = made("clone3 newfstatat faccessat clock_nanosleep", &drift);

	(void)state;
	assert_true(policy_takes(policy, 1, "clone"));
	assert_true(policy_takes(policy, 1, "fstat"));
	assert_true(policy_takes(policy, 1, "faccessat2"));
	assert_true(policy_takes(policy, 1, "nanosleep"));
	/* those are other libraries' */
	assert_false(policy_takes(policy, 1, "fork"));
	assert_false(policy_takes(policy, 1, "statx"));
	policy_free(policy);
}

/* prlimit64 does both: who only asks for limits is not given what only sets them. */
static void test_limits_are_set_by_who_set_them(void **state)
{
	struct policy *asks = made("getrlimit", &drift), *sets = made("setrlimit", &drift);
	struct policy *does_both = made("prlimit64", &drift);

	(void)state;
	assert_true(policy_takes(asks, 1, "prlimit64"));
	assert_false(policy_takes(asks, 1, "setrlimit"));
	assert_true(policy_takes(sets, 1, "prlimit64"));
	assert_false(policy_takes(sets, 1, "getrlimit"));
	assert_true(policy_takes(does_both, 1, "getrlimit"));
	assert_true(policy_takes(does_both, 1, "setrlimit"));
	policy_free(asks);
	policy_free(sets);
	policy_free(does_both);
}

static void test_exact_adds_no_class(void **state)
{
	struct policy *policy = policy_made("clone3 newfstatat");

	(void)state;
	assert_false(policy_takes(policy, 0, "clone"));
	assert_false(policy_takes(policy, 0, "fstat"));
	assert_false(policy_takes(policy, 0, "rseq"));
	policy_free(policy);
}

static void test_libraries_call_one_for_the_other(void **state)
{
	struct policy *policy = made("openat write epoll_wait clone3 accept4", &portable);

	(void)state;
	assert_true(policy_takes(policy, 1, "open"));
	assert_true(policy_takes(policy, 1, "writev"));
	assert_true(policy_takes(policy, 1, "ioctl"));
	assert_true(policy_takes(policy, 1, "epoll_pwait"));
	assert_true(policy_takes(policy, 1, "fork"));
	assert_true(policy_takes(policy, 1, "accept"));
	assert_false(policy_takes(policy, 1, "readv"));
	/* the start is in phase 0 alone */
	assert_true(policy_takes(policy, 0, "set_tid_address"));
	assert_false(policy_takes(policy, 1, "set_tid_address"));
	policy_free(policy);
}

/* Nothing follows from what was added: the sets would grow together. */
static void test_classes_follow_from_what_was_seen_alone(void **state)
{
	struct policy *policy = made("access", &portable);

	(void)state;
	assert_true(policy_takes(policy, 1, "faccessat"));
	assert_false(policy_takes(policy, 1, "openat"));
	policy_free(policy);
	policy = made("ioctl", &portable);
	assert_false(policy_takes(policy, 1, "write"));
	policy_free(policy);
}

/* A waiter is in the recording when the threads happened to meet. */
static void test_threads_may_wait_for_each_other(void **state)
{
	struct recording *recording = recording_made("later");
	struct policy *policy;

	(void)state;
	recording_did(recording, NODE_START_command, 0, "clone3");
	recording_did(recording, NODE_START_thread, 0, "statfs");
	recording_did(recording, NODE_START_phase, 1, "read");
	recording_ran(recording, "00000000000000000000000000000001");
	policy = policy_made_of(recording, &drift);
	assert_true(policy_takes(policy, 1, "futex"));
	assert_true(policy_takes(policy, 1, "set_robust_list"));
	assert_true(policy_takes(policy, 1, "rseq"));
	policy_free(policy);
	policy = made("read", &drift);
	assert_false(policy_takes(policy, 1, "futex"));
	policy_free(policy);
}

static void test_more_that_was_seen_never_adds_less(void **state)
{
	const struct classes_phase phase = { .reach = CLASSES_PORTABLE, .is_native = true };
	uint32_t random = 7;

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct policy_set small = { 0 }, large = { 0 };

		for (uint32_t nr = 0; nr < 460; nr++) {
			random = random * 1103515245 + 12345;
			if (random >> 16 & 7)
				continue;
			policy_set_add(&large, SYSCALL_ARCH_x86_64, nr);
			if (random >> 20 & 1)
				policy_set_add(&small, SYSCALL_ARCH_x86_64, nr);
		}
		classes_widen(&small, SYSCALL_ARCH_x86_64, &phase);
		classes_widen(&large, SYSCALL_ARCH_x86_64, &phase);
		assert_true(policy_set_contains(&large, &small));
	}
}

/* A name with a fault in it would never be allowed, and nobody would see it. */
#define EXISTS(name)                                                                               \
	assert_true(syscall_number(SYSCALL_ARCH_x86_64, name) >= 0 ||                              \
		    syscall_number(SYSCALL_ARCH_i386, name) >= 0);
static void test_all_names_are_calls(void **state)
{
	size_t nr = 0;

	(void)state;
#define ALWAYS(name)		   EXISTS(#name) nr++;
#define EXECUTE(name)		   EXISTS(#name) nr++;
#define STARTUP(reach, name)	   EXISTS(#name) nr++;
#define THREADS(name)		   EXISTS(#name) nr++;
#define IMPLIES(reach, seen, also) EXISTS(seen) EXISTS(also) nr++;
#define CLASS(reach, ...)                                                                          \
	{                                                                                          \
		static const char *const names[] = { __VA_ARGS__ };                                \
		assert_in_range(sizeof(names) / sizeof(names[0]), 2, 8);                           \
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++, nr++)                \
			EXISTS(names[i])                                                           \
	}
#include "syscalls/classes.def"
	assert_true(nr > 150);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions_of_a_library_call_one_for_the_other),
		cmocka_unit_test(test_limits_are_set_by_who_set_them),
		cmocka_unit_test(test_exact_adds_no_class),
		cmocka_unit_test(test_libraries_call_one_for_the_other),
		cmocka_unit_test(test_classes_follow_from_what_was_seen_alone),
		cmocka_unit_test(test_threads_may_wait_for_each_other),
		cmocka_unit_test(test_more_that_was_seen_never_adds_less),
		cmocka_unit_test(test_all_names_are_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
