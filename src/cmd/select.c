/* SPDX-License-Identifier: MIT */
#include "cmd/select.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/errors.h"
#include "lib/log.h"
#include "sources/source.h"

/* The inode of the first pid namespace: PROC_PID_INIT_INO, include/linux/proc_ns.h. */
#define FIRST_PID_NAMESPACE 0xEFFFFFFCU

bool select_is_narrow(const struct options *options)
{
	return options->nr_pids || options->name || options->nr_uids || options->command;
}

/* The kernel reports pids of the first namespace; those of another mean nothing to it. */
static bool in_first_pid_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) < 0 || st.st_ino == FIRST_PID_NAMESPACE;
}

static int check_pids(const struct options *options)
{
	char what[128];

	if ((options->nr_pids || options->command) && !in_first_pid_namespace()) {
		error_report(
			"--pid and COMMAND do not work inside a pid namespace",
			"The kernel reports the process numbers of the host.",
			"Solution: run on the host, or in a container with the host's pids; or\n"
			"select by --name or --uid.",
			NULL);
		return EXIT_ERROR;
	}
	for (size_t i = 0; i < options->nr_pids; i++) {
		uint32_t pid = options->pids[i];

		if (kill((pid_t)pid, 0) < 0 && errno == ESRCH) {
			snprintf(what, sizeof(what), "No process %u", pid);
			error_report(
				what, NULL,
				"Solution: see `ps -e` for those that run, or select by --name.",
				NULL);
			return EXIT_ERROR;
		}
		/* tgkill(2) tells threads from processes: a thread is none of a group of its own.
		 */
		if (syscall(SYS_tgkill, pid, pid, 0) < 0 && errno == ESRCH) {
			snprintf(what, sizeof(what), "%u is a thread, not a process", pid);
			error_report(what, NULL,
				     "Solution: give the process it belongs to; see `ps -eL`.",
				     NULL);
			return EXIT_ERROR;
		}
	}
	return 0;
}

static void set_name(const struct options *options, struct trace_config *config)
{
	size_t size = strlen(options->name);

	if (size > COMM_SIZE - 1) {
		char cut[COMM_SIZE] = "";
		char quoted[LOG_QUOTE_SIZE];

		size = COMM_SIZE - 1;
		memcpy(cut, options->name, size);
		log_warn("process names have at most 15 bytes: looking for '%s'",
			 log_quote(quoted, cut));
	}
	for (size_t i = 0; i < size; i++)
		config->name[i] = (char)tolower((unsigned char)options->name[i]);
	config->name_size = (__u32)size;
}

bool select_tail(const char *pattern, uint64_t *ret_last, uint64_t *ret_mask)
{
	size_t size = strlen(pattern);
	size_t start = size;
	uint64_t last = 0;
	uint64_t mask = 0;

	while (start > 0 && size - start < 8 && !strchr("*?[]\\", pattern[start - 1])) {
		start--;
		if (pattern[start] == '/')
			break;
	}
	for (size_t i = start; i < size; i++) {
		last = last << 8 | (unsigned char)pattern[i];
		mask = mask << 8 | 0xff;
	}
	*ret_last = last;
	*ret_mask = mask;
	return start < size;
}

static void set_files(const struct options *options, struct trace_config *config)
{
	const struct filter *filter = &options->filter;

	_Static_assert(CONFIG_TAILS_MAX == FILTER_PATTERNS_MAX, "a tail for every pattern");
	config->by_tail = filter->nr_files > 0;
	for (size_t i = 0; i < filter->nr_files; i++) {
		uint64_t last;
		uint64_t mask;

		if (!select_tail(filter->files[i], &last, &mask)) {
			config->nr_tails = 0;
			return;
		}
		config->tails[i].last = last;
		config->tails[i].mask = mask;
		config->nr_tails++;
	}
}

static void set_pid_namespace(struct trace_config *config)
{
	struct stat st;

	if (in_first_pid_namespace() || stat("/proc/self/ns/pid", &st) < 0)
		return;
	config->pidns_dev = st.st_dev;
	config->pidns_inode = st.st_ino;
}

static bool wants_tap(const struct options *options)
{
	return options->filter.wanted & (1U << SOURCE_tls_handshake | 1U << SOURCE_ssh_handshake);
}

/* Bursts of handshakes are some 10 KB each. */
static uint32_t buffer_size(const struct options *options)
{
	if (options->buffer_size)
		return options->buffer_size;
	return wants_tap(options) ? BUFFER_SIZE_TAP : BUFFER_SIZE_DEFAULT;
}

int select_config(const struct options *options, struct trace_config *ret)
{
	bool has_roots = options->nr_pids || options->command;
	bool follows = options->follow_children || options->command;
	int status = check_pids(options);

	if (status)
		return status;
	*ret = (struct trace_config){
		.ring_size = buffer_size(options),
		.resolve = options->resolve,
		.wanted = options->filter.wanted | (wants_tap(options) ? 1U << SOURCE_tap : 0) |
			  /* Who has another user now is told by its hook. */
			  (options->nr_uids ? 1U << SOURCE_file_open : 0),
		.nr_uids = (__u32)options->nr_uids,
	};
	memcpy(ret->uids, options->uids, sizeof(ret->uids));
	if (has_roots)
		ret->select |= SELECT_TREE;
	if (options->name) {
		set_name(options, ret);
		/* With roots given the name narrows the tree; alone it is where trees start. */
		ret->select |=
			!has_roots && follows ? SELECT_TREE | SELECT_NAME_ROOTS : SELECT_NAME;
	}
	if (follows)
		ret->select |= SELECT_INHERIT;
	if (options->nr_uids)
		ret->select |= SELECT_UID;
	set_files(options, ret);
	set_pid_namespace(ret);
	return 0;
}
