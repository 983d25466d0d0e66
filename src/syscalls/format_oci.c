/* SPDX-License-Identifier: MIT */
/*
 * The object `linux.seccomp` of the OCI runtime specification (config-linux.md), which is also what
 * `docker run --security-opt seccomp=FILE` and `podman run` take.
 *
 * A refused call that is known gets EPERM and all others ENOSYS, as runc does it by itself: the
 * default is ENOSYS, and what is known and not allowed is listed.
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/cleanup.h"
#include "lib/memory.h"
#include "syscalls/format.h"
#include "syscalls/policy_private.h"

/* Combinations of values that one call may have, each of which is an entry. */
#define ENTRIES_MAX 1024

static const char *const arch_names[NR_SYSCALL_ARCHES] = {
	[SYSCALL_ARCH_x86_64] = "SCMP_ARCH_X86_64",
	[SYSCALL_ARCH_i386] = "SCMP_ARCH_X86",
	[SYSCALL_ARCH_x32] = "SCMP_ARCH_X32",
	[SYSCALL_ARCH_arm64] = "SCMP_ARCH_AARCH64",
};

static const char *const default_actions[NR_POLICY_ACTIONS] = {
	[POLICY_ERRNO] = "SCMP_ACT_ERRNO",
	[POLICY_KILL] = "SCMP_ACT_KILL_PROCESS",
	[POLICY_LOG] = "SCMP_ACT_LOG",
	[POLICY_NOTIFY] = "SCMP_ACT_NOTIFY",
};

static void begin_entry(struct json *json)
{
	json_newline(json);
	json_object_begin(json);
	JSON_KEY(json, "names");
	json_array_begin(json);
}

/* ERROR: what the calls fail with; 0: they are allowed. */
static void end_entry(struct json *json, int error)
{
	JSON_KEY(json, "action");
	json_cstring(json, error ? "SCMP_ACT_ERRNO" : "SCMP_ACT_ALLOW");
	if (error) {
		JSON_KEY(json, "errnoRet");
		json_u64(json, (uint64_t)error);
	}
	json_object_end(json);
}

static void write_names(struct json *json, const struct policy *policy,
			const struct format_names *names, bool is_allowed)
{
	const struct policy_rule *rules[POLICY_RULES_MAX];

	if (names->nr == 0)
		return;
	begin_entry(json);
	for (size_t i = 0; i < names->nr; i++)
		if (!is_allowed || format_rules(policy, names->list[i], rules) == 0)
			json_cstring(json, names->list[i]);
	json_array_end(json);
	end_entry(json, is_allowed ? 0 : EPERM);
}

static void write_condition(struct json *json, const struct policy_rule *rule, uint64_t value,
			    const char *op)
{
	json_object_begin(json);
	JSON_KEY(json, "index");
	json_u64(json, rule->argument);
	JSON_KEY(json, "value");
	json_u64(json, value);
	JSON_KEY(json, "op");
	json_cstring(json, op);
	json_object_end(json);
}

/* One entry for each combination of values. Returns 0 or -E2BIG. */
static int write_rules(struct json *json, const char *name, const struct policy_rule *const *rules,
		       size_t nr)
{
	size_t nr_entries = 1;

	for (size_t i = 0; i < nr && nr_entries <= ENTRIES_MAX; i++)
		nr_entries *= rules[i]->nr_values;
	if (nr_entries > ENTRIES_MAX)
		return -E2BIG;
	for (size_t entry = 0; entry < nr_entries; entry++) {
		size_t rest = entry;

		begin_entry(json);
		json_cstring(json, name);
		json_array_end(json);
		JSON_KEY(json, "args");
		json_array_begin(json);
		for (size_t i = 0; i < nr; i++) {
			write_condition(json, rules[i],
					rules[i]->values[rest % rules[i]->nr_values],
					"SCMP_CMP_EQ");
			rest /= rules[i]->nr_values;
		}
		json_array_end(json);
		end_entry(json, 0);
	}
	return 0;
}

/*
 * A condition on one value has a contrary, so that other values get the same error as other calls.
 * Returns whether the rules of the call are such a condition.
 */
static bool write_contrary(struct json *json, const char *name,
			   const struct policy_rule *const *rules, size_t nr)
{
	if (nr != 1 || rules[0]->nr_values != 1)
		return false;
	begin_entry(json);
	json_cstring(json, name);
	json_array_end(json);
	JSON_KEY(json, "args");
	json_array_begin(json);
	write_condition(json, rules[0], rules[0]->values[0], "SCMP_CMP_NE");
	json_array_end(json);
	end_entry(json, EPERM);
	return true;
}

/* By default it fails so with POLICY_ERRNO alone. */
static void write_fallback(struct json *json, const struct policy *policy, size_t phase)
{
	const char *name = format_fallback(policy, phase);

	if (!name || policy->action == POLICY_ERRNO)
		return;
	begin_entry(json);
	json_cstring(json, name);
	json_array_end(json);
	end_entry(json, ENOSYS);
}

static bool is_allowed_anywhere(const struct policy *policy, size_t phase, const char *name)
{
	for (size_t arch = 0; arch < NR_SYSCALL_ARCHES; arch++) {
		int nr = syscall_number((enum syscall_arch)arch, name);

		if (nr >= 0 && policy_allows(policy, phase, (enum syscall_arch)arch, (uint32_t)nr))
			return true;
	}
	return false;
}

/*
 * libseccomp takes socket(2) of i386 for socketcall(2) with a value, and the other way round: of
 * two contrary entries it refuses one, and with it the profile.
 */
static bool is_part_of_allowed(const struct policy *policy, size_t phase, const char *name)
{
	static const char *const wholes[] = { "socketcall", "ipc" };

	for (size_t i = 0; i < sizeof(wholes) / sizeof(wholes[0]); i++)
		if (is_allowed_anywhere(policy, phase, wholes[i]) &&
		    policy_are_equal(name, wholes[i]))
			return true;
	return false;
}

/* The others, without those that are listed already for the sake of another architecture. */
static void write_others(struct json *json, const struct policy *policy, size_t phase,
			 struct format_names *names)
{
	size_t nr_kept = 0;

	format_others(policy, phase, names);
	for (size_t i = 0; i < names->nr; i++)
		if (!is_allowed_anywhere(policy, phase, names->list[i]) &&
		    !is_part_of_allowed(policy, phase, names->list[i]))
			names->list[nr_kept++] = names->list[i];
	names->nr = nr_kept;
	write_names(json, policy, names, false);
}

static int write_calls(struct json *json, const struct policy *policy, size_t phase,
		       struct policy_notes *notes, struct format_names *names)
{
	const struct policy_rule *rules[POLICY_RULES_MAX];
	int err = 0;

	format_names(policy, phase, notes, names);
	write_names(json, policy, names, true);
	for (size_t i = 0; i < names->nr && !err; i++) {
		size_t nr = format_rules(policy, names->list[i], rules);

		if (nr == 0)
			continue;
		err = write_rules(json, names->list[i], rules, nr);
		if (!err && policy->action == POLICY_ERRNO &&
		    !write_contrary(json, names->list[i], rules, nr))
			policy_note(
				notes,
				"'%s' with other arguments fails with ENOSYS in this format, not "
				"with EPERM",
				names->list[i]);
	}
	if (!err)
		write_fallback(json, policy, phase);
	if (!err && policy->action == POLICY_ERRNO)
		write_others(json, policy, phase, names);
	return err;
}

static int write_profile(struct json *json, const struct policy *policy, size_t phase,
			 struct policy_notes *notes, struct format_names *names)
{
	int err;

	json_object_begin(json);
	JSON_KEY(json, "defaultAction");
	json_cstring(json, default_actions[policy->action]);
	if (policy->action == POLICY_ERRNO) {
		JSON_KEY(json, "defaultErrnoRet");
		json_u64(json, ENOSYS);
	}
	JSON_KEY(json, "architectures");
	json_array_begin(json);
	for (size_t arch = 0; arch < NR_SYSCALL_ARCHES; arch++)
		if (policy->has_arch[arch])
			json_cstring(json, arch_names[arch]);
	json_array_end(json);
	JSON_KEY(json, "syscalls");
	json_array_begin(json);
	err = write_calls(json, policy, phase, notes, names);
	if (err)
		return err;
	json_array_end(json);
	json_object_end(json);
	json_newline(json);
	return 0;
}

static int format_oci_render(const struct policy *policy, size_t phase, struct policy_notes *notes,
			     char **ret, size_t *ret_size)
{
	_cleanup_(cleanup_free) struct format_names *names = malloc(sizeof(*names));
	struct memory_json memory;
	int err;

	if (!names || memory_json_begin(&memory, JSON_PRETTY))
		return -ENOMEM;
	err = write_profile(&memory.json, policy, phase, notes, names);
	if (!err && policy->action == POLICY_NOTIFY)
		policy_note(notes, "add 'listenerPath', the socket of whoever is to be told");
	return memory_json_end(&memory, err, ret, ret_size);
}

const struct policy_format policy_format_oci = {
	.name = "oci",
	.help = "one phase as a seccomp profile of containers",
	.render = format_oci_render,
};
