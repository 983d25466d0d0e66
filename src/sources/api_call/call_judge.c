/* SPDX-License-Identifier: MIT */
/* What is to be said against a call. */
#include <string.h>

#include "catalogue/libraries.h"
#include "sources/api_call/call_private.h"

static struct finding *find(struct api_call *call, enum finding_rule rule, const char *evidence)
{
	const struct finding_rule_info *info = &finding_rules[rule];
	struct finding *finding = &call->finding[call->findings.count];

	if (call->findings.count == API_CALL_FINDINGS_MAX)
		return NULL;
	call->findings.count++;
	*finding = (struct finding){
		.rule = info->name,
		.severity = info->severity,
		.why = info->why,
		.evidence = evidence,
	};
	return finding;
}

/* What is held against the call, and of which argument: its own row, or its command's. */
static const struct api_finding *own_finding(const struct reading *reading, size_t *ret_of)
{
	const struct api_function *function = reading->call->function;
	const struct api_command *command;

	*ret_of = function->finding.of;
	if (function->arguments[0].reader != API_READ_control || !has_value(reading, 0))
		return &function->finding;
	command = api_command_find(value_at(reading, 0));
	*ret_of = 1;
	return command ? &command->finding : &function->finding;
}

/* The value that is judged: the result, or argument OF, of two versions the least. */
static int64_t judged_value(const struct reading *reading, size_t of)
{
	int64_t value;

	if (of == API_OF_RESULT)
		return reading->call->result;
	value = value_at(reading, of);
	return reading->call->function->arguments[of].reader == API_READ_versions_at
		       ? value & 0xffff
		       : value;
}

/* What the call's own row holds against it. */
static void judge_call(struct reading *reading, bool is_server)
{
	static const uint8_t rules[] = {
		[API_FINDING_verify_off] = FINDING_verification_off,
		[API_FINDING_chain_rejected] = FINDING_certificate_rejected,
		[API_FINDING_name_rejected] = FINDING_host_name_rejected,
		[API_FINDING_old_protocol] = FINDING_old_protocol_allowed,
		[API_FINDING_security_level_off] = FINDING_security_level_off,
		[API_FINDING_key_log] = FINDING_session_keys_logged,
	};
	struct api_call *call = reading->call;
	size_t of;
	const struct api_finding *own = own_finding(reading, &of);
	struct finding *finding;

	if (own->kind == API_FINDING_none || (reading->event->marks & API_COUNTED))
		return;
	if (own->test != API_TEST_always &&
	    (of == API_OF_RESULT ? !call->has_result : !has_value(reading, of)))
		return;
	if (!api_finding_holds(own, judged_value(reading, of)))
		return;
	finding = find(call, (enum finding_rule)rules[own->kind], call->function->name);
	/* A server asks few clients for certificates, and need not know who signed its own. */
	if (finding && is_server &&
	    (own->kind == API_FINDING_verify_off || own->kind == API_FINDING_chain_rejected))
		finding->severity = SEVERITY_info;
}

/* Whether the call uses its algorithms, or only sets up which may be used. */
static bool is_use(const struct api_function *function)
{
	switch ((enum api_kind)function->kind) {
	case API_KIND_cipher:
	case API_KIND_digest:
	case API_KIND_mac:
	case API_KIND_kdf:
	case API_KIND_signature:
	case API_KIND_key_generation:
	case API_KIND_derive:
	case API_KIND_encapsulate:
		return true;
	default:
		return false;
	}
}

/* What makes HASH weak for signatures need not make so a MAC with it, or a KDF with that MAC. */
static bool is_hash_of_mac(const struct api_call *call, const struct algorithm *hash)
{
	const struct algorithm *first = call->algorithms[0];

	return hash->kind == ALGORITHM_KIND_hash &&
	       (first->kind == ALGORITHM_KIND_mac ||
		(first->kind == ALGORITHM_KIND_kdf &&
		 first->verdict->strength == ALGORITHM_STRENGTH_current));
}

static void judge_algorithms(struct reading *reading)
{
	static const uint8_t rules[] = {
		[ALGORITHM_STRENGTH_legacy] = FINDING_legacy_algorithm,
		[ALGORITHM_STRENGTH_weak] = FINDING_weak_algorithm,
		[ALGORITHM_STRENGTH_broken] = FINDING_broken_algorithm,
	};
	struct api_call *call = reading->call;

	/* Counted are calls of the library itself, too. What the kernel has refused was not used.
	 */
	if (!is_use(call->function) || (reading->event->marks & API_COUNTED) ||
	    (call->family == LIBRARY_FAMILY_kernel && call->has_result && call->result < 0))
		return;
	for (size_t i = 0; i < call->nr_algorithms; i++) {
		const struct algorithm *algorithm = call->algorithms[i];
		struct finding *finding;

		if (algorithm->verdict->strength == ALGORITHM_STRENGTH_current ||
		    (i > 0 && is_hash_of_mac(call, algorithm)))
			continue;
		finding = find(call, (enum finding_rule)rules[algorithm->verdict->strength],
			       algorithm->name);
		if (finding)
			finding->why = algorithm->verdict->reason;
	}
}

void call_judge(struct reading *reading, bool is_server)
{
	judge_call(reading, is_server);
	judge_algorithms(reading);
}
