/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/capability.h>

#include <cmocka.h>

#include "check/check.h"
#include "check/verdict.h"

static struct check check;

static int begin(void **state)
{
	(void)state;
	memset(&check, 0, sizeof(check));
	check_begin(&check);
	return 0;
}

static void test_every_source_is_a_feature(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_SOURCES; i++) {
		struct check_feature *feature = check_find(&check, sources[i]->name);

		assert_ptr_equal(feature, &check.all[i]);
		assert_true(check_is_event(feature));
	}
	for (size_t i = 0; i < NR_CHECK_FEATURES; i++) {
		assert_ptr_equal(check_find(&check, check.all[i].name), &check.all[i]);
		assert_true(strlen(check.all[i].help) > 0);
		assert_int_equal(check.all[i].verdict.status, CHECK_UNAVAILABLE);
	}
	assert_false(check_is_event(check_find(&check, "monitor")));
	assert_null(check_find(&check, "nonsense"));
}

static void test_what_is_named_is_shown_and_counted(void **state)
{
	static const char *const names[] = { "monitor", "file_open", "monitor" };

	(void)state;
	for (size_t i = 0; i < NR_CHECK_FEATURES; i++)
		verdict_works(&check.all[i].verdict);
	check.all[SOURCE_file_open].verdict.status = CHECK_LIMITED;
	check_end(&check, names, 3);
	assert_int_equal(check.features.count, 2);
	assert_string_equal(check.shown[0].name, "file_open");
	assert_string_equal(check.shown[1].name, "monitor");
	assert_int_equal(check.summary.works, 1);
	assert_int_equal(check.summary.limited, 1);
	check_end(&check, NULL, 0);
	assert_int_equal(check.features.count, NR_CHECK_FEATURES);
	assert_int_equal(check.summary.works, NR_CHECK_FEATURES - 1);
}

static void test_hopeless_is_only_what_the_kernel_makes_so(void **state)
{
	static const char *const one[] = { "file_open" };
	static const char *const none[] = { "syscalls_run" };

	(void)state;
	for (size_t i = 0; i < NR_SOURCES; i++)
		verdict_add(&check.all[i].verdict, CHECK_UNAVAILABLE, CHECK_KERNEL, "x", NULL,
			    NULL);
	check_end(&check, NULL, 0);
	assert_true(check_is_hopeless(&check));
	check_end(&check, none, 1);
	assert_false(check_is_hopeless(&check));
	verdict_works(&check.all[SOURCE_lib_load].verdict);
	check_end(&check, NULL, 0);
	assert_false(check_is_hopeless(&check));
	check_end(&check, one, 1);
	assert_true(check_is_hopeless(&check));
	assert_false(check_has_cause(&check, CHECK_PRIVILEGES));
	check.all[SOURCE_file_open].verdict.cause = CHECK_PRIVILEGES;
	check_end(&check, one, 1);
	assert_false(check_is_hopeless(&check));
	assert_true(check_has_cause(&check, CHECK_PRIVILEGES));
}

/* Where all that can be wrong is. */
static void test_the_text_fits_whatever_is_wrong(void **state)
{
	char *text = NULL;
	size_t size;

	(void)state;
	check.kernel = "6.18.0-with-a-rather-long-local-version-of-the-distribution-and-more-amd64";
	check.host.arch = "x86_64";
	check.host.uid = 1000;
	for (size_t i = 0; i < NR_CHECK_FEATURES; i++) {
		struct check_verdict *verdict = &check.all[i].verdict;

		check.all[i].hook = "a hook whose name is so long that it does not fit into a line "
				    "beside the others";
		verdict_refused(verdict, CHECK_UNAVAILABLE, &check.host,
				i % 2 ? UINT64_MAX >> 23 : CHECK_CAP(CAP_BPF), "bpf(2)", -EPERM);
		verdict_add(verdict, CHECK_UNAVAILABLE, CHECK_KERNEL,
			    "a sentence that is longer than a line of eighty columns has room for",
			    "another one that also takes more than one line of the terminal", NULL);
	}
	check_end(&check, NULL, 0);
	assert_int_equal(check_text(&check, false, &text, &size), 0);
	assert_int_equal(strlen(text), size);
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") <= 80);
	assert_null(strchr(text, '\033'));
	/* each reason once, with those that have it */
	assert_non_null(strstr(text, "process_fork, process_exit"));
	free(text);
	assert_int_equal(check_text(&check, true, &text, &size), 0);
	assert_non_null(strchr(text, '\033'));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_every_source_is_a_feature, begin),
		cmocka_unit_test_setup(test_what_is_named_is_shown_and_counted, begin),
		cmocka_unit_test_setup(test_hopeless_is_only_what_the_kernel_makes_so, begin),
		cmocka_unit_test_setup(test_the_text_fits_whatever_is_wrong, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
