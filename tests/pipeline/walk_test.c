/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/walk.h"
#include "support/guard.h"

static struct accounts *accounts;

static int make_accounts(void **state)
{
	(void)state;
	return accounts_read(&accounts, "/dev/null");
}

static int free_accounts(void **state)
{
	(void)state;
	accounts_free(accounts);
	return 0;
}

/* A token in its surroundings, and what becomes of it and of what it takes along. */
struct example {
	const char *before, *token, *after;
	enum walk_mode mode;
	const char *expected;
	size_t taken_along; /* bytes of AFTER */
};

static void check(const struct example *example)
{
	size_t before = strlen(example->before), token = strlen(example->token);
	size_t size = before + token + strlen(example->after);
	char *text = guard_alloc(size), out[256];
	struct appender to = appender_make(out, sizeof(out));
	struct walk walk = {
		.accounts = accounts,
		.to = &to,
		.mode = example->mode,
		.start = text,
		.end = text + size,
		.pem = text + size,
		.pos = text + before,
	};

	memcpy(text, example->before, before);
	memcpy(text + before, example->token, token);
	memcpy(text + before + token, example->after, strlen(example->after));
	walk_path(&walk, text + before + token);
	/* "~user" leaves the rest of its token for the next round */
	if (walk.pos < text + before + token)
		walk_path(&walk, text + before + token);
	if (strcmp(out, example->expected) != 0)
		fail_msg("'%s' became '%s', not '%s'", example->token, out, example->expected);
	if (walk.pos != text + before + token + example->taken_along)
		fail_msg("'%s' took %zd along", example->token, walk.pos - text - before - token);
	guard_free(text, size);
}

static void test_tokens_lose_their_people(void **state)
{
	static const struct example examples[] = {
		{ "", "/home/jo/k", "", MODE_ARGUMENT, "/home/USER/k", 0 },
		{ "", "-I/home/jo/k", "", MODE_ARGUMENT, "-I/home/USER/k", 0 },
		{ "", "-I/root/k", "", MODE_ARGUMENT, "-I/home/ROOT/k", 0 },
		{ "", "../../home/jo", "", MODE_ARGUMENT, "../../home/USER", 0 },
		{ "", ".//./home/jo", "", MODE_ARGUMENT, ".//./home/USER", 0 },
		{ "", "home/jo/k", "", MODE_ARGUMENT, "home/USER/k", 0 },
		{ "", "mnt/home/jo/k", "", MODE_ARGUMENT, "mnt/home/USER/k", 0 },
		{ "", "~jo/k", "", MODE_ARGUMENT, "~USER/k", 0 },
		{ "", "~jo", "", MODE_ARGUMENT, "~USER", 0 },
		{ "file:", "///home/jo/k", "", MODE_ARGUMENT, "///home/USER/k", 0 },
		{ "file:", "//h/home/jo/k", "", MODE_ARGUMENT, "//h/home/USER/k", 0 },
		{ "a:", "//home/x/../jo/k", "", MODE_ARGUMENT, "//home/USER/k", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
		check(&examples[i]);
}

static void test_tokens_without_people_stay(void **state)
{
	static const char *const tokens[] = {
		"word",		  "/",	      "//",	 "/.",	  "/..",       ".",	    "..",
		"/etc//ssl/../k", "a/root/b", "../root", "~",	  "~/k",       "~1",	    "~+",
		"a~jo",		  "/home",    "/home/",	 "home/", "/homes/jo", "s/a/../b/",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++)
		check(&(struct example){ "", tokens[i], "", MODE_ARGUMENT, tokens[i], 0 });
	check(&(struct example){ "https:", "//h/root/x", "", MODE_ARGUMENT, "//h/root/x", 0 });
	check(&(struct example){ "https:", "//h", "", MODE_ARGUMENT, "//h", 0 });
}

static void test_names_take_along_what_belongs_to_them(void **state)
{
	static const struct example examples[] = {
		{ "", "/home/John", " Smith/k", MODE_ARGUMENT, "/home/USER", 6 },
		{ "", "/home/a", " b c/k", MODE_ARGUMENT, "/home/USER", 4 },
		{ "", "/home/jo\\", " ann/k", MODE_SCRIPT, "/home/USER", 4 },
		{ "", "/home/jo", "@example.com/k", MODE_TEXT, "/home/USER", 12 },
		{ "", "/home/jo", "@example.com", MODE_TEXT, "/home/USER", 12 },
		{ "", "/home/{jo", ",ann}/k", MODE_SCRIPT, "/home/USER", 5 },
		{ "", "/home/u{1", ",2}x/k", MODE_SCRIPT, "/home/USER", 4 },
		/* what belongs to nobody */
		{ "", "/home/jo", " /home/x", MODE_ARGUMENT, "/home/USER", 0 },
		{ "", "/home/jo", " ann", MODE_ARGUMENT, "/home/USER", 0 },
		{ "", "/home/jo", " a;b/k", MODE_ARGUMENT, "/home/USER", 0 },
		{ "", "/home/jo", " a/b", MODE_TEXT, "/home/USER", 0 },
		{ "", "/home/jo", " a/b", MODE_SCRIPT, "/home/USER", 0 },
		{ "", "/home/jo", ":/home/x", MODE_ARGUMENT, "/home/USER", 0 },
		{ "", "/home/jo/k", " a/b", MODE_ARGUMENT, "/home/USER/k", 0 },
		{ "", "/home/{jo", ",ann", MODE_SCRIPT, "/home/USER", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
		check(&examples[i]);
}

static void test_without_accounts_nothing_changes(void **state)
{
	static const char token[] = "/home/jo/k";
	char out[64];
	struct appender to = appender_make(out, sizeof(out));
	struct walk walk = { .to = &to, .start = token, .pos = token };

	(void)state;
	walk.end = walk.pem = token + sizeof(token) - 1;
	walk_path(&walk, walk.end);
	assert_string_equal(out, token);
	assert_ptr_equal(walk.pos, walk.end);
}

static void test_hidden_commands_are_noted(void **state)
{
	static const char text[] = "x;mysql;htpasswd http://h rest";
	char out[64];
	struct appender to = appender_make(out, sizeof(out));
	struct walk walk = { .to = &to, .start = text, .pos = text };
	const char *stop = strstr(text, " rest");

	(void)state;
	walk.end = walk.pem = text + sizeof(text) - 1;
	walk_hide(&walk, stop);
	assert_string_equal(out, "***");
	assert_ptr_equal(walk.pos, stop);
	/* the scheme of a URL is no program */
	assert_true(walk.tools == (tools_find(0, "mysql", 5) | tools_find(0, "htpasswd", 8)));
	assert_true(walk.has_secret_arguments);
	assert_int_equal(walk.nr_before, 1);
}

static void test_copy_stops_at_a_private_key(void **state)
{
	static const char text[] = "abcdef";
	char out[64];
	struct appender to = appender_make(out, sizeof(out));
	struct walk walk = { .to = &to, .start = text, .end = text + 6, .pos = text };

	(void)state;
	walk.pem = text + 3;
	walk_copy(&walk, text + 5);
	assert_string_equal(out, "abc");
	assert_ptr_equal(walk.pos, walk.pem);
	/* inside the key nothing is copied */
	walk.pos = text + 4;
	walk_copy(&walk, text + 6);
	assert_string_equal(out, "abc");
	assert_ptr_equal(walk.pos, text + 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tokens_lose_their_people),
		cmocka_unit_test(test_tokens_without_people_stay),
		cmocka_unit_test(test_names_take_along_what_belongs_to_them),
		cmocka_unit_test(test_without_accounts_nothing_changes),
		cmocka_unit_test(test_hidden_commands_are_noted),
		cmocka_unit_test(test_copy_stops_at_a_private_key),
	};

	return cmocka_run_group_tests(tests, make_accounts, free_accounts);
}
