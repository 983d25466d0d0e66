/* SPDX-License-Identifier: MIT */
#ifndef TRACE_REDUCED_PRIVATE_H
#define TRACE_REDUCED_PRIVATE_H

/* What the files of reduced_life.h share. */

#include "proc/processes.h"
#include "proc/status.h"
#include "trace/raw.h"
#include "trace/reduced_life.h"

/* As BPF cuts them elsewhere: bpf/maps.bpf.h. */
#define LIFE_ARGV_MAX 16384
#define LIFE_PATH_MAX 4096

/* Execs under way at the same moment, of which arguments are kept: one a CPU and thread. */
#define LIFE_PENDING_MAX 64
#define LIFE_ARGS_MAX	 (RAW_ARGS_MAX + RAW_ARG_MAX)

/* The largest is an exec's. */
#define LIFE_RECORD_MAX (256 + LIFE_ARGV_MAX + 2 * LIFE_PATH_MAX + CGROUP_NAME_SIZE)

/* Processes in the table; beyond, one is taken for not selected. About 6 MB. */
#define LIFE_PROCESSES_MAX 65536

struct life_args {
	uint64_t ts_ns; /* 0: none */
	uint32_t tid;
	uint32_t flags; /* RAW_ARGS_* */
	size_t size;
	char bytes[LIFE_ARGS_MAX];
};

struct life {
	struct trace_config config;
	struct life_ask ask;
	struct processes *processes; /* of the host */
	struct life_counts counts[NR_SOURCES];
	struct life_gaps gaps;
	uint32_t own[2];
	uint32_t roots[ROOTS_MAX];
	size_t nr_roots;
	uint64_t tick_ns; /* of the start times in /proc */
	life_sink sink;
	void *sink_ctx;
	/* Of the record that is being made: its wire form, what was read for it. */
	size_t size;
	uint8_t record[LIFE_RECORD_MAX] __attribute__((aligned(8)));
	char text[STATUS_TEXT_MAX];
	char argv[LIFE_ARGV_MAX + 1];
	char path[2 * LIFE_PATH_MAX + 2];
	struct broker_link link;
	struct broker_link cwd;
	struct life_args pending[LIFE_PENDING_MAX];
};

/* Reads KIND of PID to life->text. Returns its size, or a negative errno. */
ssize_t life_text(struct life *life, uint32_t pid, enum broker_text kind);
/* Looks at descriptor FD of PID, or at what LIFE_LOOK_* says. Returns 0 or a negative errno. */
int life_look(struct life *life, uint32_t pid, int fd, struct broker_link *ret);

/* Fills the head of life->record, of FIXED bytes, for the thread of RAW, of PROCESS. */
struct event_hdr *life_begin(struct life *life, const struct raw *raw, struct process *process,
			     enum source_id source, size_t fixed);
/* Appends SIZE bytes; what does not fit is left out, for which life->record has room. */
struct tail life_append(struct life *life, const char *bytes, size_t size);
/* Hands the record over. Returns what the sink does. */
int life_send(struct life *life);

/* Keeps the arguments of RAW, an args, for the exec that may follow. */
void life_keep_args(struct life *life, const struct raw *raw);
/* Makes and sends the record of RAW, an exec of PROCESS. */
int life_send_exec(struct life *life, const struct raw *raw, struct process *process);
/* Likewise of an open. */
int life_send_open(struct life *life, const struct raw *raw, struct process *process);

#endif /* TRACE_REDUCED_PRIVATE_H */
