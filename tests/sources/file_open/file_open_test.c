/* SPDX-License-Identifier: MIT */
#include <asm/fcntl.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sources/file_open/file_open.h"
#include "support/parsed.h"
#include "support/stage.h"

#define AT(member)    offsetof(struct file_open_event, member)
#define NAME_MAX_SIZE 4095 /* PATH_MAX without the NUL */

static struct file_open_event *const event = (void *)raw.bytes;

static void make(const char *dir, const char *name)
{
	raw_begin(&raw, SOURCE_file_open);
	raw_tail_text(&raw, AT(name), name);
	if (dir)
		raw_tail_text(&raw, AT(dir), dir);
}

/* The value of FIELD for an open of NAME below DIR. */
static const char *value_of(const char *field, const char *dir, const char *name)
{
	make(dir, name);
	return parsed_value(taken(), field);
}

static void test_open_has_all_its_fields(void **state)
{
	(void)state;
	make("/home/bob", "certs/server.crt");
	raw_tail_text(&raw, AT(real), "/home/bob/certs/2026.crt");
	event->flags = O_RDONLY | O_CLOEXEC;
	event->inode = 1234;
	event->dev_major = 254;
	event->dev_minor = 1;
	assert_string_equal(taken(),
			    "{\"event_type\":\"file_open\","
			    "\"timestamp\":\"2026-11-21T09:00:05.123456Z\",\"pid\":100,\"ppid\":1,"
			    "\"uid\":1000,\"process\":\"demo\","
			    "\"file\":\"/home/USER/certs/server.crt\","
			    "\"flags\":\"O_RDONLY|O_CLOEXEC\",\"result\":\"success\","
			    "\"file_type\":\"certificate\",\"file_kind\":\"certificate\","
			    "\"dev\":\"254:1\",\"inode\":1234,"
			    "\"real_path\":\"/home/USER/certs/2026.crt\"}\n");
}

static void test_failed_open_has_no_identity(void **state)
{
	(void)state;
	make(NULL, "/etc/ssl/private/server.key");
	event->result = -EACCES;
	assert_string_equal(taken(),
			    "{\"event_type\":\"file_open\","
			    "\"timestamp\":\"2026-11-21T09:00:05.123456Z\",\"pid\":100,\"ppid\":1,"
			    "\"uid\":1000,\"process\":\"demo\","
			    "\"file\":\"/etc/ssl/private/server.key\",\"flags\":\"O_RDONLY\","
			    "\"result\":\"EACCES\",\"file_type\":\"private_key\","
			    "\"file_kind\":\"private_key\"}\n");
}

static void check_result(int32_t result, const char *expected)
{
	make(NULL, "/x.pem");
	event->result = result;
	assert_string_equal(parsed_value(taken(), "result"), expected);
}

static void test_result_is_success_or_the_error(void **state)
{
	(void)state;
	check_result(0, "success");
	check_result(5, "success");
	check_result(-EPERM, "EPERM");
	check_result(-ENOENT, "ENOENT");
	check_result(-EACCES, "EACCES");
	check_result(-ENOTDIR, "ENOTDIR");
	check_result(-EISDIR, "EISDIR");
	check_result(-ELOOP, "ELOOP");
	check_result(-ENAMETOOLONG, "ENAMETOOLONG");
	check_result(-EMFILE, "EMFILE");
	check_result(-EXDEV, "EXDEV");
	check_result(-ETXTBSY, "ETXTBSY");
}

static void test_unknown_error_is_its_number(void **state)
{
	(void)state;
	check_result(-4000, "errno 4000");
	check_result(INT32_MIN, "errno 2147483648");
	check_result(INT32_MIN + 1, "errno 2147483647");
}

static void check_path(const char *dir, const char *name, const char *expected)
{
	assert_string_equal(value_of("file", dir, name), expected);
}

static void test_relative_name_is_joined_with_its_directory(void **state)
{
	(void)state;
	check_path("/etc/ssl", "cert.pem", "/etc/ssl/cert.pem");
	check_path("/", "cert.pem", "/cert.pem");
	check_path("/etc/ssl", "certs/cert.pem", "/etc/ssl/certs/cert.pem");
	check_path("/etc/ssl", "./cert.pem", "/etc/ssl/cert.pem");
	check_path("/etc/ssl", "../pki/cert.pem", "/etc/pki/cert.pem");
	check_path("/etc/ssl", "../../../cert.pem", "/cert.pem");
	check_path("/etc/ssl/", "cert.pem", "/etc/ssl/cert.pem");
	check_path("/etc//ssl", ".//cert.pem", "/etc/ssl/cert.pem");
	check_path("/srv", "cert.pem/", "/srv/cert.pem");
}

static void test_absolute_name_is_collapsed(void **state)
{
	(void)state;
	check_path(NULL, "/etc/ssl/cert.pem", "/etc/ssl/cert.pem");
	check_path(NULL, "/etc//ssl/./x/../cert.pem", "/etc/ssl/cert.pem");
	check_path(NULL, "/srv/../home/bob/k.pem", "/home/USER/k.pem");
	check_path(NULL, "/home//carol/k.pem", "/home/USER/k.pem");
}

static void test_name_whose_directory_is_not_known_stays_relative(void **state)
{
	(void)state;
	check_path(NULL, "cert.pem", "cert.pem");
	check_path(NULL, "../cert.pem", "../cert.pem");
	check_path("deep/in/the/tree", "../cert.pem", "deep/in/the/cert.pem");
}

static void test_longest_directory_and_name_are_whole(void **state)
{
	static char dir[NAME_MAX_SIZE + 1];
	static char name[NAME_MAX_SIZE + 1];
	const char *path;

	(void)state;
	memset(dir, 'd', NAME_MAX_SIZE);
	dir[0] = '/';
	memset(name, 'n', NAME_MAX_SIZE);
	memcpy(name + NAME_MAX_SIZE - 4, ".pem", 4);
	/* what redaction cuts is its own affair */
	scene_close(&scene);
	scene_open(&scene, "json-lines", false);
	path = value_of("file", dir, name);
	assert_int_equal(strlen(path), 2 * NAME_MAX_SIZE + 1);
	assert_string_equal(path + 2 * NAME_MAX_SIZE - 4, "n.pem");
	assert_int_equal(path[NAME_MAX_SIZE], '/');
	assert_string_equal(value_of("file_type", dir, name), "certificate");
}

static void test_marks_say_what_was_cut(void **state)
{
	static const struct {
		uint32_t marks;
		const char *truncated;
	} cases[] = {
		{ 0, NULL },
		{ OPEN_OUTSIDE, NULL },
		{ OPEN_COMPAT, NULL },
		{ OPEN_NAME_CUT, "true" },
		{ OPEN_DIR_CUT, "true" },
		{ OPEN_NAME_CUT | OPEN_DIR_CUT | OPEN_OUTSIDE | OPEN_COMPAT, "true" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *truncated;

		make(NULL, "/x.pem");
		event->marks = cases[i].marks;
		truncated = parsed_value(taken(), "truncated");
		if (cases[i].truncated)
			assert_string_equal(truncated, cases[i].truncated);
		else
			assert_null(truncated);
	}
}

static void test_name_that_was_cut_has_no_known_type(void **state)
{
	static char name[NAME_MAX_SIZE + 1];

	(void)state;
	memset(name, 'n', NAME_MAX_SIZE);
	make("/", name);
	event->marks = OPEN_NAME_CUT;
	assert_string_equal(parsed_value(taken(), "file_type"), "unknown");
}

static void test_type_and_kind_come_from_the_name(void **state)
{
	static const char *const cases[][3] = {
		{ "/etc/ssl/server.crt", "certificate", "certificate" },
		{ "/etc/ssl/SERVER.CRT", "certificate", "certificate" },
		{ "/home/x/.ssh/id_rsa", "private_key", "ssh_private_key" },
		{ "/srv/store.p12", "keystore", "pkcs12" },
		{ "/srv/store.jks", "keystore", "jks" },
		{ "/etc/ssl/certs/3513523f.0", "certificate", "hashed_certificate" },
		{ "/srv/notes.txt", "unknown", "unknown" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_string_equal(value_of("file_type", NULL, cases[i][0]), cases[i][1]);
		assert_string_equal(value_of("file_kind", NULL, cases[i][0]), cases[i][2]);
	}
}

static void test_type_comes_from_the_joined_name(void **state)
{
	(void)state;
	assert_string_equal(value_of("file_kind", "/home/x/.ssh", "id_rsa"), "ssh_private_key");
	assert_string_equal(value_of("file_type", "/srv/a.pem", "../notes.txt"), "unknown");
}

static void check_flags(uint64_t flags, const char *expected)
{
	make(NULL, "/x.pem");
	event->flags = flags;
	assert_string_equal(parsed_value(taken(), "flags"), expected);
}

static void test_flags_are_spelled_out(void **state)
{
	(void)state;
	check_flags(O_RDONLY, "O_RDONLY");
	check_flags(O_WRONLY | O_CREAT | O_TRUNC, "O_WRONLY|O_CREAT|O_TRUNC");
	check_flags(O_RDWR | O_APPEND, "O_RDWR|O_APPEND");
	check_flags(1ULL << 40, "O_RDONLY|0x10000000000");
}

static void test_name_of_any_bytes_is_json(void **state)
{
	char name[256];
	const char *text;

	(void)state;
	/* all but NUL; the slash last, where it is not one too many */
	for (int i = 1; i < 256; i++)
		name[i - 1] = (char)i;
	name[255] = '\0';
	make("/srv", name);
	text = taken();
	assert_int_equal(parsed_count(text, strlen(text)), 1);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	assert_string_equal(value_of("file", "/srv", "\xff\xfe.pem"),
			    "/srv/\xef\xbf\xbd\xef\xbf\xbd.pem");
}

static void test_open_without_name_is_malformed(void **state)
{
	(void)state;
	raw_begin(&raw, SOURCE_file_open);
	raw_tail_text(&raw, AT(dir), "/etc");
	assert_string_equal(taken(), "");
	assert_int_equal(scene.pipeline.fates[SOURCE_file_open].malformed, 1);
}

static void test_name_longer_than_any_path_is_malformed(void **state)
{
	static char name[60000];

	(void)state;
	memset(name, 'x', sizeof(name));
	raw_begin(&raw, SOURCE_file_open);
	raw_tail(&raw, AT(name), name, sizeof(name));
	assert_string_equal(taken(), "");
	assert_int_equal(scene.pipeline.fates[SOURCE_file_open].malformed, 1);
}

static void test_real_path_is_redacted_too(void **state)
{
	(void)state;
	make(NULL, "/etc/current.pem");
	raw_tail_text(&raw, AT(real), "/srv/alice/current.pem");
	assert_string_equal(parsed_value(taken(), "real_path"), "/home/USER/current.pem");
}

static void test_large_inode_is_a_string(void **state)
{
	const char *text;

	(void)state;
	make(NULL, "/x.pem");
	event->inode = UINT64_MAX;
	event->dev_minor = 44;
	text = taken();
	assert_non_null(strstr(text, "\"dev\":\"0:44\",\"inode\":\"18446744073709551615\""));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_open_has_all_its_fields),
		TEST(test_failed_open_has_no_identity),
		TEST(test_result_is_success_or_the_error),
		TEST(test_unknown_error_is_its_number),
		TEST(test_relative_name_is_joined_with_its_directory),
		TEST(test_absolute_name_is_collapsed),
		TEST(test_name_whose_directory_is_not_known_stays_relative),
		TEST(test_longest_directory_and_name_are_whole),
		TEST(test_marks_say_what_was_cut),
		TEST(test_name_that_was_cut_has_no_known_type),
		TEST(test_type_and_kind_come_from_the_name),
		TEST(test_type_comes_from_the_joined_name),
		TEST(test_flags_are_spelled_out),
		TEST(test_name_of_any_bytes_is_json),
		TEST(test_open_without_name_is_malformed),
		TEST(test_name_longer_than_any_path_is_malformed),
		TEST(test_real_path_is_redacted_too),
		TEST(test_large_inode_is_a_string),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
