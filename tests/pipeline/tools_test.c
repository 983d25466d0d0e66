/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/tools.h"
#include "support/guard.h"

#define BYTES(literal) literal, sizeof(literal) - 1

static tool_set tools_of(const char *word)
{
	return tools_find(0, word, strlen(word));
}

static void test_tools_are_known_by_the_last_part_of_a_path(void **state)
{
	(void)state;
	assert_true(tools_of("mysql") != 0);
	assert_int_equal(tools_of("/usr/bin/mysql"), tools_of("mysql"));
	assert_int_equal(tools_of("mysqldump"), tools_of("mysql"));
	assert_int_equal(tools_of("mariadb-dump"), tools_of("mysql"));
	assert_true(tools_of("curl") != tools_of("mysql"));
	assert_int_equal(tools_of("curling"), 0);
	assert_int_equal(tools_of("url"), 0);
	assert_int_equal(tools_of("/curl/"), 0);
	assert_int_equal(tools_of(""), 0);
	assert_int_equal(tools_of("-curl"), 0);
}

static void test_commands_need_their_tool_before_them(void **state)
{
	tool_set docker = tools_of("docker");
	struct tool_option option;

	(void)state;
	assert_int_equal(tools_find(0, BYTES("login")), 0);
	assert_false(tools_option_find(docker, BYTES("-p"), &option));
	docker |= tools_find(docker, BYTES("login"));
	assert_true(tools_option_find(docker, BYTES("-p"), &option));
	assert_int_equal(tools_find(tools_of("docker"), BYTES("/bin/login")), 0);
}

/* VALUE_AT -1: no option. */
static void test_options_of_tools_are_found(void **state)
{
	static const struct {
		const char *tool, *word;
		long value_at;
		char split;
	} cases[] = {
		{ "mysql", "-psecret", 2, 0 },
		{ "mysql", "-p", -1, 0 },
		{ "mysql", "-vvpsecret", 4, 0 },
		{ "mysql", "-uapp", -1, 0 },
		{ "mysql", "-hproxy", -1, 0 },
		{ "sshpass", "-p", 2, 0 },
		{ "sshpass", "-psecret", 2, 0 },
		{ "curl", "-u", 2, ':' },
		{ "curl", "-sku", 4, ':' },
		{ "curl", "-skuuser:pw", 4, ':' },
		{ "curl", "-ofileu", -1, 0 },
		{ "curl", "--user", 6, ':' },
		{ "curl", "--user=a:b", 7, ':' },
		{ "curl", "--user-agent", -1, 0 },
		{ "curl", "--USER", 6, ':' },
		{ "ldapsearch", "-xw", 3, 0 },
		{ "ldapsearch", "-s", -1, 0 },
		{ "ldappasswd", "-s", 2, 0 },
		{ "openssl", "-k", 2, 0 },
		{ "openssl", "-K", 2, 0 },
		{ "openssl", "-kfile", -1, 0 },
		{ "openssl", "-iv", 3, 0 },
		{ "openssl", "hexkey:00", 7, 0 },
		{ "7z", "-psecret", 2, 0 },
		{ "7z", "-p", -1, 0 },
		{ "pk12util", "-W", 2, 0 },
		{ "pk12util", "-w", -1, 0 },
		{ "smbclient", "-U", 2, '%' },
		{ "xfreerdp", "/p:secret", 3, 0 },
		{ "ls", "-psecret", -1, 0 },
		{ "mysql", "", -1, 0 },
		{ "mysql", "p", -1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t size = strlen(cases[i].word);
		const char *word = guard_copy(cases[i].word, size);
		struct tool_option option = { 0 };
		bool found = tools_option_find(tools_of(cases[i].tool), word, size, &option);

		if (found != (cases[i].value_at >= 0) ||
		    (found && ((long)option.value_at != cases[i].value_at ||
			       option.split != cases[i].split)))
			fail_msg("%s '%s': %d, at %zu", cases[i].tool, cases[i].word, found,
				 option.value_at);
		guard_free(word, size);
	}
}

static void test_secret_arguments_come_behind_others(void **state)
{
	unsigned int nr_before = 99;

	(void)state;
	assert_false(tools_arguments_find(tools_of("mysql"), &nr_before));
	assert_int_equal(nr_before, 99);
	assert_true(tools_arguments_find(tools_of("wpa_passphrase"), &nr_before));
	assert_int_equal(nr_before, 1);
	assert_true(
		tools_arguments_find(tools_find(tools_of("openssl"), BYTES("passwd")), &nr_before));
	assert_int_equal(nr_before, 0);
}

static void test_sources_of_openssl_passwords_are_told_apart(void **state)
{
	tool_set openssl = tools_of("openssl");

	(void)state;
	assert_int_equal(tools_source_size(openssl, BYTES("pass:secret")), 5);
	assert_int_equal(tools_source_size(openssl, BYTES("secret")), 0);
	assert_true(tools_source_size(openssl, BYTES("file:/x")) == SIZE_MAX);
	assert_true(tools_source_size(openssl, BYTES("env:X")) == SIZE_MAX);
	assert_int_equal(tools_source_size(0, BYTES("file:/x")), 0);
	assert_int_equal(tools_source_size(openssl, guard_copy("pass", 4), 4), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tools_are_known_by_the_last_part_of_a_path),
		cmocka_unit_test(test_commands_need_their_tool_before_them),
		cmocka_unit_test(test_options_of_tools_are_found),
		cmocka_unit_test(test_secret_arguments_come_behind_others),
		cmocka_unit_test(test_sources_of_openssl_passwords_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
