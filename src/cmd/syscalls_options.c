/* SPDX-License-Identifier: MIT */
/* The options of `syscalls`. */
#include <string.h>

#include "cmd/options.h"
#include "cmd/values.h"
#include "lib/parse.h"
#include "syscalls/policy.h"
#include "syscalls/recording.h"

static const char *parse_runs(struct options *options, const char *value)
{
	uint64_t nr;

	if (parse_u64(value, 1, RECORDING_RUNS_MAX, &nr))
		return "not a number from 1 to 10000";
	options->syscalls.runs = (uint32_t)nr;
	return NULL;
}

static const char *parse_phase(struct options *options, const char *value)
{
	if (!*value)
		return "empty";
	if (options->syscalls.nr_phases == OPTION_PHASES_MAX)
		return "more than 64 points";
	options->syscalls.phases[options->syscalls.nr_phases++] = value;
	return NULL;
}

static const char *parse_drive(struct options *options, const char *value)
{
	options->syscalls.drive = value;
	return *value ? NULL : "empty";
}

static const char *parse_live(struct options *options, const char *value)
{
	(void)value;
	options->syscalls.live = true;
	return NULL;
}

static const char *parse_engine(struct options *options, const char *value)
{
	const char *name;

	for (uint32_t i = 0; (name = values_engine(i)); i++)
		if (strcmp(value, name) == 0) {
			options->syscalls.engine = i;
			return NULL;
		}
	return "not auto, bpf or ptrace";
}

static const char *parse_on_exit(struct options *options, const char *value)
{
	options->syscalls.detaches = strcmp(value, "detach") == 0;
	return options->syscalls.detaches || strcmp(value, "kill") == 0 ? NULL
									: "not kill or detach";
}

static const char *parse_output(struct options *options, const char *value)
{
	options->output = value;
	return *value ? NULL : "empty";
}

static const char *parse_format(struct options *options, const char *value)
{
	options->syscalls.format = value;
	return *value ? NULL : "empty";
}

static const char *parse_policy(struct options *options, const char *value)
{
	options->syscalls.policy = value;
	return *value ? NULL : "empty";
}

static const char *parse_action(struct options *options, const char *value)
{
	for (int i = 0; i < NR_POLICY_ACTIONS; i++)
		if (strcmp(value, policy_action_name((enum policy_action)i)) == 0) {
			options->syscalls.action = i;
			return NULL;
		}
	return "not errno, kill, log or notify";
}

static const char *parse_exact(struct options *options, const char *value)
{
	(void)value;
	options->syscalls.exact = true;
	return options->syscalls.portable ? "excludes --portable" : NULL;
}

static const char *parse_portable(struct options *options, const char *value)
{
	(void)value;
	options->syscalls.portable = true;
	return options->syscalls.exact ? "excludes --exact" : NULL;
}

static const char *parse_rule(struct options *options, const char *value)
{
	if (options->syscalls.nr_rules == OPTION_RULES_MAX)
		return "more than 64 of them";
	options->syscalls.rules[options->syscalls.nr_rules++] = value;
	return *value ? NULL : "empty";
}

static const char *parse_phase_number(struct options *options, const char *value)
{
	uint64_t nr;

	if (parse_u64(value, 0, RECORDING_PHASES_MAX - 1, &nr))
		return "not a number from 0 to 64";
	options->syscalls.phase = (uint32_t)nr;
	return NULL;
}

static const char *parse_no_nnp(struct options *options, const char *value)
{
	(void)value;
	options->syscalls.no_nnp = true;
	return NULL;
}

/* clang-format off */
#define OUTPUT_OPTION(text)                                                                        \
	{ .name = "output", .letter = 'o', .arg = "FILE", .parse = parse_output,                   \
	  .takes = OPTION_TAKES_file, .help = (text) }
#define POLICY_OPTION                                                                              \
	{ .name = "policy", .letter = 'p', .arg = "FILE", .parse = parse_policy,                   \
	  .takes = OPTION_TAKES_file,                                                              \
	  .help = "the policy, as `syscalls policy` writes it" }
#define ACTION_OPTION                                                                              \
	{ .name = "action", .arg = "ACTION", .parse = parse_action, .value_at = values_action,         \
	  .help = "what becomes of other calls: errno (default), kill,\n"                          \
		  "log or notify" }

static const struct option record_list[] = {
	OUTPUT_OPTION("write the recording to FILE; without it a table goes\n"
		      "to standard error"),
	{ .name = "runs", .arg = "N", .parse = parse_runs,
	  .help = "run COMMAND N times; default 1" },
	{ .name = "phase", .arg = "POINT", .parse = parse_phase,
	  .help = "begin a phase at POINT: FUNCTION, FILE:FUNCTION,\n"
		  "FILE:0xOFFSET, first:CALL (or fork, thread, exec),\n"
		  "signal:NAME, auto. May be repeated, in order" },
	{ .name = "drive", .arg = "CMD", .parse = parse_drive,
	  .takes = OPTION_TAKES_program,
	  .help = "when COMMAND serves, run CMD, then stop COMMAND" },
	{ .name = "engine", .arg = "ENGINE", .parse = parse_engine, .value_at = values_engine,
	  .help = "bpf (default for root) or ptrace (any user)" },
	{ .name = "live", .parse = parse_live,
	  .help = "print each call on standard error as it happens" },
	{ .name = "on-exit", .arg = "kill|detach", .parse = parse_on_exit,
	  .value_at = values_on_exit,
	  .help = "what becomes of COMMAND when this tool is ended;\n"
		  "default kill" },
};

static const struct option show_list[] = {
	{ .name = "format", .arg = "FORMAT", .parse = parse_format,
	  .value_at = values_report_format, .help = "text (default), or json" },
	OUTPUT_OPTION("write to FILE instead of standard output"),
};

static const struct option diff_list[] = {
	{ .name = "format", .arg = "FORMAT", .parse = parse_format,
	  .value_at = values_report_format, .help = "text (default), or json" },
	OUTPUT_OPTION("write to FILE instead of standard output"),
};

static const struct option merge_list[] = {
	OUTPUT_OPTION("write to FILE instead of standard output"),
};

static const struct option policy_list[] = {
	{ .name = "format", .arg = "FORMAT", .parse = parse_format,
	  .value_at = values_policy_format,
	  .help = "json (default; what the other commands read), c,\n"
		  "bpf, bpf-text, oci, systemd, minijail" },
	OUTPUT_OPTION("write to FILE instead of standard output"),
	ACTION_OPTION,
	{ .name = "exact", .parse = parse_exact,
	  .help = "allow only what was seen and what all programs need" },
	{ .name = "portable", .parse = parse_portable,
	  .help = "also allow what another C library calls instead" },
	{ .name = "arg", .arg = "CALL:N=V[,V...]", .parse = parse_rule,
	  .help = "allow CALL only with one of these values in argument\n"
		  "N (0 to 5); warns of calls that do the same. May be\n"
		  "repeated" },
	{ .name = "phase", .arg = "N", .parse = parse_phase_number,
	  .help = "the phase to write where a format has one; default 0" },
};

static const struct option run_list[] = {
	POLICY_OPTION,
	ACTION_OPTION,
	{ .name = "no-nnp", .parse = parse_no_nnp,
	  .help = "do not set no_new_privs: setuid programs keep their\n"
		  "rights; needs CAP_SYS_ADMIN" },
};

static const struct option patch_list[] = {
	POLICY_OPTION,
	OUTPUT_OPTION("the copy; it must not exist"),
	ACTION_OPTION,
};

static const struct option verify_list[] = {
	POLICY_OPTION,
	OUTPUT_OPTION("write to FILE instead of standard error"),
	{ .name = "format", .arg = "FORMAT", .parse = parse_format,
	  .value_at = values_report_format, .help = "text (default), or json" },
	{ .name = "drive", .arg = "CMD", .parse = parse_drive,
	  .takes = OPTION_TAKES_program,
	  .help = "when COMMAND serves, run CMD, then stop COMMAND" },
};
/* clang-format on */

const struct option_table syscalls_record_options = OPTION_TABLE(record_list, "Recording");
const struct option_table syscalls_show_options = OPTION_TABLE(show_list, "Output");
const struct option_table syscalls_diff_options = OPTION_TABLE(diff_list, "Output");
const struct option_table syscalls_merge_options = OPTION_TABLE(merge_list, "Output");
const struct option_table syscalls_policy_options = OPTION_TABLE(policy_list, "Policy");
const struct option_table syscalls_run_options = OPTION_TABLE(run_list, "Policy");
const struct option_table syscalls_patch_options = OPTION_TABLE(patch_list, "Policy");
const struct option_table syscalls_verify_options = OPTION_TABLE(verify_list, "Policy");
