/* SPDX-License-Identifier: MIT */
/* What processes have mapped: as records tell, and as /proc has it, through a broker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../priv/opened.h"
#include "sources/lib_load/lib_load.h"
#include "support/raw.h"
#include "tap/owners.h"

#define LIBSSL	  "/usr/lib/libssl.so.3"
#define LIBGNUTLS "/usr/lib/libgnutls.so.30"
/* No process has that pid: PID_MAX_LIMIT of include/linux/threads.h is 4194304. */
#define GONE 5000000U

static struct owners *owners;
static struct raw raw;
static pid_t held; /* a child; 0: none */

static int begin(void **state)
{
	int err = opened_begin(state);

	return err ? err : owners_new(&owners, &broker);
}

static void let_go(void)
{
	if (held)
		child_end(held);
	held = 0;
}

/* The broker waits for a child that a failed test has left, which has its socket, too. */
static int end(void **state)
{
	let_go();
	owners_free(owners);
	return opened_end(state);
}

static struct record record_of(enum source_id source, uint32_t pid, uint64_t start_ns)
{
	raw_begin(&raw, source);
	raw_hdr(&raw)->tgid = pid;
	raw_hdr(&raw)->start_ns = start_ns;
	return (struct record){ .hdr = raw_hdr(&raw), .bytes = raw.bytes };
}

/* (PID, START_NS) maps PATH. */
static void map(uint32_t pid, uint64_t start_ns, const char *path)
{
	struct record record = record_of(SOURCE_lib_load, pid, start_ns);

	raw_tail_text(&raw, offsetof(struct lib_load_event, path), path);
	owners_mapped(owners, &record);
}

static void execute(uint32_t pid, uint64_t start_ns)
{
	struct record record = record_of(SOURCE_process_exec, pid, start_ns);

	owners_executed(owners, &record);
}

/* That the libraries of (PID, START_NS), child of PARENT, are those of EXPECTED, NULL at its end.
 */
static void expect_of(uint32_t pid, uint64_t start_ns, const struct process *parent,
		      const char *const *expected)
{
	const char *paths[OWNER_LIBRARIES_MAX];
	size_t nr = owners_libraries(owners, pid, start_ns, parent, paths);
	size_t i;

	for (i = 0; i < nr && expected[i]; i++)
		assert_string_equal(paths[i], expected[i]);
	assert_int_equal(i, nr);
	assert_null(expected[i]);
}

#define EXPECT(pid, start_ns, ...)                                                                 \
	expect_of(pid, start_ns, NULL, (const char *const[]){ __VA_ARGS__, NULL })
#define EXPECT_NONE(pid, start_ns) expect_of(pid, start_ns, NULL, (const char *const[]){ NULL })

static void test_mapped_library_is_the_process_s(void **state)
{

	(void)state;
	execute(GONE, 1);
	map(GONE, 1, LIBSSL);
	EXPECT(GONE, 1, LIBSSL);
	map(GONE, 1, LIBGNUTLS);
	EXPECT(GONE, 1, LIBSSL, LIBGNUTLS);
	/* Once each, however often it is mapped. */
	map(GONE, 1, LIBSSL);
	EXPECT(GONE, 1, LIBSSL, LIBGNUTLS);
}

static void test_only_what_speaks_tls_counts(void **state)
{

	(void)state;
	execute(GONE, 1);
	map(GONE, 1, "/usr/lib/libcrypto.so.3");
	map(GONE, 1, "/usr/lib/libnettle.so.8");
	map(GONE, 1, "/usr/lib/libc.so.6");
	EXPECT_NONE(GONE, 1);
}

static void test_exec_forgets(void **state)
{

	(void)state;
	map(GONE, 1, LIBSSL);
	execute(GONE, 1);
	EXPECT_NONE(GONE, 1);
	map(GONE, 1, LIBGNUTLS);
	EXPECT(GONE, 1, LIBGNUTLS);
}

static void test_later_process_of_a_pid_has_nothing_of_the_earlier(void **state)
{

	(void)state;
	execute(GONE, 1);
	map(GONE, 1, LIBSSL);
	assert_int_equal(owners_counts(owners)->unread, 0);
	EXPECT_NONE(GONE, 2);
	/* Who takes the place has it. */
	EXPECT_NONE(GONE, 1);
	assert_int_equal(owners_counts(owners)->unread, 2);
}

/* Two processes whose pids share a place; what is not known any more is asked for, not made up. */
static void test_processes_of_one_place_are_not_mixed_up(void **state)
{
	uint32_t other = GONE + OWNERS_MAX;

	(void)state;
	execute(GONE, 1);
	map(GONE, 1, LIBSSL);
	execute(other, 1);
	map(other, 1, LIBGNUTLS);
	EXPECT(other, 1, LIBGNUTLS);
	EXPECT_NONE(GONE, 1);
}

/* A record of a process that is not known says nothing of whose it is. */
static void test_mapping_of_an_unknown_process_is_nobody_s(void **state)
{

	(void)state;
	map(GONE, 0, LIBSSL);
	EXPECT_NONE(GONE, 0);
	EXPECT_NONE(GONE, 1);
}

static void test_further_libraries_are_left_out(void **state)
{
	char path[64];

	(void)state;
	execute(GONE, 1);
	for (int i = 0; i < 2 * OWNER_LIBRARIES_MAX; i++) {
		snprintf(path, sizeof(path), "/opt/%d/libssl.so.3", i);
		map(GONE, 1, path);
	}
	EXPECT(GONE, 1, "/opt/0/libssl.so.3", "/opt/1/libssl.so.3", "/opt/2/libssl.so.3",
	       "/opt/3/libssl.so.3");
	assert_int_equal(owners_counts(owners)->left_out, OWNER_LIBRARIES_MAX);
}

/* Of paths that differ so many are held; what is held stays right. */
static void test_further_paths_are_left_out(void **state)
{
	char path[64];

	(void)state;
	for (uint32_t i = 0; i < OWNERS_LIBRARIES_MAX + 10; i++) {
		snprintf(path, sizeof(path), "/opt/%u/libssl.so.3", i);
		execute(GONE + i, 1);
		map(GONE + i, 1, path);
	}
	EXPECT(GONE, 1, "/opt/0/libssl.so.3");
	EXPECT(GONE + OWNERS_LIBRARIES_MAX - 1, 1, "/opt/255/libssl.so.3");
	EXPECT_NONE(GONE + OWNERS_LIBRARIES_MAX, 1);
	assert_int_equal(owners_counts(owners)->left_out, 10);
	map(GONE + OWNERS_LIBRARIES_MAX, 1, "/opt/7/libssl.so.3");
	EXPECT(GONE + OWNERS_LIBRARIES_MAX, 1, "/opt/7/libssl.so.3");
}

/* A path is the process's own choice. */
static void test_odd_paths_do_no_harm(void **state)
{
	struct record record;
	static char path[20000];

	(void)state;
	execute(GONE, 1);
	record = record_of(SOURCE_lib_load, GONE, 1);
	raw_tail(&raw, offsetof(struct lib_load_event, path), "/a\0/libssl.so.3", 15);
	owners_mapped(owners, &record);
	EXPECT_NONE(GONE, 1);
	memset(path, 'x', sizeof(path));
	memcpy(path + sizeof(path) - 11, "/libssl.so", 11);
	map(GONE, 1, path);
	EXPECT(GONE, 1, path);
}

/* Before it was replaced and after it is the same one. */
static void test_deleted_library_is_no_other(void **state)
{

	(void)state;
	execute(GONE, 1);
	map(GONE, 1, LIBSSL);
	map(GONE, 1, LIBSSL " (deleted)");
	EXPECT(GONE, 1, LIBSSL);
}

/* Maps the file at ARG as a library is. Returns 0 or 1. */
static int map_file(void *arg)
{
	int fd = open(arg, O_RDONLY | O_CLOEXEC);

	return mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED;
}

static char *library_file(const char *name)
{
	char *path = strdup(files_path(name));

	file_put(path, "library", 0755);
	return path;
}

/* A process that maps PATH as a library is, until let_go(). */
static uint32_t hold(char *path)
{
	held = child_start(map_file, path);
	return (uint32_t)held;
}

/* It was there before the tool was. */
static void test_running_process_is_asked_once(void **state)
{
	char *path = library_file("libssl.so.3");
	uint32_t pid = hold(path);
	uint64_t start_ns = start_ns_of(held);

	(void)state;
	EXPECT(pid, start_ns, path);
	let_go();
	/* What it had is known by now. */
	EXPECT(pid, start_ns, path);
	free(path);
}

static void test_mappings_seen_before_it_was_asked_are_told_once(void **state)
{
	char *path = library_file("libssl.so.3");
	uint32_t pid = hold(path);
	uint64_t start_ns = start_ns_of(held);

	(void)state;
	map(pid, start_ns, path);
	map(pid, start_ns, LIBGNUTLS);
	EXPECT(pid, start_ns, path, LIBGNUTLS);
	let_go();
	free(path);
}

/* Data that has the name of a library is none. */
static void test_what_is_not_executable_is_no_library(void **state)
{
	char *path = library_file("libssl.so.3");
	int fd = open_file(path);
	void *memory = mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0);

	(void)state;
	assert_ptr_not_equal(memory, MAP_FAILED);
	for (int i = 0; i < 2; i++) {
		const char *paths[OWNER_LIBRARIES_MAX];
		size_t nr =
			owners_libraries(owners, (uint32_t)getpid(), (uint64_t)i + 1, NULL, paths);

		while (nr-- > 0)
			assert_string_not_equal(paths[nr], path);
	}
	munmap(memory, 1);
	close(fd);
	free(path);
}

static struct process process_of(uint32_t pid, uint64_t start_ns)
{
	return (struct process){ .pid = pid, .start_ns = start_ns };
}

/* A server makes a process for each connection, which ends before anybody can ask it. */
static void test_child_that_is_gone_has_what_its_parent_has(void **state)
{
	struct process parent = process_of(GONE + 1, 1);

	(void)state;
	execute(parent.pid, 1);
	map(parent.pid, 1, LIBSSL);
	expect_of(GONE, 5, &parent, (const char *const[]){ LIBSSL, NULL });
	/* Another one of the parent's pid is not its parent. */
	parent.start_ns = 2;
	expect_of(GONE, 5, &parent, (const char *const[]){ NULL });
}

/* It has an empty list of mappings. */
static void test_child_that_nobody_has_waited_for_is_gone_too(void **state)
{
	struct process parent = process_of(GONE + 1, 1);
	siginfo_t info;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	execute(parent.pid, 1);
	map(parent.pid, 1, LIBSSL);
	expect_of((uint32_t)pid, 5, &parent, (const char *const[]){ LIBSSL, NULL });
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* What it has of its own says that it is no copy. */
static void test_child_that_mapped_something_is_not_its_parent(void **state)
{
	struct process parent = process_of(GONE + 1, 1);

	(void)state;
	execute(parent.pid, 1);
	map(parent.pid, 1, LIBSSL);
	map(GONE, 5, LIBGNUTLS);
	expect_of(GONE, 5, &parent, (const char *const[]){ LIBGNUTLS, NULL });
}

/* The server was there before the tool, and nobody has asked it yet. */
static void test_parent_of_a_child_that_is_gone_is_asked(void **state)
{
	char *path = library_file("libssl.so.3");
	uint32_t pid = hold(path);
	struct process parent = process_of(pid, start_ns_of(held));

	(void)state;
	expect_of(GONE, 5, &parent, (const char *const[]){ path, NULL });
	let_go();
	free(path);
}

/* The place of the child is the place of its parent. */
static void test_parent_in_the_place_of_its_child_is_asked(void **state)
{
	struct process parent = process_of(GONE + OWNERS_MAX, 1);

	(void)state;
	execute(parent.pid, 1);
	map(parent.pid, 1, LIBSSL);
	/* It has given way to the child, and is GONE too. */
	expect_of(GONE, 5, &parent, (const char *const[]){ NULL });
}

static void test_without_broker_records_tell(void **state)
{
	struct broker none = { .fd = -1 };

	(void)state;
	owners_free(owners);
	assert_int_equal(owners_new(&owners, &none), 0);
	map(GONE, 1, LIBSSL);
	EXPECT(GONE, 1, LIBSSL);
	EXPECT_NONE((uint32_t)getpid(), 1);
	owners_free(owners);
	assert_int_equal(owners_new(&owners, &broker), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_mapped_library_is_the_process_s),
		TEST(test_only_what_speaks_tls_counts),
		TEST(test_exec_forgets),
		TEST(test_later_process_of_a_pid_has_nothing_of_the_earlier),
		TEST(test_processes_of_one_place_are_not_mixed_up),
		TEST(test_mapping_of_an_unknown_process_is_nobody_s),
		TEST(test_further_libraries_are_left_out),
		TEST(test_further_paths_are_left_out),
		TEST(test_odd_paths_do_no_harm),
		TEST(test_deleted_library_is_no_other),
		TEST(test_running_process_is_asked_once),
		TEST(test_mappings_seen_before_it_was_asked_are_told_once),
		TEST(test_what_is_not_executable_is_no_library),
		TEST(test_child_that_is_gone_has_what_its_parent_has),
		TEST(test_child_that_nobody_has_waited_for_is_gone_too),
		TEST(test_child_that_mapped_something_is_not_its_parent),
		TEST(test_parent_of_a_child_that_is_gone_is_asked),
		TEST(test_parent_in_the_place_of_its_child_is_asked),
		TEST(test_without_broker_records_tell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
