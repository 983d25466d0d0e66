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

static int run(const struct command *command, int argc, char **argv)
{
	char command_line[COMMAND_LINE_MAX];
	struct options options;
	int status;

	options_init(&options);
	options.command_line = command_line;
	options.command_line_size = join(command_line, sizeof(command_line), argc - 1, argv + 1);
	status = options_parse(&options, command, argc - 2, argv + 2);
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

int main(int argc, char **argv)
{
	const struct command *command;
	char quoted[LOG_QUOTE_SIZE];
	char what[LOG_QUOTE_SIZE + 32];
	int status;

	open_standard_descriptors();
	if (argc < 2) {
		error_report("no command given", NULL, "Try: crypto-tracer --help", NULL);
		return EXIT_USAGE;
	}
	command = command_find(resolve_alias(argv[1]));
	if (!command) {
		snprintf(what, sizeof(what), "unknown command '%s'", log_quote(quoted, argv[1]));
		error_report(what, NULL, "Try: crypto-tracer --help", NULL);
		return EXIT_USAGE;
	}
	status = run(command, argc, argv);
	/* Help and tables go through stdio: a full disk must not pass for success. */
	if ((fflush(stdout) != 0 || ferror(stdout)) && !status)
		return errno == EPIPE ? EXIT_PIPE_CLOSED : report_output(NULL, -errno, false);
	return status;
}
