/* SPDX-License-Identifier: MIT */
/* The options themselves: what each takes, and what --help says of it. */
#include "cmd/options.h"

#include <string.h>

#include "cmd/values.h"
#include "inspect/finding.h"
#include "lib/parse.h"
#include "sources/source.h"

/* Linux's PID_MAX_LIMIT, include/linux/threads.h. */
#define PID_MAX	  (4U << 20)
#define WORD_SIZE 64

/*
 * Calls TAKE for each word of the comma-separated LIST. Returns NULL or what TAKE found wrong; an
 * empty word is wrong.
 */
static const char *each_word(const char *list, struct options *options,
			     const char *(*take)(struct options *options, const char *word))
{
	for (;;) {
		size_t size = strcspn(list, ",");
		char word[WORD_SIZE];
		const char *wrong;

		if (size == 0)
			return "empty";
		if (size >= sizeof(word))
			return "a word in it is too long";
		memcpy(word, list, size);
		word[size] = '\0';
		wrong = take(options, word);
		if (wrong || !list[size])
			return wrong;
		list += size + 1;
	}
}

static const char *take_pid(struct options *options, const char *word)
{
	uint64_t pid;

	if (parse_u64(word, 1, PID_MAX, &pid))
		return "not a process id";
	if (options->nr_pids == OPTION_PIDS_MAX)
		return "more than 256 processes";
	options->pids[options->nr_pids++] = (uint32_t)pid;
	return NULL;
}

static const char *parse_pid(struct options *options, const char *value)
{
	return each_word(value, options, take_pid);
}

static const char *take_uid(struct options *options, const char *word)
{
	uid_t uid;
	gid_t gid;

	if (parse_user(word, &uid, &gid))
		return "no such user";
	if (options->nr_uids == CONFIG_UIDS_MAX)
		return "more than 16 users";
	options->uids[options->nr_uids++] = uid;
	return NULL;
}

static const char *parse_uid(struct options *options, const char *value)
{
	return each_word(value, options, take_uid);
}

static const char *parse_name(struct options *options, const char *value)
{
	if (!*value)
		return "empty";
	options->name = value;
	return NULL;
}

static const char *parse_follow(struct options *options, const char *value)
{
	(void)value;
	options->follow_children = true;
	return NULL;
}

static const char *parse_user_option(struct options *options, const char *value)
{
	if (parse_user(value, &options->user_uid, &options->user_gid))
		return "no such user";
	options->has_user = true;
	options->user = value;
	return NULL;
}

static const char *parse_file(struct options *options, const char *value)
{
	if (!*value)
		return "empty";
	if (options->filter.nr_files == FILTER_PATTERNS_MAX)
		return "more than 16 patterns";
	options->filter.files[options->filter.nr_files++] = value;
	return NULL;
}

static const char *parse_library(struct options *options, const char *value)
{
	if (!*value)
		return "empty";
	if (options->filter.nr_libraries == FILTER_PATTERNS_MAX)
		return "more than 16 patterns";
	options->filter.libraries[options->filter.nr_libraries++] = value;
	return NULL;
}

static const char *take_event(struct options *options, const char *word)
{
	const struct source *source = source_find(word, strlen(word));

	if (!source)
		return "not an event; `crypto-tracer schema` lists them";
	options->filter.wanted |= 1U << source_id(source);
	options->has_events = true;
	return NULL;
}

static const char *parse_event(struct options *options, const char *value)
{
	return each_word(value, options, take_event);
}

static const char *parse_resolve(struct options *options, const char *value)
{
	(void)value;
	options->resolve = true;
	return NULL;
}

static const char *parse_duration(struct options *options, const char *value)
{
	options->has_duration = true;
	return parse_seconds(value, &options->duration_ms) ? "not a number of seconds" : NULL;
}

static const char *parse_max_events(struct options *options, const char *value)
{
	return parse_u64(value, 1, UINT64_MAX, &options->max_events) ? "not a positive number"
								     : NULL;
}

static const char *parse_output(struct options *options, const char *value)
{
	if (!*value)
		return "empty";
	options->output = value;
	return NULL;
}

static const char *parse_format(struct options *options, const char *value)
{
	options->sink = sink_find(value);
	options->format = value;
	return options->sink ? NULL : "not a format";
}

/* A document has formats of its own; `libs --watch` is a stream: check() tells them apart. */
static const char *parse_document_format(struct options *options, const char *value)
{
	options->format = value;
	options->is_summary = strcmp(value, "summary") == 0;
	options->sink = options->is_summary || strcmp(value, "json") == 0 ? sinks[SINK_json_stream]
									  : sink_find(value);
	return options->sink ? NULL : "not a format";
}

static const char *parse_check_format(struct options *options, const char *value)
{
	options->format = value;
	options->is_summary = strcmp(value, "text") == 0;
	options->sink =
		strcmp(value, "json-pretty") == 0 ? sink_find(value) : sinks[SINK_json_stream];
	return options->is_summary || strcmp(value, "json") == 0 ||
			       strcmp(value, "json-pretty") == 0
		       ? NULL
		       : "not a format; there are text, json and json-pretty";
}

static const char *parse_deep(struct options *options, const char *value)
{
	(void)value;
	options->deep = true;
	return NULL;
}

static const char *parse_no_inspect(struct options *options, const char *value)
{
	(void)value;
	options->no_inspect = true;
	return NULL;
}

static const char *parse_open(struct options *options, const char *value)
{
	(void)value;
	options->open_now = true;
	return NULL;
}

static const char *parse_watch(struct options *options, const char *value)
{
	(void)value;
	options->watch = true;
	return NULL;
}

static const char *parse_fail_on(struct options *options, const char *value)
{
	for (size_t i = 0; i < severity_codes.nr_entries; i++) {
		if (strcmp(severity_codes.entries[i].name, value) != 0)
			continue;
		options->fail_on = (int)severity_codes.entries[i].code;
		return NULL;
	}
	return "not a severity; there are info, low, medium, high, critical";
}

static const char *parse_diff(struct options *options, const char *value)
{
	if (!*value)
		return "empty";
	options->diff = value;
	return NULL;
}

static const char *parse_schema_format(struct options *options, const char *value)
{
	if (strcmp(value, "json") != 0 && strcmp(value, "markdown") != 0 &&
	    strcmp(value, "man") != 0)
		return "not a format; there are json, markdown and man";
	options->schema_format = value;
	return NULL;
}

static const char *parse_no_redact(struct options *options, const char *value)
{
	(void)value;
	options->no_redact = true;
	return NULL;
}

static const char *parse_redact_sni(struct options *options, const char *value)
{
	(void)value;
	options->redact_sni = true;
	return NULL;
}

static const char *parse_buffer_size(struct options *options, const char *value)
{
	uint64_t size;

	if (parse_size(value, 64U << 10, 64U << 20, &size))
		return "not a size from 64K to 64M";
	if (size & (size - 1))
		return "not a power of two";
	options->buffer_size = (uint32_t)size;
	return NULL;
}

static const char *parse_max_processes(struct options *options, const char *value)
{
	uint64_t max;

	if (parse_u64(value, 1, PID_MAX, &max))
		return "not a number from 1 to 4194304";
	options->max_processes = (uint32_t)max;
	return NULL;
}

static const char *parse_verbose(struct options *options, const char *value)
{
	(void)value;
	options->verbose = true;
	return NULL;
}

static const char *parse_quiet(struct options *options, const char *value)
{
	(void)value;
	options->quiet = true;
	return NULL;
}

static const char *parse_help(struct options *options, const char *value)
{
	(void)value;
	options->help = true;
	return NULL;
}

static const char *parse_api(struct options *options, const char *value)
{
	if (!value || strcmp(value, "default") == 0)
		options->api = OPTION_API_default;
	else if (strcmp(value, "all") == 0)
		options->api = OPTION_API_all;
	else if (strcmp(value, "none") == 0)
		options->api = OPTION_API_none;
	else
		return "not default, all or none";
	return NULL;
}

/* clang-format off */
#define API_OPTION								\
	{ .name = "api", .arg = "[SET]", .is_optional = true, .value_at = values_api,	\
	  .parse = parse_api,								\
	  .help = "calls of crypto functions: default; all, which\n"		\
		  "counts what happens for every operation, too; none.\n"	\
		  "On by itself where processes are selected" }

static const struct option select_list[] = {
	{ .name = "pid", .letter = 'p', .arg = "PID[,PID...]", .parse = parse_pid,
	  .help = "only these processes" },
	{ .name = "name", .letter = 'n', .arg = "NAME", .parse = parse_name,
	  .help = "only processes whose name contains NAME, upper or\n"
		  "lower case; also those that start later" },
	{ .name = "uid", .letter = 'u', .arg = "USER[,USER...]", .parse = parse_uid,
	  .takes = OPTION_TAKES_user,
	  .help = "only processes of these users, by name or number" },
	{ .name = "follow-children", .letter = 'f', .parse = parse_follow,
	  .help = "and all descendants of the processes selected by\n"
		  "--pid or --name" },
	{ .name = "user", .arg = "USER", .parse = parse_user_option,
	  .takes = OPTION_TAKES_user,
	  .help = "run COMMAND as this user" },
};
/* clang-format on */

const struct option_table select_options = OPTION_TABLE(select_list, "Which processes");

/* clang-format off */
static const struct option report_list[] = {
	{ .name = "event", .letter = 'e', .arg = "EVENT[,EVENT...]", .parse = parse_event,
	  .value_at = values_event, .has_several = true,
	  .help = "only these events; process_fork is reported only\n"
		  "when named here" },
	{ .name = "file", .arg = "GLOB", .parse = parse_file,
	  .takes = OPTION_TAKES_file,
	  .help = "only opens of files that match; any file, also one\n"
		  "that is not in the catalogue. May be repeated" },
	{ .name = "library", .arg = "LIB", .parse = parse_library,
	  .help = "only events of libraries whose family is LIB, such\n"
		  "as openssl, or whose name contains it. May be\n"
		  "repeated" },
	API_OPTION,
	{ .name = "resolve", .parse = parse_resolve,
	  .help = "also tell where symbolic links led (real_path)" },
	{ .name = "no-inspect", .parse = parse_no_inspect,
	  .help = "read no file's content: judge by names alone" },
};
/* clang-format on */

const struct option_table report_options = OPTION_TABLE(report_list, "Which events");

/* clang-format off */
static const struct option limit_list[] = {
	{ .name = "duration", .letter = 'd', .arg = "SECONDS", .parse = parse_duration,
	  .help = "stop after this time; 0, the default, is never" },
	{ .name = "max-events", .arg = "N", .parse = parse_max_events,
	  .help = "stop after N events" },
};
/* clang-format on */

const struct option_table limit_options = OPTION_TABLE(limit_list, "How long");

/* clang-format off */
static const struct option output_list[] = {
	{ .name = "output", .letter = 'o', .arg = "FILE", .takes = OPTION_TAKES_file,
	  .parse = parse_output,
	  .help = "write to FILE instead of standard output" },
	{ .name = "format", .arg = "FORMAT", .parse = parse_format,
	  .value_at = values_stream_format,
	  .help = "json-stream (default), json-lines, json-array,\n"
		  "json-pretty, or text for people" },
	{ .name = "no-redact", .parse = parse_no_redact,
	  .help = "show user names in paths; secrets in arguments stay\n"
		  "hidden" },
	{ .name = "redact-sni", .parse = parse_redact_sni,
	  .help = "hide the names of servers that TLS clients ask for" },
};
/* clang-format on */

const struct option_table output_options = OPTION_TABLE(output_list, "Output");

/* clang-format off */
static const struct option document_list[] = {
	{ .name = "output", .letter = 'o', .arg = "FILE", .takes = OPTION_TAKES_file,
	  .parse = parse_output,
	  .help = "write to FILE instead of standard output" },
	{ .name = "format", .arg = "FORMAT", .parse = parse_document_format,
	  .value_at = values_document_format,
	  .help = "json (default), json-pretty, or summary, a table\n"
		  "for people" },
	{ .name = "no-redact", .parse = parse_no_redact,
	  .help = "show user names, also in paths" },
	{ .name = "redact-sni", .parse = parse_redact_sni,
	  .help = "hide the names of servers that TLS clients ask for" },
};
/* clang-format on */

const struct option_table document_options = OPTION_TABLE(document_list, "Output");

/* clang-format off */
static const struct option check_list[] = {
	{ .name = "output", .letter = 'o', .arg = "FILE", .takes = OPTION_TAKES_file,
	  .parse = parse_output,
	  .help = "write to FILE instead of standard output" },
	{ .name = "format", .arg = "FORMAT", .parse = parse_check_format,
	  .value_at = values_check_format,
	  .help = "text (default), a table for people, json or\n"
		  "json-pretty" },
};
/* clang-format on */

const struct option_table trial_options = OPTION_TABLE(check_list, "Output");

/* clang-format off */
static const struct option inspect_list[] = {
	{ .name = "no-inspect", .parse = parse_no_inspect,
	  .help = "read no file's content: judge by names alone" },
	{ .name = "deep", .parse = parse_deep,
	  .help = "also look for the constants of algorithms in\n"
		  "programs; slower" },
};
/* clang-format on */

const struct option_table inspect_options = OPTION_TABLE(inspect_list, "What is looked into");

/* clang-format off */
static const struct option script_list[] = {
	{ .name = "fail-on", .arg = "SEVERITY", .parse = parse_fail_on,
	  .value_at = values_severity,
	  .help = "exit with status 10 when there is a finding of\n"
		  "SEVERITY or worse: info, low, medium, high, critical" },
	{ .name = "diff", .arg = "OLD.json", .parse = parse_diff,
	  .takes = OPTION_TAKES_file,
	  .help = "write what changed since the snapshot in OLD.json;\n"
		  "exit with status 11 when something did" },
};
/* clang-format on */

const struct option_table script_options = OPTION_TABLE(script_list, "For scripts");

/* clang-format off */
static const struct option libs_list[] = {
	{ .name = "name", .letter = 'n', .arg = "LIB", .parse = parse_library,
	  .help = "only libraries whose family is LIB, such as openssl,\n"
		  "or whose name contains it. May be repeated" },
	{ .name = "watch", .parse = parse_watch,
	  .help = "stream new loads instead, as `monitor` does" },
	{ .name = "duration", .letter = 'd', .arg = "SECONDS", .parse = parse_duration,
	  .help = "with --watch: stop after this time; 0, the default,\n"
		  "is never" },
	{ .name = "no-inspect", .parse = parse_no_inspect,
	  .help = "read no file's content: no versions" },
};
/* clang-format on */

const struct option_table libs_options = OPTION_TABLE(libs_list, "Which libraries");

/* clang-format off */
static const struct option files_list[] = {
	{ .name = "path", .arg = "GLOB", .parse = parse_file,
	  .takes = OPTION_TAKES_file,
	  .help = "only files that match; without --open any file, also\n"
		  "one that is not in the catalogue. May be repeated" },
	{ .name = "open", .parse = parse_open,
	  .help = "what is open now, instead of what is opened" },
	{ .name = "resolve", .parse = parse_resolve,
	  .help = "also tell where symbolic links led (real_path)" },
	{ .name = "no-inspect", .parse = parse_no_inspect,
	  .help = "read no file's content: judge by names alone" },
};
/* clang-format on */

const struct option_table files_options = OPTION_TABLE(files_list, "Which files");

/* clang-format off */
static const struct option profile_list[] = {
	API_OPTION,
	{ .name = "fail-on", .arg = "SEVERITY", .parse = parse_fail_on,
	  .value_at = values_severity,
	  .help = "exit with status 10 when there is a finding of\n"
		  "SEVERITY or worse: info, low, medium, high, critical" },
	{ .name = "no-inspect", .parse = parse_no_inspect,
	  .help = "read no file's content: judge by names alone" },
	{ .name = "deep", .parse = parse_deep,
	  .help = "also look for the constants of algorithms in\n"
		  "the program; slower" },
};

static const struct option profile_output_list[] = {
	{ .name = "output", .letter = 'o', .arg = "FILE", .takes = OPTION_TAKES_file,
	  .parse = parse_output,
	  .help = "write to FILE instead of standard output" },
	{ .name = "format", .arg = "FORMAT", .parse = parse_document_format,
	  .value_at = values_profile_format,
	  .help = "json (default) or json-pretty" },
	{ .name = "no-redact", .parse = parse_no_redact,
	  .help = "show user names, also in paths; secrets in\n"
		  "arguments stay hidden" },
	{ .name = "redact-sni", .parse = parse_redact_sni,
	  .help = "hide the names of servers that TLS clients ask for" },
};
/* clang-format on */

const struct option_table profile_options = OPTION_TABLE(profile_list, "What is looked at");
const struct option_table profile_output_options = OPTION_TABLE(profile_output_list, "Output");

/* clang-format off */
static const struct option resource_list[] = {
	{ .name = "buffer-size", .arg = "SIZE", .parse = parse_buffer_size,
	  .help = "buffer between kernel and tool, a power of two from\n"
		  "64K to 64M; default 4M, without handshakes 1M" },
	{ .name = "max-processes", .arg = "N", .parse = parse_max_processes,
	  .help = "processes remembered at a time; default 32768" },
};
/* clang-format on */

const struct option_table resource_options = OPTION_TABLE(resource_list, "Resources");

/* --max-processes alone. */
const struct option_table process_options = {
	.title = "Resources",
	.options = &resource_list[ARRAY_SIZE(resource_list) - 1],
	.nr_options = 1,
};

/* clang-format off */
static const struct option general_list[] = {
	{ .name = "verbose", .letter = 'v', .parse = parse_verbose,
	  .help = "say more on standard error" },
	{ .name = "quiet", .letter = 'q', .parse = parse_quiet,
	  .help = "only warnings and errors there" },
	{ .name = "help", .letter = 'h', .parse = parse_help, .help = "print this help" },
};
/* clang-format on */

const struct option_table general_options = OPTION_TABLE(general_list, "General");

const struct option_table help_options = {
	.title = "General",
	.options = &general_list[ARRAY_SIZE(general_list) - 1],
	.nr_options = 1,
};

/* clang-format off */
static const struct option schema_list[] = {
	{ .name = "format", .arg = "FORMAT", .parse = parse_schema_format,
	  .value_at = values_schema_format,
	  .help = "json (default), or the same for people: markdown,\n"
		  "man" },
};
/* clang-format on */

const struct option_table schema_options = OPTION_TABLE(schema_list, "Output");
