/* SPDX-License-Identifier: MIT */
/* `syscalls`: from what a program does to the least it needs. */
#include "cmd/cmd.h"

#define COMMAND(name) extern const struct command syscalls_##name##_command;
#include "cmd/syscalls.def"
#undef COMMAND

static const struct command *const below[] = {
#define COMMAND(name) &syscalls_##name##_command,
#include "cmd/syscalls.def"
#undef COMMAND
	NULL,
};

/* Options without a command of its own: only --help, which is done before. */
static int syscalls_run(const struct options *options)
{
	(void)options;
	help_print_command(command_find("syscalls"));
	return EXIT_USAGE;
}

const struct command syscalls_command = {
	.name = "syscalls",
	.help = "record a program's system calls, allow it no others",
	.synopsis = "COMMAND [OPTIONS]",
	.details = "Records which system calls a program makes, makes a seccomp policy of\n"
		   "it, runs the program under that policy and tells what it refused.\n",
	.examples = "crypto-tracer syscalls record -o ls.json -- ls -l\n"
		    "crypto-tracer syscalls policy ls.json -o ls.policy\n"
		    "crypto-tracer syscalls run --policy ls.policy -- ls -l\n",
	.tables = { &help_options },
	.run = syscalls_run,
	.commands = below,
};
