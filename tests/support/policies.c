/* SPDX-License-Identifier: MIT */
#include "support/policies.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE 64

static void check(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "policies: %s\n", what);
	abort();
}

/* Takes the next word of *AT. False after the last. */
static bool next_word(const char **at, char ret[static NAME_SIZE])
{
	size_t size;

	*at += strspn(*at, " ");
	size = strcspn(*at, " ");
	check(size < NAME_SIZE, *at);
	memcpy(ret, *at, size);
	ret[size] = '\0';
	*at += size;
	return size > 0;
}

static void find(const char *word, enum syscall_arch *ret_arch, uint32_t *ret_nr)
{
	const char *colon = strchr(word, ':');
	char arch[NAME_SIZE] = "x86_64";
	int number;

	if (colon)
		snprintf(arch, sizeof(arch), "%.*s", (int)(colon - word), word);
	check(syscall_arch_find(arch) >= 0, arch);
	*ret_arch = (enum syscall_arch)syscall_arch_find(arch);
	if (colon)
		word = colon + 1;
	number = *word == '#' ? atoi(word + 1) : syscall_number(*ret_arch, word);
	check(number >= 0, word);
	*ret_nr = (uint32_t)number;
}

struct recording *recording_made(const char *points)
{
	struct recording *recording;
	char word[NAME_SIZE];

	check(recording_new(&recording) == 0, "recording_new");
	recording->engine = "bpf";
	recording->kernel = "6.1.0";
	recording->exe = "/usr/bin/program";
	memset(recording->exe_sha256, 'a', sizeof(recording->exe_sha256) - 1);
	while (next_word(&points, word)) {
		int phase = recording_add_phase(recording, word);

		check(phase > 0, word);
		recording->phases[phase].nr_hits = 1;
	}
	check(recording_node(recording, RECORDING_NONE, NODE_START_command, 0, "/usr/bin/program",
			     NULL) == 0,
	      "the root");
	return recording;
}

void recording_did(struct recording *recording, enum node_start start, uint32_t phase,
		   const char *calls)
{
	int node = start == NODE_START_command
			   ? 0
			   : recording_node(recording, 0, start, phase, "/usr/bin/program", NULL);
	char word[NAME_SIZE];

	check(node >= 0, "a node");
	while (next_word(&calls, word)) {
		struct recording_call call = { .count = 1 };
		enum syscall_arch arch;

		find(word, &arch, &call.nr);
		call.arch = (uint8_t)arch;
		check(recording_add(recording, (uint32_t)node, &call) == 0, word);
	}
}

void recording_ran(struct recording *recording, const char *id)
{
	struct recording_run run = { .started_ns = 1000000, .is_complete = true };

	snprintf(run.id, sizeof(run.id), "%s", id);
	check(recording_add_run(recording, &run, recording) == 0, id);
}

struct policy *policy_made_of(struct recording *recording, const struct policy_config *config)
{
	struct policy *policy;

	check(policy_make(recording, config, &policy) == 0, "policy_make");
	recording_free(recording);
	return policy;
}

struct policy *policy_made(const char *calls)
{
	const struct policy_config config = { .action = POLICY_ERRNO, .is_exact = true };
	struct recording *recording = recording_made("");

	recording_did(recording, NODE_START_command, 0, calls);
	recording_ran(recording, "00000000000000000000000000000001");
	return policy_made_of(recording, &config);
}

bool policy_takes(const struct policy *policy, size_t phase, const char *name)
{
	enum syscall_arch arch;
	uint32_t nr;

	find(name, &arch, &nr);
	return policy_allows(policy, phase, arch, nr);
}

bool notes_say(const struct policy_notes *notes, const char *text)
{
	for (size_t i = 0; i < notes->nr; i++)
		if (strstr(notes->list[i], text))
			return true;
	return false;
}

bool policy_warns(const struct policy *policy, const char *text)
{
	return notes_say(&policy->warnings, text);
}

/* Whether libseccomp has a name for the number. */
static bool is_named(enum syscall_arch arch, uint32_t nr)
{
	static const uint32_t tokens[] = { SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32,
					   SCMP_ARCH_AARCH64 };
	char *name = seccomp_syscall_resolve_num_arch(
		tokens[arch], (int)(arch == SYSCALL_ARCH_x32 ? nr | SYSCALL_X32_BIT : nr));
	bool is_there = name && syscall_name(arch, nr) && strcmp(name, syscall_name(arch, nr)) == 0;

	free(name);
	return is_there;
}

static uint32_t refused(const struct policy *policy, enum syscall_arch arch, uint32_t nr)
{
	if (policy->action == POLICY_KILL)
		return SECCOMP_RET_KILL_PROCESS;
	if (policy->action == POLICY_LOG)
		return SECCOMP_RET_LOG;
	if (policy->action == POLICY_NOTIFY)
		return SECCOMP_RET_USER_NOTIF;
	return SECCOMP_RET_ERRNO |
	       (nr <= policy->last[arch] && is_named(arch, nr) ? EPERM : ENOSYS);
}

static bool rules_hold(const struct policy *policy, enum syscall_arch arch, uint32_t nr,
		       const uint64_t args[static 6])
{
	for (size_t i = 0; i < policy->nr_rules; i++) {
		const struct policy_rule *rule = &policy->rules[i];
		bool is_there = false;

		if (rule->arch != arch || rule->nr != nr)
			continue;
		for (size_t k = 0; k < rule->nr_values; k++)
			is_there |= rule->values[k] == args[rule->argument];
		if (!is_there)
			return false;
	}
	return true;
}

uint32_t policy_answer(const struct policy *policy, size_t phase, uint32_t audit, uint32_t number,
		       const uint64_t args[static 6])
{
	enum syscall_arch arch = SYSCALL_ARCH_x86_64;

	if (audit == AUDIT_ARCH_I386)
		arch = SYSCALL_ARCH_i386;
	else if (audit == AUDIT_ARCH_AARCH64)
		arch = SYSCALL_ARCH_arm64;
	else if (audit != AUDIT_ARCH_X86_64)
		return SECCOMP_RET_KILL_PROCESS;
	if (arch == SYSCALL_ARCH_x86_64 && number & SYSCALL_X32_BIT) {
		arch = SYSCALL_ARCH_x32;
		number &= ~SYSCALL_X32_BIT;
	}
	if (!policy->has_arch[arch])
		return SECCOMP_RET_KILL_PROCESS;
	if (number < SYSCALLS_MAX && policy_set_has(&policy->phases[phase].allowed, arch, number) &&
	    rules_hold(policy, arch, number, args))
		return SECCOMP_RET_ALLOW;
	return refused(policy, arch, number);
}
