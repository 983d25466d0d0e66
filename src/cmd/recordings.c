/* SPDX-License-Identifier: MIT */
#include "cmd/recordings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/errors.h"
#include "cmd/opener.h"
#include "lib/log.h"
#include "syscalls/recording_file.h"

/* It was not possible to VERB what is in PATH, for WHY. Returns the exit status. */
static int report_file(const char *path, const char *verb, const char *why, const char *action)
{
	char quoted[LOG_QUOTE_SIZE];
	char what[LOG_QUOTE_SIZE + 64];

	snprintf(what, sizeof(what), "cannot %s '%s'", verb,
		 log_quote(quoted, strcmp(path, "-") == 0 ? "standard input" : path));
	error_report(what, why, action, NULL);
	return EXIT_ERROR;
}

int recordings_read(const struct options *options, size_t i, struct recording **ret)
{
	char why[RECORDING_WHAT_SIZE];

	if (recording_read(opener_file(options, i), ret, why) == 0)
		return 0;
	return report_file(options->files[i], "read the recording", why,
			   "Solution: give a file that\n"
			   "`crypto-tracer syscalls record -o FILE` wrote.");
}

/* Recording PATH could not be added to those before it. Returns the exit status. */
static int report_merge(const char *path, int err)
{
	const char *why = strerror(-err);
	const char *action = "Solution: merge fewer recordings.";

	if (err == -EXDEV) {
		why = "it has other phases than the ones before it";
		action = "Solution: record all of them with the same --phase options.";
	} else if (err == -EEXIST) {
		why = "it has a run that is in the ones before it already";
		action = "Solution: give each recording once.";
	} else if (err == -E2BIG) {
		why = "together they are more than a recording holds";
	}
	return report_file(path, "merge", why, action);
}

/* Adds the recording in file I to INTO. Returns 0 or an exit status, having said what is wrong. */
static int add_file(struct recording *into, const struct options *options, size_t i)
{
	struct recording *next = NULL;
	int status = recordings_read(options, i, &next);
	int err;

	if (status)
		return status;
	err = recording_merge(into, next);
	recording_free(next);
	return err ? report_merge(options->files[i], err) : 0;
}

int recordings_merge(const struct options *options, const char *command, size_t min,
		     struct recording **ret)
{
	struct recording *merged = NULL;
	int status;

	if (options->nr_files < min) {
		char what[64], action[64];

		snprintf(what, sizeof(what), "%s needs %s", command,
			 min > 1 ? "two files and more" : "a file");
		snprintf(action, sizeof(action), "Try: crypto-tracer %s --help", command);
		error_report(what, NULL, action, NULL);
		return EXIT_USAGE;
	}
	status = recordings_read(options, 0, &merged);
	for (size_t i = 1; !status && i < options->nr_files; i++)
		status = add_file(merged, options, i);
	if (status) {
		recording_free(merged);
		return status;
	}
	*ret = merged;
	return 0;
}

int recordings_format(const struct options *options, bool *ret_is_json)
{
	const char *format = options->syscalls.format;
	char quoted[LOG_QUOTE_SIZE];
	char what[LOG_QUOTE_SIZE + 64];

	*ret_is_json = format && strcmp(format, "json") == 0;
	if (!format || *ret_is_json || strcmp(format, "text") == 0)
		return 0;
	snprintf(what, sizeof(what), "--format: '%s' is not text or json",
		 log_quote(quoted, format));
	error_report(what, NULL, "Solution: give one of these, or no --format for text.", NULL);
	return EXIT_USAGE;
}

int recordings_open(const struct options *options, struct output *ret)
{
	int err = opener_output(options, ret);

	return err ? report_output(options->output, err, false) : 0;
}

int recordings_end(const struct options *options, struct output *output, const char *text,
		   size_t size, int status)
{
	bool is_good = status == 0 || status == EXIT_DIFFERENT;
	int err = is_good ? output_write(output, text, size) : 0;
	int closed = output_close(output);

	if (!err)
		err = closed;
	if (err == -EPIPE)
		return EXIT_PIPE_CLOSED;
	if (err)
		return report_output(options->output, err, false);
	if (output->failed)
		return report_output(options->output, output->error, true);
	return status;
}
