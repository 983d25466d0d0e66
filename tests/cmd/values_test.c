/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/cmd.h"
#include "cmd/completion.h"

static size_t nr_values;

static void expect_taken(const struct command *command, const struct option *option,
			 const char *value)
{
	static struct options options;
	const char *wrong;

	options_init(&options);
	wrong = option->parse(&options, value);
	if (wrong)
		print_message("%s --%s %s: %s\n", command->name, option->name, value, wrong);
	assert_null(wrong);
	nr_values++;
}

static void try_option(void *ctx, const struct command *command, const struct option *option)
{
	char all[512] = "";
	size_t used = 0;
	const char *value;

	(void)ctx;
	/* only what takes a value has one, and what can be left out is known */
	assert_true(option->arg || (!option->value_at && !option->takes));
	assert_true(!option->is_optional || option->value_at);
	for (size_t i = 0; option->value_at && (value = option->value_at(i)); i++) {
		expect_taken(command, option, value);
		used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s", i ? "," : "",
					 value);
		assert_true(used < sizeof(all));
	}
	if (option->has_several)
		expect_taken(command, option, all);
}

static void try_command(void *ctx, const struct command *command)
{
	completion_options(command, try_option, ctx);
}

static void test_what_is_offered_is_taken(void **state)
{
	(void)state;
	completion_commands(try_command, NULL);
	assert_true(nr_values > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_offered_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
