/* SPDX-License-Identifier: MIT */
#include "check/content.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <unistd.h>

#include "check/verdict.h"
#include "lib/cleanup.h"

static void list_processes(struct check_content *content)
{
	_cleanup_(cleanup_dir) DIR *proc = opendir("/proc");
	const struct dirent *entry;

	while (proc && content->nr_pids < CHECK_PIDS_MAX && (entry = readdir(proc))) {
		unsigned long pid = strtoul(entry->d_name, NULL, 10);

		if (pid > 0)
			content->pids[content->nr_pids++] = (uint32_t)pid;
	}
}

/* One mapping of this process is as good as any. */
static int try_mapped(void)
{
	_cleanup_(cleanup_dir) DIR *maps = opendir("/proc/self/map_files");
	const struct dirent *entry;

	if (!maps)
		return -errno;
	while ((entry = readdir(maps))) {
		_cleanup_(cleanup_fd) int fd = -1;

		if (entry->d_name[0] == '.')
			continue;
		fd = openat(dirfd(maps), entry->d_name, O_PATH | O_CLOEXEC);
		return fd < 0 ? -errno : 0;
	}
	return -ENOENT;
}

void check_content_begin(struct check_content *content)
{
	content->nr_pids = 0;
	list_processes(content);
	content->mapped = try_mapped();
}

static bool is_refusal(int err)
{
	return err == -EPERM || err == -EACCES;
}

/* How many of the processes the broker may not look at. */
static size_t count_denied(const struct check_content *content, struct broker *broker)
{
	static struct broker_link link;
	size_t nr = 0;

	for (size_t i = 0; i < content->nr_pids; i++)
		nr += is_refusal(broker_look(broker, content->pids[i], -1, &link));
	return nr;
}

/* Reads a file as it would that of another user. Returns 0, also where there is none. */
static int try_file(struct broker *broker)
{
	static const char *const paths[] = {
		"/etc/ssl/openssl.cnf",
		"/etc/pki/tls/openssl.cnf",
		"/etc/ssl/certs/ca-certificates.crt",
		"/etc/pki/tls/certs/ca-bundle.crt",
	};
	static struct broker_file file;
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		int fd;

		file = (struct broker_file){ .kind = BROKER_FILE_PATH, .pid = (uint32_t)getpid() };
		memcpy(file.path, paths[i], strlen(paths[i]) + 1);
		fd = broker_open(broker, &file);
		if (fd >= 0)
			close(fd);
		if (fd >= 0 || is_refusal(fd))
			return fd < 0 ? fd : 0;
		err = fd == -ENOENT ? err : fd;
	}
	return err;
}

/* What the broker may not do, and what that takes, in VERDICT. */
static void judge_rights(struct check *check, const struct check_content *content,
			 struct broker *broker, struct check_verdict *verdict)
{
	size_t nr_denied = count_denied(content, broker);
	int err = try_file(broker);
	uint64_t takes = nr_denied ? CHECK_CAP(CAP_SYS_PTRACE) : 0;
	bool is_for_rights;
	char why[96];

	if (is_refusal(err))
		takes |= CHECK_CAP(CAP_FOWNER) | CHECK_CAP(CAP_SYS_PTRACE);
	else if (err)
		verdict_add(verdict, CHECK_LIMITED, CHECK_ENVIRONMENT, strerror(-err), NULL, NULL);
	if (is_refusal(content->mapped))
		takes |= CHECK_CAP(CAP_CHECKPOINT_RESTORE);
	snprintf(why, sizeof(why), "%zu of %zu processes cannot be looked into", nr_denied,
		 content->nr_pids);
	is_for_rights = check->host.has_user_namespace || verdict_lacking(&check->host, takes);
	if (nr_denied)
		verdict_add(verdict, CHECK_LIMITED,
			    is_for_rights ? CHECK_PRIVILEGES : CHECK_ENVIRONMENT, why,
			    is_for_rights ? NULL
					  : "nothing: they are in another user namespace, or a "
					    "security module protects them",
			    NULL);
	if (takes && (is_for_rights || !nr_denied))
		verdict_refused(verdict, CHECK_LIMITED, &check->host, takes,
				"opening files of others", -EACCES);
}

bool check_content_lacks_proc(const struct check_content *content, struct check_verdict *verdict)
{
	if (content->nr_pids > 0)
		return false;
	verdict_add(verdict, CHECK_UNAVAILABLE, CHECK_ENVIRONMENT, "/proc is not mounted",
		    "mount it", "sudo mount -t proc proc /proc");
	return true;
}

/* What /proc does not have. */
static void judge_proc(const struct check *check, const struct check_content *content,
		       struct check_verdict *verdict)
{
	if (check->host.has_pid_namespace)
		verdict_add(verdict, CHECK_LIMITED, CHECK_ENVIRONMENT,
			    "processes outside of the pid namespace are not looked into",
			    "run it on the host, or with the host's pids (docker run --pid=host, "
			    "hostPID: true)",
			    NULL);
	if (check->host.hides_processes)
		verdict_add(verdict, CHECK_LIMITED, CHECK_ENVIRONMENT,
			    "/proc hides the processes of others (hidepid)",
			    "mount it without hidepid, or let this user's group see all",
			    "sudo mount -o remount,hidepid=0 /proc");
	check_content_lacks_proc(content, verdict);
}

void check_content_end(struct check *check, const struct check_content *content,
		       struct broker *broker)
{
	struct check_feature *feature = &check->all[CHECK_FEATURE_content];

	verdict_works(&feature->verdict);
	feature->hook = "broker";
	judge_rights(check, content, broker, &feature->verdict);
	judge_proc(check, content, &feature->verdict);
}
