/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "catalogue/files.h"
#include "tap/opened.h"

static struct certificate certificate;
static struct content content;

static const struct content *content_of(const char *fingerprint)
{
	certificate.fingerprint_sha256 = fingerprint;
	content = (struct content){ .kind = FILE_KIND_certificate,
				    .certificates = { .items = &certificate,
						      .count = fingerprint ? 1 : 0,
						      .stride = sizeof(certificate) } };
	return &content;
}

static void test_file_is_found_by_who_opened_it(void **state)
{
	struct opened *opened;

	(void)state;
	assert_int_equal(opened_new(&opened), 0);
	opened_add(opened, 10, content_of("aa"), "/a.pem and more", 6);
	opened_add(opened, 11, content_of("bb"), "/b.pem", 6);
	assert_string_equal(opened_find(opened, 10, 1, content_of("aa")), "/a.pem");
	assert_string_equal(opened_find(opened, 11, 1, content_of("bb")), "/b.pem");
	assert_null(opened_find(opened, 10, 1, content_of("bb")));
	assert_null(opened_find(opened, 12, 1, content_of("aa")));
	assert_null(opened_find(opened, 10, 1, content_of(NULL)));
	opened_free(opened);
}

/* A server reads its certificate, then makes its workers. */
static void test_parent_may_have_opened_it(void **state)
{
	struct opened *opened;

	(void)state;
	assert_int_equal(opened_new(&opened), 0);
	opened_add(opened, 10, content_of("aa"), "/parent.pem", 11);
	assert_string_equal(opened_find(opened, 20, 10, content_of("aa")), "/parent.pem");
	opened_add(opened, 20, content_of("aa"), "/own.pem", 8);
	assert_string_equal(opened_find(opened, 20, 10, content_of("aa")), "/own.pem");
	opened_free(opened);
}

static void test_bundles_and_files_without_certificates_are_not_kept(void **state)
{
	struct opened *opened;

	(void)state;
	assert_int_equal(opened_new(&opened), 0);
	opened_add(opened, 10, content_of(NULL), "/empty.pem", 10);
	content_of("aa");
	content.kind = FILE_KIND_ca_bundle;
	opened_add(opened, 10, &content, "/ca.pem", 7);
	assert_null(opened_find(opened, 10, 1, content_of("aa")));
	opened_free(opened);
}

static void test_oldest_gives_way(void **state)
{
	struct opened *opened;
	char name[16];

	(void)state;
	assert_int_equal(opened_new(&opened), 0);
	for (int i = 0; i <= OPENED_MAX; i++) {
		snprintf(name, sizeof(name), "%d", i);
		/* Twice is once. */
		opened_add(opened, 10, content_of(name), name, strlen(name));
		opened_add(opened, 10, content_of(name), name, strlen(name));
	}
	assert_null(opened_find(opened, 10, 1, content_of("0")));
	assert_string_equal(opened_find(opened, 10, 1, content_of("1")), "1");
	assert_string_equal(opened_find(opened, 10, 1, content_of(name)), name);
	opened_free(opened);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_is_found_by_who_opened_it),
		cmocka_unit_test(test_parent_may_have_opened_it),
		cmocka_unit_test(test_bundles_and_files_without_certificates_are_not_kept),
		cmocka_unit_test(test_oldest_gives_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
