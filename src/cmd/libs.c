/* SPDX-License-Identifier: MIT */
/* `libs`: the crypto libraries in use, and who uses them. */
#include "cmd/cmd.h"
#include "cmd/errors.h"
#include "cmd/monitor.h"
#include "cmd/summary.h"
#include "cmd/take.h"
#include "inventory/libs.h"
#include "inventory/origins.h"
#include "sources/source.h"

static int watch(const struct options *options)
{
	struct options stream = *options;

	stream.filter.wanted = 1U << SOURCE_lib_load;
	return monitor_run(&stream);
}

static int report(struct take *take, int *ret_err)
{
	const struct filter *filter = &take->options->filter;
	struct libs *libs;
	int err = origins_find(take->broker, take->inventory);

	if (!err)
		err = libs_new(&libs, &take->source, filter->libraries, filter->nr_libraries);
	if (err)
		return report_error("cannot take the inventory", err);
	*ret_err = take->options->is_summary ? summary_print_libs(take, libs)
					     : take_write(take, libs, &libs_fields);
	libs_free(libs);
	return 0;
}

static int libs_run(const struct options *options)
{
	static struct take take;
	int status;
	int err = 0;

	if (options->watch)
		return watch(options);
	status = take_begin(&take, options, true);
	if (!status)
		status = take_inventory(&take, TAKE_LIBRARIES);
	if (!status)
		status = report(&take, &err);
	return take_end(&take, status, err);
}

const struct command libs_command = {
	.name = "libs",
	.help = "list the crypto libraries in use, and by whom",
	.synopsis = "[OPTIONS]",
	.details = "Lists every crypto library that a process maps, with its version, its\n"
		   "package and the processes. A library that was replaced on disk, and is\n"
		   "still in use, is stale: its users need a restart.\n",
	.examples = "crypto-tracer libs --format summary\n"
		    "crypto-tracer libs --name openssl\n"
		    "crypto-tracer libs --watch --format text\n",
	.tables = { &libs_options, &document_options, &process_options, &hook_options,
		    &general_options },
	.is_document = true,
	.run = libs_run,
};
