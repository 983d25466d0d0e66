/* SPDX-License-Identifier: MIT */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

/*
 * Options. Tables of them, grouped by what they are about, are shared by the commands; they parse
 * into one typed struct, const from then on. The tables are also where --help, the manual page and
 * the shell completions come from. Strings are borrowed from argv.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "control.h"
#include "pipeline/filter.h"
#include "sinks/sink.h"
#include "sources/source.h"

#define OPTION_PIDS_MAX	      256

#define MAX_PROCESSES_DEFAULT 32768
#define BUFFER_SIZE_DEFAULT   (1U << 20)
#define BUFFER_SIZE_TAP	      (4U << 20) /* with handshakes */

/* Which calls of crypto functions are watched: --api. */
enum option_api {
	OPTION_API_auto, /* the default set, when processes are selected */
	OPTION_API_none,
	OPTION_API_default,
	OPTION_API_all,
};

#define OPTION_PHASES_MAX 64
#define OPTION_RULES_MAX  64
#define OPTION_FILES_MAX  1024

enum option_engine {
	OPTION_ENGINE_auto, /* bpf where it works, else ptrace */
	OPTION_ENGINE_bpf,
	OPTION_ENGINE_ptrace,
};

/* Of `syscalls`. */
struct syscalls_options {
	uint32_t runs;
	const char *phases[OPTION_PHASES_MAX];
	size_t nr_phases;
	const char *drive;
	bool live;
	uint32_t engine; /* enum option_engine */
	bool detaches;	 /* --on-exit detach */
	int action;	 /* enum policy_action; -1: the default */
	bool exact;
	bool portable;
	bool no_nnp; /* no_new_privs is not set: a setuid program keeps its rights */
	const char *policy;
	const char *format; /* of a policy, or of what is shown */
	uint32_t phase;	    /* of a policy, for formats that have one */
	const char *rules[OPTION_RULES_MAX];
	size_t nr_rules;
};

struct options {
	/* What is watched. */
	uint32_t pids[OPTION_PIDS_MAX];
	size_t nr_pids;
	const char *name;
	uint32_t uids[CONFIG_UIDS_MAX];
	size_t nr_uids;
	bool follow_children;
	/* What is reported. */
	struct filter filter;
	bool has_events; /* --event was given */
	bool resolve;
	const struct source_hook *hooks[NR_SOURCES]; /* NULL: the first that works */
	/* For how long. */
	uint64_t duration_ms; /* 0: until told to stop */
	bool has_duration;    /* it was given */
	uint64_t max_events;  /* 0: no limit */
	/* How it is written. */
	const char *output;
	const struct sink *sink;
	bool is_summary;    /* a table for people instead of SINK */
	const char *format; /* as it was given; NULL: the default */
	bool no_redact;
	bool redact_sni;
	bool verbose;
	bool quiet;
	/* Resources. */
	uint32_t buffer_size; /* 0: the default, which depends on the events */
	uint32_t max_processes;
	/* What is looked into. */
	bool deep;
	bool no_inspect;
	uint32_t api; /* enum option_api */
	/* `files --open`, `libs --watch`. */
	bool open_now;
	bool watch;
	/* For scripts. */
	int fail_on; /* enum severity; -1: never */
	const char *diff;
	/* COMMAND, NULL-terminated; NULL for none. */
	char **command;
	bool has_user;
	uid_t user_uid;
	gid_t user_gid;
	const char *user;
	/* FILE... */
	const char *files[OPTION_FILES_MAX];
	size_t nr_files;
	struct syscalls_options syscalls;
	/* What `schema` prints. */
	const char *schema_format;
	bool help;
	/* The command line as it was given, NUL-separated, cut after COMMAND_LINE_MAX bytes. */
	const char *command_line;
	size_t command_line_size;
};

#define COMMAND_LINE_MAX 4096

/* What completions offer for a value that is none of a list. */
enum option_takes {
	OPTION_TAKES_text, /* nothing */
	OPTION_TAKES_file,
	OPTION_TAKES_user,
	OPTION_TAKES_program,
};

struct option {
	const char *name; /* without dashes */
	char letter;	  /* 0: none */
	const char *arg;  /* what it takes, NULL: nothing */
	bool is_optional; /* the value: the next word is one where value_at() has it */
	/* The I-th of all that it can be, NULL after the last; NULL: it is no list. */
	const char *(*value_at)(size_t i);
	bool has_several; /* of them, separated by commas */
	enum option_takes takes;
	const char *help; /* may have several lines */
	/*
	 * Takes VALUE (NULL without arg). Returns NULL, or what is wrong with it, for people: "not
	 * a number".
	 */
	const char *(*parse)(struct options *options, const char *value);
};

struct option_table {
	const char *title;
	const struct option *options;
	size_t nr_options;
};

/* A table of the options in ARRAY, under TEXT in --help. Needs ARRAY_SIZE of sources/source.h. */
#define OPTION_TABLE(array, text)                                                                  \
	{                                                                                          \
		.title = (text), .options = (array), .nr_options = ARRAY_SIZE(array)               \
	}

extern const struct option_table select_options;
extern const struct option_table report_options;
extern const struct option_table limit_options;
extern const struct option_table output_options;
extern const struct option_table resource_options;
extern const struct option_table hook_options;
extern const struct option_table process_options;
extern const struct option_table general_options;
extern const struct option_table document_options;
extern const struct option_table inspect_options;
extern const struct option_table script_options;
extern const struct option_table libs_options;
extern const struct option_table files_options;
extern const struct option_table profile_options;
extern const struct option_table profile_output_options;
extern const struct option_table schema_options;
extern const struct option_table trial_options;
extern const struct option_table help_options; /* --help alone */
extern const struct option_table syscalls_record_options;
extern const struct option_table syscalls_show_options;
extern const struct option_table syscalls_diff_options;
extern const struct option_table syscalls_merge_options;
extern const struct option_table syscalls_policy_options;
extern const struct option_table syscalls_run_options;
extern const struct option_table syscalls_patch_options;
extern const struct option_table syscalls_verify_options;

struct command;

/* Fills OPTIONS with the defaults. */
void options_init(struct options *options);

/*
 * Parses ARGV (ARGC words, the command's name not among them) for COMMAND. Returns 0, or
 * EXIT_USAGE after having said what is wrong.
 */
int options_parse(struct options *options, const struct command *command, int argc, char **argv);

#endif /* CMD_OPTIONS_H */
