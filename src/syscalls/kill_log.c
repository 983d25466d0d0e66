/* SPDX-License-Identifier: MIT */
#include "syscalls/kill_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A read gives one record; those that do not fit are passed over (printk's PRINTKRB_RECORD_MAX). */
#define RECORD_SIZE 8192
#define RECORDS_MAX 20000
#define PAUSES_MAX  20
#define PAUSE_NS    10000000

/* What is written of SIGSYS: the decision, include/uapi/linux/seccomp.h. */
#define KILLED 0x80000000U

int kill_log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	lseek(fd, 0, SEEK_END);
	return fd;
}

/*
 * The number behind NAME, " pid=". What others may choose in a record, the name of the process, has
 * no blanks in it: the kernel writes it in hexadecimal then (audit_log_untrustedstring()).
 */
static bool number_of(const char *line, const char *name, int base, uint64_t *ret)
{
	const char *at = strstr(line, name);
	char *end;

	if (!at)
		return false;
	at += strlen(name);
	*ret = strtoull(at, &end, base);
	return end != at && (*end == ' ' || *end == '\n' || *end == '\0');
}

bool kill_log_parse(const char *line, size_t size, pid_t pid, struct killed_call *ret)
{
	char text[RECORD_SIZE + 1];
	struct killed_call call;
	uint64_t number, arch, nr, code;
	int found;

	if (size > RECORD_SIZE)
		return false;
	memcpy(text, line, size);
	text[size] = '\0';
	/* AUDIT_SECCOMP, include/uapi/linux/audit.h */
	if (!strstr(text, "audit: type=1326 ") || !number_of(text, " pid=", 10, &number) ||
	    number != (uint64_t)pid || !number_of(text, " arch=", 16, &arch) ||
	    !number_of(text, " syscall=", 10, &nr) || !number_of(text, " code=", 16, &code) ||
	    code != KILLED || !number_of(text, " ip=", 16, &call.address))
		return false;
	call.nr = (uint32_t)nr;
	found = syscall_arch_of((uint32_t)arch, &call.nr);
	if (found < 0)
		return false;
	call.arch = (enum syscall_arch)found;
	*ret = call;
	return true;
}

bool kill_log_find(int fd, pid_t pid, struct killed_call *ret)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	char record[RECORD_SIZE];
	int nr_pauses = 0;

	for (int i = 0; i < RECORDS_MAX; i++) {
		ssize_t size = read(fd, record, sizeof(record));

		if (size > 0 && kill_log_parse(record, (size_t)size, pid, ret))
			return true;
		if (size >= 0 || errno == EPIPE || errno == EINVAL || errno == EINTR)
			continue;
		/* Another thread of the kernel writes it, a moment later. */
		if (errno != EAGAIN || nr_pauses++ == PAUSES_MAX)
			return false;
		nanosleep(&pause, NULL);
	}
	return false;
}
