/* SPDX-License-Identifier: MIT */
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
} proc;

static struct life *life;

/* What came out last, and how many. */
static uint8_t out[65536] __attribute__((aligned(8)));
static size_t nr_out;

static ssize_t ask_text(void *ctx, uint32_t pid, enum broker_text kind, char *to, size_t size)
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

static int ask_look(void *ctx, uint32_t pid, int fd, struct broker_link *ret)
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

static int ask_find(void *ctx, uint32_t pid, const char *path, struct stat *ret)
{
	(void)ctx;
	(void)pid;
	(void)path;
	if (!proc.named_inode)
		return -ENOENT;
	*ret = (struct stat){ .st_ino = proc.named_inode, .st_dev = 0x801 };
	return 0;
}

static int sink(void *ctx, const void *bytes, size_t size)
{
	(void)ctx;
	assert_true(size <= sizeof(out));
	memcpy(out, bytes, size);
	nr_out++;
	return 0;
}

static void begin_with(const struct trace_config *config)
{
	const struct life_ask ask = { .text = ask_text, .look = ask_look, .find = ask_find };

	memset(&proc, 0, sizeof(proc));
	nr_out = 0;
	assert_int_equal(life_new(&life, config), 0);
	life_set_ask(life, &ask);
}

static int begin(void **state)
{
	const struct trace_config all = { 0 };

	(void)state;
	begin_with(&all);
	return 0;
}

static int end(void **state)
{
	(void)state;
	life_free(life);
	life = NULL;
	return 0;
}

/* --- raw records --- */

static uint8_t bytes[RAW_RECORD_MAX];

/* Hands over a record of TYPE with the FIXED part that is in BYTES already, and TEXT behind it. */
static void take(enum raw_type type, uint32_t pid, uint32_t tid, const char *comm, size_t fixed,
		 const void *text, size_t text_size)
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

static void take_fork(uint32_t pid, uint32_t child)
{
	struct raw_fork fork = { .pid = child, .comm = "child" };

	memcpy(bytes, &fork, sizeof(fork));
	take(RAW_FORK, pid, pid, "parent", sizeof(fork), NULL, 0);
}

static void take_open(uint32_t pid, int dirfd, const char *name, int64_t result)
{
	struct raw_open open = { .flags = O_RDONLY,
				 .result = result,
				 .dirfd = dirfd,
				 .name_size = (uint32_t)strlen(name) + 1 };

	memcpy(bytes, &open, sizeof(open));
	take(RAW_OPEN, pid, pid, "opener", sizeof(open), name, strlen(name) + 1);
}

static void take_args(uint32_t tid, const void *args, size_t size, uint32_t flags)
{
	struct raw_args event = { .flags = flags, .args_size = (uint32_t)size };

	memcpy(bytes, &event, sizeof(event));
	take(RAW_ARGS, 100, tid, "before", sizeof(event), args, size);
}

static void take_exec(uint32_t old_tid, const char *comm, const char *name)
{
	struct raw_exec exec = { .old_tid = old_tid, .name_size = (uint32_t)strlen(name) + 1 };

	memcpy(bytes, &exec, sizeof(exec));
	take(RAW_EXEC, 100, 100, comm, sizeof(exec), name, strlen(name) + 1);
}

static void take_exit(uint32_t pid, uint32_t tid, enum raw_end how, uint32_t code)
{
	struct raw_exit event = { .end = how, .code = code };

	memcpy(bytes, &event, sizeof(event));
	take(RAW_EXIT, pid, tid, "ender", sizeof(event), NULL, 0);
}

static void take_rename(uint32_t tid, const char *comm)
{
	struct raw_rename rename = { .tid = tid };

	snprintf(rename.comm, sizeof(rename.comm), "%s", comm);
	memcpy(bytes, &rename, sizeof(rename));
	take(RAW_RENAME, tid, tid, comm, sizeof(rename), NULL, 0);
}

/* Whether TAIL of what came out is TEXT. */
static void expect(struct tail tail, const char *text)
{
	assert_int_equal(tail.size, strlen(text));
	assert_memory_equal(out + tail.off, text, tail.size);
}

static const struct process_exec_event *exec_out(void)
{
	const struct process_exec_event *event = (const void *)out;

	assert_int_equal(event->hdr.source, SOURCE_process_exec);
	return event;
}

static const struct file_open_event *open_out(void)
{
	const struct file_open_event *event = (const void *)out;

	assert_int_equal(event->hdr.source, SOURCE_file_open);
	return event;
}

static uint32_t status_out(void)
{
	const struct process_exit_event *event = (const void *)out;

	assert_int_equal(event->hdr.source, SOURCE_process_exit);
	return event->status;
}

/* The 52 fields of /proc/100/stat that matter, of a process called COMM. */
#define STAT(comm, start, code)                                                                    \
	"100 (" comm ") R 42 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 " start                             \
	" 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 " code "\n"

/* --- executed programs --- */

static void test_exec_is_what_proc_tells_while_it_is_that_program(void **state)
{
	static const char argv[] = "prog\0one\0two";
	const struct process_exec_event *event;

	(void)state;
	proc.stat = STAT("prog", "500", "0");
	proc.exe = "/usr/bin/real";
	proc.cwd = "/home";
	proc.cgroup = "0::/a/docker-1.scope\n";
	proc.cmdline = argv;
	proc.cmdline_size = sizeof(argv);
	take_args(100, argv, sizeof(argv), 0);
	take_exec(100, "prog", "link");
	assert_int_equal(nr_out, 1);
	event = exec_out();
	expect(event->exe, "/usr/bin/real");
	expect(event->cwd, "/home");
	expect(event->cgroup, "docker-1.scope");
	assert_int_equal(event->argv.size, sizeof(argv));
	assert_int_equal(event->flags, 0);
	assert_int_equal(event->hdr.ppid, 42);
	assert_int_equal(event->hdr.uid, 7);
	/* Of a process that was never heard of before, in ticks of 10 ms. */
	assert_int_equal(event->hdr.start_ns, 5000000000);
	assert_int_equal(event->hdr.ts_ns, 5000000000 + BEHIND_NS);
}

static void test_exec_of_one_that_is_gone_is_what_was_asked_for(void **state)
{
	static const char argv[] = "prog\0one";
	const struct process_exec_event *event;

	(void)state;
	take_args(100, argv, sizeof(argv), 0);
	take_exec(100, "prog", "/bin/prog");
	event = exec_out();
	expect(event->exe, "/bin/prog");
	assert_int_equal(event->cwd.size, 0);
	assert_int_equal(event->argv.size, sizeof(argv));
	assert_true(event->flags & EXEC_PATH_CUT);
	assert_int_equal(life_gaps(life)->images, 1);
	assert_int_equal(life_gaps(life)->beginnings, 1);
}

static void test_what_a_later_program_has_is_not_told_of_an_earlier_one(void **state)
{
	static const char first[] = "first\0a";
	static const char second[] = "second\0b";
	const struct process_exec_event *event;

	(void)state;
	proc.stat = STAT("second", "500", "0");
	proc.exe = "/bin/second";
	proc.cwd = "/home";
	proc.cmdline = second;
	proc.cmdline_size = sizeof(second);
	take_args(100, first, sizeof(first), 0);
	take_exec(100, "first", "./first");
	event = exec_out();
	expect(event->exe, "/home/first");
	assert_memory_equal(out + event->argv.off, first, sizeof(first));
	/* Nor arguments that it has put into their place itself. */
	proc.stat = STAT("first", "500", "0");
	take_args(100, first, sizeof(first), 0);
	take_exec(100, "first", "./first");
	event = exec_out();
	assert_int_equal(event->argv.size, sizeof(first));
	assert_memory_equal(out + event->argv.off, first, sizeof(first));
}

static void test_a_script_has_the_arguments_of_its_interpreter(void **state)
{
	static const char asked[] = "s\0x";
	static const char has[] = "/bin/sh\0-e\0./script\0x";
	const struct process_exec_event *event;

	(void)state;
	proc.stat = STAT("script", "500", "0");
	proc.exe = "/bin/dash";
	proc.cwd = "/";
	proc.cmdline = has;
	proc.cmdline_size = sizeof(has);
	take_args(100, asked, sizeof(asked), 0);
	take_exec(100, "script", "./script");
	event = exec_out();
	assert_int_equal(event->argv.size, sizeof(has));
	assert_memory_equal(out + event->argv.off, has, sizeof(has));
}

static void test_arguments_that_were_cut_lost_or_not_readable_are_marked(void **state)
{
	(void)state;
	take_args(100, "a", 2, RAW_ARGS_CUT);
	take_exec(100, "prog", "/bin/prog");
	assert_true(exec_out()->flags & EXEC_ARGV_CUT);
	take_args(100, "a", 2, RAW_ARGS_FAULT);
	take_exec(100, "prog", "/bin/prog");
	assert_true(exec_out()->flags & EXEC_ARGV_FAULT);
	/* Those of the last exec are not those of this one. */
	take_exec(100, "prog", "/bin/prog");
	assert_true(exec_out()->flags & EXEC_ARGV_FAULT);
	assert_int_equal(exec_out()->argv.size, 0);
}

static void test_exec_by_a_thread_has_the_arguments_of_that_thread(void **state)
{
	(void)state;
	take_args(101, "by thread", 10, 0);
	take_args(100, "by first", 9, 0);
	take_exec(101, "prog", "/bin/prog");
	assert_memory_equal(out + exec_out()->argv.off, "by thread", 10);
}

/* --- opened files --- */

static void test_a_name_is_told_with_the_directory_it_starts_from(void **state)
{
	(void)state;
	proc.cwd = "/etc";
	take_open(100, AT_FDCWD, "x.pem", -ENOENT);
	expect(open_out()->dir, "/etc");
	expect(open_out()->name, "x.pem");
	assert_int_equal(open_out()->result, -ENOENT);
	assert_int_equal(open_out()->marks, 0);
	proc.fd = "/srv";
	take_open(100, 5, "x.pem", -ENOENT);
	expect(open_out()->dir, "/srv");
	take_open(100, 5, "/x.pem", -ENOENT);
	assert_int_equal(open_out()->dir.size, 0);
}

static void test_a_directory_that_is_not_known_is_marked_and_counted(void **state)
{
	(void)state;
	take_open(100, AT_FDCWD, "x.pem", -ENOENT);
	assert_int_equal(open_out()->marks, OPEN_DIR_CUT);
	/* A socket is none, and -5 no descriptor. */
	proc.fd = "socket:[1]";
	take_open(100, 5, "x.pem", -ENOTDIR);
	assert_int_equal(open_out()->marks, OPEN_DIR_CUT);
	proc.fd = "/srv";
	take_open(100, -5, "x.pem", -EBADF);
	assert_int_equal(open_out()->marks, OPEN_DIR_CUT);
	assert_int_equal(life_gaps(life)->directories, 3);
}

static void test_identity_is_told_only_of_the_file_that_was_opened(void **state)
{
	(void)state;
	proc.fd = "/etc/x.pem";
	proc.inode = 9;
	take_open(100, AT_FDCWD, "/etc//x.pem", 3);
	assert_int_equal(open_out()->inode, 9);
	assert_int_equal(open_out()->dev_major, 8);
	assert_int_equal(open_out()->ctime_ns, 77);
	/* The descriptor is another's by now. */
	proc.fd = "/etc/other";
	take_open(100, AT_FDCWD, "/etc/x.pem", 3);
	assert_int_equal(open_out()->inode, 0);
	proc.named_inode = 10;
	take_open(100, AT_FDCWD, "/etc/x.pem", 3);
	assert_int_equal(open_out()->inode, 0);
	/* A symbolic link. */
	proc.named_inode = 9;
	take_open(100, AT_FDCWD, "/etc/x.pem", 3);
	assert_int_equal(open_out()->inode, 9);
	/* One that was not opened has none. */
	take_open(100, AT_FDCWD, "/etc/x.pem", -EACCES);
	assert_int_equal(open_out()->inode, 0);
	assert_int_equal(life_gaps(life)->files, 2);
}

static void test_the_tools_own_opens_are_rejected(void **state)
{
	(void)state;
	life_set_own(life, 200, 201);
	take_open(200, AT_FDCWD, "/x.pem", 3);
	take_open(201, AT_FDCWD, "/x.pem", 3);
	assert_int_equal(nr_out, 0);
	take_open(202, AT_FDCWD, "/x.pem", 3);
	assert_int_equal(nr_out, 1);
	assert_int_equal(life_counts(life, SOURCE_file_open)->rejected, 2);
	assert_int_equal(life_counts(life, SOURCE_file_open)->sent, 1);
}

/* --- the ends of processes --- */

static void test_every_end_has_its_status(void **state)
{
	(void)state;
	take_exit(100, 100, RAW_END_GROUP, 259);
	assert_int_equal(status_out(), 3 << 8);
	take_exit(101, 101, RAW_END_CALL, 9);
	assert_int_equal(status_out(), 9 << 8);
	take_exit(102, 102, RAW_END_SIGNAL, 15);
	assert_int_equal(status_out(), 15);
}

static void test_an_end_that_nobody_saw_is_asked_of_proc(void **state)
{
	(void)state;
	proc.stat = STAT("x", "500", "139");
	take_exit(100, 100, RAW_END_UNKNOWN, 0);
	assert_int_equal(status_out(), 139);
	proc.stat = NULL;
	take_exit(101, 101, RAW_END_UNKNOWN, 0);
	assert_int_equal(((struct process_exit_event *)out)->flags, EXIT_STATUS_UNKNOWN);
	assert_int_equal(life_gaps(life)->ends, 1);
}

static void test_of_two_last_threads_one_ends_the_process(void **state)
{
	(void)state;
	take_exit(100, 101, RAW_END_CALL, 0);
	take_exit(100, 102, RAW_END_CALL, 0);
	assert_int_equal(nr_out, 1);
	/* A new process of that number. */
	take_fork(1, 100);
	take_exit(100, 100, RAW_END_GROUP, 0);
	assert_int_equal(nr_out, 3);
}

/* --- processes --- */

static void test_a_child_has_one_identity_that_agrees_with_proc(void **state)
{
	const struct process_fork_event *event = (const void *)out;

	(void)state;
	/* Made in the tick before the record's: at most its last nanosecond. */
	proc.stat = STAT("child", "499", "0");
	take_fork(50, 100);
	assert_int_equal(event->hdr.source, SOURCE_process_fork);
	assert_int_equal(event->hdr.type, PROCESS_FORK);
	assert_int_equal(event->hdr.tgid, 100);
	assert_int_equal(event->hdr.ppid, 50);
	assert_int_equal(event->hdr.start_ns, 5000000000 - 1);
	assert_string_equal(event->hdr.comm, "child");
	take_open(100, AT_FDCWD, "/x.pem", -ENOENT);
	assert_int_equal(open_out()->hdr.start_ns, 5000000000 - 1);
}

static void test_an_orphan_has_the_parent_that_proc_tells(void **state)
{
	(void)state;
	take_fork(50, 100);
	take_exit(50, 50, RAW_END_GROUP, 0);
	proc.stat = STAT("child", "500", "0");
	take_open(100, AT_FDCWD, "/x.pem", -ENOENT);
	assert_int_equal(open_out()->hdr.ppid, 42);
}

static void seed(uint32_t pid, uint32_t ppid, const char *comm)
{
	struct process_seed process = { .tgid = pid, .ppid = ppid, .start_ns = 1, .uid = 7 };

	snprintf(process.comm, sizeof(process.comm), "%s", comm);
	life_seed(life, &process);
}

static void test_a_tree_is_its_root_and_who_descends_from_it(void **state)
{
	const struct trace_config config = { .select = SELECT_TREE | SELECT_INHERIT };

	end(state);
	begin_with(&config);
	life_add_root(life, 10);
	seed(1, 0, "init");
	seed(10, 1, "root");
	seed(11, 10, "child");
	seed(12, 1, "other");
	life_select(life);
	assert_true(life_is_selected(life, 10));
	assert_true(life_is_selected(life, 11));
	assert_false(life_is_selected(life, 12));
	take_fork(11, 20);
	take_fork(12, 21);
	assert_int_equal(nr_out, 1);
	assert_true(life_is_selected(life, 20));
	assert_false(life_is_selected(life, 21));
	take_exit(21, 21, RAW_END_GROUP, 0);
	assert_int_equal(life_counts(life, SOURCE_process_exit)->rejected, 1);
	/* Its number is free for a member then, and a root's for one that is none. */
	take_fork(20, 21);
	assert_true(life_is_selected(life, 21));
	take_exit(10, 10, RAW_END_GROUP, 0);
	take_fork(12, 10);
	assert_false(life_is_selected(life, 10));
}

static void test_a_name_selects_from_the_rename_on_and_until_the_next(void **state)
{
	const struct trace_config config = { .select = SELECT_NAME, .name_size = 3, .name = "web" };
	const struct process_fork_event *event = (const void *)out;

	end(state);
	begin_with(&config);
	seed(10, 1, "shell");
	life_select(life);
	take_rename(10, "MyWebServer");
	assert_int_equal(event->hdr.type, PROCESS_RENAME);
	assert_int_equal(event->hdr.flags, 0);
	assert_true(life_is_selected(life, 10));
	take_rename(10, "shell");
	assert_int_equal(event->hdr.flags, HDR_LEFT_SET);
	assert_false(life_is_selected(life, 10));
	take_rename(10, "shell2");
	assert_int_equal(nr_out, 2);
}

static void test_users_select_by_the_user_of_the_moment(void **state)
{
	const struct trace_config config = { .select = SELECT_UID, .nr_uids = 1, .uids = { 7 } };

	end(state);
	begin_with(&config);
	take_open(10, AT_FDCWD, "/x.pem", -ENOENT);
	assert_int_equal(nr_out, 1);
	assert_true(life_is_selected(life, 10));
}

static void test_what_is_malformed_is_counted_and_nothing_else(void **state)
{
	(void)state;
	assert_int_equal(life_take(life, "x", 1, 0, sink, NULL), 0);
	assert_int_equal(nr_out, 0);
	assert_int_equal(life_gaps(life)->malformed, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(test_exec_is_what_proc_tells_while_it_is_that_program),
		TEST(test_exec_of_one_that_is_gone_is_what_was_asked_for),
		TEST(test_what_a_later_program_has_is_not_told_of_an_earlier_one),
		TEST(test_a_script_has_the_arguments_of_its_interpreter),
		TEST(test_arguments_that_were_cut_lost_or_not_readable_are_marked),
		TEST(test_exec_by_a_thread_has_the_arguments_of_that_thread),
		TEST(test_a_name_is_told_with_the_directory_it_starts_from),
		TEST(test_a_directory_that_is_not_known_is_marked_and_counted),
		TEST(test_identity_is_told_only_of_the_file_that_was_opened),
		TEST(test_the_tools_own_opens_are_rejected),
		TEST(test_every_end_has_its_status),
		TEST(test_an_end_that_nobody_saw_is_asked_of_proc),
		TEST(test_of_two_last_threads_one_ends_the_process),
		TEST(test_a_child_has_one_identity_that_agrees_with_proc),
		TEST(test_an_orphan_has_the_parent_that_proc_tells),
		TEST(test_a_tree_is_its_root_and_who_descends_from_it),
		TEST(test_a_name_selects_from_the_rename_on_and_until_the_next),
		TEST(test_users_select_by_the_user_of_the_moment),
		TEST(test_what_is_malformed_is_counted_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
