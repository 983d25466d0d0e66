/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cmd/completion.h"

static const char head[] =
	"# fish completion for crypto-tracer, made by `crypto-tracer completion fish`.\n"
	"# SPDX-License-Identifier: MIT\n"
	"\n"
	"# Whether the line so far is that of this command; what comes after -- is not.\n"
	"function __crypto_tracer_at\n"
	"    set -l words (commandline -opc)[2..]\n"
	"    contains -- -- $words; and return 1\n"
	"    set -l nr (count $argv)\n"
	"    test (count $words) -ge $nr; and test \"$words[1..$nr]\" = \"$argv\"\n"
	"end\n"
	"\n"
	"# Whether the next word is the first one after those.\n"
	"function __crypto_tracer_next\n"
	"    set -l words (commandline -opc)[2..]\n"
	"    test \"$words\" = \"$argv\"\n"
	"end\n"
	"\n"
	"# Whether the word before this one is that.\n"
	"function __crypto_tracer_after\n"
	"    test (commandline -opc)[-1] = $argv[1]\n"
	"end\n"
	"\n"
	"# What comes after --, completed as if it were typed alone.\n"
	"function __crypto_tracer_command\n"
	"    set -l words (commandline -opc)\n"
	"    set -l at (contains -i -- -- $words); or return\n"
	"    set -l rest (string escape -- $words[$at..])\n"
	"    complete -C (string join ' ' -- $rest[2..] (commandline -ct))\n"
	"end\n"
	"\n"
	"complete -c crypto-tracer -f\n"
	"complete -c crypto-tracer -n 'contains -- -- (commandline -opc)' "
	"-a '(__crypto_tracer_command)'\n"
	"complete -c crypto-tracer -n __crypto_tracer_next -l help -d 'print help'\n"
	"complete -c crypto-tracer -n __crypto_tracer_next -l version "
	"-d 'print version information'\n";

/* In single quotes. */
static void print_help(const char *help)
{
	printf(" -d '");
	completion_text(help, "'\\");
	putchar('\'');
}

/* That OPTION takes a value, and which: no files (-x) unless it is one. */
static void print_value(const struct option *option)
{
	static const char *const kinds[] = {
		[OPTION_TAKES_text] = " -x",
		[OPTION_TAKES_file] = " -r -F",
		[OPTION_TAKES_user] = " -x -a '(__fish_complete_users)'",
		[OPTION_TAKES_program] = " -x -a '(complete -C (commandline -ct))'",
	};

	if (!option->value_at) {
		printf("%s", kinds[option->takes]);
		return;
	}
	printf(" -x -a '%s", option->has_several ? "(__fish_append , " : "");
	completion_words(option->value_at, " ");
	printf("%s'", option->has_several ? ")" : "");
}

static void print_option(void *ctx, const struct command *command, const struct option *option)
{
	(void)ctx;
	printf("complete -c crypto-tracer -n '__crypto_tracer_at %s' -l %s", command->name,
	       option->name);
	if (option->letter)
		printf(" -s %c", option->letter);
	if (option->arg && !option->is_optional)
		print_value(option);
	print_help(option->help);
	putchar('\n');
	if (!option->is_optional)
		return;
	/* To fish a value that can be left out is a word like others. */
	printf("complete -c crypto-tracer -n '__crypto_tracer_at %s; and "
	       "__crypto_tracer_after --%s' -a '",
	       command->name, option->name);
	completion_words(option->value_at, " ");
	printf("'\n");
}

static void print_command(void *ctx, const struct command *command)
{
	const char *last = command_last_name(command);

	(void)ctx;
	printf("complete -c crypto-tracer -n '__crypto_tracer_next%s%.*s' -a %s",
	       last == command->name ? "" : " ", (int)(last - command->name), command->name, last);
	print_help(command->help);
	putchar('\n');
	completion_options(command, print_option, NULL);
	if (!command->takes_files)
		return;
	printf("complete -c crypto-tracer -n '__crypto_tracer_at %s'", command->name);
	if (command->word_at) {
		printf(" -a '");
		completion_words(command->word_at, " ");
		printf("'\n");
	} else {
		printf(" -F\n");
	}
}

void completion_fish(void)
{
	fputs(head, stdout);
	completion_commands(print_command, NULL);
}
