/* SPDX-License-Identifier: MIT */
/*
 * Reading what format_json.c writes, from a file that may be anything, or was edited by hand: what
 * it allows counts, what it says about itself does not.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* json-c has a type by the name of a function of ours */
#define json_bool json_c_bool
#include <json-c/json.h>
#undef json_bool

#include "lib/cleanup.h"
#include "lib/json_document.h"
#include "syscalls/policy_private.h"
#include "syscalls/reading.h"

/* A policy on its way from a document. */
struct parse {
	struct policy *policy;
	struct reading reading; /* the first fault sticks; its recording is not used */
};

/* A copy of the text KEY of OBJECT that is the policy's; NULL where it is null or not there. */
static const char *keep(struct parse *parse, struct json_object *object, const char *key,
			const char *what)
{
	struct json_object *value = reading_member(object, key);
	const char *text = value ? reading_text(&parse->reading, value, what) : NULL;
	const char *copy = NULL;

	if (text) {
		copy = pool_text(&parse->policy->pool, text, strlen(text));
		if (!copy)
			reading_fail(&parse->reading, -ENOMEM, NULL);
	}
	return copy;
}

static void read_action(struct parse *parse, struct json_object *document)
{
	const char *name = reading_text(&parse->reading, reading_member(document, "action"),
					"'action' is not text");

	for (int i = 0; name && i < NR_POLICY_ACTIONS; i++)
		if (strcmp(name, policy_action_name((enum policy_action)i)) == 0) {
			parse->policy->action = (enum policy_action)i;
			return;
		}
	reading_fail(&parse->reading, -EBADMSG, "'action' is not errno, kill, log or notify");
}

static void read_facts(struct parse *parse, struct json_object *document)
{
	struct policy *policy = parse->policy;
	const char *native;
	int arch;

	read_action(parse, document);
	policy->exe = keep(parse, document, "exe", "'exe' is not text");
	policy->build_id = keep(parse, document, "build_id", "'build_id' is not text");
	policy->exe_sha256 = keep(parse, document, "exe_sha256", "'exe_sha256' is not text");
	if (policy->exe_sha256 && !reading_is_hex(policy->exe_sha256, SHA256_TEXT - 1))
		reading_fail(&parse->reading, -EBADMSG,
			     "'exe_sha256' is not 64 hexadecimal digits");
	policy->nr_runs = reading_number(&parse->reading, document, "runs", UINT64_MAX,
					 "'runs' is not a number");
	native = reading_text(&parse->reading, reading_member(document, "native"),
			      "'native' is not text");
	arch = native ? syscall_arch_find(native) : -ENOENT;
	if (arch == SYSCALL_ARCH_x86_64 || arch == SYSCALL_ARCH_arm64 || arch == SYSCALL_ARCH_i386)
		policy->native = (enum syscall_arch)arch;
	else
		reading_fail(&parse->reading, -EBADMSG, "'native' is not an architecture");
}

static void read_arches(struct parse *parse, struct json_object *document)
{
	struct policy *policy = parse->policy;
	struct json_object *list =
		reading_list(&parse->reading, document, "architectures", NR_SYSCALL_ARCHES,
			     "'architectures' is not a list of those that are known");

	for (size_t i = 0; i < reading_length(list) && !parse->reading.err; i++) {
		struct json_object *object = json_object_array_get_idx(list, i);
		uint8_t arch = reading_arch(&parse->reading, object);

		if (policy->has_arch[arch])
			reading_fail(&parse->reading, -EBADMSG, "an architecture is there twice");
		policy->has_arch[arch] = true;
		policy->last[arch] = (uint32_t)reading_number(
			&parse->reading, object, "last", SYSCALLS_MAX - 1,
			"the 'last' of an architecture is not a number below 1024");
	}
	/* they are told apart by a bit of the number alone */
	if (policy->has_arch[SYSCALL_ARCH_x32] && !policy->has_arch[SYSCALL_ARCH_x86_64])
		reading_fail(&parse->reading, -EBADMSG, "'architectures' have x32 without x86_64");
	if (!policy->has_arch[policy->native])
		reading_fail(&parse->reading, -EBADMSG, "'architectures' lack the native one");
}

/* The number of the call that VALUE is, a name or a number; 0 and a fault where it is neither. */
static uint32_t read_call(struct parse *parse, enum syscall_arch arch, struct json_object *value)
{
	int nr = -1;

	if (json_object_is_type(value, json_type_string))
		nr = syscall_number(arch, json_object_get_string(value));
	else if (json_object_is_type(value, json_type_int) && json_object_get_int64(value) >= 0 &&
		 json_object_get_int64(value) < SYSCALLS_MAX)
		nr = (int)json_object_get_int64(value);
	if (nr < 0)
		reading_fail(&parse->reading, -EBADMSG,
			     "a call that its architecture does not have");
	return nr < 0 ? 0 : (uint32_t)nr;
}

/* Adds the calls in the list KEY of OBJECT to PHASE. */
static void read_set(struct parse *parse, struct json_object *object, enum syscall_arch arch,
		     const char *key, struct policy_phase *phase, bool is_seen)
{
	struct json_object *list = reading_list(&parse->reading, object, key, SYSCALLS_MAX,
						"a phase's calls are not a list of at most 1024");

	for (size_t i = 0; i < reading_length(list) && !parse->reading.err; i++) {
		uint32_t nr = read_call(parse, arch, json_object_array_get_idx(list, i));

		policy_set_add(&phase->allowed, arch, nr);
		if (is_seen)
			policy_set_add(&phase->seen, arch, nr);
	}
}

static void read_phase(struct parse *parse, struct json_object *object, size_t at)
{
	struct policy *policy = parse->policy;
	struct policy_phase *phase = &policy->phases[at];
	struct json_object *list =
		reading_list(&parse->reading, object, "allowed", NR_SYSCALL_ARCHES,
			     "a phase's 'allowed' is not a list of architectures");

	if (reading_number(&parse->reading, object, "phase", at, "a phase is not in its place") !=
	    at)
		reading_fail(&parse->reading, -EBADMSG, "a phase is not in its place");
	phase->point = keep(parse, object, "point", "a phase's 'point' is not text");
	if ((at == 0) != (phase->point == NULL))
		reading_fail(&parse->reading, -EBADMSG, "a phase without a point that begins it");
	for (size_t i = 0; i < reading_length(list) && !parse->reading.err; i++) {
		struct json_object *calls = json_object_array_get_idx(list, i);
		uint8_t arch = reading_arch(&parse->reading, calls);

		if (!policy->has_arch[arch])
			reading_fail(&parse->reading, -EBADMSG,
				     "a phase allows calls of none of 'architectures'");
		read_set(parse, calls, (enum syscall_arch)arch, "seen", phase, true);
		read_set(parse, calls, (enum syscall_arch)arch, "added", phase, false);
	}
	if (at > 0 && !policy_set_contains(&policy->phases[at - 1].allowed, &phase->allowed))
		reading_fail(&parse->reading, -EBADMSG,
			     "a phase allows what the one before does not: filters only take away");
}

static uint64_t read_value(struct parse *parse, struct json_object *value)
{
	const char *text = value ? json_object_get_string(value) : "";
	uint64_t number;
	char *end;

	/* above 2^53 they are text: see json_id64() */
	if ((json_object_is_type(value, json_type_int) ||
	     json_object_is_type(value, json_type_string)) &&
	    text[0] >= '0' && text[0] <= '9') {
		errno = 0;
		number = strtoull(text, &end, 10);
		if (!errno && !*end)
			return number;
	}
	reading_fail(&parse->reading, -EBADMSG, "a value of a rule is not a number");
	return 0;
}

static bool is_there(const struct policy *policy, const struct policy_rule *rule)
{
	for (size_t i = 0; i < policy->nr_rules; i++)
		if (policy->rules[i].arch == rule->arch && policy->rules[i].nr == rule->nr &&
		    policy->rules[i].argument == rule->argument)
			return true;
	return false;
}

static void read_rule(struct parse *parse, struct json_object *object)
{
	struct policy *policy = parse->policy;
	struct json_object *values =
		reading_list(&parse->reading, object, "values", POLICY_VALUES_MAX,
			     "a rule's 'values' are not a list of at most 32");
	struct policy_rule rule = {
		.arch = reading_arch(&parse->reading, object),
		.argument = (uint8_t)reading_number(&parse->reading, object, "argument",
						    POLICY_ARGUMENTS - 1,
						    "a rule's 'argument' is not 0 to 5"),
	};

	rule.nr = read_call(parse, (enum syscall_arch)rule.arch, reading_member(object, "call"));
	for (size_t i = 0; i < reading_length(values) && !parse->reading.err; i++)
		policy_rule_add(&rule, read_value(parse, json_object_array_get_idx(values, i)));
	if (rule.nr_values == 0)
		reading_fail(&parse->reading, -EBADMSG, "a rule without values");
	if (is_there(policy, &rule))
		reading_fail(&parse->reading, -EBADMSG, "two rules for the same argument");
	if (!policy_allows(policy, 0, (enum syscall_arch)rule.arch, rule.nr))
		reading_fail(&parse->reading, -EBADMSG, "a rule of a call that is not allowed");
	if (!parse->reading.err)
		policy->rules[policy->nr_rules++] = rule;
}

static void read_lists(struct parse *parse, struct json_object *document,
		       struct json_object *phases)
{
	struct policy *policy = parse->policy;
	struct json_object *list;

	for (size_t i = 0; i < policy->nr_phases && !parse->reading.err; i++)
		read_phase(parse, json_object_array_get_idx(phases, i), i);
	list = reading_list(&parse->reading, document, "rules", POLICY_RULES_MAX,
			    "'rules' is not a list of at most 64");
	for (size_t i = 0; i < reading_length(list) && !parse->reading.err; i++)
		read_rule(parse, json_object_array_get_idx(list, i));
	list = reading_list(&parse->reading, document, "warnings", POLICY_NOTES_MAX,
			    "'warnings' is not a list of at most 64");
	for (size_t i = 0; i < reading_length(list) && !parse->reading.err; i++) {
		const char *text = reading_text(&parse->reading, json_object_array_get_idx(list, i),
						"a warning is not text");

		if (text)
			policy_note(&policy->warnings, "%s", text);
	}
}

/* What else of ours or others' the document is, by a key that it has. */
static const struct {
	const char *key, *what;
} others[] = {
	{ "recording_version", "not a policy: it is a recording" },
	{ "syscalls_diff_version", "not a policy: it is a comparison of two recordings" },
	{ "defaultAction",
	  "not a policy: it is a seccomp profile made of one, or for a container" },
};

static void read_version(struct reading *reading, struct json_object *document)
{
	struct json_object *version = reading_member(document, "policy_version");

	for (size_t i = 0; !version && i < sizeof(others) / sizeof(others[0]); i++)
		if (reading_member(document, others[i].key))
			reading_fail(reading, -ENOMSG, others[i].what);
	if (!json_object_is_type(version, json_type_string))
		reading_fail(reading, -ENOMSG, "not a policy");
	else if (strcmp(json_object_get_string(version), POLICY_VERSION) != 0)
		reading_fail(reading, -EBADMSG, "a policy of another version than 1.0");
}

static int read_document(struct json_object *document, struct policy **ret, const char **ret_what)
{
	struct parse parse = { 0 };
	struct json_object *phases;

	read_version(&parse.reading, document);
	phases = reading_list(&parse.reading, document, "phases", RECORDING_PHASES_MAX,
			      "'phases' is not a list of at most 65");
	if (reading_length(phases) == 0)
		reading_fail(&parse.reading, -EBADMSG, "there are no 'phases'");
	if (!parse.reading.err && policy_new(&parse.policy, reading_length(phases)))
		reading_fail(&parse.reading, -ENOMEM, NULL);
	if (!parse.reading.err) {
		read_facts(&parse, document);
		read_arches(&parse, document);
		read_lists(&parse, document, phases);
	}
	if (parse.reading.err) {
		policy_free(parse.policy);
		*ret_what = parse.reading.what;
		return parse.reading.err;
	}
	*ret = parse.policy;
	return 0;
}

int policy_parse(const char *bytes, size_t size, struct policy **ret, const char **ret_what)
{
	static const char *const faults[NR_JSON_FAULTS] = {
		[JSON_FAULT_size] = "larger than 256 MiB",
		[JSON_FAULT_values] = "more values than a policy has",
		[JSON_FAULT_syntax] = "not JSON",
	};
	struct json_object *document;
	enum json_fault fault = json_document_parse(bytes, size, &document);
	int err;

	if (fault == JSON_FAULT_memory)
		return -ENOMEM;
	if (fault) {
		*ret_what = faults[fault];
		return -ENOMSG;
	}
	err = read_document(document, ret, ret_what);
	json_object_put(document);
	return err;
}

int policy_read(int fd, struct policy **ret, char ret_what[static POLICY_WHAT_SIZE])
{
	_cleanup_(cleanup_free) char *bytes = NULL;
	const char *what = NULL;
	size_t size;
	int err = json_document_read(fd, &bytes, &size, &what);

	if (!err)
		err = policy_parse(bytes, size, ret, &what);
	if (err)
		snprintf(ret_what, POLICY_WHAT_SIZE, "%s", what ? what : strerror(-err));
	return err;
}
