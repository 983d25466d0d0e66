/* SPDX-License-Identifier: MIT */
/*
 * Opens FILE through io_uring, three times: openat, openat2 and once in vain. Prints nothing: no
 * event can tell of it. Status 77: this kernel does not let us.
 *
 * usage: uring_trigger FILE
 */
#include "../../support/trigger.h"

#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define SKIPPED 77

struct uring {
	int fd;
	struct io_uring_params params;
	char *sq;
	char *cq;
	struct io_uring_sqe *sqes;
};

static void *map(const struct uring *uring, size_t size, uint64_t at)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			    uring->fd, (off_t)at);

	if (memory == MAP_FAILED)
		die("mmap");
	return memory;
}

static void uring_make(struct uring *uring)
{
	uring->fd = (int)syscall(SYS_io_uring_setup, 4, &uring->params);
	if (uring->fd < 0 && (errno == ENOSYS || errno == EPERM))
		exit(SKIPPED);
	must(uring->fd);
	uring->sq =
		map(uring, uring->params.sq_off.array + 4 * sizeof(uint32_t), IORING_OFF_SQ_RING);
	uring->cq = map(uring,
			uring->params.cq_off.cqes +
				uring->params.cq_entries * sizeof(struct io_uring_cqe),
			IORING_OFF_CQ_RING);
	uring->sqes = map(uring, 4 * sizeof(*uring->sqes), IORING_OFF_SQES);
}

/* Hands in ENTRY and waits for it. Returns its result. */
static int uring_do(struct uring *uring, const struct io_uring_sqe *entry)
{
	uint32_t *tail = (void *)(uring->sq + uring->params.sq_off.tail);
	uint32_t *array = (void *)(uring->sq + uring->params.sq_off.array);
	uint32_t mask = *(uint32_t *)(void *)(uring->sq + uring->params.sq_off.ring_mask);
	uint32_t *head = (void *)(uring->cq + uring->params.cq_off.head);
	uint32_t cq_mask = *(uint32_t *)(void *)(uring->cq + uring->params.cq_off.ring_mask);
	struct io_uring_cqe *cqes = (void *)(uring->cq + uring->params.cq_off.cqes);
	uint32_t at = *tail & mask;
	int result;

	uring->sqes[at] = *entry;
	array[at] = at;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	must(syscall(SYS_io_uring_enter, uring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0));
	result = cqes[*head & cq_mask].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return result;
}

int main(int argc, char **argv)
{
	struct open_how how = { .flags = O_RDONLY };
	struct uring uring = { 0 };

	if (argc != 2)
		return 2;
	uring_make(&uring);

	struct io_uring_sqe entry = {
		.opcode = IORING_OP_OPENAT,
		.fd = AT_FDCWD,
		.addr = (uintptr_t)argv[1],
	};

	must(uring_do(&uring, &entry));
	entry.opcode = IORING_OP_OPENAT2;
	entry.off = (uintptr_t)&how;
	entry.len = sizeof(how);
	must(uring_do(&uring, &entry));
	entry.addr = (uintptr_t) "/nonexistent/x.pem";
	if (uring_do(&uring, &entry) != -ENOENT)
		die("io_uring was to fail");
	return 0;
}
