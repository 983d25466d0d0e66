/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "pipeline/address.h"

static void check(const char *ip, uint16_t port, const char *expected)
{
	struct address address = { .port = port };
	char text[ADDRESS_TEXT_MAX];
	size_t size;

	assert_int_equal(inet_pton(AF_INET6, ip, address.ip), 1);
	size = address_format(&address, text);
	assert_string_equal(text, expected);
	assert_int_equal(size, strlen(expected));
}

static void test_ipv4_is_written_as_such(void **state)
{
	(void)state;
	check("::ffff:127.0.0.1", 443, "127.0.0.1:443");
	check("::ffff:0.0.0.0", 0, "0.0.0.0:0");
	check("::ffff:255.255.255.255", 65535, "255.255.255.255:65535");
}

static void test_ipv6_is_in_brackets(void **state)
{
	(void)state;
	check("::1", 443, "[::1]:443");
	check("::", 1, "[::]:1");
	check("2001:db8::10", 22, "[2001:db8::10]:22");
	check("fe80:1111:2222:3333:4444:5555:6666:7777", 65535,
	      "[fe80:1111:2222:3333:4444:5555:6666:7777]:65535");
	check("::ffff:0:127.0.0.1", 5, "[::ffff:0:7f00:1]:5");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv4_is_written_as_such),
		cmocka_unit_test(test_ipv6_is_in_brackets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
