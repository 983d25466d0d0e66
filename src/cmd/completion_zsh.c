/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cmd/completion.h"

static const char head[] =
	"#compdef crypto-tracer\n"
	"# zsh completion for crypto-tracer, made by `crypto-tracer completion zsh`.\n"
	"# SPDX-License-Identifier: MIT\n"
	"\n"
	"# What comes after -- is completed as if it were typed alone.\n"
	"_crypto_tracer_command()\n"
	"{\n"
	"    local at=${words[(i)--]}\n"
	"\n"
	"    (( at < CURRENT )) || return 1\n"
	"    shift $at words\n"
	"    (( CURRENT -= at ))\n"
	"    _normal\n"
	"}\n"
	"\n"
	"# The first word is the command; of some the second, too.\n"
	"_crypto_tracer()\n"
	"{\n"
	"    local -a commands\n"
	"    local command=${words[2]}\n"
	"\n"
	"    if (( CURRENT == 2 )); then\n"
	"        commands=(\n";

static const char middle[] =
	"        )\n"
	"        _describe -t commands command commands\n"
	"        _arguments '--help[print help]' '--version[print version information]'\n"
	"        return\n"
	"    fi\n"
	"    shift words\n"
	"    (( CURRENT -= 1 ))\n"
	"    _crypto_tracer_of $command\n"
	"}\n"
	"\n"
	"# The words begin with the last one that names the command $*.\n"
	"_crypto_tracer_of()\n"
	"{\n"
	"    local -a commands\n"
	"\n"
	"    case $* in\n";

static const char tail[] = "    esac\n"
			   "}\n"
			   "\n"
			   "# Sourced by itself, or loaded by compinit.\n"
			   "if [ \"$funcstack[1]\" = _crypto-tracer ]; then\n"
			   "    _crypto_tracer \"$@\"\n"
			   "else\n"
			   "    compdef _crypto_tracer crypto-tracer\n"
			   "fi\n";

/* In single quotes, within brackets or before a colon; a quote in them has to be left out. */
static void print_text(const char *text)
{
	for (; *text; text++) {
		if (*text == '\'') {
			printf("'\\''");
			continue;
		}
		if (*text == '[' || *text == ']' || *text == ':' || *text == '\\')
			putchar('\\');
		putchar(*text == '\n' ? ' ' : *text);
	}
}

static void print_names(const struct command *const *list, size_t nr, const char *indent)
{
	for (size_t i = 0; i < nr; i++) {
		printf("%s'%s:", indent, command_last_name(list[i]));
		print_text(list[i]->help);
		printf("'\n");
	}
}

/* The message and the action of a value. */
static void print_value(const struct option *option)
{
	static const char *const actions[] = {
		[OPTION_TAKES_text] = " ",
		[OPTION_TAKES_file] = "_files",
		[OPTION_TAKES_user] = "_users",
		[OPTION_TAKES_program] = "_command_names -e",
	};

	/* One that can be left out, too: as optional it would be offered behind '=' alone. */
	putchar(':');
	print_text(option->name);
	putchar(':');
	if (!option->value_at) {
		printf("%s", actions[option->takes]);
		return;
	}
	printf(option->has_several ? "_values -s , value " : "(");
	completion_words(option->value_at, " ");
	if (!option->has_several)
		putchar(')');
}

/* One form of an option, "--name" or "-n"; any may be given again. */
static void print_form(const struct option *option, const char *dashes, const char *name,
		       const char *link)
{
	printf("            '*%s%s%s[", dashes, name, option->arg ? link : "");
	print_text(option->help);
	putchar(']');
	if (option->arg)
		print_value(option);
	printf("' \\\n");
}

static void print_option(void *ctx, const struct command *command, const struct option *option)
{
	const char letter[] = { option->letter, '\0' };

	(void)ctx;
	(void)command;
	print_form(option, "--", option->name, "=");
	if (option->letter)
		print_form(option, "-", letter, "+");
}

static void print_commands(const struct command *command)
{
	size_t nr = 0;

	while (command->commands[nr])
		nr++;
	printf("        if (( CURRENT == 2 )); then\n            commands=(\n");
	print_names(command->commands, nr, "                ");
	printf("            )\n            _describe -t commands command commands\n"
	       "            _arguments '--help[print help]'\n"
	       "            return\n        fi\n"
	       "        shift words\n        (( CURRENT -= 1 ))\n"
	       "        _crypto_tracer_of %s \"${words[1]}\"\n        ;;\n",
	       command->name);
}

static void print_command(void *ctx, const struct command *command)
{
	(void)ctx;
	printf("    '%s')\n", command->name);
	if (command->commands) {
		print_commands(command);
		return;
	}
	if (command->takes_command)
		printf("        _crypto_tracer_command && return\n");
	printf("        _arguments -S \\\n");
	completion_options(command, print_option, NULL);
	printf("            ");
	if (!command->takes_files)
		printf("'*: : '");
	else if (!command->word_at)
		printf("'*:file:_files'");
	if (command->takes_files && command->word_at) {
		printf("'*:word:(");
		completion_words(command->word_at, " ");
		printf(")'");
	}
	printf("\n        ;;\n");
}

void completion_zsh(void)
{
	fputs(head, stdout);
	print_names(commands, NR_COMMANDS, "            ");
	fputs(middle, stdout);
	completion_commands(print_command, NULL);
	fputs(tail, stdout);
}
