/* SPDX-License-Identifier: MIT */
#include "syscalls/points.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalogue/codes.h"
#include "lib/parse.h"
#include "syscalls/points_calls.h"
#include "syscalls/points_private.h"

#define FIRST  "first:"
#define SIGNAL "signal:"
/* The kernel's range of real-time signals; glibc keeps the first two for itself (signal(7)). */
#define SIGNAL_MAX 64
#define SIGRT_MIN  34

int points_refuse(char what[static POINT_WHAT_SIZE], int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(what, POINT_WHAT_SIZE, format, args);
	va_end(args);
	return err;
}

static int add_first(struct point *point, const char *name, char what[static POINT_WHAT_SIZE])
{
	static const struct {
		const char *name;
		enum point_kind kind;
	} events[] = {
		{ "fork", POINT_FORK },
		{ "thread", POINT_THREAD },
		{ "exec", POINT_EXEC },
	};
	int err;

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (strcmp(name, events[i].name) == 0) {
			point->kind = events[i].kind;
			return 0;
		}
	point->kind = POINT_SYSCALL;
	err = points_calls_find(point, name);
	if (err == -ENOSYS)
		return points_refuse(what, -EINVAL, "this machine has no such system call");
	if (err)
		return points_refuse(what, -ENOENT,
				     "there is no such system call; first: also takes fork, thread "
				     "and exec");
	return 0;
}

/* The number of the signal NAME, "USR1", "SIGUSR1", "RTMIN+3" or "10"; 0: there is none. */
static int signal_number(const char *name)
{
	uint64_t number;

	if (parse_u64(name, 1, SIGNAL_MAX, &number) == 0)
		return (int)number;
	if (strncasecmp(name, "SIG", 3) == 0)
		name += 3;
	if (strcasecmp(name, "RTMIN") == 0)
		return SIGRT_MIN;
	if (strncasecmp(name, "RTMIN+", 6) == 0 &&
	    parse_u64(name + 6, 1, SIGNAL_MAX - SIGRT_MIN, &number) == 0)
		return SIGRT_MIN + (int)number;
	for (size_t i = 0; i < signal_codes.nr_entries; i++)
		if (strcasecmp(signal_codes.entries[i].name + 3, name) == 0)
			return (int)signal_codes.entries[i].code;
	return 0;
}

static int add_signal(struct point *point, const char *name, char what[static POINT_WHAT_SIZE])
{
	point->kind = POINT_SIGNAL;
	point->signal = signal_number(name);
	if (!point->signal)
		return points_refuse(what, -ENOENT, "there is no such signal");
	if (point->signal == SIGKILL || point->signal == SIGSTOP)
		return points_refuse(what, -EINVAL, "no program goes on after that signal");
	return 0;
}

static bool shares_call(const struct point *a, const struct point *b)
{
	for (size_t i = 0; i < a->nr_calls; i++)
		for (size_t j = 0; j < b->nr_calls; j++)
			if (a->calls[i] == b->calls[j])
				return true;
	return false;
}

static bool is_same_file(int a, int b)
{
	struct stat one, other;

	return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev &&
	       one.st_ino == other.st_ino;
}

static bool is_same(const struct point *a, const struct point *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case POINT_SYSCALL:
		return shares_call(a, b);
	case POINT_SIGNAL:
		return a->signal == b->signal;
	case POINT_CODE:
		return a->offset == b->offset && is_same_file(a->fd, b->fd);
	default:
		return true;
	}
}

static int find(struct point *point, const char *program, char what[static POINT_WHAT_SIZE])
{
	if (strcmp(point->text, "auto") == 0) {
		point->kind = POINT_AUTO;
		return 0;
	}
	if (strncmp(point->text, FIRST, strlen(FIRST)) == 0)
		return add_first(point, point->text + strlen(FIRST), what);
	if (strncmp(point->text, SIGNAL, strlen(SIGNAL)) == 0)
		return add_signal(point, point->text + strlen(SIGNAL), what);
	point->kind = POINT_CODE;
	return points_code_find(point, program, what);
}

static void point_done(struct point *point)
{
	if (point->fd >= 0)
		close(point->fd);
	free(point->path);
}

int points_add(struct points *points, const char *text, const char *program,
	       char ret_what[static POINT_WHAT_SIZE])
{
	struct point point = { .fd = -1 };
	int err;

	ret_what[0] = '\0';
	if (points->nr == POINTS_MAX)
		return points_refuse(ret_what, -E2BIG, "there are %d points already", POINTS_MAX);
	if (!*text || strlen(text) >= sizeof(point.text))
		return points_refuse(ret_what, -EINVAL, "not a point: 1 to %zu bytes",
				     sizeof(point.text) - 1);
	memcpy(point.text, text, strlen(text) + 1);
	err = find(&point, program, ret_what);
	for (size_t i = 0; !err && i < points->nr; i++)
		if (is_same(&points->list[i], &point))
			err = points_refuse(ret_what, -EINVAL, "the same as '%s'",
					    points->list[i].text);
	if (err) {
		point_done(&point);
		return err;
	}
	points->list[points->nr++] = point;
	return 0;
}

void points_free(struct points *points)
{
	for (size_t i = 0; i < points->nr; i++)
		point_done(&points->list[i]);
	points->nr = 0;
}
