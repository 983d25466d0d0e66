/* SPDX-License-Identifier: MIT */
#include <endian.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cmd/cmd.h"
#include "cmd/select.h"
#include "sources/source.h"
#include "support/capture.h"

/* What an output holds that was not touched. */
#define UNTOUCHED 0x5a

static struct options options;
static struct trace_config config;
static char command_word[] = "true";
static char *command[] = { command_word, NULL };

static int setup(void **state)
{
	(void)state;
	options_init(&options);
	memset(&config, UNTOUCHED, sizeof(config));
	return 0;
}

/* select_config() of the options. *RET_SAID is what it said. */
static int configure(const char **ret_said)
{
	int status;

	capture_begin(STDERR_FILENO);
	status = select_config(&options, &config);
	*ret_said = capture_end(NULL);
	return status;
}

/* The same where all is well: returns the selection. */
static uint32_t selection(void)
{
	const char *said;

	assert_int_equal(configure(&said), 0);
	assert_string_equal(said, "");
	return config.select;
}

/* Pids mean nothing inside a pid namespace, where select_config() refuses them. */
static bool is_in_pid_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 && st.st_ino != 0xEFFFFFFCU;
}

static void skip_in_pid_namespace(void)
{
	if (is_in_pid_namespace()) {
		print_message("pids cannot be selected inside a pid namespace\n");
		skip();
	}
}

static void add_pid(pid_t pid)
{
	options.pids[options.nr_pids++] = (uint32_t)pid;
}

static void test_defaults_select_everything(void **state)
{
	(void)state;
	assert_false(select_is_narrow(&options));
	assert_int_equal(selection(), 0);
	assert_int_equal(config.ring_size, BUFFER_SIZE_DEFAULT);
	assert_int_equal(config.nr_uids, 0);
	assert_int_equal(config.by_tail, 0);
	assert_int_equal(config.nr_tails, 0);
	assert_int_equal(config.name_size, 0);
	assert_int_equal(config.resolve, 0);
	assert_int_equal(config.wanted, 0);
}

static void test_each_selection_alone_is_narrow(void **state)
{
	(void)state;
	options.nr_pids = 1;
	assert_true(select_is_narrow(&options));
	options.nr_pids = 0;
	options.name = "x";
	assert_true(select_is_narrow(&options));
	options.name = NULL;
	options.nr_uids = 1;
	assert_true(select_is_narrow(&options));
	options.nr_uids = 0;
	options.command = command;
	assert_true(select_is_narrow(&options));
}

static void test_what_is_reported_narrows_no_processes(void **state)
{
	(void)state;
	options.filter.files[options.filter.nr_files++] = "*.pem";
	options.filter.libraries[options.filter.nr_libraries++] = "openssl";
	options.filter.wanted = 1U << SOURCE_file_open;
	options.resolve = true;
	assert_false(select_is_narrow(&options));
	assert_int_equal(selection(), 0);
	assert_int_equal(config.resolve, 1);
}

static void test_buffer_size_is_that_of_the_ring(void **state)
{
	(void)state;
	options.buffer_size = 64U << 20;
	selection();
	assert_int_equal(config.ring_size, 64U << 20);
}

static void test_users_are_copied(void **state)
{
	(void)state;
	options.uids[0] = 0;
	options.uids[1] = 1000;
	options.uids[2] = UINT32_MAX - 1;
	options.nr_uids = 3;
	assert_int_equal(selection(), SELECT_UID);
	assert_int_equal(config.nr_uids, 3);
	assert_int_equal(config.uids[0], 0);
	assert_int_equal(config.uids[1], 1000);
	assert_int_equal(config.uids[2], UINT32_MAX - 1);
}

static void test_name_is_lowered(void **state)
{
	(void)state;
	options.name = "NGinx-\xc3\x89 9";
	assert_int_equal(selection(), SELECT_NAME);
	assert_int_equal(config.name_size, 10);
	assert_memory_equal(config.name, "nginx-\xc3\x89 9", 11);
}

static void test_name_with_children_is_where_trees_start(void **state)
{
	(void)state;
	options.name = "nginx";
	options.follow_children = true;
	assert_int_equal(selection(), SELECT_TREE | SELECT_NAME_ROOTS | SELECT_INHERIT);
}

static void test_name_of_15_bytes_is_whole(void **state)
{
	(void)state;
	options.name = "abcdefghijklmno";
	assert_int_equal(selection(), SELECT_NAME);
	assert_int_equal(config.name_size, 15);
	assert_memory_equal(config.name, "abcdefghijklmno", 16);
}

static void test_longer_name_is_cut_with_a_warning(void **state)
{
	const char *said;

	(void)state;
	options.name = "Abcdefghijklmnop";
	assert_int_equal(configure(&said), 0);
	assert_non_null(strstr(said, "WARN: "));
	assert_non_null(strstr(said, "'Abcdefghijklmno'"));
	assert_int_equal(config.name_size, 15);
	assert_memory_equal(config.name, "abcdefghijklmno", 16);
}

static void test_warning_repeats_no_byte_that_acts_on_a_terminal(void **state)
{
	const char *said;

	(void)state;
	options.name = "\033[31m\xff\nabcdefghijk";
	assert_int_equal(configure(&said), 0);
	assert_non_null(strstr(said, "'\\x1b[31m\\xff\\nabcdefgh'\n"));
	assert_memory_equal(config.name, "\033[31m\xff\nabcdefgh", 16);
}

/* In a child inside a new namespace. Returns 0 when pids and COMMAND are refused there. */
static int try_in_namespace(void)
{
	uint8_t untouched[sizeof(config)];
	const char *said;

	memset(untouched, UNTOUCHED, sizeof(untouched));
	add_pid(getpid());
	if (configure(&said) != EXIT_ERROR || !strstr(said, "Error: --pid and COMMAND"))
		return 2;
	options.nr_pids = 0;
	options.command = command;
	if (configure(&said) != EXIT_ERROR || !strstr(said, "Error: --pid and COMMAND"))
		return 3;
	if (memcmp(&config, untouched, sizeof(config)) != 0)
		return 4;
	options.command = NULL;
	options.name = "x";
	return configure(&said) == 0 ? 0 : 5;
}

static void test_pids_and_command_are_refused_in_a_pid_namespace(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	/* what unshare(2) changes is where children are made, so a child of its own does it */
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWPID) < 0)
			_exit(1);
		pid = fork();
		if (pid == 0)
			_exit(try_in_namespace());
		_exit(waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status)
									   : 6);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 1) {
		print_message("needs the right to make a pid namespace\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_pids_are_roots_whose_children_are_asked_for(void **state)
{
	(void)state;
	skip_in_pid_namespace();
	add_pid(getpid());
	add_pid(1);
	assert_int_equal(selection(), SELECT_TREE);
	options.follow_children = true;
	assert_int_equal(selection(), SELECT_TREE | SELECT_INHERIT);
}

static void test_command_is_a_root_with_its_children(void **state)
{
	(void)state;
	skip_in_pid_namespace();
	options.command = command;
	assert_int_equal(selection(), SELECT_TREE | SELECT_INHERIT);
}

static void test_name_narrows_roots(void **state)
{
	(void)state;
	skip_in_pid_namespace();
	options.name = "nginx";
	options.command = command;
	assert_int_equal(selection(), SELECT_TREE | SELECT_NAME | SELECT_INHERIT);
	options.command = NULL;
	add_pid(getpid());
	assert_int_equal(selection(), SELECT_TREE | SELECT_NAME);
	options.nr_uids = 1;
	options.follow_children = true;
	assert_int_equal(selection(), SELECT_TREE | SELECT_NAME | SELECT_UID | SELECT_INHERIT);
}

/* A process that has ended and was waited for. */
static pid_t gone_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return pid;
}

static void test_process_that_is_gone_is_an_error(void **state)
{
	uint8_t untouched[sizeof(config)];
	const char *said;
	char expected[64];
	pid_t gone;

	(void)state;
	skip_in_pid_namespace();
	memset(untouched, UNTOUCHED, sizeof(untouched));
	gone = gone_process();
	add_pid(getpid());
	add_pid(gone);
	assert_int_equal(configure(&said), EXIT_ERROR);
	snprintf(expected, sizeof(expected), "Error: No process %d\n", gone);
	assert_memory_equal(said, expected, strlen(expected));
	assert_memory_equal(&config, untouched, sizeof(config));
}

static void test_tail_is_the_literal_end_of_a_pattern(void **state)
{
	static const struct {
		const char *pattern;
		const char *tail; /* NULL: none */
	} cases[] = {
		{ "*.pem", ".pem" },
		{ "pem", "pem" },
		{ "x", "x" },
		/* a name in its own directory has no more than the last component */
		{ "/etc/a.pem", "/a.pem" },
		{ "/a/b", "/b" },
		{ "/", "/" },
		{ "/etc/", "/" },
		/* the last 8 bytes */
		{ "12345678", "12345678" },
		{ "123456789", "23456789" },
		{ "/12345678", "12345678" },
		{ "/1234567", "/1234567" },
		{ "*1234567", "1234567" },
		/* no byte that may stand for another */
		{ "a?b", "b" },
		{ "[ab]c", "c" },
		{ "a[bc", "bc" },
		{ "a\\*b", "b" },
		{ "\\a.b", "a.b" },
		{ "\xc3\xa9.\xff", "\xc3\xa9.\xff" },
		/* nothing is sure */
		{ "*", NULL },
		{ "a*", NULL },
		{ "a?", NULL },
		{ "a[bc]", NULL },
		{ "a\\", NULL },
		{ "a[", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t last = UNTOUCHED;
		uint64_t mask = UNTOUCHED;
		bool has_tail = select_tail(cases[i].pattern, &last, &mask);
		uint64_t expected_last = 0;
		uint64_t expected_mask = 0;

		if (cases[i].tail) {
			size_t size = strlen(cases[i].tail);

			memcpy((char *)&expected_last + 8 - size, cases[i].tail, size);
			memset((char *)&expected_mask + 8 - size, 0xff, size);
		}
		if (has_tail != (cases[i].tail != NULL) || last != be64toh(expected_last))
			print_error("'%s'\n", cases[i].pattern);
		assert_int_equal(has_tail, cases[i].tail != NULL);
		assert_true(last == be64toh(expected_last));
		assert_true(mask == be64toh(expected_mask));
	}
}

static void test_every_file_pattern_has_its_tail(void **state)
{
	uint64_t last;
	uint64_t mask;

	(void)state;
	while (options.filter.nr_files < FILTER_PATTERNS_MAX)
		options.filter.files[options.filter.nr_files++] = "*.pem";
	options.filter.files[FILTER_PATTERNS_MAX - 1] = "/etc/id_rsa";
	selection();
	assert_int_equal(config.by_tail, 1);
	assert_int_equal(config.nr_tails, FILTER_PATTERNS_MAX);
	assert_true(select_tail("*.pem", &last, &mask));
	assert_true(config.tails[0].last == last && config.tails[0].mask == mask);
	assert_true(config.tails[14].last == last && config.tails[14].mask == mask);
	assert_true(select_tail("/etc/id_rsa", &last, &mask));
	assert_true(config.tails[15].last == last && config.tails[15].mask == mask);
}

/* Otherwise the kernel would turn away what that pattern wants. */
static void test_one_pattern_without_a_tail_lets_every_name_through(void **state)
{
	static const char *const patterns[] = { "*.pem", "/etc/ssl/*", "*.key" };

	(void)state;
	for (size_t first = 0; first < ARRAY_SIZE(patterns); first++) {
		setup(NULL);
		for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
			options.filter.files[options.filter.nr_files++] =
				patterns[(first + i) % ARRAY_SIZE(patterns)];
		selection();
		assert_int_equal(config.by_tail, 1);
		assert_int_equal(config.nr_tails, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_defaults_select_everything, setup),
		cmocka_unit_test_setup(test_each_selection_alone_is_narrow, setup),
		cmocka_unit_test_setup(test_what_is_reported_narrows_no_processes, setup),
		cmocka_unit_test_setup(test_buffer_size_is_that_of_the_ring, setup),
		cmocka_unit_test_setup(test_users_are_copied, setup),
		cmocka_unit_test_setup(test_name_is_lowered, setup),
		cmocka_unit_test_setup(test_name_with_children_is_where_trees_start, setup),
		cmocka_unit_test_setup(test_name_of_15_bytes_is_whole, setup),
		cmocka_unit_test_setup(test_longer_name_is_cut_with_a_warning, setup),
		cmocka_unit_test_setup(test_warning_repeats_no_byte_that_acts_on_a_terminal, setup),
		cmocka_unit_test_setup(test_pids_and_command_are_refused_in_a_pid_namespace, setup),
		cmocka_unit_test_setup(test_pids_are_roots_whose_children_are_asked_for, setup),
		cmocka_unit_test_setup(test_command_is_a_root_with_its_children, setup),
		cmocka_unit_test_setup(test_name_narrows_roots, setup),
		cmocka_unit_test_setup(test_process_that_is_gone_is_an_error, setup),
		cmocka_unit_test_setup(test_tail_is_the_literal_end_of_a_pattern, setup),
		cmocka_unit_test_setup(test_every_file_pattern_has_its_tail, setup),
		cmocka_unit_test_setup(test_one_pattern_without_a_tail_lets_every_name_through,
				       setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
