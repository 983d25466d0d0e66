/* SPDX-License-Identifier: MIT */
#include "trace/reduced_proc.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/parse.h"
#include "proc/container.h"
#include "proc/status.h"
#include "proc/text.h"

#define NS_PER_SECOND 1000000000ULL

/* Reads what /proc tells of PID. Returns whether it is there. */
static bool read_seed(uint32_t pid, struct process_seed *ret, uint32_t *ret_threads)
{
	char text[STATUS_TEXT_MAX];
	ssize_t n = proc_text((pid_t)pid, "status", text, sizeof(text));
	struct status status;
	const char *name;
	uint64_t ticks;
	size_t size;

	if (n <= 0 || status_parse(text, (size_t)n, &status))
		return false;
	n = proc_text((pid_t)pid, "stat", text, sizeof(text));
	if (n <= 0 || stat_start_ticks(text, (size_t)n, &ticks))
		return false;
	*ret = (struct process_seed){
		.start_ns = ticks * (NS_PER_SECOND / (uint64_t)sysconf(_SC_CLK_TCK)),
		.tgid = pid,
		.ppid = status.ppid,
		.uid = status.uid,
		.gid = status.gid,
	};
	memcpy(ret->comm, status.name, strnlen(status.name, COMM_SIZE - 1));
	n = proc_text((pid_t)pid, "cgroup", text, sizeof(text));
	name = n > 0 ? container_cgroup(text, (size_t)n, &size) : NULL;
	if (name && size < sizeof(ret->cgroup_name))
		memcpy(ret->cgroup_name, name, size);
	*ret_threads = status.nr_threads;
	return true;
}

int reduced_proc_each(void (*take)(void *ctx, const struct process_seed *seed, uint32_t nr_threads),
		      void *ctx)
{
	_cleanup_(cleanup_dir) DIR *dir = opendir("/proc");
	const struct dirent *entry;
	bool is_empty = true;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		struct process_seed seed;
		uint32_t nr_threads;
		uint64_t pid;

		if (parse_u64(entry->d_name, 1, INT32_MAX, &pid) < 0)
			continue;
		is_empty = false;
		if (read_seed((uint32_t)pid, &seed, &nr_threads))
			take(ctx, &seed, nr_threads);
	}
	/* This process is always there. */
	return is_empty ? -ENOENT : 0;
}

static ssize_t ask_text(void *ctx, uint32_t pid, enum broker_text kind, char *out, size_t size)
{
	return broker_read_text(ctx, pid, kind, out, size);
}

static int ask_look(void *ctx, uint32_t pid, int fd, struct broker_link *ret)
{
	return fd == LIFE_LOOK_CWD ? broker_look_cwd(ctx, pid, ret)
				   : broker_look(ctx, pid, fd, ret);
}

static int ask_find(void *ctx, uint32_t pid, const char *path, struct stat *ret)
{
	struct broker_file file = { .kind = BROKER_FILE_PATH, .pid = pid };
	size_t size = strlen(path);

	if (size >= sizeof(file.path))
		return -ENAMETOOLONG;
	memcpy(file.path, path, size + 1);

	_cleanup_(cleanup_fd) int fd = broker_open(ctx, &file);

	if (fd < 0)
		return fd;
	return fstat(fd, ret) < 0 ? -errno : 0;
}

struct life_ask reduced_proc_ask(struct broker *broker)
{
	return (struct life_ask){
		.text = ask_text, .look = ask_look, .find = ask_find, .ctx = broker
	};
}
