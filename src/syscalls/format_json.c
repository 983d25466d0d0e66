/* SPDX-License-Identifier: MIT */
/*
 * The policy itself, which the other commands read and people may edit:
 *
 * {"policy_version", "schema_version", "tool", "exe", "build_id", "exe_sha256", "runs", "action",
 *  "native", "architectures": [{"arch", "last"}...], "warnings": [TEXT...],
 *  "phases": [{"phase", "point", "allowed": [{"arch", "seen": [CALL...], "added": [CALL...]}...]}],
 *  "rules": [{"arch", "call", "argument", "values": [N...]}...]}
 *
 * A CALL is a name, or a number where there is none. A line is a phase's architecture or a rule.
 */
#include <errno.h>
#include <string.h>

#include "lib/memory.h"
#include "syscalls/policy_private.h"

#define SCHEMA_VERSION "1.0"

static void write_call(struct json *json, enum syscall_arch arch, uint32_t nr)
{
	const char *name = syscall_name(arch, nr);

	if (name)
		json_cstring(json, name);
	else
		json_u64(json, nr);
}

static void write_facts(struct json *json, const struct policy *policy)
{
	JSON_KEY(json, "policy_version");
	json_cstring(json, POLICY_VERSION);
	JSON_KEY(json, "schema_version");
	json_cstring(json, SCHEMA_VERSION);
	JSON_KEY(json, "tool");
	json_cstring(json, "crypto-tracer " VERSION);
	JSON_KEY(json, "exe");
	json_cstring(json, policy->exe);
	JSON_KEY(json, "build_id");
	json_cstring(json, policy->build_id);
	JSON_KEY(json, "exe_sha256");
	json_cstring(json, policy->exe_sha256);
	JSON_KEY(json, "runs");
	json_u64(json, policy->nr_runs);
	JSON_KEY(json, "action");
	json_cstring(json, policy_action_name(policy->action));
	JSON_KEY(json, "native");
	json_cstring(json, syscall_arch_name(policy->native));
}

static void write_arches(struct json *json, const struct policy *policy)
{
	JSON_KEY(json, "architectures");
	json_array_begin(json);
	for (size_t arch = 0; arch < NR_SYSCALL_ARCHES; arch++) {
		if (!policy->has_arch[arch])
			continue;
		json_object_begin(json);
		JSON_KEY(json, "arch");
		json_cstring(json, syscall_arch_name((enum syscall_arch)arch));
		JSON_KEY(json, "last");
		json_u64(json, policy->last[arch]);
		json_object_end(json);
	}
	json_array_end(json);
	JSON_KEY(json, "warnings");
	json_array_begin(json);
	for (size_t i = 0; i < policy->warnings.nr; i++)
		json_cstring(json, policy->warnings.list[i]);
	json_array_end(json);
}

/* The calls of ARCH that PHASE allows, and were seen or not. */
static void write_calls(struct json *json, const struct policy_phase *phase, enum syscall_arch arch,
			bool is_seen)
{
	json_array_begin(json);
	for (uint32_t nr = 0; nr < SYSCALLS_MAX; nr++)
		if (policy_set_has(&phase->allowed, arch, nr) &&
		    policy_set_has(&phase->seen, arch, nr) == is_seen)
			write_call(json, arch, nr);
	json_array_end(json);
}

static void write_phase(struct json *json, const struct policy *policy, size_t at)
{
	const struct policy_phase *phase = &policy->phases[at];

	json_object_begin(json);
	JSON_KEY(json, "phase");
	json_u64(json, at);
	JSON_KEY(json, "point");
	json_cstring(json, phase->point);
	JSON_KEY(json, "allowed");
	json_array_begin(json);
	for (size_t arch = 0; arch < NR_SYSCALL_ARCHES; arch++) {
		if (!policy->has_arch[arch])
			continue;
		json_newline(json);
		json_object_begin(json);
		JSON_KEY(json, "arch");
		json_cstring(json, syscall_arch_name((enum syscall_arch)arch));
		JSON_KEY(json, "seen");
		write_calls(json, phase, (enum syscall_arch)arch, true);
		JSON_KEY(json, "added");
		write_calls(json, phase, (enum syscall_arch)arch, false);
		json_object_end(json);
	}
	json_array_end(json);
	json_object_end(json);
}

static void write_rule(struct json *json, const struct policy_rule *rule)
{
	json_newline(json);
	json_object_begin(json);
	JSON_KEY(json, "arch");
	json_cstring(json, syscall_arch_name((enum syscall_arch)rule->arch));
	JSON_KEY(json, "call");
	write_call(json, (enum syscall_arch)rule->arch, rule->nr);
	JSON_KEY(json, "argument");
	json_u64(json, rule->argument);
	JSON_KEY(json, "values");
	json_array_begin(json);
	for (size_t i = 0; i < rule->nr_values; i++)
		json_id64(json, rule->values[i]);
	json_array_end(json);
	json_object_end(json);
}

static void write_policy(struct json *json, const struct policy *policy)
{
	json_object_begin(json);
	write_facts(json, policy);
	write_arches(json, policy);
	JSON_KEY(json, "phases");
	json_array_begin(json);
	for (size_t i = 0; i < policy->nr_phases; i++)
		write_phase(json, policy, i);
	json_array_end(json);
	JSON_KEY(json, "rules");
	json_array_begin(json);
	for (size_t i = 0; i < policy->nr_rules; i++)
		write_rule(json, &policy->rules[i]);
	json_array_end(json);
	json_object_end(json);
	json_newline(json);
}

static int format_json_render(const struct policy *policy, size_t phase, struct policy_notes *notes,
			      char **ret, size_t *ret_size)
{
	struct memory_json memory;

	(void)phase;
	(void)notes;
	if (memory_json_begin(&memory, JSON_COMPACT))
		return -ENOMEM;
	write_policy(&memory.json, policy);
	return memory_json_end(&memory, 0, ret, ret_size);
}

const struct policy_format policy_format_json = {
	.name = "json",
	.help = "the policy, as `run`, `patch` and `verify` read it",
	.has_phases = true,
	.render = format_json_render,
};
