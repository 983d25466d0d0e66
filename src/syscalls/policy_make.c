/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "syscalls/policy_private.h"

/* What all nodes of each phase did, and whether one was a thread. */
struct made {
	struct policy_set phases[RECORDING_PHASES_MAX];
	bool has_threads;
};

static void collect(const struct recording *recording, struct made *ret)
{
	for (size_t i = 0; i < recording->nr_nodes; i++) {
		const struct recording_node *node = &recording->nodes[i];

		ret->has_threads |= node->start == NODE_START_thread;
		for (size_t k = 0; k < node->nr_calls; k++)
			policy_set_add(&ret->phases[node->phase],
				       (enum syscall_arch)node->calls[k].arch, node->calls[k].nr);
	}
}

/* What a phase needs those after it need from it, too: a filter is never taken away. */
static void accumulate(struct policy_set *phases, size_t nr_phases)
{
	for (size_t i = nr_phases - 1; i > 0; i--)
		for (size_t arch = 0; arch < NR_SYSCALL_ARCHES; arch++)
			for (size_t k = 0; k < SYSCALLS_MAX / 64; k++)
				phases[i - 1].words[arch][k] |= phases[i].words[arch][k];
}

static bool has_any(const struct policy_set *set, size_t arch)
{
	for (size_t i = 0; i < SYSCALLS_MAX / 64; i++)
		if (set->words[arch][i])
			return true;
	return false;
}

/* A recording may come from another machine: the architecture is that of its calls. */
static void set_arches(struct policy *policy, const struct policy_set *seen)
{
	policy->native = syscall_arch_native();
	if (has_any(seen, SYSCALL_ARCH_arm64))
		policy->native = SYSCALL_ARCH_arm64;
	else if (has_any(seen, SYSCALL_ARCH_x86_64) || has_any(seen, SYSCALL_ARCH_i386) ||
		 has_any(seen, SYSCALL_ARCH_x32))
		policy->native = SYSCALL_ARCH_x86_64;
	for (size_t arch = 0; arch < NR_SYSCALL_ARCHES; arch++) {
		policy->has_arch[arch] = arch == policy->native || has_any(seen, arch);
		policy->last[arch] = policy_last((enum syscall_arch)arch);
	}
}

static void widen(struct policy *policy, size_t phase, const struct policy_config *config,
		  bool has_threads)
{
	struct classes_phase reach = {
		.reach = CLASSES_DRIFT,
		.is_first = phase == 0,
		.has_threads = has_threads && !config->is_exact,
	};

	if (config->is_exact)
		reach.reach = CLASSES_EXACT;
	else if (config->is_portable)
		reach.reach = CLASSES_PORTABLE;
	for (size_t arch = 0; arch < NR_SYSCALL_ARCHES; arch++) {
		reach.is_native = arch == policy->native;
		if (policy->has_arch[arch])
			classes_widen(&policy->phases[phase].allowed, (enum syscall_arch)arch,
				      &reach);
	}
}

/*
 * Leaves out the phases that would take nothing away. Of two that allow the same the earlier one
 * stays, unless nobody came to its point: its limits would never be in force.
 */
static void drop_phases(struct policy *policy, const struct recording *recording)
{
	size_t nr_kept = 1, kept = 0; /* the number that the last one had */

	for (size_t i = 1; i < policy->nr_phases; i++) {
		struct policy_phase *last = &policy->phases[nr_kept - 1];

		if (!policy_set_contains(&policy->phases[i].allowed, &last->allowed)) {
			policy->phases[nr_kept++] = policy->phases[i];
			kept = i;
			continue;
		}
		if (kept > 0 && recording->phases[kept].nr_hits == 0 &&
		    recording->phases[i].nr_hits > 0) {
			policy_note(&policy->warnings,
				    "the point '%s' is left out: no process came to it",
				    last->point);
			*last = policy->phases[i];
			kept = i;
			continue;
		}
		policy_note(&policy->warnings,
			    "the point '%s' has no effect: what comes after it needs all calls of "
			    "what comes before, so it is left out",
			    policy->phases[i].point);
	}
	policy->nr_phases = nr_kept;
}

/* A copy of TEXT that is POLICY's. Returns 0 or -ENOMEM. */
static int copy(struct policy *policy, const char *text, const char **ret)
{
	if (!text || !*text)
		return 0;
	*ret = pool_text(&policy->pool, text, strlen(text));
	return *ret ? 0 : -ENOMEM;
}

static int copy_facts(struct policy *policy, const struct recording *recording)
{
	int err = 0;

	policy->nr_runs = recording->nr_runs;
	if (copy(policy, recording->exe, &policy->exe) ||
	    copy(policy, recording->build_id, &policy->build_id) ||
	    copy(policy, recording->exe_sha256, &policy->exe_sha256))
		return -ENOMEM;
	for (size_t i = 1; i < policy->nr_phases && !err; i++)
		err = copy(policy, recording->phases[i].point, &policy->phases[i].point);
	return err;
}

int policy_make(const struct recording *recording, const struct policy_config *config,
		struct policy **ret)
{
	struct made made = { 0 };
	struct policy *policy;
	int err = policy_new(&policy, recording->nr_phases);

	if (err)
		return err;
	err = copy_facts(policy, recording);
	if (err) {
		policy_free(policy);
		return err;
	}
	collect(recording, &made);
	accumulate(made.phases, recording->nr_phases);
	set_arches(policy, &made.phases[0]);
	for (size_t i = 0; i < policy->nr_phases; i++) {
		policy->phases[i].seen = policy->phases[i].allowed = made.phases[i];
		widen(policy, i, config, made.has_threads);
	}
	drop_phases(policy, recording);
	policy_warn(policy, recording);
	policy_set_action(policy, config->action);
	*ret = policy;
	return 0;
}
