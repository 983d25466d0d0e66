/* SPDX-License-Identifier: MIT */
#ifndef PROC_STATUS_H
#define PROC_STATUS_H

/*
 * /proc/PID/status and /proc/PID/stat, as proc_pid_status(5), proc_pid_stat(5) and the kernel's
 * fs/proc/array.c have them. The name is the process's own choice, and bytes of any kind.
 */

#include <stddef.h>
#include <stdint.h>

/* Of processes at most 15 bytes; the kernel's own workers have longer ones (TASK_COMM_LEN, 64). */
#define STATUS_NAME_MAX 64

/* More than the kernel writes into either file. */
#define STATUS_TEXT_MAX 16384

struct status {
	char name[STATUS_NAME_MAX + 1]; /* as it was set; terminated, a longer one is cut */
	uint32_t ppid;
	uint32_t uid; /* real */
	uint32_t euid;
	uint32_t gid;
	uint32_t egid;
	uint32_t nr_threads;
};

/* Fields of /proc/PID/stat */
#define STAT_PPID      4
#define STAT_START     22
#define STAT_EXIT_CODE 52 /* as wait(2) has it; 0 for those that may not know */

/* Parses the text of /proc/PID/status. Returns 0, or -EBADMSG when a field is not there. */
int status_parse(const char *text, size_t size, struct status *ret);

/*
 * When the process began, in clock ticks (sysconf(_SC_CLK_TCK)) since boot: field 22 of
 * /proc/PID/stat. Returns 0 or -EBADMSG.
 */
int stat_start_ticks(const char *text, size_t size, uint64_t *ret);

/*
 * Field NUMBER, from 4 on, of /proc/PID/stat, where that is a number: STAT_*. Returns 0 or
 * -EBADMSG.
 */
int stat_number(const char *text, size_t size, int number, uint64_t *ret);

/* The name in it, not terminated. Returns NULL when there is none. */
const char *stat_name(const char *text, size_t size, size_t *ret_size);

#endif /* PROC_STATUS_H */
