/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "syscalls/policy_private.h"
#include "syscalls/warnings.h"

#define ROOM_FOR_MORE 24 /* bytes: " and N more" */
#define NAME_SIZE     64 /* of a call with its architecture */

/* Warnings that begin so are about the action. */
#define ACTION_LEAD "the action is "

static const char ring_why[] = "what is done through a ring of io_uring is not filtered";
static const char other_why[] =
	"it reaches into other processes, whose filters are other ones, or none";

/* What undoes a filter, or goes around it. */
static const struct {
	const char *name, *why;
} weakening[] = {
	{ "io_uring_setup", ring_why },	    { "io_uring_enter", ring_why },
	{ "io_uring_register", ring_why },  { "ptrace", other_why },
	{ "process_vm_writev", other_why }, { "pidfd_getfd", other_why },
};

/* "read", "i386:read", "#999" */
static size_t print_name(char *ret, size_t room, enum syscall_arch arch, enum syscall_arch native,
			 uint32_t nr)
{
	const char *name = syscall_name(arch, nr);
	char number[16];

	snprintf(number, sizeof(number), "#%u", nr);
	return (size_t)snprintf(ret, room, "%s%s%s", arch == native ? "" : syscall_arch_name(arch),
				arch == native ? "" : ":", name ? name : number);
}

void policy_names(const struct policy_set *set, enum syscall_arch native,
		  char ret[static POLICY_NAMES_SIZE])
{
	size_t size = 0, nr_left_out = 0;

	ret[0] = '\0';
	for (uint32_t i = 0; i < NR_SYSCALL_ARCHES * SYSCALLS_MAX; i++) {
		enum syscall_arch arch = (enum syscall_arch)(i / SYSCALLS_MAX);
		char name[NAME_SIZE];
		size_t n;

		if (!policy_set_has(set, arch, i % SYSCALLS_MAX))
			continue;
		n = print_name(name, sizeof(name), arch, native, i % SYSCALLS_MAX);
		if (nr_left_out || size + n + sizeof(", ") + ROOM_FOR_MORE > POLICY_NAMES_SIZE)
			nr_left_out++;
		else
			size += (size_t)snprintf(ret + size, POLICY_NAMES_SIZE - size, "%s%s",
						 size ? ", " : "", name);
	}
	if (nr_left_out > 0)
		snprintf(ret + size, POLICY_NAMES_SIZE - size, " and %zu more", nr_left_out);
}

/* The last phase that allows NAME of ARCH, or -1. */
static int last_phase_of(const struct policy *policy, enum syscall_arch arch, const char *name)
{
	int nr = syscall_number(arch, name);
	int last = -1;

	for (size_t i = 0; nr >= 0 && i < policy->nr_phases; i++)
		if (policy_allows(policy, i, arch, (uint32_t)nr))
			last = (int)i;
	return last;
}

/* What stands before the name of a call of ARCH: "", "i386:" */
static const char *prefix_of(const struct policy *policy, enum syscall_arch arch,
			     char ret[static NAME_SIZE])
{
	snprintf(ret, NAME_SIZE, "%s%s", arch == policy->native ? "" : syscall_arch_name(arch),
		 arch == policy->native ? "" : ":");
	return ret;
}

static void warn_weakening(struct policy *policy, enum syscall_arch arch)
{
	char prefix[NAME_SIZE];

	for (size_t i = 0; i < sizeof(weakening) / sizeof(weakening[0]); i++) {
		int last = last_phase_of(policy, arch, weakening[i].name);

		if (last < 0)
			continue;
		policy_note(&policy->warnings, "'%s%s' is allowed%s: %s",
			    prefix_of(policy, arch, prefix), weakening[i].name,
			    (size_t)last + 1 < policy->nr_phases ? ", but not in the last phase"
								 : "",
			    weakening[i].why);
	}
}

static void warn_execute(struct policy *policy, enum syscall_arch arch)
{
	static const char *const names[] = { "execve", "execveat" };
	char prefix[NAME_SIZE];

	prefix_of(policy, arch, prefix);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int last = last_phase_of(policy, arch, names[i]);
		/* it is there for the sake of the program itself */
		bool is_own = i == 0 && arch == policy->native;

		if (last > 0)
			policy_note(&policy->warnings,
				    "'%s%s' is allowed while serving, in phase %d ('%s'): other "
				    "programs can be executed",
				    prefix, names[i], last, policy->phases[last].point);
		else if (last == 0 && policy->nr_phases == 1)
			policy_note(&policy->warnings,
				    "'%s%s' is allowed to the end%s: a phase can take it away",
				    prefix, names[i],
				    is_own ? ", as the program itself is executed under the filter"
					   : "");
	}
}

/* How many runs had each call, in whatever phase. */
static void count_runs(const struct recording *recording,
		       uint32_t ret[NR_SYSCALL_ARCHES][SYSCALLS_MAX])
{
	uint32_t last[NR_SYSCALL_ARCHES][SYSCALLS_MAX] = { 0 };

	memset(ret, 0, sizeof(last));
	for (uint32_t i = 0; i < recording->nr_runs; i++)
		for (size_t k = 0; k < recording->runs[i].nr_calls; k++) {
			uint32_t key = recording->runs[i].calls[k];
			uint32_t arch = RECORDING_KEY_ARCH(key);
			uint32_t nr = RECORDING_KEY_NR(key);

			if (arch >= NR_SYSCALL_ARCHES || nr >= SYSCALLS_MAX)
				continue;
			ret[arch][nr] += last[arch][nr] != i + 1;
			last[arch][nr] = i + 1;
		}
}

static void warn_singletons(struct policy *policy, const struct recording *recording)
{
	uint32_t counts[NR_SYSCALL_ARCHES][SYSCALLS_MAX];
	struct policy_set singletons = { 0 };
	char names[POLICY_NAMES_SIZE];

	if (recording->nr_runs < 2)
		return;
	count_runs(recording, counts);
	for (size_t arch = 0; arch < NR_SYSCALL_ARCHES; arch++)
		for (uint32_t nr = 0; nr < SYSCALLS_MAX; nr++)
			if (counts[arch][nr] == 1)
				policy_set_add(&singletons, (enum syscall_arch)arch, nr);
	if (policy_set_count(&singletons) == 0)
		return;
	policy_names(&singletons, policy->native, names);
	policy_note(&policy->warnings, "seen in 1 of %zu runs only: %s", recording->nr_runs, names);
}

static void warn_growth(struct policy *policy, const struct recording *recording)
{
	size_t last = recording_growth_runs(recording);
	size_t nr = last > 0 ? recording_growth(recording, last) : 0;

	if (nr > 0)
		policy_note(&policy->warnings,
			    "the last %zu of %zu runs added %zu call%s: more runs may add more",
			    last, recording->nr_runs, nr, nr > 1 ? "s" : "");
}

static void warn_allowed(struct policy *policy, enum syscall_arch arch)
{
	warn_weakening(policy, arch);
	warn_execute(policy, arch);
}

void policy_warn(struct policy *policy, const struct recording *recording)
{
	char warning[RECORDING_WARNING_MAX];

	for (size_t i = 0; recording_warning(recording, i, warning); i++)
		policy_note(&policy->warnings, "%s", warning);
	warn_growth(policy, recording);
	warn_singletons(policy, recording);
	/* the machine's own first */
	warn_allowed(policy, policy->native);
	for (int arch = 0; arch < NR_SYSCALL_ARCHES; arch++)
		if (arch != (int)policy->native)
			warn_allowed(policy, (enum syscall_arch)arch);
	if (!policy->exe_sha256 && !policy->build_id)
		policy_note(&policy->warnings,
			    "the bytes of the program are not known: a change of it will not be "
			    "noticed");
}

/* Takes out what was said of the action that it had before. */
static void forget_action(struct policy_notes *notes)
{
	size_t nr_kept = 0;

	for (size_t i = 0; i < notes->nr; i++)
		if (strncmp(notes->list[i], ACTION_LEAD, strlen(ACTION_LEAD)) != 0)
			notes->list[nr_kept++] = notes->list[i];
	notes->nr = nr_kept;
}

void policy_set_action(struct policy *policy, enum policy_action action)
{
	policy->action = action;
	forget_action(&policy->warnings);
	if (action == POLICY_LOG)
		policy_note(&policy->warnings, ACTION_LEAD
			    "log: nothing is refused but calls of other "
			    "architectures, and the kernel logs a few calls a second at most");
	else if (action == POLICY_NOTIFY)
		policy_note(&policy->warnings, ACTION_LEAD
			    "notify: without a listener what is not allowed fails as if "
			    "the kernel did not have it");
}
