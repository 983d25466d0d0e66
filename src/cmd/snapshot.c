/* SPDX-License-Identifier: MIT */
/* `snapshot`: what the host uses right now. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/errors.h"
#include "cmd/summary.h"
#include "cmd/take.h"
#include "inventory/diff.h"
#include "inventory/snapshot.h"
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/log.h"

/* An older snapshot in memory. */
struct old {
	char *text;
	size_t size;
};

/* PATH of --diff cannot be used, for WHY. Returns the exit status. */
static int report_old(const char *path, const char *why)
{
	char quoted[LOG_QUOTE_SIZE];
	char what[LOG_QUOTE_SIZE + 64];

	snprintf(what, sizeof(what), "cannot compare with '%s'", log_quote(quoted, path));
	error_report(what, why,
		     "Solution: give a file that `crypto-tracer snapshot -o FILE` wrote.", NULL);
	return EXIT_ERROR;
}

/* Reads what --diff names. Returns 0 or an exit status, having said why. */
static int read_old(const char *path, struct old *ret)
{
	_cleanup_(cleanup_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	size_t room;
	ssize_t got;

	if (fd < 0 || fstat(fd, &st) < 0)
		return report_old(path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return report_old(path, "not a regular file");
	if (st.st_size > (off_t)DIFF_SIZE_MAX)
		return report_old(path, "larger than 256 MiB");
	room = (size_t)st.st_size;
	ret->text = malloc(room + 1);
	if (!ret->text)
		return report_old(path, strerror(ENOMEM));
	got = file_fill(fd, ret->text, room);
	if (got < 0)
		return report_old(path, strerror((int)-got));
	ret->size = (size_t)got;
	return 0;
}

static int add_text(void *ctx, const char *bytes, size_t size)
{
	return output_write(ctx, bytes, size);
}

/* Renders what changed and writes it in one piece. Returns 0 or a negative errno. */
static int write_diff(struct take *take, const struct diff *diff)
{
	_cleanup_(cleanup_free) char *buffer = malloc(WRITER_FLUSH_SIZE);
	struct output_text text = { 0 };
	struct output memory;
	struct json json;
	int err;

	if (!buffer)
		return -ENOMEM;
	output_memory(&memory, &text);
	if (take->options->is_summary) {
		err = diff_text(diff, take->has_color, &text.bytes);
		text.size = err ? 0 : strlen(text.bytes);
	} else {
		json_init(&json, buffer, WRITER_FLUSH_SIZE,
			  take->options->sink->is_indented ? JSON_PRETTY : JSON_COMPACT, add_text,
			  &memory);
		diff_write(diff, &json);
		json_newline(&json);
		err = json_flush(&json);
	}
	if (!err)
		err = take_print(take, text.bytes, text.size);
	free(text.bytes);
	return err;
}

/* Compares. Returns an exit status for what was found; *RET_ERR is that of the output. */
static int compare(struct take *take, const struct snapshot *snapshot, const struct old *old,
		   int *ret_err)
{
	const char *why = "not a snapshot";
	struct diff *diff = NULL;
	int fail_on = take->options->fail_on;
	int status = 0;
	struct output_text text;
	int err = take_render(take, sinks[SINK_json_stream], snapshot, &snapshot_fields, &text);

	if (!err)
		err = diff_new(&diff, old->text, old->size, text.bytes, text.size, &why);
	free(text.bytes);
	if (err == -EBADMSG)
		return report_old(take->options->diff, why);
	if (err)
		return report_error("cannot compare", err);
	*ret_err = write_diff(take, diff);
	if (fail_on >= 0 && diff_new_findings(diff, (unsigned int)fail_on))
		status = EXIT_FINDINGS;
	else if (diff_count(diff))
		status = EXIT_DIFFERENT;
	diff_free(diff);
	return status;
}

/*
 * Makes the document and writes it, or what changed in it. Returns the exit status for what was
 * found; *RET_ERR is that of the output.
 */
static int report(struct take *take, const struct old *old, int *ret_err)
{
	const struct options *options = take->options;
	struct snapshot *snapshot;
	int err = snapshot_new(&snapshot, &take->source);
	int status = 0;

	if (err)
		return report_error("cannot take the inventory", err);
	if (options->diff) {
		status = compare(take, snapshot, old, ret_err);
	} else {
		*ret_err = options->is_summary ? summary_print_snapshot(take, snapshot)
					       : take_write(take, snapshot, &snapshot_fields);
		if (options->fail_on >= 0 &&
		    snapshot_count_findings(snapshot, (uint32_t)options->fail_on))
			status = EXIT_FINDINGS;
	}
	snapshot_free(snapshot);
	return status;
}

static int snapshot_run(const struct options *options)
{
	static struct take take;
	struct old old = { 0 };
	int status = options->diff ? read_old(options->diff, &old) : 0;
	int err = 0;

	if (!status) {
		status = take_begin(&take, options, false);
		if (!status)
			status = take_inventory(&take, TAKE_ALL);
		if (!status)
			status = report(&take, &old, &err);
		status = take_end(&take, status, err);
	}
	free(old.text);
	return status;
}

const struct command snapshot_command = {
	.name = "snapshot",
	.help = "take inventory of what uses cryptography now",
	.synopsis = "[OPTIONS]",
	.details = "Lists every process that maps a crypto library, has a certificate or key\n"
		   "open, or has cryptography built into its program; what these files are;\n"
		   "and what somebody should look at. Without privileges it reports what it\n"
		   "may see, and says how much it could not.\n",
	.examples = "crypto-tracer snapshot --format summary\n"
		    "crypto-tracer snapshot --output before.json\n"
		    "crypto-tracer snapshot --diff before.json --format summary\n"
		    "crypto-tracer snapshot --fail-on high >/dev/null\n",
	.tables = { &inspect_options, &script_options, &document_options, &process_options,
		    &general_options },
	.is_document = true,
	.run = snapshot_run,
};
