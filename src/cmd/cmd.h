/* SPDX-License-Identifier: MIT */
#ifndef CMD_CMD_H
#define CMD_CMD_H

/*
 * Commands. A command is a file that ends in its const descriptor, and a line in commands.def. Only
 * commands may know an event by name, and only they print errors.
 */

#include <stddef.h>

#include "cmd/options.h"

/* Exit statuses beyond 0; docs: crypto-tracer(1), EXIT STATUS. */
enum exit_status {
	EXIT_ERROR = 1,
	EXIT_USAGE = 2,
	EXIT_PRIVILEGES = 3,
	EXIT_KERNEL = 4,
	EXIT_LOAD = 5,
	EXIT_FINDINGS = 10,
	EXIT_DIFFERENT = 11,	/* --diff: something changed */
	EXIT_PIPE_CLOSED = 141, /* 128 + SIGPIPE */
};

#define COMMAND_TABLES_MAX 8

struct command {
	const char *name;     /* of a command of a command both: "syscalls record" */
	const char *help;     /* one line */
	const char *synopsis; /* what follows the name */
	const char *details;  /* paragraph for --help, wrapped; may be NULL */
	const char *examples; /* lines for --help; may be NULL */
	const struct option_table *tables[COMMAND_TABLES_MAX];
	bool takes_command; /* `-- COMMAND` */
	bool takes_files;   /* words, options.files */
	/* The I-th of what these can be, NULL after the last; NULL: files. */
	const char *(*word_at)(size_t i);
	bool is_document; /* writes one document, unless --watch makes it a stream */
	/* Does it. Returns the exit status. */
	int (*run)(const struct options *options);
	/* Commands of this command, NULL at their end; then it does nothing itself. */
	const struct command *const *commands;
};

enum {
#define COMMAND(name) COMMAND_##name,
#include "commands.def"
#undef COMMAND
	NR_COMMANDS
};

extern const struct command *const commands[NR_COMMANDS];

/* The command called NAME, or NULL. */
const struct command *command_find(const char *name);

/* That of COMMAND called NAME ("record"), or NULL, as it is where COMMAND has none. */
const struct command *command_find_below(const struct command *command, const char *name);

/* The name of COMMAND without that of the command it is of: "record". */
const char *command_last_name(const struct command *command);

/* Prints the help for the tool, or for COMMAND, to standard output. */
void help_print_tool(void);
void help_print_command(const struct command *command);

#endif /* CMD_CMD_H */
