/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cmd/completion.h"

/*
 * The shell breaks words at '=' (COMP_WORDBREAKS), so that "--format=json" is three. What comes
 * after "--" is completed as if it were typed alone, by what bash-completion has for it, or as a
 * program and files. Nothing of the line is ever evaluated.
 */
static const char head[] =
	"# bash completion for crypto-tracer, made by `crypto-tracer completion bash`.\n"
	"# SPDX-License-Identifier: MIT\n"
	"\n"
	"# The commands of a command, the options of a command, and what a value or word can be.\n"
	"_crypto_tracer_tables()\n"
	"{\n"
	"    case $1 in\n";

static const char tail[] =
	"    esac\n"
	"}\n"
	"\n"
	"# What comes after --, the word at $1 being the first of it.\n"
	"_crypto_tracer_command()\n"
	"{\n"
	"    if declare -F _command_offset >/dev/null; then\n"
	"        _command_offset \"$1\"\n"
	"    elif [ \"$COMP_CWORD\" -eq \"$1\" ]; then\n"
	"        mapfile -t COMPREPLY < <(compgen -c -- \"$2\")\n"
	"    else\n"
	"        mapfile -t COMPREPLY < <(compgen -f -- \"$2\")\n"
	"    fi\n"
	"}\n"
	"\n"
	"_crypto_tracer()\n"
	"{\n"
	"    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
	"    local command=${COMP_WORDS[1]} at=2 i what kind prefix=\n"
	"\n"
	"    COMPREPLY=()\n"
	"    if [ \"$cur\" = = ]; then\n"
	"        cur=\n"
	"    elif [ \"$prev\" = = ] && [ \"$COMP_CWORD\" -gt 2 ]; then\n"
	"        prev=${COMP_WORDS[COMP_CWORD - 2]}\n"
	"    fi\n"
	"    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
	"        what=$(_crypto_tracer_tables /)\n"
	"        mapfile -t COMPREPLY < <(compgen -W \"$what --help --version\" -- \"$cur\")\n"
	"        return\n"
	"    fi\n"
	"    what=$(_crypto_tracer_tables \"$command/\")\n"
	"    if [ -n \"$what\" ]; then\n"
	"        if [ \"$COMP_CWORD\" -eq 2 ]; then\n"
	"            mapfile -t COMPREPLY < <(compgen -W \"$what --help\" -- \"$cur\")\n"
	"            return\n"
	"        fi\n"
	"        command+=\" ${COMP_WORDS[2]}\"\n"
	"        at=3\n"
	"    fi\n"
	"    for ((i = at; i < COMP_CWORD; i++)); do\n"
	"        [ \"${COMP_WORDS[i]}\" = -- ] || continue\n"
	"        _crypto_tracer_command $((i + 1)) \"$cur\"\n"
	"        return\n"
	"    done\n"
	"    what=\n"
	"    case $prev in -*) what=$(_crypto_tracer_tables \"$command $prev\") ;; esac\n"
	"    # An optional value gives way to the next option.\n"
	"    case $what:$cur in optional*:-*) what= ;; esac\n"
	"    if [ -z \"$what\" ]; then\n"
	"        case $cur in\n"
	"        -*) what=\"words $(_crypto_tracer_tables \"$command options\")\" ;;\n"
	"        *) what=$(_crypto_tracer_tables \"$command words\") ;;\n"
	"        esac\n"
	"    fi\n"
	"    kind=${what%% *}\n"
	"    what=${what#* }\n"
	"    case $kind in\n"
	"    files)\n"
	"        compopt -o filenames 2>/dev/null\n"
	"        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	"        ;;\n"
	"    users) mapfile -t COMPREPLY < <(compgen -u -- \"$cur\") ;;\n"
	"    programs) mapfile -t COMPREPLY < <(compgen -c -- \"$cur\") ;;\n"
	"    words | optional) mapfile -t COMPREPLY < <(compgen -W \"$what\" -- \"$cur\") ;;\n"
	"    list)\n"
	"        prefix=${cur%\"${cur##*,}\"}\n"
	"        compopt -o nospace 2>/dev/null\n"
	"        mapfile -t COMPREPLY < <(compgen -P \"$prefix\" -W \"$what\" -- \"${cur##*,}\")\n"
	"        ;;\n"
	"    esac\n"
	"}\n"
	"\n"
	"complete -F _crypto_tracer crypto-tracer\n";

static void print_option(void *ctx, const struct command *command, const struct option *option)
{
	(void)ctx;
	(void)command;
	printf(" --%s", option->name);
	if (option->letter)
		printf(" -%c", option->letter);
}

static void print_value(void *ctx, const struct command *command, const struct option *option)
{
	static const char *const kinds[] = {
		[OPTION_TAKES_text] = "text",
		[OPTION_TAKES_file] = "files",
		[OPTION_TAKES_user] = "users",
		[OPTION_TAKES_program] = "programs",
	};

	(void)ctx;
	if (!option->arg)
		return;
	printf("    '%s --%s'", command->name, option->name);
	if (option->letter)
		printf(" | '%s -%c'", command->name, option->letter);
	printf(") echo '");
	if (option->value_at) {
		printf("%s ", option->has_several   ? "list"
			      : option->is_optional ? "optional"
						    : "words");
		completion_words(option->value_at, " ");
	} else {
		printf("%s", kinds[option->takes]);
	}
	printf("' ;;\n");
}

static void print_command(void *ctx, const struct command *command)
{
	(void)ctx;
	printf("    '%s options') echo '", command->name);
	completion_options(command, print_option, NULL);
	printf("%s' ;;\n", command->takes_command ? " --" : "");
	completion_options(command, print_value, NULL);
	if (command->commands) {
		printf("    '%s/') echo '", command->name);
		for (size_t i = 0; command->commands[i]; i++)
			printf(" %s", command_last_name(command->commands[i]));
		printf("' ;;\n");
	}
	if (!command->takes_files)
		return;
	printf("    '%s words') echo '", command->name);
	if (command->word_at) {
		printf("words ");
		completion_words(command->word_at, " ");
	} else {
		printf("files");
	}
	printf("' ;;\n");
}

void completion_bash(void)
{
	fputs(head, stdout);
	printf("    /) echo '");
	for (size_t i = 0; i < NR_COMMANDS; i++)
		printf(" %s", commands[i]->name);
	printf("' ;;\n");
	completion_commands(print_command, NULL);
	fputs(tail, stdout);
}
