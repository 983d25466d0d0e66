/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "proc/packages.h"
#include "support/package_tree.h"

#define APK                                                                                        \
	"C:Q1abc=\nP:musl\nV:1.2.5-r0\nA:x86_64\nF:lib\nR:ld-musl-x86_64.so.1\na:0:0:755\n"        \
	"Z:Q1def=\nR:libc.musl-x86_64.so.1\n\n"                                                    \
	"P:libcrypto3\nV:3.3.2-r0\nF:\nR:top\nF:etc\nF:etc/ssl\nR:openssl.cnf\nF:usr/lib\n"        \
	"R:libcrypto.so.3\nR:dir/odd\n\nR:stray\nP:nameless\nF:opt\nR:early\nV:1\nR:late"

static void test_apk_files_are_of_their_package(void **state)
{
	static const struct tree_file files[] = { { "lib/apk/db/installed", APK, 0 } };

	(void)state;
	assert_string_equal(tree_owner(files, 1, "/lib/ld-musl-x86_64.so.1"), "musl 1.2.5-r0");
	assert_string_equal(tree_owner(files, 1, "/usr/lib/ld-musl-x86_64.so.1"), "musl 1.2.5-r0");
	assert_string_equal(tree_owner(files, 1, "/lib/libcrypto.so.3"), "libcrypto3 3.3.2-r0");
	assert_string_equal(tree_owner(files, 1, "/etc/ssl/openssl.cnf"), "libcrypto3 3.3.2-r0");
	assert_string_equal(tree_owner(files, 1, "/top"), "libcrypto3 3.3.2-r0");
	assert_string_equal(tree_owner(files, 1, "/opt/late"), "nameless 1");
	assert_string_equal(tree_owner(files, 1, "/opt/early"), "");
	assert_string_equal(tree_owner(files, 1, "/usr/lib/stray"), "");
	assert_string_equal(tree_owner(files, 1, "/etc/ssl"), "");
}

static void test_apk_is_found_where_usr_is_merged(void **state)
{
	static const struct tree_file files[] = { { "usr/lib/apk/db/installed", APK, 0 } };

	(void)state;
	assert_string_equal(tree_owner(files, 1, "/usr/lib/libcrypto.so.3"), "libcrypto3 3.3.2-r0");
}

static void test_apk_directories_too_long_have_no_files(void **state)
{
	static char text[3 * 4096];
	static const struct tree_file files[] = { { "lib/apk/db/installed", text, 0 } };

	(void)state;
	snprintf(text, sizeof(text), "P:a\nV:1\nF:opt\nR:x\nF:%0*d\nR:x\nF:opt\nR:%0*d\nR:y\n",
		 4095, 0, 4096, 0);
	assert_string_equal(tree_owner(files, 1, "/opt/x"), "a 1");
	assert_string_equal(tree_owner(files, 1, "/opt/y"), "a 1");
}

static void test_names_and_versions_have_no_blanks(void **state)
{
	static const struct tree_file files[] = {
		{ "lib/apk/db/installed",
		  "P:a b\nV:1\nF:opt\nR:a\n\nP:c\nV:1 2\nF:opt\nR:c\n\nP:d\nV:\nF:opt\nR:d\n", 0 },
	};

	(void)state;
	assert_string_equal(tree_owner(files, 1, "/opt/a"), "");
	assert_string_equal(tree_owner(files, 1, "/opt/c"), "");
	assert_string_equal(tree_owner(files, 1, "/opt/d"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_apk_files_are_of_their_package),
		cmocka_unit_test(test_apk_is_found_where_usr_is_merged),
		cmocka_unit_test(test_apk_directories_too_long_have_no_files),
		cmocka_unit_test(test_names_and_versions_have_no_blanks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
