/* SPDX-License-Identifier: MIT */
#include "trace/made_life.h"

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
	assert_int_equal(event->flags, 0);
	/* It has ended since: what was asked for is not all that it had. */
	proc.cmdline_size = 0;
	take_args(100, asked, sizeof(asked), 0);
	take_exec(100, "script", "./script");
	event = exec_out();
	assert_int_equal(event->argv.size, sizeof(asked));
	assert_int_equal(event->flags, EXEC_ARGV_CUT);
	/* Of a program that is none it is. */
	proc.stat = STAT("dash", "500", "0");
	take_args(100, asked, sizeof(asked), 0);
	take_exec(100, "dash", "/usr/bin/dash");
	assert_int_equal(exec_out()->flags, 0);
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

/* Executed with none, a program may have an empty one: which it is, only /proc tells. */
static void test_no_argument_is_what_proc_makes_of_it(void **state)
{
	(void)state;
	proc.stat = STAT("prog", "500", "0");
	proc.exe = "/bin/prog";
	proc.cwd = "/";
	proc.cmdline = "";
	for (proc.cmdline_size = 0; proc.cmdline_size < 2; proc.cmdline_size++) {
		take_args(100, NULL, 0, 0);
		take_exec(100, "prog", "/bin/prog");
		assert_int_equal(exec_out()->argv.size, proc.cmdline_size);
		assert_int_equal(exec_out()->flags, 0);
	}
	proc.cmdline = NULL;
	take_args(100, NULL, 0, 0);
	take_exec(100, "prog", "/bin/prog");
	assert_true(exec_out()->flags & EXEC_ARGV_FAULT);
	/* An empty one among others is like any. */
	proc.cmdline = "x\0\0";
	proc.cmdline_size = 4;
	take_args(100, "x\0\0", 4, 0);
	take_exec(100, "prog", "/bin/prog");
	assert_int_equal(exec_out()->argv.size, 4);
	assert_int_equal(exec_out()->flags, 0);
	/* Arguments that it has wiped itself. */
	proc.cmdline_size = 0;
	take_args(100, "x\0\0", 4, 0);
	take_exec(100, "prog", "/bin/prog");
	assert_int_equal(exec_out()->argv.size, 4);
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

static void test_a_directory_that_may_be_a_later_one_is_not_told(void **state)
{
	(void)state;
	proc.cwd = "/later";
	proc.fd = "/srv";
	proc.moved_ns = 5000000000 + BEHIND_NS;
	take_open(100, AT_FDCWD, "x.pem", -ENOENT);
	expect(open_out()->dir, "/later");
	proc.moved_ns++;
	take_open(100, AT_FDCWD, "x.pem", -ENOENT);
	assert_int_equal(open_out()->marks, OPEN_DIR_CUT);
	assert_int_equal(open_out()->dir.size, 0);
	assert_int_equal(life_gaps(life)->directories, 1);
	/* A descriptor leads where it did, but in another root it has another name. */
	take_open(100, 5, "x.pem", -ENOENT);
	expect(open_out()->dir, "/srv");
	proc.moved_root = true;
	take_open(100, 5, "x.pem", -ENOENT);
	assert_int_equal(open_out()->marks, OPEN_DIR_CUT);
	take_open(100, AT_FDCWD, "/etc/x.pem", -ENOENT);
	assert_int_equal(open_out()->marks, 0);
	/* Nor that of a program, whose own name does not begin there then. */
	take_exec(100, "prog", "./prog");
	assert_int_equal(exec_out()->cwd.size, 0);
	assert_true(exec_out()->flags & EXEC_PATH_CUT);
	expect(exec_out()->exe, "./prog");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_exec_is_what_proc_tells_while_it_is_that_program),
		TEST(test_exec_of_one_that_is_gone_is_what_was_asked_for),
		TEST(test_what_a_later_program_has_is_not_told_of_an_earlier_one),
		TEST(test_a_script_has_the_arguments_of_its_interpreter),
		TEST(test_arguments_that_were_cut_lost_or_not_readable_are_marked),
		TEST(test_no_argument_is_what_proc_makes_of_it),
		TEST(test_exec_by_a_thread_has_the_arguments_of_that_thread),
		TEST(test_a_name_is_told_with_the_directory_it_starts_from),
		TEST(test_a_directory_that_is_not_known_is_marked_and_counted),
		TEST(test_a_directory_that_may_be_a_later_one_is_not_told),
		TEST(test_identity_is_told_only_of_the_file_that_was_opened),
		TEST(test_the_tools_own_opens_are_rejected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
