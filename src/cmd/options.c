/* SPDX-License-Identifier: MIT */
#include "cmd/options.h"

#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "lib/log.h"
#include "sources/source.h"

void options_init(struct options *options)
{
	*options = (struct options){
		.sink = sinks[SINK_json_stream],
		.fail_on = -1,
		.schema_format = "json",
		.max_processes = MAX_PROCESSES_DEFAULT,
		.syscalls = { .runs = 1, .action = -1 },
	};
}

static int usage_error(const struct command *command, const char *what)
{
	char action[128];

	snprintf(action, sizeof(action), "Try: crypto-tracer %s --help", command->name);
	error_report(what, NULL, action, NULL);
	return EXIT_USAGE;
}

/* The option NAME (SIZE bytes), or the one with LETTER when NAME is NULL. */
static const struct option *find(const struct command *command, const char *name, size_t size,
				 char letter)
{
	for (size_t i = 0; i < COMMAND_TABLES_MAX && command->tables[i]; i++) {
		const struct option_table *table = command->tables[i];

		for (size_t j = 0; j < table->nr_options; j++) {
			const struct option *option = &table->options[j];

			if (name ? strlen(option->name) == size &&
					    memcmp(option->name, name, size) == 0
				 : option->letter == letter)
				return option;
		}
	}
	return NULL;
}

/* Whether WORD is one of WORDS, NULL at their end; NULL, the default, is in every list. */
static bool is_one_of(const char *word, const char *const *words)
{
	for (; word && *words; words++)
		if (strcmp(word, *words) == 0)
			return true;
	return !word;
}

/* Whether WORD, which comes after OPTION, is its value. */
static bool is_value(const struct option *option, const char *word)
{
	const char *value;

	for (size_t i = 0; option->is_optional && (value = option->value_at(i)); i++)
		if (strcmp(value, word) == 0)
			return true;
	return !option->is_optional;
}

/* VALUE of OPTION, NULL where it takes none, is WRONG. Returns EXIT_USAGE. */
static int report_wrong(const struct command *command, const struct option *option,
			const char *value, const char *wrong)
{
	char quoted[LOG_QUOTE_SIZE];
	char what[2 * LOG_QUOTE_SIZE];

	if (value)
		snprintf(what, sizeof(what), "'%s' for --%s: %s", log_quote(quoted, value),
			 option->name, wrong);
	else
		snprintf(what, sizeof(what), "option '--%s' %s", option->name, wrong);
	return usage_error(command, what);
}

/* One option at argv[*AT] and its value, which may be the next word. */
static int parse_one(struct options *options, const struct command *command, int argc, char **argv,
		     int *at)
{
	const char *word = argv[*at];
	bool is_long = word[1] == '-';
	const char *name = word + 2;
	size_t size = is_long ? strcspn(name, "=") : 0;
	const struct option *option = find(command, is_long ? name : NULL, size, word[1]);
	const char *value = NULL;
	const char *wrong;
	char quoted[LOG_QUOTE_SIZE];
	char what[2 * LOG_QUOTE_SIZE];

	if (!option) {
		snprintf(what, sizeof(what), "unknown option '%s'", log_quote(quoted, word));
		return usage_error(command, what);
	}
	if (is_long && name[size])
		value = name + size + 1;
	else if (!is_long && word[2])
		value = word + 2;
	if (option->arg && !value && *at + 1 < argc && is_value(option, argv[*at + 1]))
		value = argv[++*at];
	if (!option->arg != !value && !option->is_optional) {
		snprintf(what, sizeof(what), "option '--%s' %s", option->name,
			 value ? "takes no value" : "needs a value");
		return usage_error(command, what);
	}
	wrong = option->parse(options, value);
	return wrong ? report_wrong(command, option, value, wrong) : 0;
}

static int parse_word(struct options *options, const struct command *command, char *word)
{
	char quoted[LOG_QUOTE_SIZE];
	char what[2 * LOG_QUOTE_SIZE];

	if (command->takes_files && options->nr_files < OPTION_FILES_MAX) {
		options->files[options->nr_files++] = word;
		return 0;
	}
	snprintf(what, sizeof(what), "unexpected argument '%s'%s", log_quote(quoted, word),
		 command->takes_command ? "; a command to run comes after --" : "");
	return usage_error(command, what);
}

/* What only the whole command line tells. */
static int check(const struct options *options, const struct command *command)
{
	static const char *const documents[] = { "json", "json-pretty", "summary", NULL };
	static const char *const only_documents[] = { "json", "summary", NULL };

	if (options->verbose && options->quiet)
		return usage_error(command, "--verbose and --quiet exclude each other");
	if (options->has_user && !options->command)
		return usage_error(command, "--user needs a command to run, after --");
	if (options->follow_children && !options->nr_pids && !options->name && !options->command)
		return usage_error(command, "--follow-children needs --pid or --name");
	if (command->is_document && !options->watch && !is_one_of(options->format, documents))
		return usage_error(command, "a document is json, json-pretty or summary");
	if (options->watch && options->format && is_one_of(options->format, only_documents))
		return usage_error(command, "--watch is a stream, which has no such format");
	if (command->is_document && options->duration_ms && !options->watch)
		return usage_error(command, "--duration needs --watch");
	if (options->deep && options->no_inspect)
		return usage_error(command, "--deep and --no-inspect exclude each other");
	return 0;
}

/* `-- COMMAND`: the words behind argv[AT]. */
static int parse_command(struct options *options, const struct command *command, int argc,
			 char **argv, int at)
{
	if (!command->takes_command)
		return usage_error(command, "unexpected --");
	if (at + 1 == argc)
		return usage_error(command, "no command after --");
	options->command = argv + at + 1;
	return 0;
}

/*
 * Which events are reported: those that were named, else all but the internal ones. Calls of crypto
 * functions are worth their price when somebody asks for them or for certain processes.
 */
static void want_events(struct options *options)
{
	const uint32_t calls = 1U << SOURCE_api_call;
	bool is_named = options->filter.wanted & calls;

	if (!options->filter.wanted)
		for (size_t i = 0; i < NR_SOURCES; i++)
			if (!sources[i]->is_internal && !sources[i]->is_on_demand)
				options->filter.wanted |= 1U << i;
	if (options->api == OPTION_API_auto && (is_named || !options->has_events) &&
	    (is_named || options->nr_pids || options->name || options->command))
		options->api = OPTION_API_default;
	if (options->api == OPTION_API_default || options->api == OPTION_API_all)
		options->filter.wanted |= calls;
	else
		options->filter.wanted &= ~calls;
}

int options_parse(struct options *options, const struct command *command, int argc, char **argv)
{
	int err = 0;

	for (int i = 0; i < argc && !err && !options->command; i++) {
		if (strcmp(argv[i], "--") == 0)
			err = parse_command(options, command, argc, argv, i);
		else if (argv[i][0] == '-' && argv[i][1])
			err = parse_one(options, command, argc, argv, &i);
		else
			err = parse_word(options, command, argv[i]);
	}
	if (err)
		return err;
	want_events(options);
	return options->help ? 0 : check(options, command);
}
