/* SPDX-License-Identifier: MIT */
#include "syscalls/points_calls.h"

#include <errno.h>
#include <string.h>

#include "lib/array.h"

static const char *const waits[] = {
#define WAIT(name) #name,
#define LISTEN(name)
#define SAME(name, other)
#include "points_calls.def"
#undef WAIT
#undef LISTEN
#undef SAME
};

static const char *const listens[] = {
#define WAIT(name)
#define LISTEN(name) #name,
#define SAME(name, other)
#include "points_calls.def"
#undef WAIT
#undef LISTEN
#undef SAME
};

static const struct {
	const char *name;
	const char *other;
} same[] = {
#define WAIT(name)
#define LISTEN(name)
#define SAME(name, other) { #name, #other },
#include "points_calls.def"
#undef WAIT
#undef LISTEN
#undef SAME
};

static bool is_among(uint32_t nr, const char *const *names, size_t nr_names)
{
	const char *name = syscall_name(syscall_arch_native(), nr);

	for (size_t i = 0; name && i < nr_names; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

bool point_is_wait(uint32_t nr)
{
	return is_among(nr, waits, ARRAY_SIZE(waits));
}

bool point_is_listen(uint32_t nr)
{
	return is_among(nr, listens, ARRAY_SIZE(listens));
}

static bool is_known(const char *name)
{
	for (int arch = 0; arch < NR_SYSCALL_ARCHES; arch++)
		if (syscall_number((enum syscall_arch)arch, name) >= 0)
			return true;
	return false;
}

static void add(struct point *point, const char *name)
{
	int nr = syscall_number(syscall_arch_native(), name);

	if (nr >= 0 && point->nr_calls < POINT_SYSCALLS_MAX)
		point->calls[point->nr_calls++] = (uint32_t)nr;
}

int points_calls_find(struct point *point, const char *name)
{
	point->nr_calls = 0;
	if (!is_known(name))
		return -ENOENT;
	add(point, name);
	/* Not all machines have the older one: there the name still has a meaning. */
	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		if (strcmp(same[i].name, name) == 0)
			add(point, same[i].other);
	return point->nr_calls > 0 ? 0 : -ENOSYS;
}
