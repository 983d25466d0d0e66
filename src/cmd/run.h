/* SPDX-License-Identifier: MIT */
#ifndef CMD_RUN_H
#define CMD_RUN_H

/*
 * A run of the tracer: what `monitor` and `profile` have in common, from the check of the rights to
 * the last record. The command decides what becomes of the records, by the writer or the handlers
 *of run.pipeline, and of the end.
 *
 *	run_init()		COMMAND is made, and waits
 *	run_check()		the rights, the selection
 *	(the command opens its output)
 *	run_open()		everything that needs rights
 *	run_start()		events from here on; no rights any more
 *	run_release_command()
 *	run_loop()		until it is to end
 *	run_drain()
 *	(the command ends its output)
 *	run_close()
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/utsname.h>

#include "cmd/child.h"
#include "cmd/options.h"
#include "inventory/inspector.h"
#include "pipeline/coverage.h"
#include "pipeline/pipeline.h"
#include "priv/broker.h"
#include "tap/chains.h"
#include "tap/opened.h"
#include "tap/tap.h"
#include "trace/calls.h"
#include "trace/late.h"
#include "trace/session.h"
#include "trace/stream.h"

#define RUN_FOREVER UINT64_MAX

/* Members that were never opened are safe to close. */
struct run {
	const struct options *options;
	struct utsname host; /* later it cannot be asked for */
	struct trace_config config;
	struct session session;
	struct stream stream;
	struct pipeline pipeline; /* its writer is the command's */
	struct late late;
	struct calls calls;
	struct tap tap;
	struct chains *chains; /* NULL: certificates that servers show are not looked into */
	struct opened *opened;
	struct broker broker;
	struct child child;
	int program; /* descriptor of COMMAND's program, until the broker has it; -1 */
	char program_path[PATH_MAX];
	struct inspector *inspector; /* NULL: --no-inspect */
	/* Called between two passes, NOW_NS boot time. Returns 0, or the error that ends the run.
	 */
	int (*tick)(void *ctx, uint64_t now_ns);
	void *ctx;
	uint64_t ends_ns; /* boot time; RUN_FOREVER */
	uint64_t loss_due_ns;
	uint64_t counts_due_ns;
	uint64_t lost; /* as of the last warning */
	int err;       /* for which the run ended early; -ECANCELED: --max-events */
	bool has_ended;
};

/* Zeroes RUN and makes COMMAND, if there is one. Returns 0 or an exit status, having said why. */
int run_init(struct run *run, const struct options *options, bool is_output_taken);

/* Returns 0 or an exit status, having said why. */
int run_check(struct run *run);
int run_open(struct run *run);
int run_start(struct run *run);

/* Lets COMMAND start. Returns 0, or the exit status if it cannot be executed. */
int run_release_command(struct run *run);

void run_loop(struct run *run);

/*
 * Tells of a file that was opened what it contains: RECORD is a file_open, CTX the run. The handler
 * of that source, unless --no-inspect is given or the command sets another one after run_start().
 */
void run_look_into(void *ctx, struct record *record);

/*
 * Tells what the certificates of a handshake contain: RECORD is a tls_handshake, CTX the run. The
 * handler of that source, as above.
 */
void run_look_at_chain(void *ctx, struct record *record);

/* Switches the hooks off and reads what is left, as long as there is time for it. */
void run_drain(struct run *run);

/* Fills COVERAGE with what was and was not seen. */
void run_cover(const struct run *run, struct coverage *coverage, bool is_final);

/* The exit status of a run whose own is STATUS: COMMAND's goes first, then signals. */
int run_exit_status(const struct run *run, int status);

/* Ends everything; the writer of the pipeline is left to the command. */
void run_close(struct run *run);

#endif /* CMD_RUN_H */
