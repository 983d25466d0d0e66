/* SPDX-License-Identifier: MIT */
#ifndef CMD_TAKE_H
#define CMD_TAKE_H

/*
 * What `snapshot`, `libs` and `files --open` have in common: an inventory is taken with all rights
 * that there are, and looked into with none. take_begin(), take_inventory(), the command's own
 * document, take_end().
 */

#include "cmd/options.h"
#include "inventory/document.h"
#include "inventory/examine.h"
#include "inventory/iterate.h"
#include "lib/output.h"
#include "pipeline/clock.h"
#include "pipeline/redact.h"
#include "priv/broker.h"
#include "sinks/sink.h"

/* What is looked into: EXAMINE_*. */
#define TAKE_LIBRARIES EXAMINE_LIBRARIES
#define TAKE_FILES     EXAMINE_FILES
#define TAKE_ALL       (EXAMINE_LIBRARIES | EXAMINE_PROGRAMS | EXAMINE_FILES)

struct take {
	const struct options *options;
	struct output output;
	struct redactor *redactor;
	struct users *users;
	struct host_crypto host;
	struct iterate iterate;
	struct broker *broker; /* its own, or that of a run */
	struct broker own_broker;
	struct boot_clock clock;
	struct inventory *inventory;
	struct document_source source;
	bool has_color;	   /* output for people may be coloured */
	char hostname[65]; /* HOST_NAME_MAX and a NUL */
	char kernel[65];
	char reason[64]; /* why there are no iterators */
};

/*
 * Opens the output and reads what of an inventory needs rights; take_scan() and what follows come
 * after the rights are gone. Returns 0 or an exit status, having said why. Whatever it returns,
 * take_end() cleans up.
 */
int take_open(struct take *take, const struct options *options);

/*
 * Loads the iterators, which are a matter of speed: without them /proc tells the same. TAPPED as
 * for iterate_open().
 */
void take_open_iterators(struct take *take, int tapped);

/*
 * Both, and then gives up all rights. NEEDS_PACKAGES: the distribution's package manager may be
 * asked.
 */
int take_begin(struct take *take, const struct options *options, bool needs_packages);

/* Scans all processes but this tool's own. Returns 0 or a negative errno. */
int take_scan(struct take *take);

/*
 * Unless --no-inspect looks into the files that WHAT, TAKE_*, asks for. Puts the inventory into
 * order and fills take->source. Returns 0 or a negative errno.
 */
int take_examine(struct take *take, unsigned int what);

/* Both. Returns 0 or an exit status, having said why. */
int take_inventory(struct take *take, unsigned int what);

/*
 * Renders DOCUMENT, as TABLE lists it, into *RET, redacted, in the style of SINK; the caller frees
 * ret->bytes. Returns 0 or a negative errno.
 */
int take_render(struct take *take, const struct sink *sink, const void *document,
		const struct fields *table, struct output_text *ret);

/*
 * Writes DOCUMENT in one piece, so that an output that fails in the middle leaves no half of it.
 * Returns 0 or a negative errno of the output.
 */
int take_write(struct take *take, const void *document, const struct fields *table);

/* Writes SIZE bytes of text for people. Returns as take_write(). */
int take_print(struct take *take, const char *text, size_t size);

/* Ends the output with ERR, of take_write(), and everything else. Returns the exit status. */
int take_end(struct take *take, int status, int err);

/* Output for people is at most that wide, columns. */
#define TAKE_WIDTH 80

#endif /* CMD_TAKE_H */
