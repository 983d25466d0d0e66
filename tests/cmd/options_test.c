/* SPDX-License-Identifier: MIT */
/* What command lines mean, and what is wrong with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cmd/cmd.h"
#include "inspect/finding.h"
#include "sources/source.h"
#include "support/capture.h"
#include "syscalls/policy.h"

#define WORDS_MAX 80
#define LINE_SIZE 16384

static struct options options;
static char line[LINE_SIZE];
static char *words[WORDS_MAX];

/* Parses TEXT, words of a command line behind COMMAND ("syscalls record"), separated by blanks. */
static int parse(const char *name, const char *text)
{
	const char *below = strchr(name, ' ');
	const struct command *command;
	char first[32];
	int argc = 0;
	char *rest;

	snprintf(first, sizeof(first), "%.*s", (int)strcspn(name, " "), name);
	command = command_find(first);
	if (below)
		command = command_find_below(command, below + 1);
	assert_non_null(command);
	options_init(&options);
	snprintf(line, sizeof(line), "%s", text);
	for (char *word = strtok_r(line, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		assert_true(argc < WORDS_MAX);
		/* "''" is the empty word. */
		words[argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
	}
	return options_parse(&options, command, argc, words);
}

static void takes(const char *name, const char *text)
{
	assert_int_equal(parse(name, text), 0);
}

/* The first line of the error is "Error: WHAT", the advice names COMMAND. */
static void refuses(const char *name, const char *text, const char *what)
{
	char first[512], advice[128];
	const char *said;
	int status;

	capture_begin(STDERR_FILENO);
	status = parse(name, text);
	said = capture_end(NULL);
	assert_int_equal(status, EXIT_USAGE);
	snprintf(first, sizeof(first), "Error: %s\n", what);
	assert_int_equal(strncmp(said, first, strlen(first)), 0);
	snprintf(advice, sizeof(advice), "Try: crypto-tracer %s --help\n", name);
	assert_non_null(strstr(said, advice));
}

static void test_nothing_given_is_the_default(void **state)
{
	(void)state;
	takes("monitor", "");
	assert_int_equal(options.nr_pids, 0);
	assert_int_equal(options.nr_uids, 0);
	assert_null(options.name);
	assert_null(options.command);
	assert_null(options.output);
	assert_ptr_equal(options.sink, sinks[SINK_json_stream]);
	assert_int_equal(options.fail_on, -1);
	assert_int_equal(options.max_processes, MAX_PROCESSES_DEFAULT);
	assert_int_equal(options.duration_ms, 0);
	assert_int_equal(options.max_events, 0);
	assert_false(options.has_duration);
	/* All but the internal ones, those on demand, and calls. */
	for (size_t i = 0; i < NR_SOURCES; i++) {
		bool is_wanted = options.filter.wanted >> i & 1;

		assert_int_equal(is_wanted, !sources[i]->is_internal && !sources[i]->is_on_demand &&
						    i != SOURCE_api_call);
	}
}

static void test_processes_are_selected(void **state)
{
	(void)state;
	takes("monitor", "--pid 12,34 -p 56 --name nginx --uid 0,65533 -f");
	assert_int_equal(options.nr_pids, 3);
	assert_int_equal(options.pids[0], 12);
	assert_int_equal(options.pids[1], 34);
	assert_int_equal(options.pids[2], 56);
	assert_string_equal(options.name, "nginx");
	assert_int_equal(options.nr_uids, 2);
	assert_int_equal(options.uids[1], 65533);
	assert_true(options.follow_children);
	refuses("monitor", "--pid 12,", "'12,' for --pid: empty");
	refuses("monitor", "--pid 0", "'0' for --pid: not a process id");
	refuses("monitor", "--pid 4194305", "'4194305' for --pid: not a process id");
	refuses("monitor", "--pid -1", "'-1' for --pid: not a process id");
	refuses("monitor", "--uid no-such-user", "'no-such-user' for --uid: no such user");
	refuses("monitor", "--name ''", "'' for --name: empty");
	refuses("monitor", "-f", "--follow-children needs --pid or --name");
}

/* NR times WORD, separated by BETWEEN. */
static const char *repeated(size_t nr, const char *word, const char *between)
{
	static char text[LINE_SIZE / 2];
	size_t size = 0;

	for (size_t i = 0; i < nr; i++)
		size += (size_t)snprintf(text + size, sizeof(text) - size, "%s%s", i ? between : "",
					 word);
	assert_true(size < sizeof(text));
	return text;
}

static void test_lists_have_their_maximum(void **state)
{
	char text[LINE_SIZE];

	(void)state;
	snprintf(text, sizeof(text), "--pid %s", repeated(OPTION_PIDS_MAX, "7", ","));
	takes("monitor", text);
	assert_int_equal(options.nr_pids, OPTION_PIDS_MAX);
	takes("monitor", repeated(FILTER_PATTERNS_MAX, "--file a", " "));
	assert_int_equal(options.filter.nr_files, FILTER_PATTERNS_MAX);
	refuses("monitor", repeated(FILTER_PATTERNS_MAX + 1, "--file a", " "),
		"'a' for --file: more than 16 patterns");
	refuses("monitor", repeated(FILTER_PATTERNS_MAX + 1, "--library b", " "),
		"'b' for --library: more than 16 patterns");
	snprintf(text, sizeof(text), "--uid %s", repeated(CONFIG_UIDS_MAX, "7", ","));
	takes("monitor", text);
	assert_int_equal(options.nr_uids, CONFIG_UIDS_MAX);
}

static void test_events_are_named(void **state)
{
	(void)state;
	takes("monitor", "--event file_open,tls_handshake");
	assert_int_equal(options.filter.wanted,
			 1U << SOURCE_file_open | 1U << SOURCE_tls_handshake);
	takes("monitor", "--event process_fork");
	assert_int_equal(options.filter.wanted, 1U << SOURCE_process_fork);
	refuses("monitor", "--event nothing",
		"'nothing' for --event: not an event; `crypto-tracer schema` lists them");
}

static bool wants_calls(void)
{
	return options.filter.wanted >> SOURCE_api_call & 1;
}

static void test_calls_are_told_where_processes_are_selected(void **state)
{
	(void)state;
	takes("monitor", "");
	assert_false(wants_calls());
	takes("monitor", "--pid 1");
	assert_true(wants_calls());
	assert_int_equal(options.api, OPTION_API_default);
	takes("monitor", "-- true");
	assert_true(wants_calls());
	takes("monitor", "--pid 1 --api none");
	assert_false(wants_calls());
	takes("monitor", "--pid 1 --event file_open");
	assert_false(wants_calls());
	takes("monitor", "--event api_call");
	assert_true(wants_calls());
	takes("monitor", "--api all");
	assert_true(wants_calls());
	assert_int_equal(options.api, OPTION_API_all);
	/* What follows is another option, not the set. */
	takes("monitor", "--api --quiet");
	assert_int_equal(options.api, OPTION_API_default);
	assert_true(options.quiet);
	refuses("monitor", "--api=some", "'some' for --api: not default, all or none");
}

static void test_ends_and_sizes(void **state)
{
	(void)state;
	takes("monitor", "--duration 1.5 --max-events 3 --buffer-size 64K --max-processes 1");
	assert_int_equal(options.duration_ms, 1500);
	assert_true(options.has_duration);
	assert_int_equal(options.max_events, 3);
	assert_int_equal(options.buffer_size, 65536);
	assert_int_equal(options.max_processes, 1);
	takes("monitor", "--buffer-size 64M");
	assert_int_equal(options.buffer_size, 64U << 20);
	refuses("monitor", "--duration soon", "'soon' for --duration: not a number of seconds");
	refuses("monitor", "--max-events 0", "'0' for --max-events: not a positive number");
	refuses("monitor", "--buffer-size 65M",
		"'65M' for --buffer-size: not a size from 64K to 64M");
	refuses("monitor", "--buffer-size 96K", "'96K' for --buffer-size: not a power of two");
	refuses("monitor", "--max-processes 0",
		"'0' for --max-processes: not a number from 1 to 4194304");
}

static void test_output(void **state)
{
	(void)state;
	takes("monitor",
	      "-o file --format text --no-redact --redact-sni --resolve --no-inspect -v");
	assert_string_equal(options.output, "file");
	assert_ptr_equal(options.sink, sinks[SINK_text]);
	assert_true(options.no_redact && options.redact_sni && options.resolve);
	assert_true(options.no_inspect && options.verbose);
	takes("monitor", "-ofile");
	assert_string_equal(options.output, "file");
	takes("monitor", "--output=a=b");
	assert_string_equal(options.output, "a=b");
	refuses("monitor", "--output ''", "'' for --output: empty");
	refuses("monitor", "--format xml", "'xml' for --format: not a format");
	refuses("monitor", "-v -q", "--verbose and --quiet exclude each other");
}

static void test_documents(void **state)
{
	(void)state;
	takes("snapshot", "--format summary --deep --fail-on high --diff old.json");
	assert_true(options.is_summary && options.deep);
	assert_int_equal(options.fail_on, SEVERITY_high);
	assert_string_equal(options.diff, "old.json");
	takes("snapshot", "--format json-pretty");
	assert_false(options.is_summary);
	refuses("snapshot", "--format text", "a document is json, json-pretty or summary");
	refuses("snapshot", "--deep --no-inspect", "--deep and --no-inspect exclude each other");
	refuses("snapshot", "--diff ''", "'' for --diff: empty");
	refuses("snapshot", "--fail-on bad",
		"'bad' for --fail-on: not a severity; there are info, low, medium, high, critical");
	takes("libs", "--watch --duration 2 --name openssl");
	assert_true(options.watch);
	assert_string_equal(options.filter.libraries[0], "openssl");
	refuses("libs", "--duration 2", "--duration needs --watch");
	refuses("libs", "--watch --format summary",
		"--watch is a stream, which has no such format");
	takes("files", "--open --path *.pem");
	assert_true(options.open_now);
	assert_string_equal(options.filter.files[0], "*.pem");
	takes("schema", "--format man");
	assert_string_equal(options.schema_format, "man");
	refuses("schema", "--format xml",
		"'xml' for --format: not a format; there are json, markdown and man");
}

static void test_command_comes_last(void **state)
{
	(void)state;
	takes("monitor", "--user 65533 -q -- ls --all --");
	assert_string_equal(options.command[0], "ls");
	assert_string_equal(options.command[1], "--all");
	assert_string_equal(options.command[2], "--");
	assert_true(options.has_user);
	assert_int_equal(options.user_uid, 65533);
	refuses("monitor", "--", "no command after --");
	refuses("snapshot", "-- ls", "unexpected --");
	refuses("monitor", "--user 65533", "--user needs a command to run, after --");
	refuses("monitor", "--user no-such-user -- ls", "'no-such-user' for --user: no such user");
	refuses("monitor", "ls", "unexpected argument 'ls'; a command to run comes after --");
	refuses("snapshot", "ls", "unexpected argument 'ls'");
}

static void test_unknown_options_and_values(void **state)
{
	(void)state;
	refuses("monitor", "--nonsense", "unknown option '--nonsense'");
	refuses("monitor", "--nonsense=1", "unknown option '--nonsense=1'");
	refuses("monitor", "-Z", "unknown option '-Z'");
	refuses("monitor", "--pi 1", "unknown option '--pi'");
	refuses("monitor", "--pid", "option '--pid' needs a value");
	refuses("monitor", "--quiet=1", "option '--quiet' takes no value");
	/* An option that another command has. */
	refuses("monitor", "--diff a", "unknown option '--diff'");
}

static void test_help_excuses_what_is_missing(void **state)
{
	(void)state;
	takes("monitor", "-f --help");
	assert_true(options.help);
	refuses("monitor", "--help --nonsense", "unknown option '--nonsense'");
}

static void test_syscalls_record(void **state)
{
	(void)state;
	takes("syscalls record",
	      "--runs 3 --phase main --phase libc.so.6:accept --drive ./load --live "
	      "--engine ptrace --on-exit detach -o out -- ls");
	assert_int_equal(options.syscalls.runs, 3);
	assert_int_equal(options.syscalls.nr_phases, 2);
	assert_string_equal(options.syscalls.phases[1], "libc.so.6:accept");
	assert_string_equal(options.syscalls.drive, "./load");
	assert_true(options.syscalls.live && options.syscalls.detaches);
	assert_int_equal(options.syscalls.engine, OPTION_ENGINE_ptrace);
	assert_string_equal(options.output, "out");
	refuses("syscalls record", "--runs 0", "'0' for --runs: not a number from 1 to 10000");
	refuses("syscalls record", "--engine gdb", "'gdb' for --engine: not auto, bpf or ptrace");
	refuses("syscalls record", "--on-exit run", "'run' for --on-exit: not kill or detach");
	refuses("syscalls record", "--phase ''", "'' for --phase: empty");
}

static void test_syscalls_policy_and_run(void **state)
{
	(void)state;
	takes("syscalls policy", "--portable --arg socket:0=1,2 --phase 2 --format oci "
				 "--action kill a.json b.json");
	assert_true(options.syscalls.portable);
	assert_false(options.syscalls.exact);
	assert_int_equal(options.syscalls.nr_rules, 1);
	assert_string_equal(options.syscalls.rules[0], "socket:0=1,2");
	assert_int_equal(options.syscalls.phase, 2);
	assert_string_equal(options.syscalls.format, "oci");
	assert_int_equal(options.syscalls.action, POLICY_KILL);
	assert_int_equal(options.nr_files, 2);
	assert_string_equal(options.files[1], "b.json");
	takes("syscalls policy", "--exact a.json");
	assert_true(options.syscalls.exact);
	refuses("syscalls policy", "--exact --portable", "option '--portable' excludes --exact");
	refuses("syscalls policy", "--phase 65", "'65' for --phase: not a number from 0 to 64");
	refuses("syscalls policy", "--action stop",
		"'stop' for --action: not errno, kill, log or notify");
	refuses("syscalls policy", "--arg ''", "'' for --arg: empty");
	takes("syscalls run", "--policy p.json --no-nnp -- ls");
	assert_string_equal(options.syscalls.policy, "p.json");
	assert_true(options.syscalls.no_nnp);
	refuses("syscalls run", "--policy ''", "'' for --policy: empty");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_given_is_the_default),
		cmocka_unit_test(test_processes_are_selected),
		cmocka_unit_test(test_lists_have_their_maximum),
		cmocka_unit_test(test_events_are_named),
		cmocka_unit_test(test_calls_are_told_where_processes_are_selected),
		cmocka_unit_test(test_ends_and_sizes),
		cmocka_unit_test(test_output),
		cmocka_unit_test(test_documents),
		cmocka_unit_test(test_command_comes_last),
		cmocka_unit_test(test_unknown_options_and_values),
		cmocka_unit_test(test_help_excuses_what_is_missing),
		cmocka_unit_test(test_syscalls_record),
		cmocka_unit_test(test_syscalls_policy_and_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
