/* SPDX-License-Identifier: MIT */
#include "cmd/summary.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "catalogue/libraries.h"
#include "lib/cleanup.h"
#include "lib/table.h"

#define TEXT_SIZE 4096
#define NS	  1000000000ULL
/* Beyond this many rows a table says how many more there are. */
#define ROWS_MAX 200

/* A summary on its way into memory; errors stick. */
struct page {
	struct take *take;
	struct output_text text;
	struct output memory;
	int err;
};

/* Adds a formatted line or part of one, at most 511 bytes, to PAGE. */
static void __attribute__((format(printf, 2, 3))) say(struct page *page, const char *format, ...)
{
	char line[512];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (n > 0 && !page->err)
		page->err = output_write(&page->memory, line,
					 (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

/* The heading of a table: how many rows it has, shown or not. */
static void title(struct page *page, const char *text, size_t count)
{
	if (page->take->has_color)
		say(page, "\n\033[1m%s\033[0m (%zu)\n", text, count);
	else
		say(page, "\n%s (%zu)\n", text, count);
}

/* Prints TABLE, which had NR_ROWS rows to show, and ends it. */
static void print(struct page *page, struct table *table, size_t nr_rows)
{
	_cleanup_(cleanup_free) char *text = NULL;

	if (!page->err)
		page->err = table_print(table, TAKE_WIDTH, 2, page->take->has_color, &text);
	if (!page->err)
		page->err = output_write(&page->memory, text, strlen(text));
	if (nr_rows > ROWS_MAX)
		say(page, "  and %zu more: see --format json\n", nr_rows - ROWS_MAX);
	table_free(table);
}

/* A cell of text of ours; NULL: not known. */
static void cell(struct table *table, const char *text)
{
	table_cell(table, text ? text : "-", text ? strlen(text) : 1);
}

/* A cell of a path, text or user name of others, redacted as everywhere. */
static void cell_path(struct page *page, struct table *table, const char *path)
{
	char out[TEXT_SIZE];

	if (!path) {
		cell(table, NULL);
		return;
	}
	table_cell(table, out,
		   redact_path(page->take->redactor, path, strlen(path), out, sizeof(out)));
}

static void cell_foreign(struct page *page, struct table *table, const char *text)
{
	char out[TEXT_SIZE];

	if (!text) {
		cell(table, NULL);
		return;
	}
	table_cell(table, out,
		   redact_text(page->take->redactor, text, strlen(text), out, sizeof(out)));
}

static void cell_user(struct page *page, struct table *table, const char *name)
{
	char out[TEXT_SIZE];

	table_cell(table, out,
		   redact_user(page->take->redactor, name, strlen(name), out, sizeof(out)));
}

/* "openssl 3.0.17, go 1.22.1" */
static void cell_providers(struct table *table, const struct snapshot_process *process)
{
	const struct provider *providers = process->providers.items;
	char out[TEXT_SIZE];
	size_t size = 0;

	for (size_t i = 0; i < process->providers.count && size < sizeof(out); i++) {
		int n = snprintf(out + size, sizeof(out) - size, "%s%s%s%s", size ? ", " : "",
				 providers[i].name ? providers[i].name : "?",
				 providers[i].version ? " " : "",
				 providers[i].version ? providers[i].version : "");

		size += n > 0 ? (size_t)n : 0;
	}
	if (size >= sizeof(out))
		size = sizeof(out) - 1;
	table_cell(table, size ? out : "-", size ? size : 1);
}

static size_t count_texts(const char *bytes, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < size; i++)
		n += bytes[i] == '\0';
	return n;
}

/* Who uses what, without the names of files: these are in the JSON. */
static void print_processes(struct page *page, const struct snapshot *snapshot)
{
	static const struct table_column columns[] = {
		{ .title = "PID", .is_number = true },	    { .title = "USER", .can_shrink = true },
		{ .title = "PROCESS", .can_shrink = true }, { .title = "FILES", .is_number = true },
		{ .title = "CRYPTO", .can_shrink = true },
	};
	const struct snapshot_process *items = snapshot->processes.items;
	struct table *table;

	title(page, "Processes", snapshot->processes.count);
	if (page->err || !snapshot->processes.count)
		return;
	page->err = table_new(&table, columns, 5);
	if (page->err)
		return;
	for (size_t i = 0; i < snapshot->processes.count && i < ROWS_MAX; i++) {
		table_row(table);
		table_number(table, items[i].pid);
		cell_user(page, table, items[i].running_as);
		table_cell(table, items[i].name, strnlen(items[i].name, COMM_SIZE));
		table_number(table, count_texts(items[i].open_crypto_files.bytes,
						items[i].open_crypto_files.size));
		cell_providers(table, &items[i]);
	}
	print(page, table, snapshot->processes.count);
}

/* By severity, from info on. */
static const char *const severity_colors[] = { "2", "36", "33", "31", "1;31" };

static void print_findings(struct page *page, const struct snapshot *snapshot)
{
	static const struct table_column columns[] = {
		{ .title = "SEVERITY" },
		{ .title = "FINDING" },
		{ .title = "EVIDENCE", .can_shrink = true },
		{ .title = "FILE", .can_shrink = true, .is_path = true },
	};
	const struct finding *items = snapshot->findings.items;
	struct table *table;

	title(page, "Findings", snapshot->findings.count);
	if (page->err || !snapshot->findings.count)
		return;
	page->err = table_new(&table, columns, 4);
	if (page->err)
		return;
	for (size_t i = 0; i < snapshot->findings.count && i < ROWS_MAX; i++) {
		table_row(table);
		table_color(table, severity_colors[items[i].severity]);
		cell(table, code_name(&severity_codes, items[i].severity));
		cell(table, items[i].rule);
		cell_foreign(page, table, items[i].evidence);
		cell_path(page, table, items[i].file);
	}
	print(page, table, snapshot->findings.count);
}

/* "RSA-2048", "EC P-256", "Ed25519" */
static void cell_key(struct table *table, const char *type, const char *curve, uint32_t bits)
{
	char text[128];

	if (curve)
		snprintf(text, sizeof(text), "%s %s", type ? type : "?", curve);
	else if (bits)
		snprintf(text, sizeof(text), "%s %u", type ? type : "?", bits);
	else
		snprintf(text, sizeof(text), "%s", type ? type : "?");
	cell(table, text);
}

/*
 * Certificates of services, by file. Those of CA bundles are left out: every program that reads one
 * would fill pages with the same 140 names.
 */
static void print_certificates(struct page *page, const struct snapshot *snapshot)
{
	static const struct table_column columns[] = {
		{ .title = "DAYS", .is_number = true },
		{ .title = "KEY" },
		{ .title = "SUBJECT", .can_shrink = true },
		{ .title = "FILE", .can_shrink = true, .is_path = true },
	};
	const struct snapshot_certificate *items = snapshot->certificates.items;
	size_t nr_rows = 0;
	struct table *table;

	for (size_t i = 0; i < snapshot->certificates.count; i++)
		nr_rows += !items[i].is_trusted;
	title(page, "Certificates in open files", nr_rows);
	if (nr_rows < snapshot->certificates.count)
		say(page, "  and %zu of trusted CAs in bundles, not shown\n",
		    snapshot->certificates.count - nr_rows);
	if (page->err || !nr_rows)
		return;
	page->err = table_new(&table, columns, 4);
	if (page->err)
		return;
	nr_rows = 0;
	for (size_t i = 0; i < snapshot->certificates.count; i++) {
		const struct certificate *certificate = &items[i].certificate;
		char days[24];

		if (items[i].is_trusted || nr_rows++ >= ROWS_MAX)
			continue;

		snprintf(days, sizeof(days), "%lld", (long long)certificate->days_left);
		table_row(table);
		cell(table, days);
		cell_key(table, certificate->key_type, certificate->curve, certificate->key_bits);
		cell_foreign(page, table, certificate->subject);
		cell_path(page, table, items[i].file);
	}
	print(page, table, nr_rows);
}

static void print_keys(struct page *page, const struct snapshot *snapshot)
{
	static const struct table_column columns[] = {
		{ .title = "KEY" },
		{ .title = "KIND" },
		{ .title = "MODE" },
		{ .title = "OWNER", .can_shrink = true },
		{ .title = "FILE", .can_shrink = true, .is_path = true },
	};
	const struct snapshot_key *items = snapshot->keys.items;
	struct table *table;

	title(page, "Keys in open files", snapshot->keys.count);
	if (page->err || !snapshot->keys.count)
		return;
	page->err = table_new(&table, columns, 5);
	if (page->err)
		return;
	for (size_t i = 0; i < snapshot->keys.count && i < ROWS_MAX; i++) {
		const struct key *key = &items[i].key;

		table_row(table);
		cell_key(table, key->type, key->curve, key->bits);
		cell(table, !key->is_private	? "public"
			    : key->is_encrypted ? "private, encrypted"
						: "private");
		cell(table, items[i].mode);
		cell_user(page, table, items[i].owner);
		cell_path(page, table, items[i].file);
	}
	print(page, table, snapshot->keys.count);
}

/* The kernel's own users in one line; what could not be read is not mentioned. */
static void print_host(struct page *page, const struct host_crypto *host)
{
	say(page, "\nKernel: FIPS mode %s; ",
	    !host->has_fips	 ? "not known"
	    : host->fips_enabled ? "on"
				 : "off");
	say(page, "%zu dm-crypt, %zu WireGuard, ", host->dm_crypt.count,
	    count_texts(host->wireguard, host->wireguard_size));
	if (host->has_ipsec)
		say(page, "%" PRIu64 " IPsec, ", host->ipsec_states);
	if (host->has_ktls)
		say(page, "%" PRIu64 " kTLS, ", host->ktls_tx + host->ktls_rx);
	say(page, "%" PRIu64 " AF_ALG\n", host->af_alg_sockets);
}

/* Connections whose handshakes nobody has seen: they would have to be made anew. */
static void print_connections(struct page *page, const struct snapshot_summary *summary)
{
	say(page,
	    "\nOpen connections of these processes: %" PRIu64 "; what was negotiated is\n"
	    "not known, since that was before.\n",
	    summary->connections);
}

/* What was looked into and what was not: never left out, or an empty page would mean nothing. */
static void print_coverage(struct page *page, const struct document_coverage *coverage)
{
	const struct document_gap *gaps = coverage->not_seen.items;

	say(page, "\nCoverage: %" PRIu64 " processes (by %s), %" PRIu64 " files looked into.\n",
	    coverage->nr_processes, coverage->method, coverage->nr_examined);
	for (size_t i = 0; i < coverage->not_seen.count; i++) {
		say(page, "Not seen: ");
		if (gaps[i].count)
			say(page, "%" PRIu64 " ", gaps[i].count);
		say(page, "%s:\n    %s.\n", gaps[i].what, gaps[i].why);
	}
}

static void print_heading(struct page *page, const char *what, const char *hostname,
			  const char *kernel, uint64_t now_ns)
{
	time_t seconds = (time_t)(now_ns / NS);
	struct tm tm;
	char when[32];

	gmtime_r(&seconds, &tm);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", &tm);
	say(page, "%s of %s, %s\nLinux %s\n", what, hostname, when, kernel);
}

/* Writes the page in one piece and ends it. Returns 0 or the first error. */
static int finish(struct page *page)
{
	if (!page->err)
		page->err = take_print(page->take, page->text.bytes, page->text.size);
	free(page->text.bytes);
	return page->err;
}

int summary_print_snapshot(struct take *take, const struct snapshot *snapshot)
{
	const struct snapshot_summary *summary = &snapshot->summary;
	struct page page = { .take = take };

	output_memory(&page.memory, &page.text);
	print_heading(&page, "Cryptography", snapshot->hostname, snapshot->kernel,
		      snapshot->now_ns);
	say(&page,
	    "Processes: %" PRIu64 "   Libraries: %" PRIu64 "   Open files: %" PRIu64
	    "   Findings: %" PRIu64 "\n",
	    summary->total_processes, summary->unique_libraries, summary->unique_files,
	    summary->findings);
	print_findings(&page, snapshot);
	print_processes(&page, snapshot);
	print_certificates(&page, snapshot);
	print_keys(&page, snapshot);
	print_connections(&page, summary);
	print_host(&page, snapshot->host);
	print_coverage(&page, &snapshot->coverage);
	return finish(&page);
}

static void add_library(struct table *table, const struct libs_item *item)
{
	char version[160];

	snprintf(version, sizeof(version), "%s%s", item->version ? item->version : "-",
		 item->is_stale ? " (stale)" : "");
	table_row(table);
	if (item->is_stale)
		table_color(table, "33");
	cell(table, code_name(&library_family_codes, item->family));
	cell(table, version);
	table_number(table, item->processes.count);
	cell(table, item->package);
	cell(table, item->name);
}

static void print_libraries(struct page *page, const struct libs *libs)
{
	static const struct table_column columns[] = {
		{ .title = "FAMILY" },
		{ .title = "VERSION", .can_shrink = true },
		{ .title = "USERS", .is_number = true },
		{ .title = "PACKAGE", .can_shrink = true },
		{ .title = "LIBRARY", .can_shrink = true, .is_path = true },
	};
	const struct libs_item *items = libs->libraries.items;
	struct table *table;

	title(page, "Libraries in use", libs->libraries.count);
	if (page->err || !libs->libraries.count)
		return;
	page->err = table_new(&table, columns, 5);
	if (page->err)
		return;
	for (size_t i = 0; i < libs->libraries.count && i < ROWS_MAX; i++)
		add_library(table, &items[i]);
	print(page, table, libs->libraries.count);
}

int summary_print_libs(struct take *take, const struct libs *libs)
{
	struct page page = { .take = take };

	output_memory(&page.memory, &page.text);
	print_heading(&page, "Crypto libraries", libs->hostname, libs->kernel, libs->now_ns);
	print_libraries(&page, libs);
	print_coverage(&page, &libs->coverage);
	return finish(&page);
}
