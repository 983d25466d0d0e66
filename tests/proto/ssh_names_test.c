/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/ssh_names.h"
#include "support/guard.h"

static struct flow_text guarded(const char *text)
{
	return (struct flow_text){ guard_copy(text, strlen(text)), strlen(text) };
}

static void expect(bool is_found, const struct flow_text *found, const char *expected)
{
	assert_int_equal(is_found, expected != NULL);
	if (!expected)
		return;
	assert_int_equal(found->size, strlen(expected));
	assert_memory_equal(found->bytes, expected, found->size);
}

static void test_names_are_taken_one_by_one(void **state)
{
	static const char *const expected[] = { "a", "", "bc", "" };
	struct flow_text list = guarded("a,,bc,,"), name;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		expect(ssh_names_next(&list, &name), &name, expected[i]);
	assert_false(ssh_names_next(&list, &name));
	list = guarded("");
	assert_false(ssh_names_next(&list, &name));
}

static void test_the_clients_order_decides(void **state)
{
	static const struct {
		const char *client, *server, *chosen;
	} rows[] = {
		{ "a,b,c", "c,b", "b" },    { "a", "a", "a" },
		{ "a,b", "c", NULL },	    { "", "", NULL },
		{ "a", "", NULL },	    { "ab", "a,b,abc", NULL },
		{ ",a", ",a", "a" },	    { "A", "a", NULL },
		{ "abc,ab", "a,ab", "ab" }, { "none", "zlib,none", "none" },
	};
	struct flow_text chosen;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect(ssh_names_choose(guarded(rows[i].client), guarded(rows[i].server), &chosen),
		       &chosen, rows[i].chosen);
}

static void test_kex_needs_a_host_key_that_can_do_it(void **state)
{
	static const struct {
		const char *kex[2], *keys[2], *chosen;
	} rows[] = {
		{ { "ext-info-c,x,y", "ext-info-c,y" }, { "k", "k" }, "y" },
		{ { "kex-strict-c-v00@openssh.com,x", "kex-strict-c-v00@openssh.com,x" },
		  { "k", "k" },
		  "x" },
		/* "null" cannot sign: only GSS-API does without */
		{ { "x,gss-group14-sha256-q", "x,gss-group14-sha256-q" },
		  { "null", "null" },
		  "gss-group14-sha256-q" },
		{ { "x,gss-group14-sha256-q", "x,gss-group14-sha256-q" },
		  { "null,k", "k,null" },
		  "x" },
		{ { "x", "x" }, { "k", "j" }, NULL },
		{ { "x", "y" }, { "k", "k" }, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ssh_offer offers[2];
		struct flow_text chosen;

		for (size_t side = 0; side < 2; side++)
			offers[side] = (struct ssh_offer){ guarded(rows[i].kex[side]),
							   guarded(rows[i].keys[side]) };
		expect(ssh_names_choose_kex(&offers[0], &offers[1], &chosen), &chosen,
		       rows[i].chosen);
	}
}

static void test_pseudo_algorithms_are_found(void **state)
{
	(void)state;
	assert_true(ssh_names_have_pseudo(guarded("a,kex-strict-s-v00@openssh.com"),
					  SSH_TRAIT_strict_s));
	assert_false(ssh_names_have_pseudo(guarded("a,kex-strict-c-v00@openssh.com"),
					   SSH_TRAIT_strict_s));
	assert_false(ssh_names_have_pseudo(guarded(""), SSH_TRAIT_strict_s));
}

/* 2 lists of 17,500 names would be compared 300 million times. */
static void test_the_rest_of_a_list_that_is_too_long_is_not_there(void **state)
{
	char list[4 * SSH_NAMES_MAX + 8];
	size_t size = 0;
	struct flow_text text, chosen;

	(void)state;
	for (int i = 0; i <= SSH_NAMES_MAX; i++)
		size += (size_t)snprintf(list + size, sizeof(list) - size, "%s%03d", i ? "," : "",
					 i);
	text = guarded(list);
	expect(ssh_names_choose(text, guarded("127"), &chosen), &chosen, "127");
	expect(ssh_names_choose(text, guarded("128"), &chosen), &chosen, NULL);
	expect(ssh_names_choose(guarded("128"), text, &chosen), &chosen, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_are_taken_one_by_one),
		cmocka_unit_test(test_the_clients_order_decides),
		cmocka_unit_test(test_kex_needs_a_host_key_that_can_do_it),
		cmocka_unit_test(test_pseudo_algorithms_are_found),
		cmocka_unit_test(test_the_rest_of_a_list_that_is_too_long_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
