/* SPDX-License-Identifier: MIT */
#ifndef PRIV_BROKER_H
#define PRIV_BROKER_H

/*
 * Two processes. The worker, which parses everything foreign, gives up its rights and can open
 * nothing. The broker keeps the rights that looking into other processes needs, parses nothing but
 * the kernel's own text, and opens for the worker
 *
 *   - of a process what /proc tells as text, with the TCP sockets of its network namespace,
 *   - a file that a process has open, mapped or opened, when it is a regular file and its name is
 *     that of a crypto file or library, and the program of a process,
 *   - the distribution's package database in a process's root,
 *   - the perf ring of a CPU that has come online.
 *
 * A process is named by pid and start time, so that one that took over the pid is never looked at.
 * Files are opened read-only, without changing their access time, without blocking and never
 * through a link out of the process's root. What a bug in a parser is worth then: these files, and
 * no way out but the report. Each ends with the other.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define BROKER_PATH_MAX 4096
/* Opens of files, a burst and then each second; beyond -EAGAIN. */
#define BROKER_BURST	  16384
#define BROKER_PER_SECOND 1000

struct broker {
	pid_t pid; /* 0: none */
	int fd;	   /* to it; -1: none */
};

/* A place in a file for a uprobe. */
struct broker_probe {
	uint64_t offset;
	uint64_t cookie;
	uint32_t is_return; /* at the return of the function that begins there */
	uint32_t reserved;
};

/* Of one file. */
#define BROKER_PROBES_MAX 1024

/* What a perf ring is of. */
enum broker_ring_kind {
	BROKER_RING_MAPPINGS, /* executable mappings of files */
	BROKER_RING_RECORDS,  /* records of the programs for old kernels */
};

/* A perf ring that the broker has opened. */
struct broker_ring {
	uint64_t bytes;		 /* of its records */
	uint64_t build_id_event; /* struct mapping_ring; 0: none */
};

struct broker_config {
	bool may_execute; /* rpm, for broker_ask_rpm(); else no program can be run */
	/*
	 * Called in the broker before it gives up rights, and when the worker asks; NULL: nothing
	 * to attach. Returns 0 or a negative errno.
	 */
	int (*prepare)(void *ctx);
	int (*attach)(void *ctx);
	void *ctx;
	/* Called in the broker first: lets go of what only the worker uses. NULL: nothing. */
	void (*leave)(void *ctx);
	void *leave_ctx;
	/*
	 * Attaches probes to the file behind FD, and lets go of a set of them. NULL: there are
	 * none. probe() returns the number of the set, with how many it could not attach, or a
	 * negative errno.
	 */
	int (*probe)(void *ctx, int fd, const struct broker_probe *probes, size_t nr_probes,
		     uint32_t *ret_failed);
	int (*unprobe)(void *ctx, uint32_t set);
	void *probe_ctx;
	/*
	 * Opens a perf ring of CPU, which has come online; KIND may be any, as CPU. NULL: there
	 * are none. Returns a descriptor, which the broker closes, or a negative errno.
	 */
	int (*open_ring)(void *ctx, uint32_t kind, uint32_t cpu, struct broker_ring *ret);
	void *ring_ctx;
	int command;		/* descriptor of that program; 0 or less: none */
	bool uses_maps;		/* attach() reads and writes BPF maps */
	bool probes_one_by_one; /* which takes perf_event_open(2) */
};

/* What /proc tells of a process as text. */
enum broker_text {
	BROKER_TEXT_maps,
	BROKER_TEXT_status,
	BROKER_TEXT_stat,
	BROKER_TEXT_cgroup,
	BROKER_TEXT_cmdline,
	BROKER_TEXT_tcp, /* sockets of its network namespace */
	BROKER_TEXT_tcp6,
	NR_BROKER_TEXTS,
};

enum broker_file_kind {
	BROKER_FILE_FD,	 /* open in the process as descriptor FD */
	BROKER_FILE_MAP, /* mapped from FROM to TO */
	BROKER_FILE_EXE, /* the program itself */
	/* PATH as the process names it: in its root, else in its parent's or the host's */
	BROKER_FILE_PATH,
	BROKER_FILE_COMMAND, /* the program of COMMAND, before it is executed */
	BROKER_FILE_NETNS,   /* the network namespace; is looked at, never opened */
	BROKER_FILE_CWD,     /* the working directory, below the root; likewise */
};

/* A file to be opened. Zero inode, start_ns or ctime_ns: not compared. */
struct broker_file {
	uint32_t kind; /* enum broker_file_kind */
	uint32_t pid;  /* or that of a thread, where the first has ended */
	uint32_t ppid;
	uint32_t fd;
	uint64_t start_ns; /* of the process, boot time */
	uint64_t inode;
	uint64_t ctime_ns; /* of the file, since the epoch */
	uint64_t from;
	uint64_t to;
	char path[BROKER_PATH_MAX]; /* NUL-terminated */
};

/*
 * Starts the broker; call while there are rights, before privileges_drop(). Returns 0 or a negative
 * errno.
 */
int broker_start(struct broker *broker, const struct broker_config *config);

/* Waits until it serves. Returns 0, or -EPIPE when it could not be made ready. */
int broker_wait(struct broker *broker);

/* Ends it. Safe on one never started. */
void broker_stop(struct broker *broker);

/* Has config.attach called. Returns its result, or -EPIPE when the broker is gone. */
int broker_attach(struct broker *broker);

/* The descriptors that these return belong to the caller; negative errno otherwise. */
int broker_open(struct broker *broker, const struct broker_file *file);
int broker_open_text(struct broker *broker, uint32_t pid, enum broker_text text);
/* Reads it to OUT, at most SIZE bytes, no NUL behind. Returns how many, or a negative errno. */
ssize_t broker_read_text(struct broker *broker, uint32_t pid, enum broker_text text, char *out,
			 size_t size);
/* /proc/PID/fd and /proc/PID/task, for their names alone: nothing can be opened in them. */
int broker_open_fds(struct broker *broker, uint32_t pid);
int broker_open_tasks(struct broker *broker, uint32_t pid);
/* A package database below the root of PID, packages_database_paths() and dpkg's lists. */
int broker_open_package(struct broker *broker, uint32_t pid, const char *path);
/* The dynamic linker's cache or a directory of libraries below its root, broker_loader_paths(). */
int broker_open_loader(struct broker *broker, uint32_t pid, const char *path);
/* What can be opened so, without the slash in front; the first is the cache. */
const char *const *broker_loader_paths(size_t *ret_nr);
/* Its directory of dpkg's lists, for the names. */
int broker_open_package_lists(struct broker *broker, uint32_t pid);

/*
 * Has PROBES attached to FILE, which is opened as broker_open() would. Where they are nobody
 * checks: an offset within an instruction breaks the programs that use the file. Returns the number
 * of the set, with how many could not be attached in *RET_FAILED; -E2BIG, -ENOSYS where nothing is
 * attached, or what went wrong.
 */
int broker_probe(struct broker *broker, const struct broker_file *file,
		 const struct broker_probe *probes, size_t nr_probes, uint32_t *ret_failed);

/*
 * Has the perf ring of this KIND of CPU opened, which has come online: on, and with all that was
 * chosen at the start; or, where one was opened so and is on, that one, emptied. Returns a
 * descriptor with *RET filled in; -EEXIST where the one of the start is on, -ENODEV where the CPU
 * is not, -ENOSYS where there are no rings, or what went wrong.
 */
int broker_open_ring(struct broker *broker, enum broker_ring_kind kind, uint32_t cpu,
		     struct broker_ring *ret);

/* Lets go of set number SET, which takes 50 ms and more. Returns 0 or a negative errno. */
int broker_unprobe(struct broker *broker, uint32_t set);

struct package_query;

/* packages_ask_rpm() in the broker. Returns the same. */
int broker_ask_rpm(struct broker *broker, struct package_query *queries, size_t nr_queries);

/*
 * The next processes, by their numbers in /proc, which may show the worker itself none (hidepid).
 * *CURSOR is 0 at first. Returns how many there are in RET, 0 at the end, or a negative errno.
 */
#define BROKER_PIDS_MAX 768
int broker_list_processes(struct broker *broker, uint64_t *cursor,
			  uint32_t ret[static BROKER_PIDS_MAX]);

/* Where a link of /proc/PID points to. */
struct broker_link {
	char path[BROKER_PATH_MAX + 1]; /* NUL-terminated; "socket:[123]" and such, too */
	/* Of a file of a file system. */
	uint64_t inode;
	uint64_t ctime_ns; /* since the epoch */
	uint32_t dev_major;
	uint32_t dev_minor;
	uint32_t mode;	     /* of the file */
	uint32_t open_flags; /* O_RDONLY, O_WRONLY or O_RDWR of the descriptor */
	bool is_deleted;     /* and the path ends with " (deleted)", which is no part of the name */
};

/* Looks at descriptor FD of PID, or with -1 at its program. Returns 0 or a negative errno. */
int broker_look(struct broker *broker, uint32_t pid, int fd, struct broker_link *ret);

/* Looks at the working directory of PID, as it names it itself. Returns 0 or a negative errno. */
int broker_look_cwd(struct broker *broker, uint32_t pid, struct broker_link *ret);

/* The number of the network namespace of PID. Returns 0 or a negative errno. */
int broker_look_netns(struct broker *broker, uint32_t pid, uint32_t *ret);

#endif /* PRIV_BROKER_H */
