/* SPDX-License-Identifier: MIT */
#ifndef CMD_COMPLETION_H
#define CMD_COMPLETION_H

/*
 * Completions for shells, written from the tables of commands and options to standard output. What
 * is in these tables is ours, and plain words; help is quoted for the shell. Errors are stdout's.
 */

#include "cmd/cmd.h"

/* Calls EACH with CTX for every command, and those of commands in their places. */
void completion_commands(void (*each)(void *ctx, const struct command *command), void *ctx);

/* The same for every option of COMMAND, in the order of --help. */
void completion_options(const struct command *command,
			void (*each)(void *ctx, const struct command *command,
				     const struct option *option),
			void *ctx);

/* Prints what WORD_AT has, with BETWEEN between them. */
void completion_words(const char *(*word_at)(size_t i), const char *between);

/* Prints TEXT as one line, with a backslash before each of the characters in SPECIAL. */
void completion_text(const char *text, const char *special);

void completion_bash(void);
void completion_zsh(void);
void completion_fish(void);

#endif /* CMD_COMPLETION_H */
