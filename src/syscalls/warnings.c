/* SPDX-License-Identifier: MIT */
#include "syscalls/warnings.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/utf8.h"
#include "syscalls/recording_private.h"

#define GROWTH_RUNS   5

#define POINT_SIZE    64 /* what is shown of one */
#define ROOM_FOR_MORE 32 /* bytes for "and N more" and what is between names */

size_t recording_growth_runs(const struct recording *recording)
{
	if (recording->nr_runs > GROWTH_RUNS)
		return GROWTH_RUNS;
	return recording->nr_runs > 0 ? recording->nr_runs - 1 : 0;
}

/*
 * A warning on its way. Each of the functions below says its sentence, or nothing where there is
 * nothing to warn about.
 */
struct warning {
	char *text;
	size_t size;
};

static void __attribute__((format(printf, 2, 3)))
say(struct warning *warning, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	warning->size += text_vformat(warning->text + warning->size,
				      RECORDING_WARNING_MAX - warning->size, format, args);
	va_end(args);
}

static void warn_lost(const struct recording *recording, struct warning *warning)
{
	uint64_t lost = 0;

	for (size_t i = 0; i < recording->nr_runs; i++)
		lost = recording_sum(lost, recording->runs[i].lost);
	if (lost > 0)
		say(warning, "%" PRIu64 " call%s lost: others than those shown may be among them",
		    lost, lost == 1 ? " was" : "s were");
}

static void warn_filtered(const struct recording *recording, struct warning *warning)
{
	size_t nr = 0;

	for (size_t i = 0; i < recording->nr_runs; i++)
		nr += recording->runs[i].was_filtered;
	if (nr > 0)
		say(warning,
		    "a seccomp filter was there before, in %zu of %zu runs: what would have come "
		    "of calls that it refused is not seen",
		    nr, recording->nr_runs);
}

static void warn_incomplete(const struct recording *recording, struct warning *warning)
{
	size_t nr = 0;

	for (size_t i = 0; i < recording->nr_runs; i++)
		nr += !recording->runs[i].is_complete;
	if (nr > 0)
		say(warning,
		    "%zu of %zu runs were cut short: what the program would have done is not seen",
		    nr, recording->nr_runs);
}

static void warn_single(const struct recording *recording, struct warning *warning)
{
	if (recording->nr_runs == 1)
		say(warning, "a single run: calls that are made now and then may not be in it");
}

static void warn_mixed(const struct recording *recording, struct warning *warning)
{
	if (recording->is_mixed)
		say(warning, "the runs are of different programs, or builds of one");
}

static void warn_phases(const struct recording *recording, struct warning *warning)
{
	size_t nr_left_out = 0;

	for (size_t i = 1; i < recording->nr_phases; i++) {
		char point[POINT_SIZE];

		if (recording->phases[i].nr_hits > 0)
			continue;
		if (warning->size + POINT_SIZE + ROOM_FOR_MORE > RECORDING_WARNING_MAX) {
			nr_left_out++;
			continue;
		}
		text_escape(point, sizeof(point), recording->phases[i].point,
			    strlen(recording->phases[i].point));
		say(warning, "%s '%s'", warning->size ? "," : "no process reached", point);
	}
	if (nr_left_out > 0)
		say(warning, " and %zu more", nr_left_out);
}

/* The calls of one architecture and all phases: which were made, which without an error once. */
struct made {
	bool is_made[SYSCALLS_MAX];
	bool is_good[SYSCALLS_MAX];
};

static void made_by(const struct recording *recording, enum syscall_arch arch, struct made *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < recording->nr_nodes; i++) {
		const struct recording_node *node = &recording->nodes[i];

		for (size_t k = 0; k < node->nr_calls; k++) {
			const struct recording_call *call = &node->calls[k];

			if (call->arch != arch)
				continue;
			ret->is_made[call->nr] = true;
			if (call->errors < call->count)
				ret->is_good[call->nr] = true;
		}
	}
}

static void warn_ring(const struct recording *recording, struct warning *warning)
{
	bool was_used = false;

	for (size_t i = 0; i < recording->nr_runs; i++)
		was_used |= recording->runs[i].nr_io_uring > 0;
	for (int arch = 0; arch < NR_SYSCALL_ARCHES; arch++) {
		int enter = syscall_number((enum syscall_arch)arch, "io_uring_enter");
		struct made made;

		made_by(recording, (enum syscall_arch)arch, &made);
		was_used |= enter >= 0 && made.is_good[enter];
	}
	if (was_used)
		say(warning,
		    "io_uring was used: what it did for the program is no system call, and "
		    "is not seen");
}

static void warn_foreign(const struct recording *recording, struct warning *warning)
{
	static const enum syscall_arch arches[] = { SYSCALL_ARCH_i386, SYSCALL_ARCH_x32 };

	for (size_t i = 0; i < sizeof(arches) / sizeof(arches[0]); i++) {
		struct made made;
		size_t nr = 0;

		made_by(recording, arches[i], &made);
		for (size_t k = 0; k < SYSCALLS_MAX; k++)
			nr += made.is_made[k];
		if (nr > 0)
			say(warning, "%s%zu of %s", warning->size ? ", " : "32-bit calls: ", nr,
			    syscall_arch_name(arches[i]));
	}
}

static void warn_unknown(const struct recording *recording, struct warning *warning)
{
	size_t nr = 0;

	for (int arch = 0; arch < NR_SYSCALL_ARCHES; arch++) {
		struct made made;

		made_by(recording, (enum syscall_arch)arch, &made);
		for (uint32_t k = 0; k < SYSCALLS_MAX; k++)
			nr += made.is_made[k] && !syscall_name((enum syscall_arch)arch, k);
	}
	if (nr > 0)
		say(warning, "%zu call%s with a number that has no name here", nr,
		    nr > 1 ? "s" : "");
}

/* What these return is the result of the call that a signal had interrupted, an error mostly. */
static bool returns_for_another(const char *name)
{
	return strcmp(name, "rt_sigreturn") == 0 || strcmp(name, "sigreturn") == 0;
}

/* Adds NAME to a list that begins with LEAD, if there is room for it. */
static bool say_name(struct warning *warning, const char *lead, const char *name)
{
	if (warning->size + strlen(name) + ROOM_FOR_MORE > RECORDING_WARNING_MAX)
		return false;
	say(warning, "%s%s", warning->size ? ", " : lead, name);
	return true;
}

static void warn_failed(const struct recording *recording, struct warning *warning)
{
	size_t nr_left_out = 0;

	for (int arch = 0; arch < NR_SYSCALL_ARCHES; arch++) {
		struct made made;

		made_by(recording, (enum syscall_arch)arch, &made);
		for (uint32_t nr = 0; nr < SYSCALLS_MAX; nr++) {
			const char *name = syscall_name((enum syscall_arch)arch, nr);

			if (name && made.is_made[nr] && !made.is_good[nr] &&
			    !returns_for_another(name))
				nr_left_out += !say_name(warning, "always failed: ", name);
		}
	}
	if (nr_left_out > 0)
		say(warning, " and %zu more", nr_left_out);
}

bool recording_warning_of(const struct recording *recording, enum recording_warning kind,
			  char ret[static RECORDING_WARNING_MAX])
{
	static void (*const all[NR_WARNINGS])(const struct recording *, struct warning *) = {
		[WARNING_LOST] = warn_lost,
		[WARNING_FILTERED] = warn_filtered,
		[WARNING_INCOMPLETE] = warn_incomplete,
		[WARNING_SINGLE] = warn_single,
		[WARNING_MIXED] = warn_mixed,
		[WARNING_PHASES] = warn_phases,
		[WARNING_RING] = warn_ring,
		[WARNING_FOREIGN] = warn_foreign,
		[WARNING_UNKNOWN] = warn_unknown,
		[WARNING_FAILED] = warn_failed,
	};
	struct warning warning = { .text = ret };

	ret[0] = '\0';
	all[kind](recording, &warning);
	return warning.size > 0;
}

bool recording_warning(const struct recording *recording, size_t i,
		       char ret[static RECORDING_WARNING_MAX])
{
	size_t nr = 0;

	for (int kind = 0; kind < NR_WARNINGS; kind++)
		if (recording_warning_of(recording, (enum recording_warning)kind, ret) && nr++ == i)
			return true;
	return false;
}
