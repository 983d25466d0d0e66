/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/files.h"
#include "syscalls/live.h"

static void check(const struct engine_call *call, const char *want)
{
	char line[LIVE_LINE_MAX];
	size_t size = live_render(call, false, line);

	assert_int_equal(size, strlen(want));
	assert_memory_equal(line, want, size);
}

static void test_a_line_has_what_the_call_has(void **state)
{
	struct engine_call call = {
		.pid = 4711,
		.tid = 4711,
		.comm = "prog",
		.arch = SYSCALL_ARCH_x86_64,
		.nr = 1, /* write */
		.args = { 0xffffffff00000002, 0x7ffc00001000, 5, 6, 7, 8 },
		.has_result = true,
		.result = 5,
	};

	(void)state;
	if (syscall_arch_native() != SYSCALL_ARCH_x86_64) {
		print_message("the numbers are those of x86-64\n");
		skip();
	}
	/* The descriptor has 32 bits, the rest of its register is no part of it. */
	check(&call, "[4711 prog] write(0x2, 0x7ffc00001000, 0x5) = 5\n");
	call.result = -32;
	check(&call, "[4711 prog] write(0x2, 0x7ffc00001000, 0x5) = -EPIPE\n");
	call.result = -512;
	check(&call, "[4711 prog] write(0x2, 0x7ffc00001000, 0x5) = -ERESTARTSYS\n");
	call.result = -4000;
	check(&call, "[4711 prog] write(0x2, 0x7ffc00001000, 0x5) = -4000\n");
	call.result = 0x7f0000001000;
	check(&call, "[4711 prog] write(0x2, 0x7ffc00001000, 0x5) = 0x7f0000001000\n");
	call.tid = 4713;
	call.nr = 231; /* exit_group */
	call.has_result = false;
	check(&call, "[4711:4713 prog] exit_group(0x2) = ?\n");
	call.nr = 39; /* getpid */
	call.has_result = true;
	call.result = 4711;
	check(&call, "[4711:4713 prog] getpid() = 4711\n");
}

static void test_other_architectures_and_numbers_are_named(void **state)
{
	struct engine_call call = {
		.pid = 1,
		.tid = 1,
		.comm = "a",
		.arch = SYSCALL_ARCH_i386,
		.nr = 20,
		.has_result = true,
	};

	(void)state;
	check(&call, "[1 a] i386 getpid() = 0\n");
	call.nr = 999;
	check(&call, "[1 a] i386 number 999(0x0, 0x0, 0x0, 0x0, 0x0, 0x0) = 0\n");
}

static void test_a_name_cannot_act_on_the_terminal(void **state)
{
	struct engine_call call = {
		.pid = 1,
		.tid = 1,
		/* As long as there is room, and no NUL. */
		.comm = "\033]0;x\007\xff\n\033[2J\033",
		.arch = SYSCALL_ARCH_i386,
		.nr = 20,
	};
	char line[LIVE_LINE_MAX];
	size_t size = live_render(&call, false, line);

	(void)state;
	for (size_t i = 0; i + 1 < size; i++)
		assert_in_range(line[i], 0x20, 0x7e);
	assert_int_equal(line[size - 1], '\n');
	/* With colour the only escapes are ours. */
	size = live_render(&call, true, line);
	assert_memory_equal(line, "\033[36m[1 ", 8);
	for (size_t i = 0; i < size; i++)
		if (line[i] == '\033')
			assert_int_equal(line[i + 1], '[');
}

static void test_many_lines_are_all_printed(void **state)
{
	struct live *live = calloc(1, sizeof(*live));
	struct engine_call call = {
		.pid = 1, .tid = 1, .comm = "a", .arch = SYSCALL_ARCH_i386, .nr = 20
	};
	const char *path = files_path("lines");
	size_t nr = 0;

	(void)state;
	assert_non_null(live);
	live->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	for (int i = 0; i < 20000; i++)
		live_print(live, &call);
	live_flush(live);
	close(live->fd);
	for (const char *at = file_text(path); *at; at++)
		nr += *at == '\n';
	assert_int_equal(nr, 20000);
	unlink(path);
	free(live);
}

/* A pipe that its reader has made non-blocking is full again and again: nothing is lost for it. */
static void test_a_non_blocking_reader_gets_all(void **state)
{
	struct live *live = calloc(1, sizeof(*live));
	struct engine_call call = {
		.pid = 1, .tid = 1, .comm = "a", .arch = SYSCALL_ARCH_i386, .nr = 20
	};
	int ends[2], status = 0;
	pid_t reader;

	(void)state;
	assert_non_null(live);
	assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	/* far less than what is written at once */
	assert_true(fcntl(ends[1], F_SETPIPE_SZ, 4096) > 0);
	reader = fork();
	assert_true(reader >= 0);
	if (reader == 0) {
		char bytes[4096];
		size_t nr = 0;
		ssize_t n;

		close(ends[1]);
		fcntl(ends[0], F_SETFL, 0);
		while ((n = read(ends[0], bytes, sizeof(bytes))) > 0)
			for (ssize_t i = 0; i < n; i++)
				nr += bytes[i] == '\n';
		_exit(nr == 20000 ? 0 : 1);
	}
	close(ends[0]);
	live->fd = ends[1];
	for (int i = 0; i < 20000; i++)
		live_print(live, &call);
	live_flush(live);
	close(ends[1]);
	assert_int_equal(waitpid(reader, &status, 0), reader);
	assert_int_equal(status, 0);
	free(live);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_line_has_what_the_call_has),
		cmocka_unit_test(test_other_architectures_and_numbers_are_named),
		cmocka_unit_test(test_a_name_cannot_act_on_the_terminal),
		cmocka_unit_test(test_many_lines_are_all_printed),
		cmocka_unit_test(test_a_non_blocking_reader_gets_all),
	};

	return cmocka_run_group_tests(tests, files_begin, files_end);
}
