/* SPDX-License-Identifier: MIT */
/* `syscalls diff`: which calls only one of two recordings has. */
#include <errno.h>
#include <stdlib.h>

#include "cmd/cmd.h"
#include "cmd/errors.h"
#include "cmd/opener.h"
#include "cmd/recordings.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "syscalls/comparison.h"

static int render_json(const struct comparison *comparison, char **ret, size_t *ret_size)
{
	struct memory_json memory;

	if (memory_json_begin(&memory, JSON_COMPACT))
		return -ENOMEM;
	comparison_write(comparison, &memory.json);
	json_newline(&memory.json);
	return memory_json_end(&memory, 0, ret, ret_size);
}

static int render_text(const struct comparison *comparison, bool has_color, char **ret,
		       size_t *ret_size)
{
	struct memory_text text;

	if (memory_text_begin(&text))
		return -ENOMEM;
	comparison_print(comparison, text.out, has_color);
	return memory_text_end(&text, 0, ret, ret_size);
}

/* Compares and writes. Returns the exit status. */
static int compare(const struct options *options, bool is_json, const struct recording *old,
		   const struct recording *new)
{
	struct comparison comparison;
	struct output output;
	char *text = NULL;
	size_t size = 0;
	int status = recordings_open(options, &output);
	int err;

	if (status)
		return status;
	err = comparison_make(old, new, &comparison);
	if (!err) {
		status = comparison_differs(&comparison) ? EXIT_DIFFERENT : 0;
		err = is_json ? render_json(&comparison, &text, &size)
			      : render_text(&comparison, output_wants_color(&output), &text, &size);
		comparison_free(&comparison);
	}
	if (err)
		status = report_error("cannot compare the recordings", err);
	status = recordings_end(options, &output, text, size, status);
	free(text);
	return status;
}

static int diff_run(const struct options *options)
{
	struct recording *old, *new;
	bool is_json;
	int status = recordings_format(options, &is_json);

	if (status)
		return status;
	if (options->nr_files != 2) {
		error_report("syscalls diff needs two files", NULL,
			     "Try: crypto-tracer syscalls diff --help", NULL);
		return EXIT_USAGE;
	}
	if (!opener_enter(options, NULL, NULL, &status))
		return status;
	status = recordings_read(options, 0, &old);
	if (status)
		return status;
	status = recordings_read(options, 1, &new);
	if (!status) {
		status = compare(options, is_json, old, new);
		recording_free(new);
	}
	recording_free(old);
	return status;
}

const struct command syscalls_diff_command = {
	.name = "syscalls diff",
	.help = "compare two recordings",
	.synopsis = "[OPTIONS] OLD NEW",
	.details = "Lists the calls that only one of two recordings has, in all, by phase and by\n"
		   "program: of two runs, two C libraries, two versions. The exit status is 11\n"
		   "where there is a difference. How often a call was made is none.\n",
	.examples = "crypto-tracer syscalls diff old.json new.json\n"
		    "crypto-tracer syscalls diff --format json glibc.json musl.json\n",
	.tables = { &syscalls_diff_options, &general_options },
	.takes_files = true,
	.run = diff_run,
};
