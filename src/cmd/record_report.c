/* SPDX-License-Identifier: MIT */
#include "cmd/record_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "lib/log.h"
#include "syscalls/phrases.h"

int record_report_drive(const char *cmd, int err, int status)
{
	char quoted[LOG_QUOTE_SIZE], title[LOG_QUOTE_SIZE + 64], detail[128];

	if (err == -ECHILD)
		snprintf(detail, sizeof(detail), "COMMAND ended before it was started.");
	else if (err == -ECANCELED)
		snprintf(detail, sizeof(detail), "COMMAND ended before it did.");
	else if (err)
		snprintf(detail, sizeof(detail), "%s", strerror(-err));
	else
		snprintf(detail, sizeof(detail), "Its exit status is %d.", status);
	snprintf(title, sizeof(title), "The driver '%s' failed", log_quote(quoted, cmd));
	error_report(title, detail, "What COMMAND did is recorded nevertheless.", NULL);
	return EXIT_ERROR;
}

int record_report_keeper(void)
{
	error_report(
		"COMMAND was ended early",
		"The process that keeps the rights to write the output is gone: it was killed.",
		"Solution: record again. What was counted goes to standard output.", NULL);
	return EXIT_ERROR;
}

int record_report_rights(void)
{
	error_report("Insufficient privileges for the engine 'bpf'",
		     "It needs root, or the capabilities CAP_BPF and CAP_PERFMON.",
		     "Solution: run it as root, or with --engine ptrace, which any user may.",
		     "crypto-tracer check; man crypto-tracer, PRIVILEGES");
	return EXIT_PRIVILEGES;
}

/* The calls in which processes waited, for people. */
static void list_waits(const struct recording *recording, char *out, size_t size)
{
	uint64_t counts[SYSCALLS_MAX] = { 0 };
	size_t used = 0;

	for (size_t i = 0; i < recording->nr_nodes; i++)
		for (size_t k = 0; k < recording->nodes[i].nr_calls; k++) {
			const struct recording_call *call = &recording->nodes[i].calls[k];

			if (call->arch == syscall_arch_native() && point_is_wait(call->nr))
				counts[call->nr] += call->count;
		}
	*out = '\0';
	for (uint32_t nr = 0; nr < SYSCALLS_MAX && used + PHRASE_SIZE < size; nr++)
		if (counts[nr])
			used += (size_t)snprintf(out + used, size - used,
						 "%sfirst:%s (%" PRIu64 ")", used ? ", " : "",
						 syscall_name(syscall_arch_native(), nr),
						 counts[nr]);
}

static void report_auto(const struct recording *recording)
{
	char waits[512], detail[700];

	list_waits(recording, waits, sizeof(waits));
	snprintf(
		detail, sizeof(detail),
		"No process waited for work after it, or one that made it, had listened, and none\n"
		"came back to waiting again and again. Calls that wait, and how often: %s.",
		*waits ? waits : "none");
	error_report(
		"No serving loop was found", detail,
		"Solution: give COMMAND something to serve, with --drive CMD, or name the point:\n"
		"--phase first:CALL, or --phase FUNCTION.",
		NULL);
}

int record_report_points(const struct points *points, const struct recording *recording)
{
	int status = 0;
	char quoted[LOG_QUOTE_SIZE], title[LOG_QUOTE_SIZE + 64];

	for (size_t i = 0; i < points->nr; i++) {
		const struct point *point = &points->list[i];

		if (i + 1 >= recording->nr_phases || recording->phases[i + 1].nr_hits)
			continue;
		status = EXIT_ERROR;
		if (point->kind == POINT_AUTO) {
			report_auto(recording);
			continue;
		}
		snprintf(title, sizeof(title), "The point '%s' was never reached",
			 log_quote(quoted, point->text));
		error_report(title,
			     "No process came there, or only after it had come to a later point:\n"
			     "points are given in the order in which a process comes to them.",
			     "Solution: make COMMAND do what leads there, or leave the point out.\n"
			     "What was recorded is written nevertheless.",
			     NULL);
	}
	return status;
}
