/* SPDX-License-Identifier: MIT */
/*
 * A library for LD_PRELOAD that has one allocation, or one call that makes a descriptor or a
 * mapping, fail: number TORTURE_FAIL of the process, 1 being the first; with 0 none. TORTURE_IN
 * says whose: `first`, the program, or `child`, those that it forks, each counted by itself.
 * TORTURE_STATE is a file of STATE_SIZE bytes that says afterwards what was met. At byte 0: "NAME
 * of NUMBER", the call that failed, or nothing. At byte 4096: lines "NUMBER WHOSE" of the first
 * call from every place, a place being all the return addresses on the stack. WHOSE is tool, or the
 * library that asks for it where it is one that does not stand it: see whose(). The same place
 * fails in the same way, so that these are enough; with TORTURE_DEPTH only the so many innermost.
 * Addresses have to be the same in each run: setarch -R.
 *
 * What is executed later is left alone.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define STATE_SIZE (1 << 20)
#define LIST_AT	   4096
#define DEPTH_MAX  32
#define PLACES	   65536 /* a power of 2 */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t nr, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static char *state;
static size_t list_end = LIST_AT;
static unsigned long wanted;
static unsigned long count;
static int depth = DEPTH_MAX;
static bool in_child;
static bool is_on;
static __thread bool is_inside;
static uint64_t places[PLACES];

/* Whether this place has not been met before. */
static bool is_new(void)
{
	void *frames[DEPTH_MAX];
	int nr = backtrace(frames, depth);
	uint64_t hash = 14695981039346656037ULL; /* FNV-1a */

	for (int i = 1; i < nr; i++)
		hash = (hash ^ (uint64_t)(uintptr_t)frames[i]) * 1099511628211ULL;
	hash |= 1;
	for (size_t i = hash >> 40; i < (hash >> 40) + PLACES; i++) {
		uint64_t *place = &places[i % PLACES];

		if (*place == hash)
			return false;
		if (*place == 0) {
			*place = hash;
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
static const char *whose(void)
{
	void *frames[DEPTH_MAX];
	int nr = backtrace(frames, DEPTH_MAX);
	Dl_info info;

	for (int i = 1; i < nr; i++) {
		if (!dladdr(frames[i], &info) || !info.dli_fname)
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

static void note(void)
{
	if (list_end + 32 < STATE_SIZE && is_new())
		list_end += (size_t)snprintf(state + list_end, 32, "%lu %s\n", count, whose());
}

/* Whether this call, NAME, is the one. */
static bool fails(const char *name, int err)
{
	bool is_it;

	if (!is_on || is_inside)
		return false;
	is_inside = true;
	is_it = ++count == wanted;
	if (wanted == 0)
		note();
	if (is_it) {
		snprintf(state, LIST_AT, "%s of %lu\n", name, count);
		errno = err;
	}
	is_inside = false;
	return is_it;
}

static void after_fork(void)
{
	is_on = state && in_child;
	count = 0;
}

static void __attribute__((constructor)) begin(void)
{
	const char *path = getenv("TORTURE_STATE");
	const char *number = getenv("TORTURE_FAIL");
	const char *whose = getenv("TORTURE_IN");
	const char *frames = getenv("TORTURE_DEPTH");
	void *frame;
	int fd;

	unsetenv("LD_PRELOAD");
	if (!path || !number)
		return;
	wanted = strtoul(number, NULL, 10);
	if (frames && atoi(frames) > 0 && atoi(frames) < DEPTH_MAX)
		depth = atoi(frames);
	in_child = whose && strcmp(whose, "child") == 0;
	fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
	state = (void *)syscall(SYS_mmap, 0L, STATE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
				0);
	close(fd);
	if (state == MAP_FAILED)
		abort();
	backtrace(&frame, 1); /* loads what it needs */
	pthread_atfork(NULL, NULL, after_fork);
	is_on = !in_child;
}

void *malloc(size_t size)
{
	return fails("malloc", ENOMEM) ? NULL : __libc_malloc(size);
}

void *calloc(size_t nr, size_t size)
{
	return fails("calloc", ENOMEM) ? NULL : __libc_calloc(nr, size);
}

void *realloc(void *old, size_t size)
{
	return fails("realloc", ENOMEM) ? NULL : __libc_realloc(old, size);
}

/* json-c 0.16 does not look at what strdup(3) returns for a key (json_tokener.c): not ours to mend.
 */
char *strdup(const char *text)
{
	size_t size = strlen(text) + 1;
	Dl_info caller;
	bool is_excused = dladdr(__builtin_return_address(0), &caller) && caller.dli_fname &&
			  strstr(caller.dli_fname, "libjson-c");
	char *copy = !is_excused && fails("strdup", ENOMEM) ? NULL : __libc_malloc(size);

	if (copy)
		memcpy(copy, text, size);
	return copy;
}

void *reallocarray(void *old, size_t nr, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(nr, size, &all))
		all = SIZE_MAX;
	return realloc(old, all);
}

int posix_memalign(void **ret, size_t alignment, size_t size)
{
	if (fails("posix_memalign", ENOMEM))
		return ENOMEM;
	*ret = __libc_memalign(alignment, size);
	return *ret ? 0 : ENOMEM;
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return fails("aligned_alloc", ENOMEM) ? NULL : __libc_memalign(alignment, size);
}

static mode_t mode_of(int flags, va_list args)
{
	return flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
}

#define OPEN_BODY(dir)                                                                             \
	va_list args;                                                                              \
	mode_t mode;                                                                               \
                                                                                                   \
	va_start(args, flags);                                                                     \
	mode = mode_of(flags, args);                                                               \
	va_end(args);                                                                              \
	if (fails(__func__, EMFILE))                                                               \
		return -1;                                                                         \
	return (int)syscall(SYS_openat, dir, path, flags, mode)

int open(const char *path, int flags, ...)
{
	OPEN_BODY(AT_FDCWD);
}

int open64(const char *path, int flags, ...)
{
	OPEN_BODY(AT_FDCWD);
}

int openat(int dir, const char *path, int flags, ...)
{
	OPEN_BODY(dir);
}

int openat64(int dir, const char *path, int flags, ...)
{
	OPEN_BODY(dir);
}

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	if (fails("mmap", ENOMEM))
		return MAP_FAILED;
	return (void *)syscall(SYS_mmap, at, size, protection, flags, fd, offset);
}

void *mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	return mmap(at, size, protection, flags, fd, offset);
}

/* Those for which the C library does more than the call. */
#define WRAP(type, failure, err, name, parameters, arguments)                                      \
	type name parameters                                                                       \
	{                                                                                          \
		static type(*next) parameters;                                                     \
                                                                                                   \
		if (fails(#name, err))                                                             \
			return failure;                                                            \
		if (!next)                                                                         \
			next = (type(*) parameters)dlsym(RTLD_NEXT, #name);                        \
		return next arguments;                                                             \
	}

WRAP(FILE *, NULL, EMFILE, fopen, (const char *path, const char *mode), (path, mode))
WRAP(FILE *, NULL, EMFILE, fopen64, (const char *path, const char *mode), (path, mode))
WRAP(FILE *, NULL, ENOMEM, fdopen, (int fd, const char *mode), (fd, mode))
WRAP(FILE *, NULL, ENOMEM, open_memstream, (char **text, size_t *size), (text, size))
WRAP(DIR *, NULL, EMFILE, opendir, (const char *path), (path))
WRAP(DIR *, NULL, ENOMEM, fdopendir, (int fd), (fd))
WRAP(int, -1, EMFILE, socketpair, (int domain, int type, int protocol, int ends[2]),
     (domain, type, protocol, ends))
WRAP(int, -1, EMFILE, pipe2, (int ends[2], int flags), (ends, flags))
WRAP(int, -1, EMFILE, epoll_create1, (int flags), (flags))
WRAP(int, -1, EMFILE, memfd_create, (const char *name, unsigned int flags), (name, flags))
WRAP(int, -1, EAGAIN, timer_create, (clockid_t clock, struct sigevent *event, timer_t *timer),
     (clock, event, timer))
WRAP(pid_t, -1, EAGAIN, fork, (void), ())

/* bpf(2), perf_event_open(2), openat2(2), pidfd_open(2) have no name in the C library. */
long syscall(long number, ...)
{
	static long (*next)(long number, ...);
	unsigned long args[6];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		args[i] = va_arg(list, unsigned long);
	va_end(list);
	if (is_on && ((number == SYS_bpf && fails("bpf", ENOMEM)) ||
		      (number == SYS_perf_event_open && fails("perf_event_open", EMFILE)) ||
		      (number == SYS_openat2 && fails("openat2", EMFILE)) ||
		      (number == SYS_pidfd_open && fails("pidfd_open", EMFILE))))
		return -1;
	if (!next)
		next = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	return next(number, args[0], args[1], args[2], args[3], args[4], args[5]);
}
