/* SPDX-License-Identifier: MIT */
#ifndef TESTS_TRACE_MADE_LIFE_H
#define TESTS_TRACE_MADE_LIFE_H

/* Raw records of old kernels for reduced_life.h, a /proc, and what came out. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sources/file_open/file_open.h"
#include "sources/process_exec/process_exec.h"
#include "sources/process_exit/process_exit.h"
#include "sources/process_fork/process_fork.h"
#include "trace/raw.h"
#include "trace/reduced_life.h"

#define BEHIND_NS 1000

/* What /proc tells in a test; NULL: it has no such process any more. */
static struct {
	const char *stat;
	const char *cmdline;
	size_t cmdline_size;
	const char *cgroup;
	const char *exe;
	const char *cwd;
	const char *fd;
	uint64_t inode;
	uint64_t named_inode; /* of the file that has the name; 0: none has */
	uint64_t moved_ns;    /* when it changed its directory */
	bool moved_root;      /* and its root */
} proc;

static struct life *life;

/* What came out last, and how many. */
static uint8_t out[65536] __attribute__((aligned(8)));
static size_t nr_out;

static inline ssize_t ask_text(void *ctx, uint32_t pid, enum broker_text kind, char *to,
			       size_t size)
{
	const char *text = kind == BROKER_TEXT_stat	 ? proc.stat
			   : kind == BROKER_TEXT_cgroup	 ? proc.cgroup
			   : kind == BROKER_TEXT_cmdline ? proc.cmdline
							 : NULL;
	size_t n = text ? kind == BROKER_TEXT_cmdline ? proc.cmdline_size : strlen(text) : 0;

	(void)ctx;
	(void)pid;
	if (!text)
		return -ENOENT;
	memcpy(to, text, n < size ? n : size);
	return (ssize_t)(n < size ? n : size);
}

static inline int ask_look(void *ctx, uint32_t pid, int fd, struct broker_link *ret)
{
	const char *path = fd == LIFE_LOOK_EXE	 ? proc.exe
			   : fd == LIFE_LOOK_CWD ? proc.cwd
						 : proc.fd;

	(void)ctx;
	(void)pid;
	if (!path)
		return -ENOENT;
	*ret = (struct broker_link){
		.inode = proc.inode, .dev_major = 8, .dev_minor = 1, .ctime_ns = 77
	};
	snprintf(ret->path, sizeof(ret->path), "%s", path);
	return 0;
}

static inline int ask_find(void *ctx, uint32_t pid, const char *path, struct stat *ret)
{
	(void)ctx;
	(void)pid;
	(void)path;
	if (!proc.named_inode)
		return -ENOENT;
	*ret = (struct stat){ .st_ino = proc.named_inode, .st_dev = 0x801 };
	return 0;
}

static inline bool ask_moved(void *ctx, uint32_t pid, uint64_t ts_ns, bool only_root)
{
	(void)ctx;
	(void)pid;
	return proc.moved_ns > ts_ns && (proc.moved_root || !only_root);
}

static inline int sink(void *ctx, const void *bytes, size_t size)
{
	(void)ctx;
	assert_true(size <= sizeof(out));
	memcpy(out, bytes, size);
	nr_out++;
	return 0;
}

static inline void begin_with(const struct trace_config *config)
{
	const struct life_ask ask = {
		.text = ask_text, .look = ask_look, .find = ask_find, .moved = ask_moved
	};

	memset(&proc, 0, sizeof(proc));
	nr_out = 0;
	assert_int_equal(life_new(&life, config), 0);
	life_set_ask(life, &ask);
}

static inline int begin(void **state)
{
	const struct trace_config all = { 0 };

	(void)state;
	begin_with(&all);
	return 0;
}

static inline int end(void **state)
{
	(void)state;
	life_free(life);
	life = NULL;
	return 0;
}

/* --- raw records --- */

static uint8_t bytes[RAW_RECORD_MAX];

/* Hands over a record of TYPE with the FIXED part that is in BYTES already, and TEXT behind it. */
static inline void take(enum raw_type type, uint32_t pid, uint32_t tid, const char *comm,
			size_t fixed, const void *text, size_t text_size)
{
	struct raw_head head = {
		.type = type,
		.size = (uint32_t)(fixed + text_size),
		.ts_ns = 5000000000,
		.tgid = pid,
		.tid = tid,
		.uid = 7,
		.gid = 8,
	};

	snprintf(head.comm, sizeof(head.comm), "%s", comm);
	memcpy(bytes, &head, sizeof(head));
	if (text_size)
		memcpy(bytes + fixed, text, text_size);
	assert_int_equal(life_take(life, bytes, fixed + text_size, BEHIND_NS, sink, NULL), 0);
}

static inline void take_fork(uint32_t pid, uint32_t child)
{
	struct raw_fork fork = { .pid = child, .comm = "child" };

	memcpy(bytes, &fork, sizeof(fork));
	take(RAW_FORK, pid, pid, "parent", sizeof(fork), NULL, 0);
}

static inline void take_open(uint32_t pid, int dirfd, const char *name, int64_t result)
{
	struct raw_open open = { .flags = O_RDONLY,
				 .result = result,
				 .dirfd = dirfd,
				 .name_size = (uint32_t)strlen(name) + 1 };

	memcpy(bytes, &open, sizeof(open));
	take(RAW_OPEN, pid, pid, "opener", sizeof(open), name, strlen(name) + 1);
}

static inline void take_args(uint32_t tid, const void *args, size_t size, uint32_t flags)
{
	struct raw_args event = { .flags = flags, .args_size = (uint32_t)size };

	memcpy(bytes, &event, sizeof(event));
	take(RAW_ARGS, 100, tid, "before", sizeof(event), args, size);
}

static inline void take_exec(uint32_t old_tid, const char *comm, const char *name)
{
	struct raw_exec exec = { .old_tid = old_tid, .name_size = (uint32_t)strlen(name) + 1 };

	memcpy(bytes, &exec, sizeof(exec));
	take(RAW_EXEC, 100, 100, comm, sizeof(exec), name, strlen(name) + 1);
}

static inline void take_exit(uint32_t pid, uint32_t tid, enum raw_end how, uint32_t code)
{
	struct raw_exit event = { .end = how, .code = code };

	memcpy(bytes, &event, sizeof(event));
	take(RAW_EXIT, pid, tid, "ender", sizeof(event), NULL, 0);
}

static inline void take_rename(uint32_t tid, const char *comm)
{
	struct raw_rename rename = { .tid = tid };

	snprintf(rename.comm, sizeof(rename.comm), "%s", comm);
	memcpy(bytes, &rename, sizeof(rename));
	take(RAW_RENAME, tid, tid, comm, sizeof(rename), NULL, 0);
}

/* Whether TAIL of what came out is TEXT. */
static inline void expect(struct tail tail, const char *text)
{
	assert_int_equal(tail.size, strlen(text));
	assert_memory_equal(out + tail.off, text, tail.size);
}

static inline const struct process_exec_event *exec_out(void)
{
	const struct process_exec_event *event = (const void *)out;

	assert_int_equal(event->hdr.source, SOURCE_process_exec);
	return event;
}

static inline const struct file_open_event *open_out(void)
{
	const struct file_open_event *event = (const void *)out;

	assert_int_equal(event->hdr.source, SOURCE_file_open);
	return event;
}

static inline uint32_t status_out(void)
{
	const struct process_exit_event *event = (const void *)out;

	assert_int_equal(event->hdr.source, SOURCE_process_exit);
	return event->status;
}

/* The 52 fields of /proc/100/stat that matter, of a process called COMM. */
#define STAT(comm, start, code)                                                                    \
	"100 (" comm ") R 42 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 " start                             \
	" 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 " code "\n"

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif /* TESTS_TRACE_MADE_LIFE_H */
