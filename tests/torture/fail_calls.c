/* SPDX-License-Identifier: MIT */
/* The calls that fail.c has fail, in the place of the C library's. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fail.h"

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t nr, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size)
{
	return fails("malloc", FAULT_MEMORY, ENOMEM) ? NULL : __libc_malloc(size);
}

void *calloc(size_t nr, size_t size)
{
	return fails("calloc", FAULT_MEMORY, ENOMEM) ? NULL : __libc_calloc(nr, size);
}

void *realloc(void *old, size_t size)
{
	return fails("realloc", FAULT_MEMORY, ENOMEM) ? NULL : __libc_realloc(old, size);
}

/* json-c 0.16 does not look at what strdup(3) returns for a key (json_tokener.c): not ours to mend.
 */
char *strdup(const char *text)
{
	size_t size = strlen(text) + 1;
	Dl_info caller;
	bool is_excused = dladdr(__builtin_return_address(0), &caller) && caller.dli_fname &&
			  strstr(caller.dli_fname, "libjson-c");
	char *copy =
		!is_excused && fails("strdup", FAULT_MEMORY, ENOMEM) ? NULL : __libc_malloc(size);

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
	if (fails("posix_memalign", FAULT_MEMORY, ENOMEM))
		return ENOMEM;
	*ret = __libc_memalign(alignment, size);
	return *ret ? 0 : ENOMEM;
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return fails("aligned_alloc", FAULT_MEMORY, ENOMEM) ? NULL
							    : __libc_memalign(alignment, size);
}

static mode_t mode_of(int flags, va_list args)
{
	return flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
}

static int opened(int dir, const char *path, int flags, mode_t mode)
{
	int fd = (int)syscall(SYS_openat, dir, path, flags, mode);

	late_opened(path, fd);
	return fd;
}

#define OPEN_BODY(dir)                                                                             \
	va_list args;                                                                              \
	mode_t mode;                                                                               \
                                                                                                   \
	va_start(args, flags);                                                                     \
	mode = mode_of(flags, args);                                                               \
	va_end(args);                                                                              \
	if (fails(__func__, FAULT_DESCRIPTOR, EMFILE))                                             \
		return -1;                                                                         \
	return opened(dir, path, flags, mode)

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
	if (fails("mmap", FAULT_MEMORY, ENOMEM))
		return MAP_FAILED;
	return (void *)syscall(SYS_mmap, at, size, protection, flags, fd, offset);
}

void *mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	return mmap(at, size, protection, flags, fd, offset);
}

/* Those for which the C library does more than the call. */
#define NEXT(type, name, parameters)                                                               \
	static type(*next) parameters;                                                             \
                                                                                                   \
	if (!next)                                                                                 \
	next = (type(*) parameters)dlsym(RTLD_NEXT, #name)

#define WRAP(type, failure, faults, err, name, parameters, arguments)                              \
	type name parameters                                                                       \
	{                                                                                          \
		NEXT(type, name, parameters);                                                      \
		return fails(#name, faults, err) ? failure : next arguments;                       \
	}

WRAP(FILE *, NULL, FAULT_DESCRIPTOR, EMFILE, fopen, (const char *path, const char *mode),
     (path, mode))
WRAP(FILE *, NULL, FAULT_DESCRIPTOR, EMFILE, fopen64, (const char *path, const char *mode),
     (path, mode))
WRAP(FILE *, NULL, FAULT_MEMORY, ENOMEM, fdopen, (int fd, const char *mode), (fd, mode))
WRAP(FILE *, NULL, FAULT_MEMORY, ENOMEM, open_memstream, (char **text, size_t *size), (text, size))
WRAP(DIR *, NULL, FAULT_DESCRIPTOR, EMFILE, opendir, (const char *path), (path))
WRAP(DIR *, NULL, FAULT_MEMORY, ENOMEM, fdopendir, (int fd), (fd))
WRAP(int, -1, FAULT_DESCRIPTOR, EMFILE, socket, (int domain, int type, int protocol),
     (domain, type, protocol))
WRAP(int, -1, FAULT_DESCRIPTOR, EMFILE, socketpair,
     (int domain, int type, int protocol, int ends[2]), (domain, type, protocol, ends))
WRAP(int, -1, FAULT_DESCRIPTOR, EMFILE, pipe2, (int ends[2], int flags), (ends, flags))
WRAP(int, -1, FAULT_DESCRIPTOR, EMFILE, dup, (int fd), (fd))
WRAP(int, -1, FAULT_DESCRIPTOR, EMFILE, eventfd, (unsigned int value, int flags), (value, flags))
WRAP(int, -1, FAULT_DESCRIPTOR, EMFILE, epoll_create1, (int flags), (flags))
WRAP(int, -1, FAULT_DESCRIPTOR, EMFILE, memfd_create, (const char *name, unsigned int flags),
     (name, flags))
WRAP(int, -1, FAULT_MEMORY, EAGAIN, timer_create,
     (clockid_t clock, struct sigevent *event, timer_t *timer), (clock, event, timer))
WRAP(pid_t, -1, FAULT_MEMORY, EAGAIN, fork, (void), ())
WRAP(int, EAGAIN, FAULT_MEMORY, EAGAIN, pthread_create,
     (pthread_t * thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument),
     (thread, attributes, start, argument))

WRAP(ssize_t, -1, FAULT_INTERRUPT, EINTR, recv, (int fd, void *bytes, size_t size, int flags),
     (fd, bytes, size, flags))
WRAP(ssize_t, -1, FAULT_INTERRUPT, EINTR, recvmsg, (int fd, struct msghdr *message, int flags),
     (fd, message, flags))
WRAP(ssize_t, -1, FAULT_INTERRUPT, EINTR, send, (int fd, const void *bytes, size_t size, int flags),
     (fd, bytes, size, flags))
WRAP(ssize_t, -1, FAULT_INTERRUPT, EINTR, sendmsg,
     (int fd, const struct msghdr *message, int flags), (fd, message, flags))
WRAP(int, -1, FAULT_INTERRUPT, EINTR, poll, (struct pollfd * fds, nfds_t nr, int timeout),
     (fds, nr, timeout))
WRAP(int, -1, FAULT_INTERRUPT, EINTR, epoll_wait,
     (int fd, struct epoll_event *events, int nr, int timeout), (fd, events, nr, timeout))
WRAP(pid_t, -1, FAULT_INTERRUPT, EINTR, waitpid, (pid_t pid, int *status, int options),
     (pid, status, options))
WRAP(int, -1, FAULT_INTERRUPT, EINTR, waitid,
     (idtype_t type, id_t id, siginfo_t *info, int options), (type, id, info, options))
WRAP(int, -1, FAULT_INTERRUPT, EINTR, nanosleep,
     (const struct timespec *time, struct timespec *left), (time, left))
WRAP(int, -1, FAULT_IO, EIO, fsync, (int fd), (fd))
WRAP(int, -1, FAULT_IO, EIO, fdatasync, (int fd), (fd))
WRAP(int, -1, FAULT_IO, EIO, ftruncate, (int fd, off_t size), (fd, size))
WRAP(int, -1, FAULT_IO, EIO, renameat, (int from_dir, const char *from, int to_dir, const char *to),
     (from_dir, from, to_dir, to))
WRAP(int, -1, FAULT_IO, EIO, fstat, (int fd, struct stat *ret), (fd, ret))
WRAP(ssize_t, -1, FAULT_IO, EIO, readlink, (const char *path, char *text, size_t size),
     (path, text, size))
WRAP(ssize_t, -1, FAULT_IO, EIO, getrandom, (void *bytes, size_t size, unsigned int flags),
     (bytes, size, flags))

/*
 * Fewer bytes than were asked for, as pipes and files of /proc give them, and a full disk takes
 * them; what is smaller than this arrives whole. A descriptor that takes no less than a whole
 * record (kmsg, inotify) says EINVAL.
 */
#define SHORT_LEAST 64
#define SHORT_SIZE  7

/* Reads or writes less, where it may be; 0: all of it, please. */
static ssize_t less(ssize_t n)
{
	return n < 0 && errno == EINVAL ? 0 : n;
}

#define TRANSFER(name, err, parameters, arguments, fewer)                                          \
	ssize_t name parameters                                                                    \
	{                                                                                          \
		NEXT(ssize_t, name, parameters);                                                   \
		if (fails(#name, FAULT_INTERRUPT, EINTR) || fails(#name, FAULT_IO, err))           \
			return -1;                                                                 \
		if (size >= SHORT_LEAST && fails(#name, FAULT_SHORT, 0)) {                         \
			ssize_t n = less(next fewer);                                              \
                                                                                                   \
			if (n)                                                                     \
				return n;                                                          \
		}                                                                                  \
		return late_read(fd, bytes, next arguments);                                       \
	}

TRANSFER(read, EIO, (int fd, void *bytes, size_t size), (fd, bytes, size), (fd, bytes, SHORT_SIZE))
TRANSFER(pread, EIO, (int fd, void *bytes, size_t size, off_t at), (fd, bytes, size, at),
	 (fd, bytes, SHORT_SIZE, at))
TRANSFER(write, ENOSPC, (int fd, const void *bytes, size_t size), (fd, bytes, size),
	 (fd, bytes, SHORT_SIZE))
TRANSFER(pwrite, ENOSPC, (int fd, const void *bytes, size_t size, off_t at), (fd, bytes, size, at),
	 (fd, bytes, SHORT_SIZE, at))

ssize_t pread64(int fd, void *bytes, size_t size, off_t at)
{
	return pread(fd, bytes, size, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t at)
{
	return pwrite(fd, bytes, size, at);
}

/* fcntl(2) that makes a descriptor. */
int fcntl(int fd, int what, ...)
{
	va_list args;
	long argument;

	va_start(args, what);
	argument = va_arg(args, long);
	va_end(args);
	if ((what == F_DUPFD || what == F_DUPFD_CLOEXEC) &&
	    fails("fcntl", FAULT_DESCRIPTOR, EMFILE))
		return -1;
	return (int)syscall(SYS_fcntl, fd, what, argument);
}

int fcntl64(int fd, int what, ...) __attribute__((alias("fcntl")));

/* Which of those without a name in the C library NUMBER is. */
static const char *name_of(long number, unsigned int *ret_fault, int *ret_err)
{
	*ret_fault = FAULT_DESCRIPTOR;
	*ret_err = EMFILE;
	switch (number) {
	case SYS_bpf:
		*ret_fault = FAULT_MEMORY;
		*ret_err = ENOMEM;
		return "bpf";
	case SYS_perf_event_open:
		return "perf_event_open";
	case SYS_openat2:
		return "openat2";
	case SYS_pidfd_open:
		return "pidfd_open";
	default:
		return NULL;
	}
}

long syscall(long number, ...)
{
	static long (*next)(long number, ...);
	unsigned long args[6];
	unsigned int fault;
	const char *name;
	va_list list;
	int err;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		args[i] = va_arg(list, unsigned long);
	va_end(list);
	if (number == SYS_perf_event_open && late_is_offline((int)args[2])) {
		errno = ENODEV;
		return -1;
	}
	name = name_of(number, &fault, &err);
	if (name && fails(name, fault, err))
		return -1;
	if (!next)
		next = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	return next(number, args[0], args[1], args[2], args[3], args[4], args[5]);
}
