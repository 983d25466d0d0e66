/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <string.h>

#include "syscalls/policy_private.h"

#define NAMES_MAX	 8
#define NR_OF(array)	 (sizeof(array) / sizeof((array)[0]))

#define CLASSES_drift	 CLASSES_DRIFT
#define CLASSES_portable CLASSES_PORTABLE

struct one {
	enum classes_reach reach;
	const char *name;
};

struct class
{
	enum classes_reach reach;
	const char *names[NAMES_MAX];
};

struct implication {
	enum classes_reach reach;
	const char *seen, *also;
};

#define ALWAYS(name)
#define EXECUTE(name)
#define STARTUP(reach, name)
#define THREADS(name)
#define CLASS(reach, ...)
#define IMPLIES(reach, seen, also)

#undef ALWAYS
#define ALWAYS(name) { CLASSES_EXACT, #name },
static const struct one always[] = {
#include "syscalls/classes.def"
};
#undef ALWAYS
#define ALWAYS(name)

#undef EXECUTE
#define EXECUTE(name) { CLASSES_EXACT, #name },
static const struct one execute[] = {
#include "syscalls/classes.def"
};
#undef EXECUTE
#define EXECUTE(name)

#undef STARTUP
#define STARTUP(reach, name) { CLASSES_##reach, #name },
static const struct one startup[] = {
#include "syscalls/classes.def"
};
#undef STARTUP
#define STARTUP(reach, name)

#undef THREADS
#define THREADS(name) { CLASSES_DRIFT, #name },
static const struct one threads[] = {
#include "syscalls/classes.def"
};
#undef THREADS
#define THREADS(name)

#undef CLASS
#define CLASS(reach, ...) { CLASSES_##reach, { __VA_ARGS__ } },
static const struct class classes[] = {
#include "syscalls/classes.def"
};
#undef CLASS
#define CLASS(reach, ...)

#undef IMPLIES
#define IMPLIES(reach, seen, also) { CLASSES_##reach, seen, also },
static const struct implication implications[] = {
#include "syscalls/classes.def"
};

static void add(struct policy_set *set, enum syscall_arch arch, const char *name)
{
	int nr = syscall_number(arch, name);

	if (nr >= 0)
		policy_set_add(set, arch, (uint32_t)nr);
}

static bool has(const struct policy_set *set, enum syscall_arch arch, const char *name)
{
	int nr = syscall_number(arch, name);

	return nr >= 0 && policy_set_has(set, arch, (uint32_t)nr);
}

static void add_each(struct policy_set *set, enum syscall_arch arch, const struct one *list,
		     size_t nr, enum classes_reach reach)
{
	for (size_t i = 0; i < nr; i++)
		if (list[i].reach <= reach)
			add(set, arch, list[i].name);
}

static bool lists(const struct one *list, size_t nr, const char *name)
{
	for (size_t i = 0; i < nr; i++)
		if (strcmp(list[i].name, name) == 0)
			return true;
	return false;
}

bool classes_has_need(const char *name)
{
	return lists(always, NR_OF(always), name) || lists(execute, NR_OF(execute), name) ||
	       lists(startup, NR_OF(startup), name) || lists(threads, NR_OF(threads), name);
}

static void add_class(struct policy_set *set, const struct policy_set *seen, enum syscall_arch arch,
		      const struct class *class)
{
	bool is_seen = false;

	for (size_t i = 0; i < NAMES_MAX && class->names[i]; i++)
		is_seen |= has(seen, arch, class->names[i]);
	for (size_t i = 0; is_seen && i < NAMES_MAX && class->names[i]; i++)
		add(set, arch, class->names[i]);
}

/*
 * Whether programs of ARCH ran: a call or two of another architecture can be one instruction in a
 * program of this one, which starts, ends and returns from signals by its own.
 */
static bool has_programs(const struct policy_set *seen, enum syscall_arch arch)
{
	return has(seen, arch, "exit_group") || has(seen, arch, "exit") || has(seen, arch, "brk") ||
	       has(seen, arch, "set_tid_address");
}

void classes_widen(struct policy_set *set, enum syscall_arch arch,
		   const struct classes_phase *phase)
{
	const struct policy_set seen = *set;
	bool is_program = phase->is_native || has_programs(&seen, arch);

	if (phase->is_native && phase->is_first)
		add_each(set, arch, execute, NR_OF(execute), phase->reach);
	if (is_program)
		add_each(set, arch, always, NR_OF(always), phase->reach);
	if (is_program && phase->is_first)
		add_each(set, arch, startup, NR_OF(startup), phase->reach);
	if (is_program && phase->has_threads)
		add_each(set, arch, threads, NR_OF(threads), phase->reach);
	for (size_t i = 0; i < NR_OF(classes); i++)
		if (classes[i].reach <= phase->reach)
			add_class(set, &seen, arch, &classes[i]);
	for (size_t i = 0; i < NR_OF(implications); i++)
		if (implications[i].reach <= phase->reach && has(&seen, arch, implications[i].seen))
			add(set, arch, implications[i].also);
}
