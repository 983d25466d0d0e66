/* SPDX-License-Identifier: MIT */
#ifndef INVENTORY_INVENTORY_H
#define INVENTORY_INVENTORY_H

/*
 * What processes have at one moment: the programs they run, the crypto libraries they map, the
 * crypto files they have open. Filled by a scan (iterate.h or scan.h), looked into by examine.h,
 * read by the documents. Owns everything in it until inventory_free(). Bounded: what is beyond a
 * limit is counted in nr_refused.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalogue/files.h"
#include "inspect/content.h"
#include "inspect/program.h"
#include "pipeline/address.h"
#include "proc/container.h"

#define INVENTORY_OBJECTS_MAX 65536
#define INVENTORY_USES_MAX    4096 /* of one process */
/* Connections kept of one process, and ports that are listened on, of all network namespaces. */
#define INVENTORY_CONNECTIONS_MAX 1024
#define INVENTORY_LISTENERS_MAX	  65536

/* struct inventory_process.sockets */
#define INVENTORY_SOCKET_AF_ALG 0x1
#define INVENTORY_SOCKET_KTLS	0x2

/* How a file can be opened again, through a process that has it. */
struct inventory_handle {
	uint32_t kind; /* enum broker_file_kind */
	uint32_t pid;
	uint32_t fd;
	uint64_t start_ns;
	uint64_t from;
	uint64_t to;
};

/* A file that processes run, map or have open: the same when device, inode and path are. */
struct inventory_object {
	char *path; /* NUL-terminated, without the kernel's mark of a deleted file */
	size_t path_size;
	uint64_t inode;
	uint32_t dev_major;
	uint32_t dev_minor;
	bool is_deleted;
	bool is_program;		/* some process runs it */
	uint32_t family;		/* enum library_family: of a crypto library */
	const struct file_class *class; /* of a crypto file; NULL: it is none by its name */
	struct inventory_handle handle;
	uint32_t nr_users; /* processes */
	/* By examine.h. */
	struct program *program;
	struct content *content;
	struct content_stat stat;
	bool has_stat;
	const char *note;	/* why it was not looked into; static text */
	char *disk_version;	/* of the file that has the path now, where this one was replaced */
	char *inferred_version; /* of a library that does not tell: that of the one beside it */
	char *package;
	uint32_t position; /* in inventory.objects, after inventory_sort() */
	/* Private. */
	uint32_t next;
};

/* That a process has it: as its program, mapped, or open as FD. */
struct inventory_use {
	struct inventory_object *object;
	uint32_t fd;
	uint32_t open_flags; /* of open(2) */
	uint64_t from;	     /* addresses, where it is mapped */
	uint64_t to;
	bool is_open;
};

/* A TCP connection that is established; see connections.h. */
struct inventory_connection {
	uint64_t inode; /* of its socket, the same in each process that has it */
	uint32_t netns; /* number of its network namespace */
	struct address local;
	struct address peer;
	bool is_server; /* after inventory_sort() */
	bool is_ktls;	/* the kernel encrypts; /proc does not tell */
};

struct inventory_process {
	uint32_t pid;
	uint32_t ppid;
	uint32_t uid;
	uint32_t gid;
	uint32_t task;	   /* the thread by which /proc knows it: where the first ended, another */
	uint64_t start_ns; /* boot time */
	/* How much later it may have been: /proc tells clock ticks. 0: exact. */
	uint64_t start_step_ns;
	char comm[COMM_SIZE];
	const struct container *container;
	struct inventory_object *exe; /* NULL: not known */
	struct inventory_use *uses;
	uint32_t nr_uses;
	uint32_t sockets;
	struct inventory_connection *connections; /* by addresses, after inventory_sort() */
	uint32_t nr_connections;
	uint32_t nr_more_connections; /* beyond the limit; one with two descriptors counts twice */
	bool is_hidden;		      /* its mappings or descriptors could not be read */
	bool is_wanted;		      /* set by a command, for inventory_keep_wanted() */
	bool is_root;		      /* set by a command: of a tree */
	/* Private. */
	uint32_t next;
};

struct inventory {
	struct inventory_process **processes; /* by pid, after inventory_sort() */
	size_t nr_processes;
	struct inventory_object **objects; /* by path, after inventory_sort() */
	size_t nr_objects;
	size_t nr_hidden;  /* processes that could not be looked into */
	size_t nr_refused; /* things beyond a limit */
	size_t nr_unasked; /* libraries whose package is not known: see origins.h */
	bool is_partial;   /* /proc does not even show all processes */
	bool is_short;	   /* something is not here for want of memory: its scan fails */
	struct containers *containers;
	/* Private. */
	uint64_t *listeners; /* network namespace and port, sorted */
	size_t nr_listeners;
	uint32_t max_processes;
	uint32_t *process_buckets;
	uint32_t *object_buckets;
};

/* Returns 0 or -ENOMEM. */
int inventory_new(struct inventory **ret, uint32_t max_processes);
void inventory_free(struct inventory *inventory);

/*
 * The process of PID that began at START_NS, entered if it is not there; NULL: no room, or no
 * memory, which is noted.
 */
struct inventory_process *inventory_add(struct inventory *inventory, uint32_t pid,
					uint64_t start_ns);
/* The same, NULL when it is not there. START_NS 0: any. */
struct inventory_process *inventory_find(const struct inventory *inventory, uint32_t pid,
					 uint64_t start_ns);

/* Forgets the process PID, and what only it has. Call before inventory_sort(). */
void inventory_remove(struct inventory *inventory, uint32_t pid);

/* Forgets all processes that are not wanted, and what only they have. Before inventory_sort(). */
void inventory_keep_wanted(struct inventory *inventory);

/* PATH (SIZE bytes) on its device, which IS_DELETED by now or not; NULL as above. */
struct inventory_object *inventory_named(struct inventory *inventory, const char *path, size_t size,
					 bool is_deleted, uint32_t dev_major, uint32_t dev_minor,
					 uint64_t inode);

/* The same for a path as the kernel tells it: with " (deleted)" behind where it is. */
struct inventory_object *inventory_object(struct inventory *inventory, const char *path,
					  size_t size, uint32_t dev_major, uint32_t dev_minor,
					  uint64_t inode);

/* PROCESS maps OBJECT, a crypto library, from FROM to TO. Returns 0 or -ENOMEM. */
int inventory_map(struct inventory *inventory, struct inventory_process *process,
		  struct inventory_object *object, uint64_t from, uint64_t to);

/* PROCESS runs OBJECT. */
void inventory_run(struct inventory_process *process, struct inventory_object *object);

/* PROCESS has OBJECT, a crypto file, open. Returns 0 or -ENOMEM. */
int inventory_open(struct inventory *inventory, struct inventory_process *process,
		   struct inventory_object *object, uint32_t fd, uint32_t open_flags);

/*
 * Makes the next process that has OBJECT, by pid, the one through which it is opened. Returns false
 * after the last one. Costs a look at all processes.
 */
bool inventory_next_handle(const struct inventory *inventory, struct inventory_object *object);

/* The version of OBJECT, a library that was looked into; NULL: not known. */
const char *inventory_version(const struct inventory_object *object);

/* Whether the name of PROCESS contains NAME, upper or lower case. */
bool inventory_is_called(const struct inventory_process *process, const char *name);

/* Puts processes and objects into order. */
void inventory_sort(struct inventory *inventory);

#endif /* INVENTORY_INVENTORY_H */
