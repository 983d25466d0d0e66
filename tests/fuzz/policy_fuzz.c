/* SPDX-License-Identifier: MIT */
/*
 * src/syscalls/: whatever the bytes of a policy are, it is refused or holds together: phases only
 * take away, what is written of it is read as the same, each format renders it or says that it
 * cannot, and its filters answer as its sets do.
 *
 * The input is a policy as JSON; behind a NUL there may be the text of a rule, which also says what
 * is changed in the policy as one process hands it to another.
 */
#include <errno.h>
#include <linux/audit.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "support/cbpf.h"
#include "support/policies.h"
#include "syscalls/filter.h"
#include "syscalls/policy_flat.h"

#define INPUT_MAX 65536
#define RULE_MAX  200

static void check(bool condition)
{
	if (!condition)
		abort();
}

static void check_sets(const struct policy *policy)
{
	check(policy->nr_phases >= 1 && policy->nr_phases <= RECORDING_PHASES_MAX);
	check(policy->has_arch[policy->native]);
	check(policy->nr_rules <= POLICY_RULES_MAX && policy->warnings.nr <= POLICY_NOTES_MAX);
	for (size_t i = 0; i < policy->nr_phases; i++) {
		const struct policy_phase *phase = &policy->phases[i];

		check((i == 0) == (phase->point == NULL));
		check(policy_set_contains(&phase->allowed, &phase->seen));
		check(i == 0 ||
		      policy_set_contains(&policy->phases[i - 1].allowed, &phase->allowed));
	}
	for (size_t i = 0; i < policy->nr_rules; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		check(rule->nr_values >= 1 && rule->nr_values <= POLICY_VALUES_MAX);
		check(rule->argument < 6 && rule->arch < NR_SYSCALL_ARCHES);
		for (size_t k = 1; k < rule->nr_values; k++)
			check(rule->values[k - 1] < rule->values[k]);
	}
}

static void check_filter(const struct policy *policy, size_t phase)
{
	static const uint32_t audits[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64 };
	static struct sock_filter filter[FILTER_MAX];
	const struct filter_config config = { .action = -1 };
	int nr = filter_compile(policy, phase, &config, filter);

	check(nr > 0 || nr == -E2BIG);
	for (size_t i = 0; nr > 0 && i < 3 * 700; i++) {
		struct seccomp_data data = { .arch = audits[i / 700], .nr = (int)(i % 700) };
		uint32_t audit = audits[i / 700];
		uint64_t args[6];

		for (size_t k = 0; k < 6; k++)
			data.args[k] = args[k] =
				policy->nr_rules ? policy->rules[i % policy->nr_rules].values[0]
						 : k;
		check(cbpf_run(filter, (size_t)nr, &data, NULL) ==
		      policy_answer(policy, phase, audit, (uint32_t)data.nr, args));
	}
}

static void check_same(const struct policy *a, const struct policy *b)
{
	check(a->nr_phases == b->nr_phases && a->nr_rules == b->nr_rules &&
	      a->action == b->action && a->native == b->native && a->nr_runs == b->nr_runs);
	for (size_t i = 0; i < a->nr_phases; i++)
		check(memcmp(&a->phases[i].allowed, &b->phases[i].allowed,
			     sizeof(a->phases[i].allowed)) == 0 &&
		      memcmp(&a->phases[i].seen, &b->phases[i].seen, sizeof(a->phases[i].seen)) ==
			      0);
	for (size_t i = 0; i < a->nr_rules; i++)
		check(memcmp(a->rules[i].values, b->rules[i].values,
			     a->rules[i].nr_values * sizeof(a->rules[i].values[0])) == 0);
}

static void check_formats(const struct policy *policy)
{
	const struct policy_format *format;

	for (size_t i = 0; (format = policy_format_at(i)); i++) {
		struct policy_notes notes = { 0 };
		struct policy *again;
		const char *what;
		size_t size = 0;
		char *text;
		int err = format->render(policy, policy->nr_phases - 1, &notes, &text, &size);

		policy_notes_free(&notes);
		check(err == 0 || err == -E2BIG || err == -EOPNOTSUPP);
		if (err)
			continue;
		check(size > 0);
		if (i == 0) {
			check(policy_parse(text, size, &again, &what) == 0);
			check_same(policy, again);
			check(policy->warnings.nr == again->warnings.nr);
			policy_free(again);
		}
		free(text);
	}
}

static bool has_empty_point(const struct policy *policy)
{
	for (size_t i = 1; i < policy->nr_phases; i++)
		if (!*policy->phases[i].point)
			return true;
	return false;
}

/* Handed over it is the same; with bytes changed, four of AT are where and what, it is sound. */
static void check_flat(const struct policy *policy, const uint8_t *at, size_t size)
{
	static struct policy_flat flat;
	struct policy *again;
	int err;

	memset(&flat, 0, sizeof(flat));
	if (policy_flatten(policy, &flat))
		return;
	err = policy_unflatten(&flat, &again);
	check(err == 0 || (err == -EBADMSG && has_empty_point(policy)));
	if (!err) {
		check_same(policy, again);
		policy_free(again);
	}
	for (; size >= 4; at += 4, size -= 4)
		((uint8_t *)&flat)[((size_t)at[0] << 16 | (size_t)at[1] << 8 | at[2]) %
				   sizeof(flat)] = at[3];
	if (policy_unflatten(&flat, &again))
		return;
	check_sets(again);
	check_filter(again, again->nr_phases - 1);
	policy_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size ? memchr(data, 0, size) : NULL;
	size_t text_size = nul ? (size_t)(nul - data) : size;
	struct policy *policy = NULL;
	const char *what = NULL;
	char rule[RULE_MAX + 1];
	char why[POLICY_WHAT_SIZE];
	int err;

	if (size > INPUT_MAX)
		return 0;
	err = policy_parse((const char *)data, text_size, &policy, &what);
	if (err) {
		check((err == -EBADMSG || err == -ENOMSG) && what && !policy);
		return 0;
	}
	check_flat(policy, data + text_size, size - text_size);
	if (nul && size - text_size - 1 <= RULE_MAX) {
		memcpy(rule, nul + 1, size - text_size - 1);
		rule[size - text_size - 1] = '\0';
		err = policy_add_rule(policy, rule, why);
		check(err == 0 || err == -EINVAL);
	}
	check_sets(policy);
	check_filter(policy, 0);
	check_filter(policy, policy->nr_phases - 1);
	check_formats(policy);
	policy_free(policy);
	return 0;
}
