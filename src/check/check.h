/* SPDX-License-Identifier: MIT */
#ifndef CHECK_CHECK_H
#define CHECK_CHECK_H

/*
 * The document of `check`: what this host can do, feature by feature, why not, and what to do about
 * it. Every answer comes from trying what the commands do, with their own code, never from a
 * version. It has no memory of its own; strings are static or in its buffers.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pipeline/field.h"
#include "priv/privileges.h"
#include "sources/source.h"

enum check_status {
	CHECK_WORKS,
	CHECK_LIMITED, /* not all of it */
	CHECK_UNAVAILABLE,
	NR_CHECK_STATUSES
};

/* What a feature lacks. */
enum check_cause {
	CHECK_NOTHING,
	CHECK_PRIVILEGES,  /* rights that this process could be given */
	CHECK_ENVIRONMENT, /* a setting, or the container */
	CHECK_KERNEL,
};

#define CHECK_WHY_SIZE 384

struct check_verdict {
	uint32_t status; /* enum check_status */
	uint32_t cause;	 /* enum check_cause */
	/* Sentences without their full stop, and what to type; empty: nothing to be said. */
	char why[CHECK_WHY_SIZE];
	char remedy[CHECK_WHY_SIZE];
	char command[CHECK_WHY_SIZE];
	uint64_t lacking; /* capabilities, a bit each; told by check_end() */
};

struct check_feature {
	const char *name;
	const char *help;
	const char *hook; /* by what it is done here; NULL: by nothing, or not told */
	struct check_verdict verdict;
};

/* The sources by their ids, then what features.def has. */
enum {
	CHECK_FEATURES_BEGIN = NR_SOURCES - 1,
#define FEATURE(name, help) CHECK_FEATURE_##name,
#include "check/features.def"
#undef FEATURE
	NR_CHECK_FEATURES
};

/* Not known. */
#define CHECK_UNKNOWN INT32_MIN

struct check_host {
	const char *arch;
	uint32_t uid;
	bool has_btf;
	char tracefs[64]; /* where it is, or why not */
	bool has_tracefs; /* it is mounted */
	char cgroup2[64];
	char lockdown[32]; /* empty: not known */
	char proc[64];	   /* which processes it has */
	bool hides_processes;
	/* Sysctls; CHECK_UNKNOWN. */
	int32_t unprivileged_bpf_disabled;
	int32_t perf_event_paranoid;
	int32_t ptrace_scope;
	bool has_filter; /* of seccomp(2), inherited */
	/* Whether it is in one of its own; what a capability is worth depends on the first. */
	bool has_user_namespace;
	bool has_pid_namespace;
	bool has_cgroup_namespace;
	const char *container; /* what made it: "docker"; "unknown"; NULL: it is none */
	uint64_t effective;    /* capabilities, a bit each */
	uint64_t missing;      /* those for want of which a feature is not whole */
	/* The same by their names, filled by check_end(). */
	struct text_list effective_names;
	struct text_list missing_names;
	char names[2][1024];
	/* What was tried: 0 or a negative errno. */
	struct privileges_trial trial;
	int cgroup;
};

struct check_summary {
	uint64_t works;
	uint64_t limited;
	uint64_t unavailable;
};

struct check {
	uint64_t now_ns; /* since the epoch */
	const char *hostname;
	const char *kernel;
	struct check_host host;
	struct check_feature all[NR_CHECK_FEATURES];
	struct check_feature shown[NR_CHECK_FEATURES];
	struct item_list features; /* of struct check_feature: those asked for, of SHOWN */
	struct check_summary summary;
};

extern const struct fields check_fields;
extern const struct code_table check_status_codes;

/* The name of the I-th feature, or NULL after the last. */
const char *check_feature_name(size_t i);

/* Gives all features their names, and none a verdict: unavailable, for no reason. */
void check_begin(struct check *check);

/* The feature called NAME, or NULL. */
struct check_feature *check_find(struct check *check, const char *name);

/* Whether FEATURE is an event. */
bool check_is_event(const struct check_feature *feature);

/*
 * Chooses what is shown: the features called NAMES, NR of them, each of which check_find() knows;
 * all for none. Counts, and names what is missing.
 */
void check_end(struct check *check, const char *const *names, size_t nr);

/* Whether a feature that is shown, and is not whole, is so because of CAUSE. */
bool check_has_cause(const struct check *check, enum check_cause cause);

/* Whether events are shown, and the kernel can give none of them. */
bool check_is_hopeless(const struct check *check);

/*
 * Renders what is shown for people into *RET, *RET_SIZE bytes, which is the caller's. Returns 0 or
 * -ENOMEM.
 */
int check_text(const struct check *check, bool has_color, char **ret, size_t *ret_size);

#endif /* CHECK_CHECK_H */
