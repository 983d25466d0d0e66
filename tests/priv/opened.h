/* SPDX-License-Identifier: MIT */
#ifndef TESTS_PRIV_OPENED_H
#define TESTS_PRIV_OPENED_H

/*
 * A broker, files for it to open, and children that hold some. For tests of one program, after
 * cmocka.h: has state.
 */

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "priv/broker.h"
#include "proc/status.h"
#include "support/files.h"
#include "support/own_libcrypto.h"

#define NS_PER_SECOND 1000000000ULL

static struct broker broker;

static inline int opened_begin(void **state)
{
	const struct broker_config config = { 0 };

	files_begin(state);
	return broker_start(&broker, &config);
}

static inline int opened_end(void **state)
{
	broker_stop(&broker);
	return files_end(state);
}

/* When PID began, as /proc tells it: to the clock tick. */
static inline uint64_t start_ns_of(pid_t pid)
{
	char path[64];
	const char *text;
	uint64_t ticks;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	text = file_text(path);
	assert_int_equal(stat_start_ticks(text, strlen(text), &ticks), 0);
	return ticks * (NS_PER_SECOND / (uint64_t)sysconf(_SC_CLK_TCK));
}

static inline struct stat stat_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st;
}

static inline uint64_t ctime_of(const char *path)
{
	struct stat st = stat_of(path);

	return (uint64_t)st.st_ctim.tv_sec * NS_PER_SECOND + (uint64_t)st.st_ctim.tv_nsec;
}

static inline int open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* A child that calls HOLD with ARG and then stays until child_end(). */
static inline pid_t child_start(int (*hold)(void *arg), void *arg)
{
	char byte = 1;
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		byte = (char)hold(arg);
		if (write(ends[1], &byte, 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	assert_int_equal(byte, 0);
	return pid;
}

static inline void child_end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* A pid that is of no process: of a child that has ended. */
static inline pid_t ended_pid(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return pid;
}

/* FD, which is closed, reads as EXPECTED. */
static inline void assert_reads(int fd, const char *expected)
{
	char text[256];
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, text, sizeof(text) - 1);
	assert_true(n >= 0);
	text[n] = '\0';
	close(fd);
	assert_string_equal(text, expected);
}

/* What is to be opened: PATH, as this process has it. */
static inline struct broker_file file_at(const char *path)
{
	struct broker_file file = { .kind = BROKER_FILE_PATH, .pid = (uint32_t)getpid() };

	assert_true(strlen(path) < sizeof(file.path));
	memcpy(file.path, path, strlen(path) + 1);
	return file;
}

#endif /* TESTS_PRIV_OPENED_H */
