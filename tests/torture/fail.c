/* SPDX-License-Identifier: MIT */
/*
 * A library for LD_PRELOAD that has one call fail, once, in one process of the program: the first
 * from the place TORTURE_PLACE; without it none.
 *
 * - A place is the name of the call, who makes it, and the program's own callers of that, the
 *   TORTURE_DEPTH innermost ones. What a library does in between is left out: how it comes to ask
 * for memory is its matter, that the program stands a failure there is ours.
 * - A process is "1", the program, or "1.2", the second that it forks, and so on: TORTURE_IN.
 *   What is executed later is left alone.
 * - TORTURE_FAULT says what fails (enum fault): `want`, the default, memory and descriptors;
 *   `enfile`, descriptors of the whole host; `eintr`; `short`; `io`.
 *
 * With TORTURE_LATE there is one CPU at first: see fail.h. With it comes what is opened for those
 * that come, by the broker and by who asks it.
 *
 * TORTURE_STATE is a file of STATE_SIZE bytes that says afterwards what was met: at byte 0 the call
 * that failed and from where, or nothing; at byte LIST_AT lines, in a run without failure:
 *
 *   process PROCESS CALLER     how it was forked
 *   place PROCESS PLACE WHOSE CALLER...
 *                              one that can fail. WHOSE is tool, or the library that asks, where it
 *                              is one that does not stand it: see whose(). Callers are the
 *                              program's, the innermost first.
 *
 * CALLER is an offset in the program, for addr2line(1). Addresses have to be the same in each run:
 * setarch -R.
 */
#include "fail.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STATE_SIZE  (1 << 20)
#define LIST_AT	    8192
#define ONLINE	    "/sys/devices/system/cpu/online"
#define FRAMES_MAX  64
#define PLACES	    65536 /* a power of 2 */
#define PROCESS_MAX 32

struct state {
	char met[LIST_AT - 8];
	uint32_t nr_looks; /* at the list of CPUs, by all processes; the first is made at the start
			    */
	uint32_t list_end; /* within the list */
	char list[STATE_SIZE - LIST_AT];
};

struct range {
	uintptr_t begin, end;
};

/* Where this is called from, without the frames of this library. */
struct stack {
	void *frames[FRAMES_MAX];
	int nr;
};

static struct state *state;
static struct range program, self;
static char process[PROCESS_MAX] = "1";
static const char *wanted_process;
static uint64_t wanted; /* 0: none */
static unsigned int chosen = FAULT_MEMORY | FAULT_DESCRIPTOR;
static int chosen_err; /* instead of the call's own */
static int depth = FRAMES_MAX;
static int nr_forks;
static unsigned long forked_from;
static bool has_failed;
static bool is_late;
static int online_fd = -1;
static bool is_on;
static __thread bool is_inside;
static uint64_t places[PLACES];

static bool is_in(const struct range *range, const void *address)
{
	return (uintptr_t)address >= range->begin && (uintptr_t)address < range->end;
}

static void stack_take(struct stack *stack)
{
	void *all[FRAMES_MAX];
	int nr = backtrace(all, FRAMES_MAX);

	stack->nr = 0;
	for (int i = 0; i < nr; i++)
		if (!is_in(&self, all[i]))
			stack->frames[stack->nr++] = all[i];
}

/* Of the call NAME from STACK; never 0. FNV-1a. */
static uint64_t place_of(const struct stack *stack, const char *name)
{
	uint64_t hash = 14695981039346656037ULL;
	int nr = 0;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 1099511628211ULL;
	for (int i = 0; i < stack->nr && nr < depth; i++) {
		bool is_program = is_in(&program, stack->frames[i]);

		if (i == 0 || is_program)
			hash = (hash ^ (uintptr_t)stack->frames[i]) * 1099511628211ULL;
		nr += is_program;
	}
	return hash | 1;
}

/* Whether PLACE has not been met before. */
static bool is_new(uint64_t place)
{
	for (size_t i = place >> 40; i < (place >> 40) + PLACES; i++) {
		uint64_t *known = &places[i % PLACES];

		if (*known == place)
			return false;
		if (*known == 0) {
			*known = place;
			return true;
		}
	}
	return false;
}

/*
 * Who asks for it: "libcrypto", "libseccomp" or "nss", that of glibc, which crash where memory is
 * short: OpenSSL 3 while it initialises, libseccomp 2.5 in seccomp_load() (a double free), glibc
 * 2.36 in getpwnam() (nss_database.c: a NULL pointer, an assertion). "tool" is any other.
 */
static const char *whose(const struct stack *stack)
{
	Dl_info info;

	for (int i = 0; i < stack->nr; i++) {
		if (!dladdr(stack->frames[i], &info) || !info.dli_fname)
			continue;
		if (strstr(info.dli_fname, "libcrypto"))
			return "libcrypto";
		if (strstr(info.dli_fname, "libseccomp"))
			return "libseccomp";
		if (info.dli_sname && strncmp(info.dli_sname, "getpw", 5) == 0)
			return "nss";
	}
	return "tool";
}

/* Adds a line to the list, which all processes share; one that it has no room for is left out. */
static void list(const char *line, int size)
{
	uint32_t at = __atomic_fetch_add(&state->list_end, (uint32_t)size, __ATOMIC_RELAXED);

	if (at + (uint32_t)size <= sizeof(state->list))
		memcpy(state->list + at, line, (size_t)size);
}

static unsigned long offset_of(const void *address)
{
	return (unsigned long)address - program.begin - 1;
}

/*
 * The frame where the program calls what led here; STACK->nr: it did not. What libcrypto allocates
 * with is the program's, too (src/inspect/crypto_memory.c): that is not where.
 */
static int caller_of(const struct stack *stack)
{
	bool is_asked = stack->nr > 1 && is_in(&program, stack->frames[0]) &&
			!is_in(&program, stack->frames[1]) &&
			strcmp(whose(stack), "libcrypto") == 0;
	int i = is_asked;

	while (i < stack->nr && !is_in(&program, stack->frames[i]))
		i++;
	return i;
}

static void note(const struct stack *stack, uint64_t place)
{
	char line[128 + FRAMES_MAX * 20];
	int size;

	if (!is_new(place))
		return;
	size = snprintf(line, sizeof(line), "place %s %016llx %s", process,
			(unsigned long long)place, whose(stack));
	for (int i = caller_of(stack); i < stack->nr; i++)
		if (is_in(&program, stack->frames[i]))
			size += snprintf(line + size, sizeof(line) - (size_t)size, " 0x%lx",
					 offset_of(stack->frames[i]));
	line[size++] = '\n';
	list(line, size);
}

/* Says what fails: offsets in the program, names elsewhere. */
static void tell(const struct stack *stack, const char *name)
{
	size_t size = sizeof(state->met);
	size_t at = (size_t)snprintf(state->met, size, "%s in %s\n", name, process);
	Dl_info info;

	for (int i = 0; i < stack->nr && at + 256 < size; i++) {
		const char *frame = stack->frames[i];

		if (is_in(&program, frame))
			at += (size_t)snprintf(state->met + at, size - at, "0x%lx\n",
					       (unsigned long)((uintptr_t)frame - program.begin) -
						       1);
		else if (dladdr(frame, &info) && info.dli_fname)
			at += (size_t)snprintf(state->met + at, size - at, "%.100s %.100s\n",
					       info.dli_fname,
					       info.dli_sname ? info.dli_sname : "?");
	}
}

/* Whether the call NAME is the one that fails. */
static bool is_it(const char *name)
{
	struct stack stack;
	uint64_t place;

	if (wanted && (has_failed || strcmp(process, wanted_process) != 0))
		return false;
	stack_take(&stack);
	place = place_of(&stack, name);
	if (!wanted)
		note(&stack, place);
	if (place != wanted || __atomic_exchange_n(&has_failed, true, __ATOMIC_RELAXED))
		return false;
	tell(&stack, name);
	return true;
}

bool fails(const char *name, unsigned int faults, int err)
{
	int before = errno;
	bool is_one;

	if (!is_on || is_inside || !(chosen & faults))
		return false;
	is_inside = true;
	is_one = is_it(name);
	is_inside = false;
	errno = before;
	if (is_one)
		errno = chosen_err ? chosen_err : err;
	return is_one;
}

void late_opened(const char *path, int fd)
{
	if (is_late && strcmp(path, ONLINE) == 0)
		online_fd = fd;
}

ssize_t late_read(int fd, const void *bytes, ssize_t size)
{
	if (fd < 0 || fd != online_fd || size < 2)
		return size;
	if (__atomic_fetch_add(&state->nr_looks, 1, __ATOMIC_RELAXED) > 0)
		return size;
	memcpy((void *)bytes, "0\n", 2);
	return 2;
}

bool late_is_offline(int cpu)
{
	return is_late && cpu > 0 && __atomic_load_n(&state->nr_looks, __ATOMIC_RELAXED) < 2;
}

static void before_fork(void)
{
	struct stack stack;
	int caller;

	nr_forks++;
	stack_take(&stack);
	caller = caller_of(&stack);
	forked_from = caller < stack.nr ? offset_of(stack.frames[caller]) : 0;
}

static void after_fork(void)
{
	size_t size = strlen(process);
	char line[128];

	snprintf(process + size, sizeof(process) - size, ".%d", nr_forks);
	nr_forks = 0;
	memset(places, 0, sizeof(places));
	if (is_on && !wanted)
		list(line,
		     snprintf(line, sizeof(line), "process %s 0x%lx\n", process, forked_from));
}

/* Where the program, the first, and this library are. */
static int find_range(struct dl_phdr_info *object, size_t size, void *ctx)
{
	struct range range = { .begin = object->dlpi_addr };
	bool *has_program = ctx;

	(void)size;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &object->dlpi_phdr[i];

		if (part->p_type == PT_LOAD)
			range.end = object->dlpi_addr + part->p_vaddr + part->p_memsz;
	}
	if (!*has_program)
		program = range;
	*has_program = true;
	if (is_in(&range, (const void *)(uintptr_t)find_range))
		self = range;
	return 0;
}

static void choose(const char *name)
{
	static const struct {
		const char *name;
		unsigned int faults;
		int err;
	} all[] = {
		{ "want", FAULT_MEMORY | FAULT_DESCRIPTOR, 0 },
		{ "enfile", FAULT_DESCRIPTOR, ENFILE },
		{ "eintr", FAULT_INTERRUPT, 0 },
		{ "short", FAULT_SHORT, 0 },
		{ "io", FAULT_IO, 0 },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (strcmp(all[i].name, name) != 0)
			continue;
		chosen = all[i].faults;
		chosen_err = all[i].err;
		return;
	}
	abort();
}

static void __attribute__((constructor)) begin(void)
{
	const char *path = getenv("TORTURE_STATE");
	const char *place = getenv("TORTURE_PLACE");
	const char *fault = getenv("TORTURE_FAULT");
	const char *frames = getenv("TORTURE_DEPTH");
	bool has_program = false;
	void *frame;
	int fd;

	unsetenv("LD_PRELOAD");
	if (!path)
		return;
	wanted_process = getenv("TORTURE_IN");
	if (wanted_process && place)
		wanted = strtoull(place, NULL, 16);
	if (frames && atoi(frames) > 0)
		depth = atoi(frames);
	if (fault)
		choose(fault);
	fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
	state = (void *)syscall(SYS_mmap, 0L, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED,
				fd, 0);
	close(fd);
	if (state == MAP_FAILED)
		abort();
	dl_iterate_phdr(find_range, &has_program);
	backtrace(&frame, 1); /* loads what it needs */
	is_late = getenv("TORTURE_LATE") != NULL;
	pthread_atfork(before_fork, NULL, after_fork);
	is_on = true;
}

_Static_assert(sizeof(struct state) == STATE_SIZE, "as the file");
_Static_assert(offsetof(struct state, list) == LIST_AT, "as tests/torture/run has it");
