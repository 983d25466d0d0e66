/* SPDX-License-Identifier: MIT */
#include "cmd/errors.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "check/host.h"
#include "check/verdict.h"
#include "cmd/cmd.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/spawn.h"
#include "lib/wrap.h"
#include "priv/privileges.h"

#define LOG_LINES 20

/* What tells more of everything that a host may lack. */
#define MORE "crypto-tracer check; man crypto-tracer, "

static int report_kernel(const char *lacks)
{
	struct utsname host;
	char detail[512];

	uname(&host);
	snprintf(detail, sizeof(detail), "Detected kernel: %s\n\nThis kernel lacks %s.",
		 host.release, lacks);
	error_report(
		"Kernel not supported", detail,
		"Minimum required: 4.15, built with CONFIG_BPF_SYSCALL=y and\n"
		"CONFIG_FTRACE_SYSCALLS=y; for all events 5.15 with CONFIG_DEBUG_INFO_BTF=y.\n\n"
		"Solution: upgrade the kernel, as of\n"
		"  Ubuntu 18.04 or later (22.04 for all events)\n"
		"  Debian 10 or later (12 for all events)\n"
		"  RHEL 8 or later (9 for all events)",
		MORE "REQUIREMENTS");
	return EXIT_KERNEL;
}

/* The capabilities behind MISSING_* bits. */
static uint64_t capabilities_of(unsigned int missing)
{
	uint64_t capabilities = 0;

	if (missing & (MISSING_BPF | MISSING_SUPPORT))
		capabilities |= CHECK_CAP(CAP_BPF);
	if (missing & MISSING_PERFMON)
		capabilities |= CHECK_CAP(CAP_PERFMON);
	if (missing & MISSING_TRACEFS)
		capabilities |= CHECK_CAP(CAP_DAC_READ_SEARCH);
	if (missing & MISSING_MOUNT)
		capabilities |= CHECK_CAP(CAP_SYS_ADMIN);
	return capabilities;
}

/*
 * Where the capabilities are all there, or are worth nothing, something else stands in the way:
 * reports it. Returns whether it is so.
 */
static bool report_obstacle(unsigned int missing)
{
	static struct check_host host;
	struct check_verdict verdict = { 0 };
	uint64_t takes = capabilities_of(missing);
	const char *call = missing & (MISSING_BPF | MISSING_SUPPORT) ? "bpf(2)"
			   : missing & MISSING_PERFMON		     ? "perf_event_open(2)"
						       : "reading the tracing file system";
	const struct wrap how = { 0, 0, "Solution: ", "" };
	_cleanup_(cleanup_free) char *action = NULL;
	char line[CHECK_WHY_SIZE + 32];
	char detail[CHECK_WHY_SIZE + 64];
	struct memory_text text;
	size_t size;

	check_host_read(&host);
	if (!host.has_user_namespace && verdict_lacking(&host, takes))
		return false;
	verdict_refused(&verdict, CHECK_UNAVAILABLE, &host, takes, call,
			host.trial.bpf	  ? host.trial.bpf
			: host.trial.perf ? host.trial.perf
					  : host.trial.tracefs);
	if (memory_text_begin(&text))
		return false;
	snprintf(line, sizeof(line), "%s.", verdict.remedy);
	wrap_print(text.out, &how, line);
	if (verdict.command[0])
		fprintf(text.out, "  %s\n", verdict.command);
	if (memory_text_end(&text, 0, &action, &size))
		return false;
	action[size - 1] = '\0';
	snprintf(detail, sizeof(detail), "Tracing was tried and refused (uid %u):\n%s.", getuid(),
		 verdict.why);
	error_report("Insufficient privileges to load eBPF programs", detail, action,
		     MORE "PRIVILEGES");
	return true;
}

static int report_missing(unsigned int missing)
{
	char detail[512];
	char action[512];
	const char *bpf =
		missing & MISSING_BPF ? "\n  CAP_BPF to load programs into the kernel" : "";
	const char *perf = missing & MISSING_PERFMON
				   ? "\n  CAP_PERFMON to attach them and follow mappings"
				   : "";
	const char *tracefs = missing & MISSING_TRACEFS
				      ? "\n  CAP_DAC_READ_SEARCH to read the numbers of tracepoints"
				      : "";
	const char *mount =
		missing & MISSING_MOUNT
			? "\n  CAP_SYS_ADMIN to mount the tracing file system, which is not there"
			: "";

	if (report_obstacle(missing))
		return EXIT_PRIVILEGES;
	snprintf(detail, sizeof(detail),
		 "Tracing was tried and refused. It needs root, or these capabilities,\n"
		 "which this process (uid %u) lacks:%s%s%s%s",
		 getuid(), bpf, perf, tracefs, mount);
	snprintf(action, sizeof(action),
		 "Solution: run it with sudo:\n"
		 "  sudo crypto-tracer monitor\n"
		 "or grant the capabilities once:\n"
		 "  sudo setcap cap_bpf,cap_perfmon,cap_net_admin,cap_dac_read_search+ep \\\n"
		 "    \"$(command -v crypto-tracer)\"%s",
		 missing & MISSING_MOUNT ? "\nwhere this has been done:\n"
					   "  sudo mount -t tracefs tracefs /sys/kernel/tracing"
					 : "");
	error_report("Insufficient privileges to load eBPF programs", detail, action,
		     MORE "PRIVILEGES");
	return EXIT_PRIVILEGES;
}

static bool is_filtered(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2;
}

int check_privileges(void)
{
	unsigned int missing = privileges_missing();

	/* Which a filter may pretend. */
	if (missing & MISSING_SUPPORT && !is_filtered())
		return report_kernel("the bpf(2) system call or its perf event arrays");
	if (missing)
		return report_missing(missing);
	return 0;
}

int report_old_kernel(const char *log)
{
	log_debug("%s", log);
	return report_kernel("what even the programs for old kernels need (--verbose tells)");
}

/* What to do where the host has run out of something, or lacks it; NULL: nothing of the kind. */
static const char *advice_for(int err)
{
	switch (err) {
	case -ENOENT:
		return access("/proc/self", F_OK) < 0
			       ? "Solution: /proc is not mounted here, mount it:\n"
				 "  mount -t proc proc /proc"
			       : NULL;
	case -EMFILE:
		return "Solution: raise the limit on open files to 256 or more: ulimit -n";
	case -ENFILE:
		return "Solution: raise fs.file-max, or end what has so many files open.";
	case -ENOMEM:
		return "Solution: free memory, or raise the limit of this control group.";
	case -EAGAIN:
		return "Solution: end processes, or raise their limit: ulimit -u, pids.max.";
	default:
		return NULL;
	}
}

int report_error(const char *what, int err)
{
	error_report(what, strerror(-err), advice_for(err), NULL);
	return EXIT_ERROR;
}

int report_tracing(const char *what, int err)
{
	const char *advice = advice_for(err);

	error_report(what, strerror(-err),
		     advice ? advice
			    : "Solution: `crypto-tracer check` tries what this host can do, and "
			      "says what\nis missing.",
		     NULL);
	return EXIT_ERROR;
}

int report_output(const char *path, int err, bool is_replaced)
{
	char quoted[LOG_QUOTE_SIZE];
	char what[LOG_QUOTE_SIZE + 64];
	char detail[256];
	const char *action = "Solution: write to another file.";

	if (err == -ENOSPC || err == -EDQUOT)
		action = "Solution: make room, or write to a file elsewhere.";
	else if (err == -ELOOP)
		action =
			"Solution: name the file that it leads to. A symbolic link in a directory\n"
			"where others may write, or of another user, is not followed.";
	snprintf(what, sizeof(what), "Cannot write to '%s'",
		 log_quote(quoted, path ? path : "standard output"));
	snprintf(detail, sizeof(detail), "%s%s", strerror(-err),
		 is_replaced ? ".\nWhat it did not take goes to standard output." : "");
	error_report(what, detail, action, NULL);
	return EXIT_ERROR;
}

/* The last LOG_LINES lines of TEXT. */
static const char *tail_of(const char *text)
{
	const char *at = text + strlen(text);
	int lines = 0;

	while (at > text)
		if (*--at == '\n' && ++lines > LOG_LINES)
			return at + 1;
	return text;
}

int report_load(int err, const char *log, bool is_verbose)
{
	char detail[512];

	if (err == -EPERM || err == -EACCES)
		return report_missing(MISSING_BPF | MISSING_PERFMON);
	if (err == -EMFILE || err == -ENFILE) {
		error_report("eBPF programs could not be loaded", strerror(-err), advice_for(err),
			     NULL);
		return EXIT_LOAD;
	}
	snprintf(detail, sizeof(detail), "%s. What the kernel said:", strerror(-err));
	error_report("eBPF programs could not be loaded", detail, is_verbose ? log : tail_of(log),
		     MORE "TROUBLESHOOTING");
	return EXIT_LOAD;
}

int report_hook(const struct source *source, const struct source_hook *hook, const char *why)
{
	char names[256];
	char what[128];
	char action[512];

	snprintf(what, sizeof(what), "%s cannot be seen at %s on this kernel", source->name,
		 hook->name);
	snprintf(action, sizeof(action),
		 "Solution: leave --hook out, so that one is chosen that works, or name "
		 "another:\n%s",
		 source_hook_names(source, names, sizeof(names)));
	error_report(what, why, action, "man crypto-tracer, --hook");
	return EXIT_LOAD;
}

int report_command(const char *command, int err)
{
	char quoted[LOG_QUOTE_SIZE];
	char what[LOG_QUOTE_SIZE + 64];

	snprintf(what, sizeof(what), "Cannot execute '%s'", log_quote(quoted, command));
	error_report(what, strerror(-err), NULL, NULL);
	return spawn_failed(err);
}
