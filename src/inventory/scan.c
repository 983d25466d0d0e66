/* SPDX-License-Identifier: MIT */
#include "inventory/scan.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalogue/libraries.h"
#include "inventory/scan_sockets.h"
#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "lib/parse.h"
#include "lib/scarce.h"
#include "lib/stop.h"
#include "proc/container.h"
#include "proc/maps.h"
#include "proc/status.h"

#define NS_PER_SECOND 1000000000ULL
#define TEXT_SIZE     STATUS_TEXT_MAX

struct scan {
	struct broker *broker;
	struct inventory *inventory;
	struct scan_sockets *sockets;
	struct inventory_process *process;
	uint64_t exe_inode;
	uint32_t thread; /* found by find_thread() */
	uint64_t tick_ns;
	bool has_init;
	char path[BROKER_PATH_MAX + sizeof(" (deleted)")];
};

/* The text of PID in OUT of TEXT_SIZE bytes. Returns its size, or a negative errno. */
static ssize_t read_text(struct scan *scan, uint32_t pid, enum broker_text kind, char *out)
{
	return broker_read_text(scan->broker, pid, kind, out, TEXT_SIZE);
}

bool scan_is_own(int err)
{
	return err == -EPIPE || is_scarce(err);
}

/* Calls TAKE for each entry of FD, a directory, that is a number. FD is closed. */
static int each_number(struct scan *scan, int fd, int (*take)(struct scan *scan, uint32_t number))
{
	DIR *dir = fdopendir(fd);
	const struct dirent *entry;
	int err = 0;

	if (!dir) {
		err = -errno;
		close(fd);
		return err;
	}
	for (errno = 0; !err && (entry = readdir(dir)); errno = 0) {
		uint64_t number;

		if (parse_u64(entry->d_name, 0, UINT32_MAX, &number) == 0)
			err = take(scan, (uint32_t)number);
	}
	if (!err && errno)
		err = -errno;
	closedir(dir);
	return err;
}

/* Returns 0, or what scan_is_own() says. */
static int find_container(struct scan *scan, uint32_t pid)
{
	char text[TEXT_SIZE];
	ssize_t n = read_text(scan, pid, BROKER_TEXT_cgroup, text);
	size_t size = 0;
	const char *name = n > 0 ? container_cgroup(text, (size_t)n, &size) : NULL;

	if (name)
		scan->process->container =
			containers_intern(scan->inventory->containers, name, size);
	return scan_is_own((int)n) ? (int)n : 0;
}

/*
 * Reads the status of PID. Returns whether it has memory of its own: kernel threads and zombies
 * have not, and no such line. -ESRCH: it is gone; or what scan_is_own() says.
 */
static int read_status(struct scan *scan, uint32_t pid, struct status *ret)
{
	char text[TEXT_SIZE];
	ssize_t n = read_text(scan, pid, BROKER_TEXT_status, text);

	if (n < 0 || status_parse(text, (size_t)n, ret))
		return scan_is_own((int)n) ? (int)n : -ESRCH;
	return memmem(text, (size_t)n, "\nVmSize:", 8) != NULL;
}

/* Takes the first thread that is alive. */
static int take_thread(struct scan *scan, uint32_t tid)
{
	struct status status;
	int has_memory = scan->thread ? 0 : read_status(scan, tid, &status);

	if (has_memory > 0)
		scan->thread = tid;
	return scan_is_own(has_memory) ? has_memory : 0;
}

/*
 * A thread of PID, whose first thread has ended, or 0: none, in *RET. Returns 0, or what
 * scan_is_own() says.
 */
static int find_thread(struct scan *scan, uint32_t pid, uint32_t *ret)
{
	int fd = broker_open_tasks(scan->broker, pid);
	int err;

	scan->thread = 0;
	err = fd >= 0 ? each_number(scan, fd, take_thread) : fd;
	*ret = scan->thread;
	return scan_is_own(err) ? err : 0;
}

/*
 * Enters PID by what anybody may read. Returns 0, or a negative errno: it is gone, or what
 * scan_is_own() says.
 */
static int enter(struct scan *scan, uint32_t pid)
{
	char text[TEXT_SIZE];
	struct status status;
	uint32_t task = pid;
	uint64_t ticks;
	ssize_t n = read_text(scan, pid, BROKER_TEXT_stat, text);
	int has_memory;

	if (n < 0 || stat_start_ticks(text, (size_t)n, &ticks))
		return scan_is_own((int)n) ? (int)n : -ESRCH;
	has_memory = read_status(scan, pid, &status);
	if (scan_is_own(has_memory))
		return has_memory;
	if (has_memory == 0 && status.nr_threads > 1) {
		int err = find_thread(scan, pid, &task);

		if (err)
			return err;
	}
	if (has_memory < 0 || (!has_memory && (task == pid || !task)))
		return -ESRCH;
	scan->process = inventory_add(scan->inventory, pid, ticks * scan->tick_ns);
	if (!scan->process)
		return -ENOSPC;
	scan->process->start_step_ns = scan->tick_ns;
	scan->process->task = task;
	scan->process->ppid = status.ppid;
	scan->process->uid = status.uid;
	scan->process->gid = status.gid;
	memcpy(scan->process->comm, status.name,
	       strnlen(status.name, sizeof(scan->process->comm) - 1));
	return find_container(scan, pid);
}

static int take_map(void *ctx, const struct map *map)
{
	struct scan *scan = ctx;
	struct inventory_object *object;
	bool is_exe;
	size_t size;

	if (!map->is_executable || !map->path)
		return 0;
	is_exe = map->inode && map->inode == scan->exe_inode && !scan->process->exe;
	if (!is_exe && !library_classify(map->path, map->path_size))
		return 0;
	size = maps_path(map, scan->path, BROKER_PATH_MAX);
	if (map->is_deleted) {
		memcpy(scan->path + size, " (deleted)", sizeof(" (deleted)") - 1);
		size += sizeof(" (deleted)") - 1;
	}
	object = inventory_object(scan->inventory, scan->path, size, map->dev_major, map->dev_minor,
				  map->inode);
	if (!object)
		return 0;
	if (is_exe)
		inventory_run(scan->process, object);
	if (object->family == LIBRARY_FAMILY_none)
		return 0;
	return inventory_map(scan->inventory, scan->process, object, map->start, map->end);
}

static int scan_maps(struct scan *scan)
{
	uint32_t pid = scan->process->task;
	_cleanup_(cleanup_fd) int fd = broker_open_text(scan->broker, pid, BROKER_TEXT_maps);
	struct broker_link exe;
	int err;

	if (fd < 0)
		return fd;
	err = broker_look(scan->broker, pid, -1, &exe);
	if (scan_is_own(err))
		return err;
	scan->exe_inode = err ? 0 : exe.inode;
	return maps_each(fd, take_map, scan, NULL);
}

static int take_fd(struct scan *scan, uint32_t fd)
{
	struct broker_link link;
	struct inventory_object *object;
	size_t size;
	int err = broker_look(scan->broker, scan->process->task, (int)fd, &link);

	if (err)
		return scan_is_own(err) ? err : 0; /* closed meanwhile */
	size = strlen(link.path);
	if (link.path[0] != '/')
		return scan_sockets_take(scan->sockets, scan->process, link.path);
	if (!S_ISREG(link.mode) && !S_ISCHR(link.mode))
		return 0;
	if (link.is_deleted)
		size -= strlen(" (deleted)");
	if (!file_classify(link.path, size))
		return 0;
	object = inventory_named(scan->inventory, link.path, size, link.is_deleted, link.dev_major,
				 link.dev_minor, link.inode);
	if (!object || !object->class)
		return 0;
	return inventory_open(scan->inventory, scan->process, object, fd, link.open_flags);
}

static int scan_files(struct scan *scan)
{
	int fd = broker_open_fds(scan->broker, scan->process->task);

	return fd < 0 ? fd : each_number(scan, fd, take_fd);
}

static int scan_process(struct scan *scan, uint32_t pid)
{
	int err;

	scan->has_init |= pid == 1;
	if (stop_signal())
		return -EINTR;
	err = enter(scan, pid);
	if (err)
		return scan_is_own(err) ? err : 0;
	err = scan_maps(scan);
	if (!scan_is_own(err)) {
		int second = scan_files(scan);

		err = err && err != -ESRCH ? err : second;
	}
	if (err == -EACCES || err == -EPERM) {
		scan->process->is_hidden = true;
		scan->inventory->nr_hidden++;
	}
	/* One that ends meanwhile is no error. */
	return scan_is_own(err) ? err : 0;
}

static int scan_processes(struct scan *scan)
{
	uint32_t pids[BROKER_PIDS_MAX];
	uint64_t cursor = 0;
	bool is_empty = true;
	int nr;

	while ((nr = broker_list_processes(scan->broker, &cursor, pids)) > 0) {
		is_empty = false;
		for (int i = 0; i < nr; i++) {
			int err = scan_process(scan, pids[i]);

			if (err)
				return err;
		}
	}
	/* This process is always there: what has been listed is an empty directory. */
	return !nr && is_empty ? -ENOENT : nr;
}

int scan_run(struct broker *broker, struct inventory *inventory)
{
	struct scan scan = {
		.broker = broker,
		.inventory = inventory,
		.tick_ns = NS_PER_SECOND / (uint64_t)sysconf(_SC_CLK_TCK),
	};
	int err = scan_sockets_new(&scan.sockets, broker, inventory);

	if (!err)
		err = scan_processes(&scan);
	scan_sockets_free(scan.sockets);
	/* It is always there: where it is not seen, others are not, too (hidepid, proc(5)). */
	inventory->is_partial = !scan.has_init;
	return err || !inventory->is_short ? err : -ENOMEM;
}
