/* SPDX-License-Identifier: MIT */
/* `schema`, `help` and `version`: what is made by walking tables has all that is in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cmd/cmd.h"
#include "sources/source.h"
#include "support/capture.h"
#include "support/parsed.h"

#define HELP_COLUMNS 80

/* What COMMAND prints, status 0. FORMAT is of `schema`; FILE, which may be NULL, of `help`. */
static const char *printed(const char *name, const char *format, const char *file)
{
	const struct command *command = command_find(name);
	struct options options;
	const char *text;
	int status;

	assert_non_null(command);
	options_init(&options);
	options.schema_format = format;
	if (file)
		options.files[options.nr_files++] = file;
	capture_begin(STDOUT_FILENO);
	status = command->run(&options);
	fflush(stdout);
	text = capture_end(NULL);
	assert_int_equal(status, 0);
	return text;
}

/* How often WORD stands in TEXT. */
static size_t count(const char *text, const char *word)
{
	size_t nr = 0;

	while ((text = strstr(text, word))) {
		nr++;
		text += strlen(word);
	}
	return nr;
}

static void test_json_has_every_field_of_every_event(void **state)
{
	const char *text = printed("schema", "json", NULL);
	char quoted[256];

	(void)state;
	assert_int_equal(parsed_count(text, strlen(text)), 1);
	assert_string_equal(parsed_value(text, "$schema"),
			    "http://json-schema.org/draft-07/schema#");
	for (size_t i = 0; i < NR_SOURCES; i++) {
		const struct fields *fields = &sources[i]->fields;

		snprintf(quoted, sizeof(quoted), "\"const\": \"%s\"", sources[i]->name);
		assert_int_equal(count(text, quoted), 1);
		for (size_t j = 0; j < fields->nr_fields; j++) {
			snprintf(quoted, sizeof(quoted), "\"%s\": {", fields->fields[j].name);
			assert_non_null(strstr(text, quoted));
		}
	}
}

static void check_rows(const char *format, const char *before, const char *after)
{
	const char *text = printed("schema", format, NULL);
	char row[256];

	for (size_t i = 0; i < NR_SOURCES; i++) {
		const struct fields *fields = &sources[i]->fields;

		for (size_t j = 0; j < fields->nr_fields; j++) {
			snprintf(row, sizeof(row), "%s%s%s", before, fields->fields[j].name, after);
			assert_non_null(strstr(text, row));
		}
	}
}

static void test_tables_for_people_have_every_field(void **state)
{
	(void)state;
	check_rows("markdown", "| `", "` | ");
	check_rows("man", ".It Va ", "\n");
}

/* No line is wider than a terminal. */
static void check_width(const char *text)
{
	while (*text) {
		size_t size = strcspn(text, "\n");

		assert_true(size <= HELP_COLUMNS);
		text += size + (text[size] == '\n');
	}
}

static void test_help_of_the_tool_has_every_command(void **state)
{
	const char *text = printed("help", "json", NULL);
	char row[128];

	(void)state;
	for (size_t i = 0; i < NR_COMMANDS; i++) {
		snprintf(row, sizeof(row), "\n    %-12s%s\n", commands[i]->name, commands[i]->help);
		assert_non_null(strstr(text, row));
	}
	check_width(text);
}

static void test_help_of_a_command_has_every_option(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_COMMANDS; i++) {
		const char *text = printed("help", "json", commands[i]->name);
		char word[128];

		check_width(text);
		snprintf(word, sizeof(word), "crypto-tracer %s - %s\n", commands[i]->name,
			 commands[i]->help);
		assert_int_equal(strncmp(text, word, strlen(word)), 0);
		for (size_t j = 0; j < COMMAND_TABLES_MAX && commands[i]->tables[j]; j++) {
			const struct option_table *table = commands[i]->tables[j];

			for (size_t k = 0; k < table->nr_options; k++) {
				snprintf(word, sizeof(word), " --%s", table->options[k].name);
				assert_non_null(strstr(text, word));
			}
		}
	}
}

static void test_help_of_no_command_is_a_wrong_use(void **state)
{
	struct options options;
	const char *said;
	int status;

	(void)state;
	options_init(&options);
	options.files[options.nr_files++] = "nonsense";
	capture_begin(STDERR_FILENO);
	status = command_find("help")->run(&options);
	said = capture_end(NULL);
	assert_int_equal(status, EXIT_USAGE);
	assert_int_equal(strncmp(said, "Error: no command 'nonsense'\n", 29), 0);
}

static void test_version_names_sources_and_formats(void **state)
{
	const char *text = printed("version", "json", NULL);

	(void)state;
	assert_int_equal(strncmp(text, "crypto-tracer version " VERSION "\n", 23 + strlen(VERSION)),
			 0);
	for (size_t i = 0; i < NR_SOURCES; i++)
		assert_non_null(strstr(text, sources[i]->name));
	for (size_t i = 0; i < NR_SINKS; i++)
		assert_non_null(strstr(text, sinks[i]->format));
	check_width(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_has_every_field_of_every_event),
		cmocka_unit_test(test_tables_for_people_have_every_field),
		cmocka_unit_test(test_help_of_the_tool_has_every_command),
		cmocka_unit_test(test_help_of_a_command_has_every_option),
		cmocka_unit_test(test_help_of_no_command_is_a_wrong_use),
		cmocka_unit_test(test_version_names_sources_and_formats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
