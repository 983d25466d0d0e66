/* SPDX-License-Identifier: MIT */
/* The profile as a runtime makes a filter of it: with libseccomp, in runc's way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#define json_bool json_c_bool
#include <json-c/json.h>
#undef json_bool

#include "support/cbpf.h"
#include "support/policies.h"
#include "support/verdicts.h"

#define ARGS_MAX 6

static struct sock_filter filter[BPF_MAXINSNS];

static struct json_object *member(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, key, &value);
	return value;
}

static uint32_t action_of(const char *name, struct json_object *error)
{
	static const struct {
		const char *name;
		uint32_t action;
	} actions[] = {
		{ "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW },
		{ "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS },
		{ "SCMP_ACT_LOG", SCMP_ACT_LOG },
		{ "SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY },
	};

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(actions[i].name, name) == 0)
			return actions[i].action;
	assert_string_equal(name, "SCMP_ACT_ERRNO");
	assert_true(json_object_is_type(error, json_type_int));
	return SCMP_ACT_ERRNO((uint16_t)json_object_get_int(error));
}

static size_t conditions_of(struct json_object *list, struct scmp_arg_cmp *ret)
{
	size_t nr = list ? json_object_array_length(list) : 0;

	assert_true(nr <= ARGS_MAX);
	for (size_t i = 0; i < nr; i++) {
		struct json_object *object = json_object_array_get_idx(list, i);
		const char *op = json_object_get_string(member(object, "op"));

		ret[i].arg = (unsigned int)json_object_get_int(member(object, "index"));
		ret[i].datum_a = json_object_get_uint64(member(object, "value"));
		ret[i].op = strcmp(op, "SCMP_CMP_EQ") == 0 ? SCMP_CMP_EQ : SCMP_CMP_NE;
		assert_true(ret[i].op == SCMP_CMP_EQ || strcmp(op, "SCMP_CMP_NE") == 0);
	}
	return nr;
}

static void add_entry(scmp_filter_ctx context, struct json_object *entry)
{
	struct json_object *names = member(entry, "names");
	uint32_t action = action_of(json_object_get_string(member(entry, "action")),
				    member(entry, "errnoRet"));
	struct scmp_arg_cmp conditions[ARGS_MAX];
	size_t nr_conditions = conditions_of(member(entry, "args"), conditions);

	assert_true(json_object_array_length(names) > 0);
	for (size_t i = 0; i < json_object_array_length(names); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(names, i));
		int nr = seccomp_syscall_resolve_name(name);

		if (nr == __NR_SCMP_ERROR)
			fail_msg("libseccomp does not know '%s'", name);
		assert_int_equal(seccomp_rule_add_array(context, action, nr,
							(unsigned int)nr_conditions, conditions),
				 0);
	}
}

static void add_arches(scmp_filter_ctx context, struct json_object *list)
{
	assert_int_equal(seccomp_arch_remove(context, SCMP_ARCH_NATIVE), 0);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(list, i));

		if (strcmp(name, "SCMP_ARCH_X86_64") == 0)
			assert_int_equal(seccomp_arch_add(context, SCMP_ARCH_X86_64), 0);
		else if (strcmp(name, "SCMP_ARCH_X86") == 0)
			assert_int_equal(seccomp_arch_add(context, SCMP_ARCH_X86), 0);
		else if (strcmp(name, "SCMP_ARCH_X32") == 0)
			assert_int_equal(seccomp_arch_add(context, SCMP_ARCH_X32), 0);
		else
			fail_msg("an architecture '%s'", name);
	}
}

/* Makes the filter of PROFILE. Returns how many instructions it has. */
static size_t load(const char *profile)
{
	struct json_object *document = json_tokener_parse(profile);
	struct json_object *calls = member(document, "syscalls");
	int fd = memfd_create("filter", MFD_CLOEXEC);
	scmp_filter_ctx context;
	ssize_t size;

	assert_non_null(document);
	assert_true(fd >= 0);
	context = seccomp_init(action_of(json_object_get_string(member(document, "defaultAction")),
					 member(document, "defaultErrnoRet")));
	assert_non_null(context);
	add_arches(context, member(document, "architectures"));
	for (size_t i = 0; i < json_object_array_length(calls); i++)
		add_entry(context, json_object_array_get_idx(calls, i));
	assert_int_equal(seccomp_export_bpf(context, fd), 0);
	size = pread(fd, filter, sizeof(filter), 0);
	assert_true(size > 0);
	seccomp_release(context);
	json_object_put(document);
	close(fd);
	return (size_t)size / sizeof(filter[0]);
}

static void test_runtimes_make_the_policys_filter(void **state)
{
	struct policy *policy;
	size_t nr_compared = 0;

	(void)state;
	for (size_t i = 0; (policy = verdicts_sample(i)); i++) {
		for (size_t phase = 0; phase < policy->nr_phases; phase++) {
			char *profile = verdicts_render(policy, "oci", phase, NULL);

			nr_compared += verdicts_compare_filter(policy, phase, VERDICTS_SAME, filter,
							       load(profile));
			free(profile);
		}
		policy_free(policy);
	}
	assert_true(nr_compared > 11 * 4 * 601);
}

static uint32_t answer(size_t nr, uint32_t number, uint64_t first, uint64_t second)
{
	const struct seccomp_data data = {
		.nr = (int)number,
		.arch = AUDIT_ARCH_X86_64,
		.args = { first, second },
	};

	return cbpf_run(filter, nr, &data, NULL);
}

static void test_rules_are_entries_with_conditions(void **state)
{
	struct policy *policy = policy_made("read ioctl lseek socket");
	uint32_t ioctl = (uint32_t)syscall_number(SYSCALL_ARCH_x86_64, "ioctl");
	uint32_t lseek = (uint32_t)syscall_number(SYSCALL_ARCH_x86_64, "lseek");
	uint32_t socket = (uint32_t)syscall_number(SYSCALL_ARCH_x86_64, "socket");
	char what[POLICY_WHAT_SIZE], *profile;
	struct policy_notes notes = { 0 };
	size_t size, nr;

	(void)state;
	assert_int_equal(policy_add_rule(policy, "ioctl:1=0x5401", what), 0);
	assert_int_equal(policy_add_rule(policy, "lseek:1=1,4294967297,-1", what), 0);
	assert_int_equal(policy_add_rule(policy, "socket:0=1,2", what), 0);
	assert_int_equal(policy_add_rule(policy, "socket:1=1,5", what), 0);
	profile = verdicts_render(policy, "oci", 0, NULL);
	nr = load(profile);
	free(profile);
	assert_int_equal(answer(nr, ioctl, 7, 0x5401), SECCOMP_RET_ALLOW);
	assert_int_equal(answer(nr, ioctl, 7, 0x5402), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(answer(nr, ioctl, 7, UINT64_C(0x100005401)), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(answer(nr, lseek, 7, 1), SECCOMP_RET_ALLOW);
	assert_int_equal(answer(nr, lseek, 7, UINT64_C(0x100000001)), SECCOMP_RET_ALLOW);
	assert_int_equal(answer(nr, lseek, 7, UINT64_MAX), SECCOMP_RET_ALLOW);
	assert_int_equal(answer(nr, lseek, 7, 2), SECCOMP_RET_ERRNO | ENOSYS);
	for (uint64_t i = 0; i < 4; i++)
		for (uint64_t k = 0; k < 8; k++)
			assert_int_equal(answer(nr, socket, i, k) == SECCOMP_RET_ALLOW,
					 (i == 1 || i == 2) && (k == 1 || k == 5));
	assert_int_equal(answer(nr, 0, 7, 2), SECCOMP_RET_ALLOW);
	/* that the error is another one is said */
	assert_int_equal(policy_format_find("oci")->render(policy, 0, &notes, &profile, &size), 0);
	assert_true(notes_say(&notes, "'lseek' with other arguments fails with ENOSYS"));
	assert_true(notes_say(&notes, "'socket' with other arguments fails with ENOSYS"));
	assert_false(notes_say(&notes, "'ioctl'"));
	policy_notes_free(&notes);
	free(profile);
	policy_free(policy);
}

/* Of socketcall(2) x86_64 has nothing, of getpriority(2) it is not allowed. */
static void test_rules_of_the_other_architecture_alone_are_kept(void **state)
{
	struct policy *policy =
		policy_made("read execve i386:read i386:socketcall i386:getpriority");
	struct seccomp_data data = { .arch = AUDIT_ARCH_I386 };
	char what[POLICY_WHAT_SIZE], *profile;
	size_t nr;

	(void)state;
	assert_int_equal(policy_add_rule(policy, "socketcall:0=1", what), 0);
	assert_int_equal(policy_add_rule(policy, "getpriority:0=2", what), 0);
	profile = verdicts_render(policy, "oci", 0, NULL);
	nr = load(profile);
	free(profile);
	for (uint64_t i = 0; i < 4; i++) {
		data.args[0] = i;
		data.nr = syscall_number(SYSCALL_ARCH_i386, "socketcall");
		assert_int_equal(cbpf_run(filter, nr, &data, NULL) == SECCOMP_RET_ALLOW, i == 1);
		data.nr = syscall_number(SYSCALL_ARCH_i386, "getpriority");
		assert_int_equal(cbpf_run(filter, nr, &data, NULL) == SECCOMP_RET_ALLOW, i == 2);
	}
	policy_free(policy);
}

static void test_too_many_combinations_are_an_error(void **state)
{
	struct policy *policy = policy_made("socket");
	struct policy_notes notes = { 0 };
	size_t size;
	char *text;

	(void)state;
	for (uint8_t i = 0; i < 3; i++) {
		struct policy_rule *rule = &policy->rules[policy->nr_rules++];

		rule->nr = (uint32_t)syscall_number(SYSCALL_ARCH_x86_64, "socket");
		rule->argument = i;
		for (rule->nr_values = 0; rule->nr_values < POLICY_VALUES_MAX; rule->nr_values++)
			rule->values[rule->nr_values] = rule->nr_values;
	}
	assert_int_equal(policy_format_find("oci")->render(policy, 0, &notes, &text, &size),
			 -E2BIG);
	policy_free(policy);
}

/* Names mean a call in each architecture: what that allows too much is said, and nothing else. */
static void test_what_names_cannot_keep_apart_is_said(void **state)
{
	struct policy *policy = policy_made("read write execve i386:getpid i386:read");
	struct policy_notes notes = { 0 };
	struct seccomp_data data = { .arch = AUDIT_ARCH_I386 };
	char *profile;
	size_t size, nr;

	(void)state;
	assert_int_equal(policy_format_find("oci")->render(policy, 0, &notes, &profile, &size), 0);
	profile = realloc(profile, size + 1);
	profile[size] = '\0';
	nr = load(profile);
	free(profile);
	assert_true(notes_say(&notes, "names stand for the calls of all architectures"));
	assert_true(notes_say(&notes, "i386:write"));
	assert_true(notes_say(&notes, "i386:execve"));
	assert_false(notes_say(&notes, "i386:getpid"));
	data.nr = 4; /* write(2) of i386: allowed here alone */
	assert_int_equal(cbpf_run(filter, nr, &data, NULL), SECCOMP_RET_ALLOW);
	data.nr = 5; /* open(2) of i386 */
	assert_int_not_equal(cbpf_run(filter, nr, &data, NULL), SECCOMP_RET_ALLOW);
	policy_notes_free(&notes);
	policy_free(policy);
}

/* Numbers that libseccomp cannot name cannot be said; those that it can are not lost. */
static void test_calls_without_a_name_are_said_to_be_left_out(void **state)
{
	struct policy *policy = policy_made("read execve #600");
	struct policy_notes notes = { 0 };
	char *profile;
	size_t size;

	(void)state;
	assert_int_equal(policy_format_find("oci")->render(policy, 0, &notes, &profile, &size), 0);
	assert_true(notes_say(&notes, "left out, since libseccomp here does not know them: #600"));
	policy_notes_free(&notes);
	free(profile);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runtimes_make_the_policys_filter),
		cmocka_unit_test(test_rules_are_entries_with_conditions),
		cmocka_unit_test(test_rules_of_the_other_architecture_alone_are_kept),
		cmocka_unit_test(test_too_many_combinations_are_an_error),
		cmocka_unit_test(test_what_names_cannot_keep_apart_is_said),
		cmocka_unit_test(test_calls_without_a_name_are_said_to_be_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
