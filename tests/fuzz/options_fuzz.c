/* SPDX-License-Identifier: MIT */
/*
 * src/cmd/options.c and src/cmd/select.c: any command line is taken or refused, never half of it.
 * One that is taken leaves every number within its limits, one that is refused gets a message that
 * does nothing to a terminal; the kernel's configuration is made of what was taken.
 *
 * The input is a byte that chooses the command, then the words, each but the last with a NUL.
 */
#include <sanitizer/common_interface_defs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/select.h"
#include "lib/utf8.h"
#include "sources/source.h"

#define INPUT_MAX   8192
#define WORDS_MAX   512
#define MESSAGE_MAX 8192

static int messages = -1;
static int terminal = -1;

static void check(int condition)
{
	if (!condition)
		abort();
}

/* What is said goes to a file; what the sanitizers say, where it did. */
static void capture_begin(void)
{
	if (messages < 0) {
		messages = memfd_create("messages", MFD_CLOEXEC);
		terminal = dup(STDERR_FILENO);
		__sanitizer_set_report_fd((void *)(intptr_t)terminal);
	}
	check(ftruncate(messages, 0) == 0 && lseek(messages, 0, SEEK_SET) == 0);
	check(dup2(messages, STDERR_FILENO) == STDERR_FILENO);
}

/* Ends it. Returns how many bytes were said, all of them harmless. */
static size_t capture_end(void)
{
	static char text[MESSAGE_MAX];
	ssize_t size = pread(messages, text, sizeof(text), 0);

	check(dup2(terminal, STDERR_FILENO) == STDERR_FILENO);
	check(size >= 0 && size < MESSAGE_MAX);
	for (size_t at = 0; at < (size_t)size;) {
		uint32_t rune = 0;

		at += utf8_decode(text + at, (size_t)size - at, &rune);
		check(rune != UTF8_INVALID && (rune == '\n' || !utf8_is_control(rune)));
	}
	return (size_t)size;
}

/* Points WORDS into TEXT, NULL behind the last. Returns their number. */
static int split(char *text, size_t size, char **words)
{
	int nr_words = 0;

	for (char *end = text + size; text < end && nr_words < WORDS_MAX; text += strlen(text) + 1)
		words[nr_words++] = text;
	words[nr_words] = NULL;
	return nr_words;
}

static void check_options(const struct options *options, char **words, int nr_words)
{
	check(options->nr_pids <= OPTION_PIDS_MAX && options->nr_uids <= CONFIG_UIDS_MAX);
	for (size_t i = 0; i < options->nr_pids; i++)
		check(options->pids[i] > 0);
	check(options->filter.nr_files <= FILTER_PATTERNS_MAX);
	check(options->filter.nr_libraries <= FILTER_PATTERNS_MAX);
	check(options->filter.wanted && options->filter.wanted < 1U << NR_SOURCES);
	check(options->sink && options->schema_format && options->max_processes > 0);
	check(options->buffer_size >= 64U << 10 && options->buffer_size <= 64U << 20);
	check((options->buffer_size & (options->buffer_size - 1)) == 0);
	if (options->command)
		check(options->command > words && options->command < words + nr_words);
}

static void check_config(const struct options *options)
{
	struct trace_config config;
	int status = select_config(options, &config);

	check(status == 0 || status == EXIT_ERROR);
	if (status)
		return;
	check(config.nr_uids == options->nr_uids && config.name_size < COMM_SIZE);
	check(config.nr_tails == 0 || config.nr_tails == options->filter.nr_files);
	check(!config.by_tail == !options->filter.nr_files);
	check(!select_is_narrow(options) == !config.select);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char *words[WORDS_MAX + 1];
	struct options options;
	const struct command *command;
	char *text;
	int nr_words;
	int status;

	if (size < 1 || size > INPUT_MAX)
		return 0;
	command = commands[data[0] % NR_COMMANDS];
	text = malloc(size);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	nr_words = split(text, size - 1, words);
	capture_begin();
	options_init(&options);
	status = options_parse(&options, command, nr_words, words);
	if (status) {
		check(capture_end() > 0 && status == EXIT_USAGE);
	} else {
		check(capture_end() == 0);
		check_options(&options, words, nr_words);
		/* with --help nothing else is looked at */
		if (!options.help) {
			capture_begin();
			check_config(&options);
			capture_end();
		}
	}
	free(text);
	return 0;
}
