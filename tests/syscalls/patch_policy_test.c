/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/prctl.h>

#include "support/cbpf.h"
#include "support/policies.h"
#include "support/verdicts.h"
#include "syscalls/patch_policy.h"
#include "syscalls/patch_stub.h"

#define NR_execve  59U
#define NR_prctl   157U
#define NR_seccomp 317U

static struct sock_filter filter[FILTER_MAX];
static size_t nr_filter;

static void compile(const struct policy *policy, size_t phase)
{
	int nr = patch_policy_filter(policy, phase, -1, filter);

	assert_true(nr > 0);
	nr_filter = (size_t)nr;
}

/* What the filter answers to NUMBER with this first argument, and junk above its 32 bits. */
static uint32_t answer(uint32_t number, uint32_t operation)
{
	struct seccomp_data data = { .nr = (int)number, .arch = AUDIT_ARCH_X86_64 };

	data.args[0] = operation | 0x1234567800000000;
	return cbpf_run(filter, nr_filter, &data, NULL);
}

/* Two phases: SECOND is what the last one did. */
static struct policy *made(const char *first, const char *second, enum policy_action action)
{
	const struct policy_config config = { .action = action, .is_exact = true };
	struct recording *recording = recording_made("point");

	recording_did(recording, NODE_START_command, 0, first);
	recording_did(recording, NODE_START_phase, 1, second);
	recording_ran(recording, "1");
	return policy_made_of(recording, &config);
}

static void test_a_program_with_one_phase_has_the_policys_filter(void **state)
{
	const struct filter_config config = { .action = -1 };
	struct policy *policy = policy_made("read write");
	struct sock_filter other[FILTER_MAX];

	(void)state;
	assert_true(patch_policy_narrow(policy));
	compile(policy, 0);
	assert_int_equal(filter_compile(policy, 0, &config, other), nr_filter);
	assert_memory_equal(filter, other, nr_filter * sizeof(*filter));
	policy_free(policy);
}

static void test_execve_goes_unless_it_was_seen(void **state)
{
	struct policy *policy = policy_made("read");

	(void)state;
	assert_true(policy_takes(policy, 0, "execve"));
	assert_true(patch_policy_narrow(policy));
	assert_false(policy_takes(policy, 0, "execve"));
	assert_false(patch_policy_narrow(policy));
	policy_free(policy);

	policy = policy_made("read execve");
	assert_false(patch_policy_narrow(policy));
	assert_true(policy_takes(policy, 0, "execve"));
	policy_free(policy);

	policy = made("read write", "read execve", POLICY_ERRNO);
	assert_false(patch_policy_narrow(policy));
	assert_true(policy_takes(policy, 0, "execve"));
	policy_free(policy);
}

/* With no operation that matters nothing changes, and the kernel remembers as much. */
static void test_other_calls_are_answered_as_the_policy_says(void **state)
{
	struct policy *policy;
	size_t nr_compared = 0;

	(void)state;
	for (size_t i = 0; (policy = verdicts_sample(i)); i++) {
		for (size_t phase = 0; phase < policy->nr_phases; phase++) {
			compile(policy, phase);
			nr_compared += verdicts_compare_filter(policy, phase, VERDICTS_SAME, filter,
							       nr_filter);
		}
		policy_free(policy);
	}
	assert_true(nr_compared > 1000);
}

static void test_allowed_calls_are_remembered(void **state)
{
	struct policy *policy = made("read write execve", "read execve", POLICY_KILL);
	size_t nr_remembered = 0;

	(void)state;
	for (size_t phase = 0; phase < 2; phase++) {
		compile(policy, phase);
		for (uint32_t nr = 0; nr < 500; nr++) {
			bool is_allowed = policy_allows(policy, phase, SYSCALL_ARCH_x86_64, nr);

			nr_remembered += is_allowed;
			assert_int_equal(
				cbpf_is_remembered(filter, nr_filter, AUDIT_ARCH_X86_64, nr),
				is_allowed);
		}
	}
	assert_true(nr_remembered > 4);
	policy_free(policy);
}

static void test_filters_tell_their_phase(void **state)
{
	struct policy *policy = made("read write", "read", POLICY_KILL);

	(void)state;
	for (size_t phase = 0; phase < 2; phase++) {
		compile(policy, phase);
		assert_int_equal(answer(NR_seccomp, PATCH_STUB_QUESTION),
				 SECCOMP_RET_ERRNO | (PATCH_STUB_ANSWER + phase));
	}
	policy_free(policy);
	/* of a program with one phase nobody asks */
	policy = policy_made("read execve");
	compile(policy, 0);
	assert_int_equal(answer(NR_seccomp, PATCH_STUB_QUESTION), SECCOMP_RET_ERRNO | EPERM);
	policy_free(policy);
}

static void test_filters_are_installed_before_the_last_phase(void **state)
{
	struct policy *policy = made("read write", "read", POLICY_KILL);

	(void)state;
	assert_true(patch_policy_narrow(policy));
	compile(policy, 0);
	assert_int_equal(answer(NR_seccomp, SECCOMP_SET_MODE_FILTER), SECCOMP_RET_ALLOW);
	assert_int_equal(answer(NR_seccomp, SECCOMP_SET_MODE_STRICT), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(answer(NR_prctl, PR_SET_NO_NEW_PRIVS), SECCOMP_RET_KILL_PROCESS);
	/* a thread that comes too late is not to die of it */
	compile(policy, 1);
	assert_int_equal(answer(NR_seccomp, SECCOMP_SET_MODE_FILTER), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(answer(NR_seccomp, SECCOMP_SET_MODE_STRICT), SECCOMP_RET_KILL_PROCESS);
	policy_free(policy);
}

static void test_who_may_execute_may_begin_anew(void **state)
{
	struct policy *policy = made("read write execve", "read execve", POLICY_KILL);

	(void)state;
	for (size_t phase = 0; phase < 2; phase++) {
		compile(policy, phase);
		assert_int_equal(answer(NR_seccomp, SECCOMP_SET_MODE_FILTER), SECCOMP_RET_ALLOW);
		assert_int_equal(answer(NR_prctl, PR_SET_NO_NEW_PRIVS), SECCOMP_RET_ALLOW);
		assert_int_equal(answer(NR_prctl, PR_SET_NAME), SECCOMP_RET_KILL_PROCESS);
	}
	policy_free(policy);
}

static void test_what_the_policy_allows_stays_allowed(void **state)
{
	struct policy *policy =
		made("read write execve seccomp prctl", "read execve seccomp prctl", POLICY_KILL);

	(void)state;
	compile(policy, 1);
	assert_int_equal(answer(NR_seccomp, SECCOMP_SET_MODE_FILTER), SECCOMP_RET_ALLOW);
	assert_int_equal(answer(NR_seccomp, SECCOMP_SET_MODE_STRICT), SECCOMP_RET_ALLOW);
	assert_int_equal(answer(NR_prctl, PR_SET_NAME), SECCOMP_RET_ALLOW);
	policy_free(policy);
}

static void test_what_is_added_is_told(void **state)
{
	struct policy_notes notes = { 0 };
	struct policy *policy = made("read write execve", "read", POLICY_ERRNO);

	(void)state;
	patch_policy_note(policy, &notes);
	assert_int_equal(notes.nr, 2);
	assert_true(notes_say(&notes, "install the next filter"));
	assert_true(notes_say(&notes, "execute itself"));
	policy_notes_free(&notes);
	policy_free(policy);

	policy = policy_made("read write");
	patch_policy_narrow(policy);
	patch_policy_note(policy, &notes);
	assert_int_equal(notes.nr, 0);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_program_with_one_phase_has_the_policys_filter),
		cmocka_unit_test(test_execve_goes_unless_it_was_seen),
		cmocka_unit_test(test_other_calls_are_answered_as_the_policy_says),
		cmocka_unit_test(test_allowed_calls_are_remembered),
		cmocka_unit_test(test_filters_tell_their_phase),
		cmocka_unit_test(test_filters_are_installed_before_the_last_phase),
		cmocka_unit_test(test_who_may_execute_may_begin_anew),
		cmocka_unit_test(test_what_the_policy_allows_stays_allowed),
		cmocka_unit_test(test_what_is_added_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
