/* SPDX-License-Identifier: MIT */
/* `help`, `--help` and `COMMAND --help`, made from the tables. */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "lib/log.h"

/* Where the text beside an option begins: with 52 columns of text a line has at most 80. */
#define HELP_COLUMN 28

static void print_indented(const char *text, int column, int first)
{
	for (;;) {
		int size = (int)strcspn(text, "\n");

		printf("%*s%.*s\n", column - first, "", size, text);
		if (!text[size] || !text[size + 1])
			return;
		text += size + 1;
		first = 0;
	}
}

static void print_option(const struct option *option)
{
	char left[128];
	char letter[8] = "    ";
	int size;

	if (option->letter)
		snprintf(letter, sizeof(letter), "-%c, ", option->letter);
	size = snprintf(left, sizeof(left), "  %s--%s%s%s", letter, option->name,
			option->arg ? " " : "", option->arg ? option->arg : "");
	fputs(left, stdout);
	if (size > HELP_COLUMN - 2) {
		putchar('\n');
		size = 0;
	}
	print_indented(option->help, HELP_COLUMN, size);
}

void help_print_command(const struct command *command)
{
	printf("crypto-tracer %s - %s\n\nUSAGE:\n    crypto-tracer %s %s\n", command->name,
	       command->help, command->name, command->synopsis);
	if (command->details)
		printf("\n%s", command->details);
	if (command->commands) {
		printf("\nCOMMANDS:\n");
		for (size_t i = 0; command->commands[i]; i++)
			printf("    %-12s%s\n", command_last_name(command->commands[i]),
			       command->commands[i]->help);
	}
	for (size_t i = 0; i < COMMAND_TABLES_MAX && command->tables[i]; i++) {
		const struct option_table *table = command->tables[i];

		printf("\n%s:\n", table->title);
		for (size_t j = 0; j < table->nr_options; j++)
			print_option(&table->options[j]);
	}
	if (command->examples) {
		printf("\nEXAMPLES:\n");
		print_indented(command->examples, 4, 0);
	}
}

void help_print_tool(void)
{
	printf("crypto-tracer - Runtime cryptographic behavior analysis\n\n"
	       "USAGE:\n    crypto-tracer <COMMAND> [OPTIONS]\n\nCOMMANDS:\n");
	for (size_t i = 0; i < NR_COMMANDS; i++)
		printf("    %-12s%s\n", commands[i]->name, commands[i]->help);
	printf("\nOPTIONS:\n"
	       "    --help      print this help\n"
	       "    --version   print version information\n\n"
	       "For more information on a command:\n    crypto-tracer COMMAND --help\n\n"
	       "EXAMPLES:\n"
	       "    crypto-tracer monitor --duration 60\n"
	       "    crypto-tracer monitor --name nginx --format text\n"
	       "    crypto-tracer snapshot --format summary\n");
}

static const char *command_name_at(size_t i)
{
	return i < NR_COMMANDS ? commands[i]->name : NULL;
}

static int help_run(const struct options *options)
{
	const struct command *command = NULL;
	char quoted[LOG_QUOTE_SIZE];
	char what[LOG_QUOTE_SIZE + 32];

	if (options->nr_files == 0) {
		help_print_tool();
		return 0;
	}
	for (size_t i = 0; i < options->nr_files; i++) {
		command = i == 0 ? command_find(options->files[0])
				 : command_find_below(command, options->files[i]);
		if (command)
			continue;
		snprintf(what, sizeof(what), "no command '%s'",
			 log_quote(quoted, options->files[i]));
		error_report(what, NULL, "Try: crypto-tracer --help", NULL);
		return EXIT_USAGE;
	}
	help_print_command(command);
	return 0;
}

const struct command help_command = {
	.name = "help",
	.help = "print this help, or that of a command",
	.synopsis = "[COMMAND...]",
	.tables = { &help_options },
	.takes_files = true,
	.word_at = command_name_at,
	.run = help_run,
};
