/* SPDX-License-Identifier: MIT */
/* The command line, the table of commands, the exit status. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/errors.h"
#include "lib/log.h"

/*
 * A descriptor 0, 1 or 2 that is closed would be given to the next file opened, and output would go
 * there. It is taken by one that can only be used the other way round, so that using it fails.
 */
static void open_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		int null = -1;

		if (fcntl(fd, F_GETFD) < 0)
			null = open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
		if (null > STDERR_FILENO)
			close(null);
	}
}

/* The words of the command line, each with its NUL, as far as they fit. */
static size_t join(char *out, size_t cap, int argc, char **argv)
{
	size_t size = 0;

	for (int i = 0; i < argc; i++) {
		size_t word = strlen(argv[i]) + 1;

		if (word > cap - size)
			break;
		memcpy(out + size, argv[i], word);
		size += word;
	}
	return size;
}

static const char *resolve_alias(const char *name)
{
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
		return "version";
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		return "help";
	return name;
}

/* Parses the words behind argv[AT], which named COMMAND, and does it. */
static int run(const struct command *command, int argc, char **argv, int at)
{
	char command_line[COMMAND_LINE_MAX];
	struct options options;
	int status;

	options_init(&options);
	options.command_line = command_line;
	options.command_line_size = join(command_line, sizeof(command_line), argc - 1, argv + 1);
	status = options_parse(&options, command, argc - at - 1, argv + at + 1);
	if (status)
		return status;
	if (options.help) {
		help_print_command(command);
		return 0;
	}
	if (options.verbose)
		log_set_level(LOG_DEBUG);
	else if (options.quiet)
		log_set_level(LOG_WARN);
	return command->run(&options);
}

/* Says that there is no command WORD, of COMMAND where that is not NULL. */
static void report_unknown(const struct command *command, const char *word)
{
	char quoted[LOG_QUOTE_SIZE];
	char what[LOG_QUOTE_SIZE + 64];
	char action[128];

	if (word)
		snprintf(what, sizeof(what), "unknown command '%s'", log_quote(quoted, word));
	else
		snprintf(what, sizeof(what), "no command given");
	snprintf(action, sizeof(action), "Try: crypto-tracer %s%s--help",
		 command ? command->name : "", command ? " " : "");
	error_report(what, NULL, action, NULL);
}

/*
 * The command that the first words of ARGV name, the last one being at *RET_AT. NULL: there is
 * none, which has been said.
 */
static const struct command *find_command(int argc, char **argv, int *ret_at)
{
	const char *word = argc > 1 ? argv[1] : NULL;
	const struct command *command = word ? command_find(resolve_alias(word)) : NULL;
	const struct command *below;

	*ret_at = 1;
	if (!command) {
		report_unknown(NULL, word);
		return NULL;
	}
	word = argv[2];
	/* an option is for the command itself: --help */
	if (!command->commands || (word && word[0] == '-'))
		return command;
	*ret_at = 2;
	below = word ? command_find_below(command, word) : NULL;
	if (!below)
		report_unknown(command, word);
	return below;
}

int main(int argc, char **argv)
{
	const struct command *command;
	int status;
	int at;

	open_standard_descriptors();
	command = find_command(argc, argv, &at);
	if (!command)
		return EXIT_USAGE;
	status = run(command, argc, argv, at);
	/* Help and tables go through stdio: a full disk must not pass for success. */
	if ((fflush(stdout) != 0 || ferror(stdout)) && !status)
		return errno == EPIPE ? EXIT_PIPE_CLOSED : report_output(NULL, -errno, false);
	return status;
}
