/* SPDX-License-Identifier: MIT */
#ifndef SUPPORT_TRIGGER_H
#define SUPPORT_TRIGGER_H

/*
 * What trigger programs share: a trigger does something and prints, one JSON object a line, what
 * the tool has to report of it, all fields but the times. Lines carry the name of their case, so
 * that a test can look at one. A line is written in one piece: processes and threads may mix.
 *
 * Anything that does not happen as intended ends the trigger with status 1: then it proves nothing.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* The longest line holds 16 KiB of arguments twice, every byte escaped. */
#define LINE_MAX_SIZE (256U << 10)

struct line {
	size_t size;
	char text[LINE_MAX_SIZE];
};

static __thread struct line line;

/* The case that is running, and the process name that is expected of it. */
static const char *case_name = "";

#define die(...)                                                                                   \
	do {                                                                                       \
		fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, case_name);                     \
		fprintf(stderr, __VA_ARGS__);                                                      \
		fprintf(stderr, " (%s)\n", strerror(errno));                                       \
		_exit(1);                                                                          \
	} while (0)

/* CALL must not be negative. Returns what it returned. */
#define must(call)                                                                                 \
	({                                                                                         \
		long must_ = (long)(call);                                                         \
		if (must_ < 0)                                                                     \
			die("%s", #call);                                                          \
		must_;                                                                             \
	})

__attribute__((format(printf, 1, 2))) static inline void line_add(const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line.text + line.size, sizeof(line.text) - line.size, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(line.text) - line.size)
		die("line too long");
	line.size += (size_t)n;
}

/* SIZE bytes of UTF-8 as a JSON string. 0xfe and 0xff, which UTF-8 never has, become U+FFFD. */
static inline void line_add_string(const char *bytes, size_t size)
{
	line_add("\"");
	for (size_t i = 0; i < size; i++) {
		unsigned char byte = (unsigned char)bytes[i];

		if (byte >= 0xfe)
			line_add("\\ufffd");
		else if (byte < 0x20 || byte == 0x7f || byte == '"' || byte == '\\')
			line_add("\\u%04x", byte);
		else
			line_add("%c", byte);
	}
	line_add("\"");
}

static inline void line_str(const char *key, const char *value)
{
	line_add(",\"%s\":", key);
	line_add_string(value, strlen(value));
}

static inline void line_u64(const char *key, uint64_t value)
{
	line_add(",\"%s\":%llu", key, (unsigned long long)value);
}

/* A device number as the tool prints it. */
static inline void line_dev(dev_t dev)
{
	line_add(",\"dev\":\"%u:%u\"", major(dev), minor(dev));
}

/* Begins the line of EVENT. */
static inline void line_begin(const char *event, pid_t pid, pid_t ppid, uid_t uid,
			      const char *process)
{
	line.size = 0;
	line_add("{\"case\":\"%s\",\"event_type\":\"%s\",\"pid\":%d,\"ppid\":%d,\"uid\":%u",
		 case_name, event, pid, ppid, uid);
	line_str("process", process);
}

static inline void line_end(void)
{
	line_add("}\n");
	if (write(STDOUT_FILENO, line.text, line.size) != (ssize_t)line.size)
		die("write");
}

/* Says that PID belongs to the case, so that whatever is reported of it counts. */
static inline void line_pid(pid_t pid)
{
	line.size = 0;
	line_add("{\"case\":\"%s\",\"pid\":%d", case_name, pid);
	line_end();
}

/* The name of the calling thread; of the process when called by its main thread. */
static inline const char *own_name(void)
{
	static __thread char name[16];

	must(prctl(PR_GET_NAME, name));
	return name;
}

static inline uint64_t now_ns(clockid_t clock)
{
	struct timespec now;

	must(clock_gettime(clock, &now));
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Waits for PID. Returns its wait status. */
static inline int wait_status(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	return status;
}

/* Waits for PID, which must end with status 0. */
static inline void wait_good(pid_t pid)
{
	int status = wait_status(pid);

	if (status != 0)
		die("process %d ended with 0x%x", pid, status);
}

struct test_case {
	const char *name;
	void (*run)(void);
};

/* Whether NAME is among the words of ARGV; with no words at all every name is. */
static inline bool is_asked(const char *name, char **argv)
{
	if (!*argv)
		return true;
	for (; *argv; argv++)
		if (strcmp(*argv, name) == 0)
			return true;
	return false;
}

/* Runs the cases that ARGV names, all of them without names, each in a process of its own. */
static inline void cases_run(const struct test_case *cases, size_t nr_cases, char **argv)
{
	for (size_t i = 0; i < nr_cases; i++) {
		if (!is_asked(cases[i].name, argv))
			continue;
		case_name = cases[i].name;

		pid_t pid = (pid_t)must(fork());

		if (pid == 0) {
			line_pid(getpid());
			cases[i].run();
			_exit(0);
		}
		wait_good(pid);
	}
}

#endif /* SUPPORT_TRIGGER_H */
