/* SPDX-License-Identifier: MIT */
/* `completion`: what a shell needs to complete command lines of this tool. */
#include "cmd/completion.h"

#include <stdio.h>
#include <string.h>

#include "lib/log.h"

static const struct {
	const char *name;
	void (*print)(void);
} shells[] = {
	{ "bash", completion_bash },
	{ "zsh", completion_zsh },
	{ "fish", completion_fish },
};

#define NR_SHELLS (sizeof(shells) / sizeof(shells[0]))

void completion_commands(void (*each)(void *ctx, const struct command *command), void *ctx)
{
	for (size_t i = 0; i < NR_COMMANDS; i++) {
		each(ctx, commands[i]);
		for (size_t j = 0; commands[i]->commands && commands[i]->commands[j]; j++)
			each(ctx, commands[i]->commands[j]);
	}
}

void completion_options(const struct command *command,
			void (*each)(void *ctx, const struct command *command,
				     const struct option *option),
			void *ctx)
{
	for (size_t i = 0; i < COMMAND_TABLES_MAX && command->tables[i]; i++)
		for (size_t j = 0; j < command->tables[i]->nr_options; j++)
			each(ctx, command, &command->tables[i]->options[j]);
}

void completion_words(const char *(*word_at)(size_t i), const char *between)
{
	const char *word;

	for (size_t i = 0; (word = word_at(i)); i++)
		printf("%s%s", i ? between : "", word);
}

void completion_text(const char *text, const char *special)
{
	for (; *text; text++) {
		if (strchr(special, *text))
			putchar('\\');
		putchar(*text == '\n' ? ' ' : *text);
	}
}

static const char *shell_at(size_t i)
{
	return i < NR_SHELLS ? shells[i].name : NULL;
}

static int completion_run(const struct options *options)
{
	for (size_t i = 0; i < NR_SHELLS && options->nr_files == 1; i++)
		if (strcmp(options->files[0], shells[i].name) == 0) {
			shells[i].print();
			return 0;
		}
	error_report("one shell has to be named", "There are bash, zsh and fish.",
		     "Try: crypto-tracer completion --help", NULL);
	return EXIT_USAGE;
}

const struct command completion_command = {
	.name = "completion",
	.help = "print what a shell needs to complete commands",
	.synopsis = "bash|zsh|fish",
	.details = "Prints a script that makes the shell complete commands, options and their\n"
		   "values. `make install` puts these where the shells look for them.\n",
	.examples = ". <(crypto-tracer completion bash)\n"
		    "crypto-tracer completion zsh >~/.zfunc/_crypto-tracer\n"
		    "crypto-tracer completion fish | source\n",
	.tables = { &help_options },
	.takes_files = true,
	.word_at = shell_at,
	.run = completion_run,
};
