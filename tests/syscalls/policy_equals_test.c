/* SPDX-License-Identifier: MIT */
/* A rule about arguments is worth nothing while another call does the same without it. */
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
#include "support/policies.h"
#include "support/verdicts.h"
#include "syscalls/filter.h"

static const struct policy_config drift = { .action = POLICY_ERRNO };

/* The policy of one run that made CALLS, with RULE. */
static struct policy *ruled(const char *calls, const struct policy_config *config, const char *rule)
{
	struct recording *recording = recording_made("");
	char what[POLICY_WHAT_SIZE];
	struct policy *policy;

	recording_did(recording, NODE_START_command, 0, calls);
	recording_ran(recording, "00000000000000000000000000000001");
	policy = policy_made_of(recording, config);
	assert_int_equal(policy_add_rule(policy, rule, what), 0);
	policy_settle_rules(policy);
	return policy;
}

static uint32_t answer(const struct policy *policy, const char *name)
{
	static struct sock_filter filter[FILTER_MAX];
	const struct filter_config config = { .action = -1 };
	const struct seccomp_data data = {
		.nr = syscall_number(SYSCALL_ARCH_x86_64, name),
		.arch = AUDIT_ARCH_X86_64,
	};
	int nr = filter_compile(policy, 0, &config, filter);

	assert_true(nr > 0);
	return cbpf_run(filter, (size_t)nr, &data, NULL);
}

static bool renders(const struct policy *policy, const char *format, const char *text)
{
	char *page = verdicts_render(policy, format, 0, NULL);
	bool is_there = strstr(page, text) != NULL;

	free(page);
	return is_there;
}

static void test_clone3_falls_back_on_the_rule_of_clone(void **state)
{
	struct policy *policy = ruled("read clone", &drift, "clone:0=0x3d0f00");

	(void)state;
	assert_false(policy_takes(policy, 0, "clone3"));
	assert_int_equal(answer(policy, "clone3"), SECCOMP_RET_ERRNO | ENOSYS);
	assert_int_equal(answer(policy, "clone"), SECCOMP_RET_ERRNO | EPERM);
	assert_false(policy_warns(policy, "clone3"));
	assert_true(renders(policy, "minijail", "\nclone3: return 38\n"));
	/* where the rule cannot be said a program would be left without threads */
	assert_true(renders(policy, "systemd", " clone3 "));
	policy_free(policy);
}

/* Its flags cannot be seen: the rule would be for nothing. */
static void test_clone3_that_was_recorded_falls_back_too(void **state)
{
	struct policy *policy = ruled("read clone3", &drift, "clone:0=0x3d0f00");

	(void)state;
	assert_int_equal(answer(policy, "clone3"), SECCOMP_RET_ERRNO | ENOSYS);
	assert_true(policy_warns(policy, "'clone3' was recorded, and fails with ENOSYS"));
	policy_free(policy);
}

static void test_clone3_falls_back_where_others_are_killed(void **state)
{
	struct policy *policy = ruled("read clone", &drift, "clone:0=0x3d0f00");

	(void)state;
	policy_set_action(policy, POLICY_KILL);
	assert_int_equal(answer(policy, "clone3"), SECCOMP_RET_ERRNO | ENOSYS);
	assert_int_equal(answer(policy, "fork"), SECCOMP_RET_KILL_PROCESS);
	assert_true(renders(policy, "minijail", "\nclone3: return 38\n"));
	assert_true(renders(policy, "oci", "\"errnoRet\": 38"));
	policy_set_action(policy, POLICY_LOG);
	assert_int_equal(answer(policy, "clone3"), SECCOMP_RET_LOG);
	policy_free(policy);
}

static void test_without_a_rule_clone3_is_added(void **state)
{
	struct policy *policy = ruled("read clone lseek", &drift, "lseek:2=0");

	(void)state;
	assert_true(policy_takes(policy, 0, "clone3"));
	assert_int_equal(answer(policy, "clone3"), SECCOMP_RET_ALLOW);
	policy_free(policy);
}

static void test_equals_that_were_only_added_are_taken_out(void **state)
{
	struct policy *policy = ruled("read fchmodat", &drift, "fchmodat:0=5");

	(void)state;
	assert_false(policy_takes(policy, 0, "fchmodat2"));
	assert_false(policy_warns(policy, "fchmodat2"));
	policy_free(policy);
}

static void test_equals_that_were_recorded_are_warned_of(void **state)
{
	struct policy *policy =
		ruled("socket i386:socket i386:socketcall fchmodat", &drift, "socket:0=1");

	(void)state;
	assert_true(policy_takes(policy, 0, "i386:socketcall"));
	assert_true(policy_warns(policy, "'i386:socketcall' is allowed with any arguments, and can "
					 "do what the rule of 'socket' is to prevent"));
	assert_false(policy_warns(policy, "fchmodat"));
	policy_free(policy);
}

static void test_equals_with_rules_of_their_own_are_not(void **state)
{
	struct policy *policy = policy_made("accept4 dup2 dup3");
	char what[POLICY_WHAT_SIZE];

	(void)state;
	assert_int_equal(policy_add_rule(policy, "dup2:1=5", what), 0);
	assert_int_equal(policy_add_rule(policy, "dup3:1=5", what), 0);
	policy_settle_rules(policy);
	assert_false(policy_warns(policy, "with any arguments"));
	policy_free(policy);
}

/* Without these no program ends, or begins. */
static void test_needs_are_not_taken_out(void **state)
{
	struct policy *policy = ruled("read kill", &drift, "kill:1=15");

	(void)state;
	assert_true(policy_takes(policy, 0, "tgkill"));
	assert_true(policy_warns(policy, "'tgkill' is allowed with any arguments"));
	policy_free(policy);
}

/* mmap(2) of i386 has one argument, the address of the others. */
static void test_arguments_in_memory_have_no_rule(void **state)
{
	struct policy *policy = ruled("mmap i386:mmap", &drift, "mmap:2=1");

	(void)state;
	assert_int_equal(policy->nr_rules, 1);
	assert_int_equal(policy->rules[0].arch, SYSCALL_ARCH_x86_64);
	assert_true(policy_warns(policy, "'i386:mmap' is allowed with any arguments"));
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clone3_falls_back_on_the_rule_of_clone),
		cmocka_unit_test(test_clone3_that_was_recorded_falls_back_too),
		cmocka_unit_test(test_clone3_falls_back_where_others_are_killed),
		cmocka_unit_test(test_without_a_rule_clone3_is_added),
		cmocka_unit_test(test_equals_that_were_only_added_are_taken_out),
		cmocka_unit_test(test_equals_that_were_recorded_are_warned_of),
		cmocka_unit_test(test_equals_with_rules_of_their_own_are_not),
		cmocka_unit_test(test_needs_are_not_taken_out),
		cmocka_unit_test(test_arguments_in_memory_have_no_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
