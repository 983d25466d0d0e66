/* SPDX-License-Identifier: MIT */
#include "cmd/take.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/errors.h"
#include "inspect/content.h"
#include "inventory/scan.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/stop.h"
#include "priv/privileges.h"
#include "priv/sandbox.h"
#include "trace/libbpf_log.h"
#include "trace/reduced.h"

/* Returns 0 or an exit status, having said why. */
static int open_output(struct take *take)
{
	const struct options *options = take->options;
	struct redact_options redact = { .paths = !options->no_redact,
					 .peers = options->redact_sni };
	int err = output_open(&take->output, options->output, &stop_give_up);

	if (err == -EINTR && stop_signal()) /* while waiting for the reader of a FIFO */
		return 128 + stop_signal();
	if (err)
		return report_output(options->output, err, false);
	/* Now: later a terminal cannot be asked what it is. */
	take->has_color = output_wants_color(&take->output);
	err = redactor_new(&take->redactor, &redact);
	return err ? report_error("cannot start", err) : 0;
}

/* What is read of the host itself, before anything is given up. */
static int read_host(struct take *take)
{
	_cleanup_(cleanup_fd) int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct utsname names;
	int err;

	if (root < 0)
		return -errno;
	err = users_new(&take->users, "/etc/passwd");
	if (!err)
		err = host_crypto_read(root, true, &take->host);
	if (err)
		return err;
	uname(&names);
	snprintf(take->hostname, sizeof(take->hostname), "%s", names.nodename);
	snprintf(take->kernel, sizeof(take->kernel), "%s", names.release);
	boot_clock_init(&take->clock);
	return 0;
}

void take_open_iterators(struct take *take, int tapped)
{
	int err;

	libbpf_log_start();
	err = reduced_is_forced() ? -EOPNOTSUPP : iterate_open(&take->iterate, tapped);
	if (!err)
		return;
	snprintf(take->reason, sizeof(take->reason), "%s",
		 err == -EPERM || err == -EACCES ? "no permission for bpf(2)" : strerror(-err));
	log_debug("no iterators: %s; reading /proc instead", take->reason);
}

int take_open(struct take *take, const struct options *options)
{
	int status;
	int err;

	*take = (struct take){
		.options = options,
		.output = { .fd = -1 },
		.iterate = { .tasks = -1, .maps = -1, .files = -1 },
		.own_broker = { .fd = -1 },
		.broker = &take->own_broker,
	};
	status = open_output(take);
	if (status)
		return status;
	err = read_host(take);
	return err ? report_error("cannot read what the host tells", err) : 0;
}

int take_begin(struct take *take, const struct options *options, bool needs_packages)
{
	const struct broker_config config = {
		.may_execute = needs_packages && access("/usr/bin/rpm", X_OK) == 0,
	};
	int err = stop_install();
	int status = take_open(take, options);

	if (status)
		return status;
	take_open_iterators(take, -1);
	if (!err && !options->no_inspect)
		err = content_prepare();
	if (!err)
		err = broker_start(&take->own_broker, &config);
	if (!err)
		err = privileges_drop(NULL, 0);
	if (!err)
		err = sandbox_enter_reader();
	return err ? report_error("cannot start", err) : 0;
}

/*
 * Fills the inventory by iterators, or where they do not load, or fail on the way, from /proc: a
 * half of one and a half of the other would not be of one moment. Returns 0 or a negative errno.
 */
static int scan(struct take *take)
{
	int err = inventory_new(&take->inventory, take->options->max_processes);

	if (err)
		return err;
	if (take->iterate.tasks >= 0) {
		err = iterate_run(&take->iterate, take->inventory);
		if (!err) {
			take->source.method = "bpf";
			return 0;
		}
		snprintf(take->reason, sizeof(take->reason), "%s", strerror(-err));
		inventory_free(take->inventory);
		take->inventory = NULL;
		err = inventory_new(&take->inventory, take->options->max_processes);
	}
	take->source.method = "proc";
	take->source.reason = take->reason;
	return err ? err : scan_run(take->broker, take->inventory);
}

int take_scan(struct take *take)
{
	int err = scan(take);

	if (err)
		return err;
	/* This tool is not what anybody looks for. */
	inventory_remove(take->inventory, (uint32_t)getpid());
	inventory_remove(take->inventory, (uint32_t)take->broker->pid);
	log_debug("%zu processes, %zu files, by %s", take->inventory->nr_processes,
		  take->inventory->nr_objects, take->source.method);
	return 0;
}

int take_examine(struct take *take, unsigned int what)
{
	const struct options *options = take->options;
	struct document_source *source = &take->source;
	struct examine_options examine = { .deep = options->deep, .what = what };
	int err = 0;

	inventory_sort(take->inventory);
	source->now_ns = boot_clock_unix(&take->clock, boot_clock_now());
	examine.now_ns = source->now_ns;
	if (!options->no_inspect)
		err = examine_run(take->broker, take->inventory, &examine, &source->counts);
	source->inventory = take->inventory;
	source->host = &take->host;
	source->users = take->users;
	source->hostname = take->hostname;
	source->kernel = take->kernel;
	source->offset_ns = take->clock.offset_ns;
	source->is_inspected = !options->no_inspect;
	return err;
}

int take_inventory(struct take *take, unsigned int what)
{
	int err = take_scan(take);

	if (!err)
		err = take_examine(take, what);
	if (stop_signal())
		return 128 + stop_signal();
	return err ? report_error("cannot take the inventory", err) : 0;
}

int take_render(struct take *take, const struct sink *sink, const void *document,
		const struct fields *table, struct output_text *ret)
{
	static struct arena arena;
	const struct record record = { .bytes = document, .arena = &arena };
	struct output memory;
	struct writer *writer;
	int err;

	*ret = (struct output_text){ 0 };
	output_memory(&memory, ret);
	err = writer_new(&writer, sink, &memory, take->redactor, false);
	if (err)
		return err;
	arena.used = 0;
	err = writer_record(writer, &record, &table, 1);
	if (!err)
		err = writer_end(writer);
	writer_free(writer);
	return err;
}

int take_write(struct take *take, const void *document, const struct fields *table)
{
	struct output_text text;
	int err = take_render(take, take->options->sink, document, table, &text);

	if (!err)
		err = take_print(take, text.bytes, text.size);
	free(text.bytes);
	return err;
}

int take_print(struct take *take, const char *text, size_t size)
{
	return output_write(&take->output, text, size);
}

int take_end(struct take *take, int status, int err)
{
	int closed = output_close(&take->output);

	if (!err)
		err = closed;
	if (err == -EPIPE)
		status = EXIT_PIPE_CLOSED;
	else if (err == -EINTR && stop_signal())
		status = 128 + stop_signal();
	else if (err)
		status = report_output(take->options->output, err, false);
	else if (take->output.failed)
		status = report_output(take->options->output, take->output.error, true);
	broker_stop(&take->own_broker);
	iterate_close(&take->iterate);
	inventory_free(take->inventory);
	host_crypto_free(&take->host);
	users_free(take->users);
	redactor_free(take->redactor);
	return status;
}
