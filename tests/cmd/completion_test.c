/* SPDX-License-Identifier: MIT */
/* That what is printed for each shell has every command and option; completion.bats runs them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cmd/completion.h"
#include "support/capture.h"

/* What is looked for, and in what a shell writes in front of a long option. */
struct looked {
	const char *text;
	const char *before;
	size_t nr;
};

static void look(struct looked *looked, const char *before, const char *word)
{
	char text[128];

	snprintf(text, sizeof(text), "%s%s", before, word);
	if (!strstr(looked->text, text))
		fail_msg("'%s' is not there", text);
	looked->nr++;
}

static void look_option(void *ctx, const struct command *command, const struct option *option)
{
	struct looked *looked = ctx;

	(void)command;
	look(looked, looked->before, option->name);
}

static void look_command(void *ctx, const struct command *command)
{
	const char *last = strrchr(command->name, ' ');

	look(ctx, "", last ? last + 1 : command->name);
	completion_options(command, look_option, ctx);
}

static void check(void (*print)(void), const char *before)
{
	struct looked looked = { .before = before };

	capture_begin(STDOUT_FILENO);
	print();
	looked.text = capture_end(NULL);
	completion_commands(look_command, &looked);
	assert_true(looked.nr > 100);
}

static void test_bash_has_every_command_and_option(void **state)
{
	(void)state;
	check(completion_bash, "--");
}

static void test_zsh_has_every_command_and_option(void **state)
{
	(void)state;
	check(completion_zsh, "--");
}

static void test_fish_has_every_command_and_option(void **state)
{
	(void)state;
	check(completion_fish, "-l ");
}

static void test_words_are_quoted_for_the_shell(void **state)
{
	(void)state;
	capture_begin(STDOUT_FILENO);
	completion_text("a'b\nc[d", "'[");
	assert_string_equal(capture_end(NULL), "a\\'b c\\[d");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bash_has_every_command_and_option),
		cmocka_unit_test(test_zsh_has_every_command_and_option),
		cmocka_unit_test(test_fish_has_every_command_and_option),
		cmocka_unit_test(test_words_are_quoted_for_the_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
