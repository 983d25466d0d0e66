/* SPDX-License-Identifier: MIT */
/* Which processes a profile is of, and what is noted of them; the document: see beside. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "inventory/made_profile.h"

#define CRYPTO "/usr/lib/libcrypto.so.3"
#define SSL    "/usr/lib/libssl.so.3"

static void test_new_profiles_are_empty_and_have_not_ended(void **state)
{
	(void)state;
	assert_int_equal(profiles_count(profiles), 0);
	assert_int_equal(profiles_count_members(profiles), 0);
	assert_false(profiles_have_ended(profiles));
	profiles_free(NULL);
}

static void test_target_has_what_its_process_has(void **state)
{
	struct inventory_process *process = made_process(7, "web");
	struct inventory_object *object;
	const uint64_t began_ns = MADE_START_NS + 7 + (uint64_t)MADE_OFFSET_NS;
	const struct profile *profile;

	(void)state;
	process->uid = 33;
	process->gid = 34;
	made_exe(process, "/usr/sbin/web", 1);
	made_program(made_library(process, CRYPTO, 2), "3.0.1");
	object = made_object("/etc/web.key", 3);
	assert_int_equal(inventory_open(inventory, process, object, 4, O_RDONLY), 0);
	assert_int_equal(inventory_open(inventory, process, object, 5, O_WRONLY | O_APPEND), 0);
	made_target(process);
	made_target(process);
	assert_int_equal(profiles_count(profiles), 1);
	assert_int_equal(profiles_count_members(profiles), 1);
	profile = made_profile(0);
	assert_int_equal(profile->process.pid, 7);
	assert_int_equal(profile->process.ppid, 1);
	assert_int_equal(profile->process.uid, 33);
	assert_int_equal(profile->process.gid, 34);
	assert_string_equal(profile->process.name, "web");
	assert_string_equal(profile->process.exe, "/usr/sbin/web");
	assert_int_equal(profile->process.start_ns, began_ns);
	assert_false(profile->process.has_ended);
	assert_null(profile->process.cmdline);
	assert_string_equal(library_at(profile, 0)->path, CRYPTO);
	assert_string_equal(library_at(profile, 0)->name, "libcrypto.so.3");
	assert_string_equal(library_at(profile, 0)->version, "3.0.1");
	assert_int_equal(library_at(profile, 0)->load_ns, began_ns);
	assert_true(library_at(profile, 0)->was_before);
	assert_false(library_at(profile, 0)->is_stale);
	assert_string_equal(file_at(profile, 0)->path, "/etc/web.key");
	assert_int_equal(file_at(profile, 0)->access_count, 2);
	assert_int_equal(file_at(profile, 0)->mode, PROFILE_read_write);
	assert_int_equal(file_at(profile, 0)->first_ns, began_ns);
	assert_int_equal(file_at(profile, 0)->last_ns, began_ns);
	assert_true(file_at(profile, 0)->was_before);
	assert_int_equal(profile->statistics.total_events, 0);
}

static void test_replaced_library_is_stale(void **state)
{
	struct inventory_process *process = made_process(7, "web");

	(void)state;
	made_library(process, CRYPTO " (deleted)", 2);
	made_target(process);
	assert_true(library_at(made_profile(0), 0)->is_stale);
	assert_string_equal(library_at(made_profile(0), 0)->path, CRYPTO);
}

static void test_events_of_others_are_overlooked(void **state)
{
	(void)state;
	made_target(made_process(7, "web"));
	made_open(8, "/a.pem", O_RDONLY, 0);
	made_record(SOURCE_process_fork, 9)->ppid = 8;
	taken();
	assert_int_equal(profiles_count(profiles), 1);
	assert_int_equal(profiles_count_members(profiles), 1);
	assert_int_equal(made_profile(0)->files.count, 0);
	assert_int_equal(made_profile(0)->statistics.total_events, 0);
}

/* As /proc tells it: in clock ticks, of which events are not the multiples. */
static void test_process_of_proc_is_known_by_events(void **state)
{
	struct inventory_process *process = made_process(7, "web");

	(void)state;
	process->start_ns -= 7;
	process->start_step_ns = 10;
	made_target(process);
	made_open(7, "/mine.pem", O_RDONLY, 0);
	assert_int_equal(made_profile(0)->files.count, 1);
	made_exit(7, 0);
	made_record(SOURCE_file_open, 7)->start_ns += 3;
	raw_tail_text(&raw, offsetof(struct file_open_event, name), "/other.pem");
	taken();
	assert_int_equal(made_profile(0)->files.count, 1);
	assert_true(profiles_have_ended(profiles));
}

static void test_reused_pid_does_not_enter(void **state)
{
	(void)state;
	made_target(made_process(7, "web"));
	made_open(7, "/mine.pem", O_RDONLY, 0);
	made_exit(7, 0);
	made_record(SOURCE_file_open, 7)->start_ns++;
	raw_tail_text(&raw, offsetof(struct file_open_event, name), "/other.pem");
	taken();
	assert_int_equal(made_profile(0)->files.count, 1);
	assert_string_equal(file_at(made_profile(0), 0)->path, "/mine.pem");
	assert_int_equal(made_profile(0)->statistics.total_events, 2);
	assert_true(profiles_have_ended(profiles));
}

static void test_children_of_a_reused_pid_do_not_enter(void **state)
{
	(void)state;
	made_target(made_process(7, "web"));
	made_target(made_process(6, "other"));
	made_exit(7, 0);
	made_fork(20, 7);
	made_open(20, "/other.pem", O_RDONLY, 0);
	made_record(SOURCE_file_open, 21)->ppid = 7;
	raw_tail_text(&raw, offsetof(struct file_open_event, name), "/other.pem");
	taken();
	made_fork(22, 6);
	assert_int_equal(profiles_count_members(profiles), 3);
	assert_int_equal(made_profile(0)->files.count, 0);
}

static void test_unknown_process_becomes_a_target_where_it_is_meant(void **state)
{
	(void)state;
	is_target = true;
	made_open(8, "/a.pem", O_RDONLY, 0);
	made_open(9, "/a.pem", O_RDONLY, 0);
	made_open(8, "/b.pem", O_RDONLY, 0);
	assert_int_equal(profiles_count(profiles), 2);
	assert_int_equal(made_profile(0)->process.pid, 8);
	assert_int_equal(made_profile(0)->process.ppid, RAW_PPID);
	assert_int_equal(made_profile(0)->process.uid, RAW_UID);
	assert_int_equal(made_profile(0)->process.gid, RAW_UID);
	assert_string_equal(made_profile(0)->process.name, RAW_COMM);
	assert_int_equal(made_profile(0)->process.start_ns,
			 MADE_START_NS + 8 + (uint64_t)MADE_OFFSET_NS);
	assert_int_equal(made_profile(0)->files.count, 2);
	assert_int_equal(made_profile(1)->files.count, 1);
}

static void test_children_do_not_enter_where_they_are_not_followed(void **state)
{
	struct inventory_process *child = made_process(8, "child");

	(void)state;
	child->ppid = 7;
	made_target(made_process(7, "web"));
	made_descendant(child);
	made_fork(9, 7);
	made_open(8, "/a.pem", O_RDONLY, 0);
	made_open(9, "/a.pem", O_RDONLY, 0);
	assert_int_equal(profiles_count_members(profiles), 1);
	assert_int_equal(made_profile(0)->files.count, 0);
	assert_false(made_profile(0)->has_members);
}

static void test_descendants_enter_and_orphans_stay(void **state)
{
	(void)state;
	made_target(made_process(7, "web"));
	made_fork(8, 7);
	made_fork(9, 8);
	made_exit(8, 0);
	/* Its parent is another by now. */
	made_open(9, "/a.pem", O_RDONLY, 0);
	made_fork(10, 9);
	made_open(10, "/a.pem", O_RDONLY, 0);
	assert_int_equal(profiles_count(profiles), 1);
	assert_int_equal(profiles_count_members(profiles), 4);
	assert_int_equal(made_profile(0)->files.count, 1);
	assert_int_equal(file_at(made_profile(0), 0)->access_count, 2);
	assert_int_equal(member_at(made_profile(0), 2)->pid, 9);
	assert_int_equal(member_at(made_profile(0), 2)->ppid, 8);
	assert_int_equal(member_at(made_profile(0), 2)->events, 1);
	assert_true(member_at(made_profile(0), 1)->has_ended);
}

static void test_thirty_generations_enter(void **state)
{
	(void)state;
	made_target(made_process(100, "web"));
	for (uint32_t pid = 101; pid <= 130; pid++) {
		made_fork(pid, pid - 1);
		made_exit(pid - 1, 0);
	}
	made_open(130, "/a.pem", O_RDONLY, 0);
	assert_int_equal(profiles_count_members(profiles), 31);
	assert_int_equal(made_profile(0)->files.count, 1);
}

static void test_descendants_of_the_start_enter_with_what_they_have(void **state)
{
	struct inventory_process *child = made_process(9, "child");
	struct inventory_process *grandchild = made_process(8, "grandchild");

	(void)state;
	child->ppid = 10;
	grandchild->ppid = 9;
	made_library(child, CRYPTO, 1);
	made_file(grandchild, "/a.key", 2, 3);
	made_target(made_process(10, "web"));
	made_descendant(grandchild);
	assert_int_equal(profiles_count_members(profiles), 1);
	made_descendant(child);
	made_descendant(grandchild);
	made_descendant(grandchild);
	made_descendant(made_process(11, "other"));
	assert_int_equal(profiles_count_members(profiles), 3);
	assert_int_equal(made_profile(0)->libraries.count, 1);
	assert_int_equal(file_at(made_profile(0), 0)->access_count, 1);
}

static void test_first_access_is_of_the_process_that_began_first(void **state)
{
	struct inventory_process *younger = made_process(8, "a");
	struct inventory_process *older = made_process(9, "b");
	const struct profile_file *file;

	(void)state;
	younger->ppid = older->ppid = 7;
	younger->start_ns = MADE_START_NS + 2 * SECOND_NS;
	older->start_ns = MADE_START_NS + SECOND_NS;
	made_file(younger, "/a.key", 2, 3);
	made_file(older, "/a.key", 2, 3);
	made_target(made_process(7, "web"));
	made_descendant(younger);
	made_descendant(older);
	file = file_at(made_profile(0), 0);
	assert_int_equal(file->access_count, 2);
	assert_true(file->first_ns <= file->last_ns);
	assert_int_equal(file->first_ns, older->start_ns + (uint64_t)MADE_OFFSET_NS);
}

static void test_exec_makes_the_target_another_program(void **state)
{
	static const char argv[] = "curl\0-k\0https://a/";
	struct inventory_process *process = made_process(7, "sh");
	const struct profile *profile;

	(void)state;
	made_exe(process, "/bin/sh", 1);
	made_target(process);
	assert_int_equal(profiles_set_cmdline(profiles, 7, "sh\0-c", 6), 0);
	assert_int_equal(profiles_set_cmdline(profiles, 8, "other", 6), 0);
	assert_memory_equal(made_profile(0)->process.cmdline, "sh\0-c", 6);
	made_exec(7, "/usr/bin/curl", argv, sizeof(argv));
	profile = made_profile(0);
	assert_string_equal(profile->process.exe, "/usr/bin/curl");
	assert_string_equal(profile->process.name, RAW_COMM);
	assert_int_equal(profile->process.cmdline_size, sizeof(argv));
	assert_memory_equal(profile->process.cmdline, argv, sizeof(argv));
	assert_int_equal(profile->programs.count, 1);
	assert_int_equal(((const struct profile_program *)profile->programs.items)->at_ns,
			 made_at(0));
	/* What a process is made as stays. */
	assert_int_equal(profile->process.start_ns, MADE_START_NS + 7 + (uint64_t)MADE_OFFSET_NS);
}

static void test_exec_of_a_child_is_a_program_and_leaves_the_target(void **state)
{
	struct inventory_process *process = made_process(7, "sh");

	(void)state;
	made_exe(process, "/bin/sh", 1);
	made_target(process);
	made_fork(8, 7);
	made_exec(8, "/bin/cat", "cat", 4);
	assert_string_equal(made_profile(0)->process.exe, "/bin/sh");
	assert_string_equal(made_profile(0)->process.name, "sh");
	assert_int_equal(made_profile(0)->programs.count, 1);
	assert_int_equal(made_profile(0)->statistics.programs_executed, 1);
}

static void test_exit_tells_how_the_target_ended(void **state)
{
	(void)state;
	made_target(made_process(7, "web"));
	made_target(made_process(8, "web"));
	made_exit(7, 3 << 8);
	assert_false(profiles_have_ended(profiles));
	made_exit(8, 9);
	assert_true(profiles_have_ended(profiles));
	assert_true(made_profile(0)->process.has_ended);
	assert_int_equal(made_profile(0)->process.exit_code, 3);
	assert_int_equal(made_profile(1)->process.exit_code, 137);
}

static void test_exit_of_a_child_is_not_that_of_the_target(void **state)
{
	(void)state;
	made_target(made_process(7, "web"));
	made_fork(8, 7);
	made_exit(8, 3 << 8);
	assert_false(made_profile(0)->process.has_ended);
	assert_false(profiles_have_ended(profiles));
	made_exit(7, 0);
	assert_true(profiles_have_ended(profiles));
}

static void test_library_is_told_once_with_its_first_time(void **state)
{
	(void)state;
	made_target(made_process(7, "web"));
	made_fork(8, 7);
	made_load(7, SSL, 5);
	made_load(8, SSL, 5);
	made_load(8, CRYPTO, 6);
	assert_int_equal(made_profile(0)->libraries.count, 2);
	assert_string_equal(library_at(made_profile(0), 1)->path, SSL);
	assert_int_equal(library_at(made_profile(0), 1)->load_ns, made_at(1));
	assert_false(library_at(made_profile(0), 1)->was_before);
	assert_int_equal(made_profile(0)->statistics.total_events, 3);
}

static void test_accesses_and_failures_are_counted_apart(void **state)
{
	const struct profile_file *file;

	(void)state;
	made_target(made_process(7, "web"));
	made_open(7, "/a.pem", O_RDONLY, -ENOENT);
	made_open(7, "/a.pem", O_RDONLY, -EACCES);
	file = file_at(made_profile(0), 0);
	assert_int_equal(file->mode, PROFILE_none);
	assert_int_equal(file->access_count, 0);
	assert_int_equal(file->failures, 2);
	assert_string_equal(file->last_error, "EACCES");
	assert_int_equal(file->first_ns, made_at(0));
	assert_int_equal(file->last_ns, made_at(1));
	made_open(7, "/a.pem", O_WRONLY | O_CREAT, 0);
	assert_int_equal(file->mode, PROFILE_write);
	made_open(7, "/a.pem", O_RDONLY, 0);
	file = file_at(made_profile(0), 0);
	assert_int_equal(file->mode, PROFILE_read_write);
	assert_int_equal(file->access_count, 2);
	assert_int_equal(file->failures, 2);
	assert_int_equal(file->last_ns, made_at(3));
	assert_false(file->was_before);
	made_open(7, "/b.pem", O_RDWR, 0);
	assert_int_equal(file_at(made_profile(0), 1)->mode, PROFILE_read_write);
}

static void test_file_is_told_with_its_latest_content(void **state)
{
	struct content first = { .kind = FILE_KIND_certificate };
	struct content second = { .kind = FILE_KIND_private_key };

	(void)state;
	made_target(made_process(7, "web"));
	opened = &first;
	made_open(7, "/a.pem", O_RDONLY, 0);
	made_open(7, "/a.pem", O_RDONLY, 0);
	assert_ptr_equal(file_at(made_profile(0), 0)->content, &first);
	assert_int_equal(first.nr_keepers, 1);
	opened = &second;
	made_open(7, "/a.pem", O_RDONLY, 0);
	assert_ptr_equal(file_at(made_profile(0), 0)->content, &second);
	assert_int_equal(file_at(made_profile(0), 0)->kind, FILE_KIND_private_key);
	assert_int_equal(first.nr_keepers, 0);
	/* Who keeps it is the profile; it is not on the stack any more when that ends. */
	opened = NULL;
	profiles_free(profiles);
	profiles = NULL;
	assert_int_equal(second.nr_keepers, 0);
}

static void test_version_is_that_of_the_library_beside(void **state)
{
	struct inventory_process *process = made_process(7, "web");
	struct broker nobody = { .fd = -1 };
	uint64_t nr_short = 1;

	(void)state;
	made_program(made_library(process, CRYPTO, 1), "3.0.1");
	made_target(process);
	made_load(7, SSL, 2);
	made_load(7, "/opt/lib/libssl.so.3", 3);
	made_load(7, "/usr/lib/libgnutls.so.30", 4);
	assert_int_equal(profiles_find_versions(profiles, &nobody, &nr_short), 0);
	/* Nobody is there to ask: that is not what is counted. */
	assert_int_equal(nr_short, 0);
	assert_null(library_at(made_profile(0), 0)->version);
	assert_string_equal(library_at(made_profile(0), 0)->path, "/opt/lib/libssl.so.3");
	assert_string_equal(library_at(made_profile(0), 1)->version, "3.0.1");
	assert_null(library_at(made_profile(0), 2)->version);
	assert_string_equal(library_at(made_profile(0), 3)->version, "3.0.1");
	assert_string_equal(library_at(made_profile(0), 3)->path, SSL);
}

/* Beyond a limit things are counted, not told; the run goes on. */
static void test_libraries_beyond_the_limit_do_not_end_the_run(void **state)
{
	char path[64];

	(void)state;
	made_target(made_process(7, "web"));
	for (int i = 0; i <= PROFILE_LIBRARIES_MAX; i++) {
		snprintf(path, sizeof(path), "/%d/libssl.so.3", i);
		made_load(7, path, 1 + (uint64_t)i);
	}
	assert_int_equal(made_profile(0)->libraries.count, PROFILE_LIBRARIES_MAX);
}

static void test_files_beyond_the_limit_do_not_end_the_run(void **state)
{
	struct profile_entry *entry;

	(void)state;
	made_target(made_process(7, "web"));
	made_open(7, "/a.pem", O_RDONLY, 0);
	entry = profiles->entries[0];
	/* As if they were there: to open so many takes seconds. */
	entry->files = reallocarray(entry->files, PROFILE_FILES_MAX, sizeof(entry->files[0]));
	assert_non_null(entry->files);
	for (; entry->nr_files < PROFILE_FILES_MAX; entry->nr_files++) {
		entry->files[entry->nr_files] = entry->files[0];
		entry->files[entry->nr_files].hash = 0;
	}
	made_open(7, "/b.pem", O_RDONLY, 0);
	assert_int_equal(entry->nr_files, PROFILE_FILES_MAX);
	made_open(7, "/a.pem", O_RDONLY, 0);
	assert_int_equal(entry->files[0].access_count, 2);
}

static void test_members_are_limited(void **state)
{
	(void)state;
	made_target(made_process(7, "web"));
	for (uint32_t i = 0; i < PROFILE_MEMBERS_MAX + 10; i++)
		made_fork(100 + i, 7);
	assert_int_equal(profiles_count_members(profiles), PROFILE_MEMBERS_MAX);
}

static void test_targets_are_limited(void **state)
{
	(void)state;
	is_target = true;
	for (uint32_t i = 0; i < PROFILES_MAX + 10; i++)
		made_exec(100 + i, "/bin/x", "x", 2);
	assert_int_equal(profiles_count(profiles), PROFILES_MAX);
}

/* A program that tries again and again must not make this one grow. */
static void test_failures_take_no_memory_each(void **state)
{
	size_t before;

	(void)state;
	made_target(made_process(7, "web"));
	made_open(7, "/a.pem", O_RDONLY, -ENOENT);
	/* What the sink has written is a file in memory, not counted here. */
	before = mallinfo2().uordblks;
	for (int i = 0; i < 50000; i++)
		made_open(7, "/a.pem", O_RDONLY, -ENOENT);
	assert_int_equal(file_at(made_profile(0), 0)->failures, 50001);
	assert_true(mallinfo2().uordblks < before + (256U << 10));
}

static void test_programs_are_limited(void **state)
{
	size_t before = mallinfo2().uordblks;

	(void)state;
	made_target(made_process(7, "sh"));
	made_fork(8, 7);
	for (int i = 0; i < 100000; i++)
		made_exec(8, "/usr/bin/program", "program", 8);
	assert_int_equal(made_profile(0)->statistics.programs_executed, 100000);
	assert_in_range(made_profile(0)->programs.count, 1, 65536);
	assert_true(mallinfo2().uordblks < before + (8U << 20));
}

static uint64_t cpu_ns(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now), 0);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

/* CPU time for 4,096 files more, the first of which is number FROM. */
static uint64_t open_more(uint32_t from)
{
	uint64_t began_ns = cpu_ns();
	char path[32];

	for (uint32_t i = from; i < from + 4096; i++) {
		snprintf(path, sizeof(path), "/%u.pem", i);
		made_open(7, path, O_RDONLY, -ENOENT);
	}
	return cpu_ns() - began_ns;
}

/* Or else events are lost of a program that opens many. */
static void test_files_take_no_longer_the_more_there_are(void **state)
{
	uint64_t first_ns;
	uint64_t last_ns = UINT64_MAX;

	(void)state;
	made_target(made_process(7, "web"));
	first_ns = open_more(0);
	/* The best of the later ones: what a host takes from its guest is counted as theirs. */
	for (uint32_t i = 1; i < 8; i++) {
		uint64_t ns = open_more(4096 * i);

		if (i >= 4 && ns < last_ns)
			last_ns = ns;
	}
	assert_int_equal(made_profile(0)->files.count, 32768);
	if (last_ns > 3 * first_ns)
		print_error("the first took %lu us, later ones %lu us\n",
			    (unsigned long)(first_ns / 1000), (unsigned long)(last_ns / 1000));
	assert_true(last_ns <= 3 * first_ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALONE(test_new_profiles_are_empty_and_have_not_ended),
		ALONE(test_target_has_what_its_process_has),
		ALONE(test_replaced_library_is_stale),
		ALONE(test_events_of_others_are_overlooked),
		TREE(test_process_of_proc_is_known_by_events),
		TREE(test_reused_pid_does_not_enter),
		TREE(test_children_of_a_reused_pid_do_not_enter),
		ALONE(test_unknown_process_becomes_a_target_where_it_is_meant),
		ALONE(test_children_do_not_enter_where_they_are_not_followed),
		TREE(test_descendants_enter_and_orphans_stay),
		TREE(test_thirty_generations_enter),
		TREE(test_descendants_of_the_start_enter_with_what_they_have),
		TREE(test_first_access_is_of_the_process_that_began_first),
		ALONE(test_exec_makes_the_target_another_program),
		TREE(test_exec_of_a_child_is_a_program_and_leaves_the_target),
		ALONE(test_exit_tells_how_the_target_ended),
		TREE(test_exit_of_a_child_is_not_that_of_the_target),
		TREE(test_library_is_told_once_with_its_first_time),
		ALONE(test_accesses_and_failures_are_counted_apart),
		ALONE(test_file_is_told_with_its_latest_content),
		ALONE(test_version_is_that_of_the_library_beside),
		ALONE(test_libraries_beyond_the_limit_do_not_end_the_run),
		ALONE(test_files_beyond_the_limit_do_not_end_the_run),
		TREE(test_members_are_limited),
		ALONE(test_targets_are_limited),
		ALONE(test_failures_take_no_memory_each),
		TREE(test_programs_are_limited),
		ALONE(test_files_take_no_longer_the_more_there_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
