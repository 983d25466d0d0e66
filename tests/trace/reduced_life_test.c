/* SPDX-License-Identifier: MIT */
#include "trace/made_life.h"

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
	const struct CMUnitTest tests[] = {
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
