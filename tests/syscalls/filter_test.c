/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/audit.h>

#include "support/cbpf.h"
#include "support/guard.h"
#include "support/policies.h"
#include "support/verdicts.h"
#include "syscalls/filter.h"

/* Where the arguments are among the bytes that cbpf_run() says were read. */
#define ARGUMENT_BYTES (UINT64_MAX << offsetof(struct seccomp_data, args))

static const struct filter_config own_action = { .action = -1 };

static struct sock_filter filter[FILTER_MAX];

static size_t compile(const struct policy *policy, size_t phase, const struct filter_config *config)
{
	int nr = filter_compile(policy, phase, config, filter);

	assert_true(nr > 0);
	return (size_t)nr;
}

static uint32_t answer(size_t nr, uint32_t arch, uint32_t number, const uint64_t *args)
{
	struct seccomp_data data = { .nr = (int)number, .arch = arch };

	if (args)
		memcpy(data.args, args, sizeof(data.args));
	return cbpf_run(filter, nr, &data, NULL);
}

static uint32_t number_of(const char *name)
{
	int nr = syscall_number(SYSCALL_ARCH_x86_64, name);

	assert_true(nr >= 0);
	return (uint32_t)nr;
}

static void test_answers_are_the_policys(void **state)
{
	struct policy *policy;
	size_t nr_compared = 0;

	(void)state;
	for (size_t i = 0; (policy = verdicts_sample(i)); i++) {
		for (size_t phase = 0; phase < policy->nr_phases; phase++)
			nr_compared += verdicts_compare_filter(policy, phase, VERDICTS_SAME, filter,
							       compile(policy, phase, &own_action));
		policy_free(policy);
	}
	/* a phase and more of each of 11 policies */
	assert_true(nr_compared > 11 * 4 * 601);
}

/* What the kernel remembers needs no filter at all: it must be every call that is allowed. */
static void test_allowed_calls_read_only_what_the_kernel_remembers(void **state)
{
	struct policy *policy;
	size_t nr_allowed = 0;

	(void)state;
	for (size_t i = 0; (policy = verdicts_sample(i)); i++) {
		size_t nr = compile(policy, 0, &own_action);

		for (uint32_t number = 0; number < SYSCALLS_MAX; number++) {
			struct seccomp_data data = { .nr = (int)number, .arch = AUDIT_ARCH_X86_64 };
			bool is_allowed = policy_allows(policy, 0, SYSCALL_ARCH_x86_64, number);
			uint64_t reads;

			cbpf_run(filter, nr, &data, &reads);
			assert_int_equal(reads & ARGUMENT_BYTES, 0);
			assert_int_equal(cbpf_is_remembered(filter, nr, AUDIT_ARCH_X86_64, number),
					 is_allowed);
			nr_allowed += is_allowed;
		}
		policy_free(policy);
	}
	assert_true(nr_allowed > 500);
}

static void test_stacked_phases_are_all_remembered(void **state)
{
	struct policy *policy = verdicts_sample(5);
	size_t nr_allowed = 0;

	(void)state;
	assert_int_equal(policy->nr_phases, 3);
	for (uint32_t number = 0; number < SYSCALLS_MAX; number++) {
		if (!policy_allows(policy, 2, SYSCALL_ARCH_x86_64, number))
			continue;
		nr_allowed++;
		for (size_t phase = 0; phase < 3; phase++) {
			size_t nr = compile(policy, phase, &own_action);

			assert_true(cbpf_is_remembered(filter, nr, AUDIT_ARCH_X86_64, number));
		}
	}
	assert_true(nr_allowed >= 5);
	policy_free(policy);
}

static void test_other_architectures_kill_whatever_the_action(void **state)
{
	struct policy *policy = policy_made("read write");

	(void)state;
	for (int action = 0; action < NR_POLICY_ACTIONS; action++) {
		const struct filter_config config = { .action = action };
		size_t nr = compile(policy, 0, &config);

		/* 3 is read(2) here and 0 is: neither may be taken for the other */
		for (uint32_t number = 0; number < 8; number++) {
			assert_int_equal(answer(nr, AUDIT_ARCH_I386, number, NULL),
					 SECCOMP_RET_KILL_PROCESS);
			assert_int_equal(answer(nr, AUDIT_ARCH_AARCH64, number, NULL),
					 SECCOMP_RET_KILL_PROCESS);
			assert_int_equal(
				answer(nr, AUDIT_ARCH_X86_64, number | SYSCALL_X32_BIT, NULL),
				SECCOMP_RET_KILL_PROCESS);
			assert_int_equal(answer(nr, 0, number, NULL), SECCOMP_RET_KILL_PROCESS);
		}
		assert_int_equal(answer(nr, AUDIT_ARCH_X86_64, 0, NULL), SECCOMP_RET_ALLOW);
	}
	policy_free(policy);
}

static void test_32_bit_calls_are_kept_apart(void **state)
{
	struct policy *policy = policy_made("read write i386:getpid");
	size_t nr = compile(policy, 0, &own_action);

	(void)state;
	assert_int_equal(answer(nr, AUDIT_ARCH_I386, 20, NULL), SECCOMP_RET_ALLOW);
	/* writev(2), whose number getpid has in i386 */
	assert_int_equal(answer(nr, AUDIT_ARCH_X86_64, 20, NULL), SECCOMP_RET_ERRNO | EPERM);
	/* execve(2) and write(2) of i386 */
	assert_int_equal(answer(nr, AUDIT_ARCH_I386, 11, NULL), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(answer(nr, AUDIT_ARCH_I386, 4, NULL), SECCOMP_RET_ERRNO | EPERM);
	verdicts_compare_filter(policy, 0, VERDICTS_SAME, filter, nr);
	policy_free(policy);
}

static void test_x32_has_its_own_numbers(void **state)
{
	struct policy *policy = policy_made("read x32:getpid x32:rt_sigaction");
	size_t nr = compile(policy, 0, &own_action);

	(void)state;
	assert_int_equal(answer(nr, AUDIT_ARCH_X86_64, 39 | SYSCALL_X32_BIT, NULL),
			 SECCOMP_RET_ALLOW);
	assert_int_equal(answer(nr, AUDIT_ARCH_X86_64, 512 | SYSCALL_X32_BIT, NULL),
			 SECCOMP_RET_ALLOW);
	assert_int_equal(answer(nr, AUDIT_ARCH_X86_64, 512, NULL), SECCOMP_RET_ERRNO | ENOSYS);
	assert_int_equal(answer(nr, AUDIT_ARCH_X86_64, 0 | SYSCALL_X32_BIT, NULL),
			 SECCOMP_RET_ERRNO | EPERM);
	verdicts_compare_filter(policy, 0, VERDICTS_SAME, filter, nr);
	policy_free(policy);
}

static void test_known_calls_fail_with_eperm_and_newer_ones_with_enosys(void **state)
{
	struct policy *policy = policy_made("read");
	size_t nr = compile(policy, 0, &own_action);

	(void)state;
	assert_int_equal(answer(nr, AUDIT_ARCH_X86_64, number_of("openat"), NULL),
			 SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(answer(nr, AUDIT_ARCH_X86_64, policy->last[SYSCALL_ARCH_x86_64], NULL),
			 SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(answer(nr, AUDIT_ARCH_X86_64, policy->last[SYSCALL_ARCH_x86_64] + 1, NULL),
			 SECCOMP_RET_ERRNO | ENOSYS);
	/* no call has this number, though newer ones have higher ones */
	assert_null(syscall_name(SYSCALL_ARCH_x86_64, 400));
	assert_int_equal(answer(nr, AUDIT_ARCH_X86_64, 400, NULL), SECCOMP_RET_ERRNO | ENOSYS);
	/* a tracer's way to have no call made */
	assert_int_equal(answer(nr, AUDIT_ARCH_X86_64, UINT32_MAX, NULL),
			 SECCOMP_RET_ERRNO | ENOSYS);
	policy_free(policy);
}

static void add_rule(struct policy *policy, const char *text)
{
	char what[POLICY_WHAT_SIZE];

	if (policy_add_rule(policy, text, what))
		fail_msg("%s: %s", text, what);
}

static void test_rules_are_about_their_own_call(void **state)
{
	struct policy *policy = policy_made("read ioctl fcntl");
	const uint64_t good[6] = { 9, 0x5401 }, bad[6] = { 9, 0x5402 };
	const uint64_t high[6] = { 9, UINT64_C(0x100005401) };
	size_t nr;

	(void)state;
	add_rule(policy, "ioctl:1=0x5401,0x5413");
	nr = compile(policy, 0, &own_action);
	assert_int_equal(answer(nr, AUDIT_ARCH_X86_64, number_of("ioctl"), good),
			 SECCOMP_RET_ALLOW);
	assert_int_equal(answer(nr, AUDIT_ARCH_X86_64, number_of("ioctl"), bad),
			 SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(answer(nr, AUDIT_ARCH_X86_64, number_of("ioctl"), high),
			 SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(answer(nr, AUDIT_ARCH_X86_64, number_of("fcntl"), bad), SECCOMP_RET_ALLOW);
	/* the one with the rule loses the kernel's memory, the others keep it */
	assert_false(cbpf_is_remembered(filter, nr, AUDIT_ARCH_X86_64, number_of("ioctl")));
	assert_true(cbpf_is_remembered(filter, nr, AUDIT_ARCH_X86_64, number_of("read")));
	assert_true(cbpf_is_remembered(filter, nr, AUDIT_ARCH_X86_64, number_of("fcntl")));
	policy_free(policy);
}

/* Values around each other, in both halves, in two arguments: all that the filter can mix up. */
static void test_rules_answer_as_their_values_say(void **state)
{
	static const uint64_t tried[] = { 0,
					  1,
					  2,
					  3,
					  4,
					  5,
					  0x7fffffff,
					  0x80000000,
					  0xffffff9c,
					  0xffffffff,
					  UINT64_C(0x100000000),
					  UINT64_C(0x100000001),
					  UINT64_C(0x100000003),
					  UINT64_C(0x200000003),
					  UINT64_C(0xffffffff80000000),
					  UINT64_C(0xffffffffffffff9c),
					  UINT64_MAX };
	struct policy *policy = policy_made("lseek read write");
	size_t nr, nr_allowed = 0;

	(void)state;
	add_rule(policy, "lseek:1=1,3,4294967296,4294967299,8589934595,-1");
	add_rule(policy, "lseek:0=-100,2,0x80000000");
	nr = compile(policy, 0, &own_action);
	for (size_t i = 0; i < sizeof(tried) / sizeof(tried[0]); i++)
		for (size_t k = 0; k < sizeof(tried) / sizeof(tried[0]); k++) {
			const uint64_t args[6] = { tried[i], tried[k] };
			uint32_t want = policy_answer(policy, 0, AUDIT_ARCH_X86_64,
						      number_of("lseek"), args);

			assert_int_equal(answer(nr, AUDIT_ARCH_X86_64, number_of("lseek"), args),
					 want);
			nr_allowed += want == SECCOMP_RET_ALLOW;
		}
	/* 2, and two values of 32 bits in both spellings, times the 6 */
	assert_int_equal(nr_allowed, 5 * 6);
	policy_free(policy);
}

/* Jumps have 8 bits: the largest blocks that there can be, far from where they are decided. */
static void test_large_rules_do_not_break_jumps(void **state)
{
	static const char *const calls[] = { "ioctl", "fcntl",	"lseek", "dup3",   "socket",
					     "kill",  "tgkill", "flock", "setpgid" };
	struct policy *policy = verdicts_sample(7);
	size_t nr;

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		policy_set_add(&policy->phases[0].allowed, SYSCALL_ARCH_x86_64,
			       number_of(calls[i]));
		for (unsigned int argument = 0; argument < 2; argument++) {
			struct policy_rule *rule = &policy->rules[policy->nr_rules++];

			rule->arch = SYSCALL_ARCH_x86_64;
			rule->nr = number_of(calls[i]);
			rule->argument = (uint8_t)argument;
			rule->nr_values = POLICY_VALUES_MAX;
			for (uint64_t k = 0; k < POLICY_VALUES_MAX; k++)
				rule->values[k] = k << 32 | k;
		}
	}
	nr = compile(policy, 0, &own_action);
	assert_true(nr > 2000);
	verdicts_compare_filter(policy, 0, VERDICTS_SAME, filter, nr);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		for (uint64_t k = 0; k < 40; k++) {
			const uint64_t args[6] = { k << 32 | k, (39 - k) << 32 | (39 - k) };

			assert_int_equal(answer(nr, AUDIT_ARCH_X86_64, number_of(calls[i]), args),
					 policy_answer(policy, 0, AUDIT_ARCH_X86_64,
						       number_of(calls[i]), args));
		}
	policy_free(policy);
}

static void test_too_much_is_refused_and_not_cut(void **state)
{
	struct policy *policy = verdicts_sample(7);

	(void)state;
	for (uint32_t i = 0; i < POLICY_RULES_MAX; i++) {
		struct policy_rule *rule = &policy->rules[policy->nr_rules++];

		policy_set_add(&policy->phases[0].allowed, SYSCALL_ARCH_x86_64, i);
		rule->nr = i;
		rule->nr_values = POLICY_VALUES_MAX;
		for (uint64_t k = 0; k < POLICY_VALUES_MAX; k++)
			rule->values[k] = k << 32;
	}
	assert_int_equal(filter_compile(policy, 0, &own_action, filter), -E2BIG);
	policy_free(policy);
}

static void test_the_program_may_install_what_follows(void **state)
{
	const struct filter_config config = { .action = -1, .installs_itself = true };
	struct policy *policy = verdicts_sample(5);

	(void)state;
	assert_false(policy_takes(policy, 0, "seccomp"));
	for (size_t phase = 0; phase < policy->nr_phases; phase++)
		assert_int_equal(answer(compile(policy, phase, &config), AUDIT_ARCH_X86_64,
					number_of("seccomp"), NULL),
				 phase + 1 < policy->nr_phases ? SECCOMP_RET_ALLOW
							       : SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(answer(compile(policy, 0, &own_action), AUDIT_ARCH_X86_64,
				number_of("seccomp"), NULL),
			 SECCOMP_RET_ERRNO | EPERM);
	policy_free(policy);
}

static void test_a_listener_is_told_of_all_that_is_refused(void **state)
{
	const struct filter_config config = { .action = -1, .tells_all = true };
	struct policy *policy = policy_made("read execve");
	size_t nr = compile(policy, 0, &config);

	(void)state;
	assert_int_equal(answer(nr, AUDIT_ARCH_X86_64, number_of("read"), NULL), SECCOMP_RET_ALLOW);
	assert_int_equal(answer(nr, AUDIT_ARCH_X86_64, number_of("execve"), NULL),
			 SECCOMP_RET_USER_NOTIF);
	assert_int_equal(answer(nr, AUDIT_ARCH_X86_64, number_of("openat"), NULL),
			 SECCOMP_RET_USER_NOTIF);
	assert_int_equal(answer(nr, AUDIT_ARCH_X86_64, 39 | SYSCALL_X32_BIT, NULL),
			 SECCOMP_RET_USER_NOTIF);
	assert_int_equal(answer(nr, AUDIT_ARCH_I386, 20, NULL), SECCOMP_RET_USER_NOTIF);
	assert_int_equal(answer(nr, 0, 0, NULL), SECCOMP_RET_USER_NOTIF);
	policy_free(policy);
}

static void test_a_filter_for_arm64_is_of_its_numbers(void **state)
{
	struct policy *policy = policy_made("arm64:read arm64:openat arm64:execve");
	size_t nr = compile(policy, 0, &own_action);

	(void)state;
	assert_int_equal(policy->native, SYSCALL_ARCH_arm64);
	assert_int_equal(answer(nr, AUDIT_ARCH_AARCH64, 63, NULL), SECCOMP_RET_ALLOW);
	assert_int_equal(answer(nr, AUDIT_ARCH_AARCH64, 64, NULL), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(answer(nr, AUDIT_ARCH_X86_64, 63, NULL), SECCOMP_RET_KILL_PROCESS);
	verdicts_compare_filter(policy, 0, VERDICTS_SAME, filter, nr);
	policy_free(policy);
}

static void test_nothing_is_written_behind_the_end(void **state)
{
	struct sock_filter *room = guard_alloc(FILTER_MAX * sizeof(*room));
	struct policy *policy = verdicts_sample(7);

	(void)state;
	assert_true(filter_compile(policy, 0, &own_action, room) > 400);
	policy_free(policy);
}

static void test_installing_nothing_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(filter_install(filter, 0, 0), -EINVAL);
	assert_int_equal(filter_install(filter, FILTER_MAX + 1, 0), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_are_the_policys),
		cmocka_unit_test(test_allowed_calls_read_only_what_the_kernel_remembers),
		cmocka_unit_test(test_stacked_phases_are_all_remembered),
		cmocka_unit_test(test_other_architectures_kill_whatever_the_action),
		cmocka_unit_test(test_32_bit_calls_are_kept_apart),
		cmocka_unit_test(test_x32_has_its_own_numbers),
		cmocka_unit_test(test_known_calls_fail_with_eperm_and_newer_ones_with_enosys),
		cmocka_unit_test(test_rules_are_about_their_own_call),
		cmocka_unit_test(test_rules_answer_as_their_values_say),
		cmocka_unit_test(test_large_rules_do_not_break_jumps),
		cmocka_unit_test(test_too_much_is_refused_and_not_cut),
		cmocka_unit_test(test_the_program_may_install_what_follows),
		cmocka_unit_test(test_a_listener_is_told_of_all_that_is_refused),
		cmocka_unit_test(test_a_filter_for_arm64_is_of_its_numbers),
		cmocka_unit_test(test_nothing_is_written_behind_the_end),
		cmocka_unit_test(test_installing_nothing_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
