/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"

#include <stdio.h>
#include <string.h>

#define COMMAND(name) extern const struct command name##_command;
#include "commands.def"
#undef COMMAND

const struct command *const commands[NR_COMMANDS] = {
#define COMMAND(name) [COMMAND_##name] = &name##_command,
#include "commands.def"
#undef COMMAND
};

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < NR_COMMANDS; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

const struct command *command_find_below(const struct command *command, const char *name)
{
	for (size_t i = 0; command->commands && command->commands[i]; i++)
		if (strcmp(command_last_name(command->commands[i]), name) == 0)
			return command->commands[i];
	return NULL;
}

const char *command_last_name(const struct command *command)
{
	const char *blank = strrchr(command->name, ' ');

	return blank ? blank + 1 : command->name;
}
