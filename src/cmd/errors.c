/* SPDX-License-Identifier: MIT */
#include "cmd/errors.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "lib/log.h"
#include "priv/privileges.h"

#define LOG_LINES 20

static int report_kernel(const char *lacks)
{
	struct utsname host;
	char detail[512];

	uname(&host);
	snprintf(detail, sizeof(detail), "Detected kernel: %s\n\nThis kernel lacks %s.",
		 host.release, lacks);
	error_report("Kernel not supported", detail,
		     "Solution: use a kernel from 5.15 on that is built with\n"
		     "CONFIG_BPF_SYSCALL=y and CONFIG_DEBUG_INFO_BTF=y, as those of Debian 12,\n"
		     "Ubuntu 22.04 and RHEL 9 are.",
		     "man crypto-tracer, section REQUIREMENTS");
	return EXIT_KERNEL;
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
		     "man crypto-tracer, section PRIVILEGES");
	return EXIT_PRIVILEGES;
}

int check_privileges(void)
{
	unsigned int missing = privileges_missing();

	if (missing & MISSING_SUPPORT)
		return report_kernel("the bpf(2) system call or its ring buffer");
	if (missing)
		return report_missing(missing);
	if (access("/sys/kernel/btf/vmlinux", R_OK) < 0)
		return report_kernel("type information (/sys/kernel/btf/vmlinux)");
	return 0;
}

int report_error(const char *what, int err)
{
	error_report(what, strerror(-err), NULL, NULL);
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
	snprintf(detail, sizeof(detail), "%s. What the kernel said:", strerror(-err));
	error_report("eBPF programs could not be loaded", detail, is_verbose ? log : tail_of(log),
		     "man crypto-tracer, section TROUBLESHOOTING");
	return EXIT_LOAD;
}

int report_command(const char *command, int err)
{
	char quoted[LOG_QUOTE_SIZE];
	char what[LOG_QUOTE_SIZE + 64];

	snprintf(what, sizeof(what), "Cannot execute '%s'", log_quote(quoted, command));
	error_report(what, strerror(-err), NULL, NULL);
	return err == -ENOENT ? 127 : 126;
}
