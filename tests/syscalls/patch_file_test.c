/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/capability.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/file.h"
#include "patch_plans.h"
#include "support/files.h"
#include "syscalls/patch_file.h"

#ifdef __x86_64__

static struct planned planned;
static char program[256], copy[256];
static char what[PATCH_WHAT_SIZE];

static void put_bytes(const char *path, const void *bytes, size_t size, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static int begin(void **state)
{
	files_begin(state);
	snprintf(program, sizeof(program), "%s", files_path("program"));
	snprintf(copy, sizeof(copy), "%s", files_path("copy"));
	plan_begin(&planned, 0, 2);
	put_bytes(program, planned.sample.bytes, sizeof(planned.sample.bytes), 0751);
	memset(what, 0, sizeof(what));
	return 0;
}

/* How many files there are beside the program. */
static size_t nr_files(void)
{
	DIR *dir = opendir(files_dir());
	size_t nr = 0;

	assert_non_null(dir);
	while (readdir(dir))
		nr++;
	closedir(dir);
	return nr - 3;
}

/* All steps. Returns the first error. */
static int patch(bool is_named)
{
	struct patch_source source;
	struct patch_output output;
	struct patch_image image;
	int err = patch_source_open(file_open(program), &source, what);

	if (err)
		return err;
	err = patch_make(source.bytes, source.size, &planned.plan, &image, what);
	assert_int_equal(err, 0);
	err = patch_output_open(&output, copy, is_named);
	if (!err)
		err = patch_image_write(output.fd, &image, what);
	if (!err)
		err = patch_output_keep(&output, source.fd, what);
	if (!err)
		err = patch_image_verify(output.fd, &source, &planned.plan, what);
	if (!err)
		err = patch_output_publish(&output);
	patch_output_close(&output);
	patch_image_free(&image);
	patch_source_close(&source);
	return err;
}

static void must_be_copied(void)
{
	struct stat was, is;

	assert_int_equal(stat(program, &was), 0);
	assert_int_equal(stat(copy, &is), 0);
	assert_int_equal(is.st_mode, was.st_mode);
	assert_int_equal(is.st_uid, was.st_uid);
	assert_int_equal(is.st_gid, was.st_gid);
	assert_true(is.st_size > was.st_size);
	assert_int_equal(nr_files(), 1);
	/* .bss is a hole */
	assert_true(is.st_blocks * 512 < is.st_size);
}

static void test_a_copy_has_mode_and_owner(void **state)
{
	(void)state;
	if (geteuid() == 0)
		assert_int_equal(chown(program, 12, 34), 0);
	assert_int_equal(patch(false), 0);
	must_be_copied();
}

static void test_a_copy_is_made_without_nameless_files(void **state)
{
	(void)state;
	assert_int_equal(patch(true), 0);
	must_be_copied();
}

static void test_attributes_are_kept(void **state)
{
	char value[8] = "";

	(void)state;
	if (setxattr(program, "user.test", "value", 5, 0) < 0) {
		print_message("no extended attributes in /tmp: %s\n", strerror(errno));
		skip();
	}
	assert_int_equal(patch(false), 0);
	assert_int_equal(getxattr(copy, "user.test", value, sizeof(value)), 5);
	assert_string_equal(value, "value");
}

static void test_nothing_is_replaced(void **state)
{
	(void)state;
	for (int is_named = 0; is_named < 2; is_named++) {
		file_put(copy, "mine", 0600);
		assert_int_equal(patch(is_named), -EEXIST);
		assert_string_equal(file_text(copy), "mine");
		unlink(copy);
		/* also what leads to something, or to nothing */
		assert_int_equal(symlink("nowhere", copy), 0);
		assert_int_equal(patch(is_named), -EEXIST);
		unlink(copy);
		assert_int_equal(nr_files(), 0);
	}
}

/* Somebody takes the name while the copy is written. */
static void test_nothing_is_replaced_at_the_end(void **state)
{
	(void)state;
	for (int is_named = 0; is_named < 2; is_named++) {
		struct patch_output output;

		assert_int_equal(patch_output_open(&output, copy, is_named), 0);
		file_put(copy, "mine", 0600);
		assert_int_equal(patch_output_publish(&output), -EEXIST);
		patch_output_close(&output);
		assert_string_equal(file_text(copy), "mine");
		assert_int_equal(nr_files(), 1);
		unlink(copy);
	}
}

static void test_what_is_not_published_is_gone(void **state)
{
	(void)state;
	for (int is_named = 0; is_named < 2; is_named++) {
		struct patch_output output;

		assert_int_equal(patch_output_open(&output, copy, is_named), 0);
		patch_output_close(&output);
		assert_int_equal(nr_files(), 0);
	}
}

static void test_a_program_that_is_written_to_is_seen(void **state)
{
	struct patch_source source;
	int fd;

	(void)state;
	assert_int_equal(patch_source_open(file_open(program), &source, what), 0);
	assert_true(patch_source_is_current(&source));
	fd = open(program, O_WRONLY);
	assert_true(fd >= 0);
	/* times are as fine as the kernel's tick: the size tells too */
	assert_int_equal(ftruncate(fd, 10), 0);
	close(fd);
	assert_false(patch_source_is_current(&source));
	patch_source_close(&source);
}

static void test_outputs_have_to_be_names_of_files(void **state)
{
	static const char *const paths[] = { "/tmp/", "/tmp/.", "..", "" };
	struct patch_output output;

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_int_equal(patch_output_open(&output, paths[i], false), -EISDIR);
	assert_int_equal(patch_output_open(&output, "/nowhere/at/all", false), -ENOENT);
}

static void test_rights_that_would_be_lost_are_refused(void **state)
{
	struct patch_source source;

	(void)state;
	assert_int_equal(chmod(program, 04755), 0);
	assert_int_equal(patch(false), -EOPNOTSUPP);
	assert_non_null(strstr(what, "is setuid"));
	assert_int_equal(chmod(program, 02755), 0);
	assert_int_equal(patch(false), -EOPNOTSUPP);
	assert_non_null(strstr(what, "is setgid"));
	assert_int_equal(chmod(program, 0755), 0);
	assert_int_equal(patch_source_open(file_open("/dev/null"), &source, what), -EOPNOTSUPP);
	assert_non_null(strstr(what, "regular file"));
	assert_int_equal(patch_source_open(file_open(files_path("none")), &source, what), -ENOENT);
	assert_int_equal(nr_files(), 0);
}

static void test_file_capabilities_are_refused(void **state)
{
	cap_t caps = cap_from_text("cap_net_raw+ep");

	(void)state;
	if (cap_set_file(program, caps) < 0) {
		print_message("no file capabilities can be set: %s\n", strerror(errno));
		cap_free(caps);
		skip();
	}
	cap_free(caps);
	assert_int_equal(patch(false), -EOPNOTSUPP);
	assert_non_null(strstr(what, "file capabilities"));
}

static void test_a_copy_that_was_written_wrongly_is_seen(void **state)
{
	struct patch_source source;
	struct patch_output output;
	struct patch_image image;

	(void)state;
	assert_int_equal(patch_source_open(file_open(program), &source, what), 0);
	assert_int_equal(patch_make(source.bytes, source.size, &planned.plan, &image, what), 0);
	assert_int_equal(patch_output_open(&output, copy, false), 0);
	assert_int_equal(patch_image_write(output.fd, &image, what), 0);
	assert_int_equal(patch_image_verify(output.fd, &source, &planned.plan, what), 0);
	assert_int_equal(pwrite(output.fd, "x", 1, SAMPLE_RODATA), 1);
	assert_int_equal(patch_image_verify(output.fd, &source, &planned.plan, what), -EOPNOTSUPP);
	patch_output_close(&output);
	patch_image_free(&image);
	patch_source_close(&source);
	assert_int_equal(nr_files(), 0);
}

#define FILES_TEST(test) cmocka_unit_test_setup_teardown(test, begin, files_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILES_TEST(test_a_copy_has_mode_and_owner),
		FILES_TEST(test_a_copy_is_made_without_nameless_files),
		FILES_TEST(test_attributes_are_kept),
		FILES_TEST(test_nothing_is_replaced),
		FILES_TEST(test_nothing_is_replaced_at_the_end),
		FILES_TEST(test_what_is_not_published_is_gone),
		FILES_TEST(test_a_program_that_is_written_to_is_seen),
		FILES_TEST(test_outputs_have_to_be_names_of_files),
		FILES_TEST(test_rights_that_would_be_lost_are_refused),
		FILES_TEST(test_file_capabilities_are_refused),
		FILES_TEST(test_a_copy_that_was_written_wrongly_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(plan_skip) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
