/* SPDX-License-Identifier: MIT */
/* `syscalls show`: a recording for people, or for programs. */
#include <errno.h>
#include <stdlib.h>

#include "cmd/cmd.h"
#include "cmd/errors.h"
#include "cmd/opener.h"
#include "cmd/recordings.h"
#include "lib/memory.h"
#include "syscalls/show.h"

/* Prints RECORDING into *RET, for the caller to free. Returns 0 or a negative errno. */
static int print(const struct recording *recording, bool has_color, char **ret, size_t *ret_size)
{
	struct memory_text text;

	if (memory_text_begin(&text))
		return -ENOMEM;
	return memory_text_end(&text, recording_print(recording, text.out, has_color), ret,
			       ret_size);
}

/* Shows RECORDING where --output says. Returns an exit status. */
static int show(const struct options *options, const struct recording *recording, bool is_json)
{
	struct output output;
	char *text = NULL;
	size_t size = 0;
	int status = recordings_open(options, &output);
	int err;

	if (status)
		return status;
	err = is_json ? recording_render(recording, &text, &size)
		      : print(recording, output_wants_color(&output), &text, &size);
	if (err)
		status = report_error("cannot show the recording", err);
	status = recordings_end(options, &output, text, size, status);
	free(text);
	return status;
}

static int show_run(const struct options *options)
{
	struct recording *recording;
	bool is_json;
	int status = recordings_format(options, &is_json);

	if (status || !opener_enter(options, NULL, NULL, &status))
		return status;
	status = recordings_merge(options, "syscalls show", 1, &recording);
	if (status)
		return status;
	status = show(options, recording, is_json);
	recording_free(recording);
	return status;
}

const struct command syscalls_show_command = {
	.name = "syscalls show",
	.help = "print a recording",
	.synopsis = "[OPTIONS] FILE...",
	.details = "Prints the calls of each phase, the tree of processes and threads, and what\n"
		   "to beware of. Several files are shown as one, merged. `-` is standard input.\n",
	.examples = "crypto-tracer syscalls show ls.json\n"
		    "crypto-tracer syscalls show --format json ls.json | jq '.nodes[].calls'\n",
	.tables = { &syscalls_show_options, &general_options },
	.takes_files = true,
	.run = show_run,
};
