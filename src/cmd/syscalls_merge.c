/* SPDX-License-Identifier: MIT */
/* `syscalls merge`: recordings of one program as one. */
#include <stdlib.h>

#include "cmd/cmd.h"
#include "cmd/errors.h"
#include "cmd/opener.h"
#include "cmd/recordings.h"

static int merge_run(const struct options *options)
{
	struct recording *recording;
	struct output output;
	char *text = NULL;
	size_t size = 0;
	int status;
	int err;

	if (!opener_enter(options, NULL, NULL, &status))
		return status;
	status = recordings_merge(options, "syscalls merge", 2, &recording);
	if (status)
		return status;
	err = recording_render(recording, &text, &size);
	recording_free(recording);
	if (err)
		return report_error("cannot merge the recordings", err);
	status = recordings_open(options, &output);
	if (!status)
		status = recordings_end(options, &output, text, size, status);
	free(text);
	return status;
}

const struct command syscalls_merge_command = {
	.name = "syscalls merge",
	.help = "put recordings together",
	.synopsis = "[OPTIONS] FILE FILE...",
	.details = "Writes one recording that has the runs of all, in whatever order they are\n"
		   "given. They have to be of the same phases. `-` is standard input.\n",
	.examples = "crypto-tracer syscalls merge -o all.json monday.json tuesday.json\n",
	.tables = { &syscalls_merge_options, &general_options },
	.takes_files = true,
	.run = merge_run,
};
