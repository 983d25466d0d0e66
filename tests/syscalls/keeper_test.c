/* SPDX-License-Identifier: MIT */
/* What the keeper writes when the tool is gone. The rest of it: tests/cmd/syscalls_record.bats. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/wait.h>
#include <unistd.h>

#include "syscalls/keeper.h"
#include "syscalls/made_recording.h"

static int written[2];

static int write_to_pipe(void *ctx, const char *bytes, size_t size)
{
	(void)ctx;
	return write(written[1], bytes, size) == (ssize_t)size ? 0 : -EIO;
}

/* Begins to guard run ID of a recording that nothing can be read of. */
static void guard(struct keeper *keeper, const struct recording *recording, unsigned int id)
{
	struct keeper_guard guard = { .run = made_run(id), .recording = recording };
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	for (size_t i = 0; i < NR_RECORD_FDS; i++)
		guard.fds.fd[i] = fd;
	assert_int_equal(keeper_guard(keeper, &guard), 0);
	close(fd);
}

/* The tool has died: what the keeper wrote, for the caller to free; NULL: nothing. */
static char *will_of(struct keeper *keeper)
{
	char *text = calloc(1, 1 << 16);
	ssize_t n;

	assert_non_null(text);
	close(keeper->fd);
	assert_int_equal(waitpid(keeper->pid, NULL, 0), keeper->pid);
	close(written[1]);
	n = read(written[0], text, (1 << 16) - 1);
	close(written[0]);
	if (n > 0)
		return text;
	free(text);
	return NULL;
}

static void test_earlier_runs_outlive_one_that_cannot_be_read(void **state)
{
	struct recording *earlier = MADE_OF(1, 0, 1, 3);
	const struct keeper_config config = { .write = write_to_pipe };
	struct keeper keeper;
	char *text, *want;

	(void)state;
	assert_int_equal(pipe(written), 0);
	assert_int_equal(keeper_start(&keeper, &config), 0);
	assert_int_equal(keeper_save(&keeper, earlier), 0);
	guard(&keeper, earlier, 2);
	text = will_of(&keeper);
	assert_non_null(text);
	want = made_text(earlier);
	assert_string_equal(text, want);
	free(want);
	free(text);
	recording_free(earlier);
}

static void test_without_earlier_runs_there_is_nothing(void **state)
{
	struct recording *empty = made_new();
	const struct keeper_config config = { .write = write_to_pipe };
	struct keeper keeper;

	(void)state;
	assert_int_equal(pipe(written), 0);
	assert_int_equal(keeper_start(&keeper, &config), 0);
	guard(&keeper, empty, 1);
	assert_null(will_of(&keeper));
	recording_free(empty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_earlier_runs_outlive_one_that_cannot_be_read),
		cmocka_unit_test(test_without_earlier_runs_there_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
