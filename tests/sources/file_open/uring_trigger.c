/* SPDX-License-Identifier: MIT */
/*
 * Opens files through io_uring: at once, in batches, by threads of the kernel's, into tables of the
 * ring. Status 77: this kernel does not let us.
 *
 * usage: uring_trigger DIR [CASE...]
 */
#include "../../support/trigger.h"

#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define SKIPPED	   77
#define NR_ENTRIES 64
#define NR_BATCH   48

/* Since Linux 5.17. */
#ifndef IOSQE_CQE_SKIP_SUCCESS
#define IOSQE_CQE_SKIP_SUCCESS (1U << 6)
#endif

struct uring {
	int fd;
	struct io_uring_params params;
	char *sq;
	char *cq;
	struct io_uring_sqe *sqes;
};

static const char *dir;
/* Those of the last batch, in the order in which they were complete. */
static uint32_t completed[NR_ENTRIES];
static const char *thread_name;

/* "DIR/NAME". */
static const char *in_dir(const char *name)
{
	static char paths[NR_ENTRIES][512];
	static unsigned int next;
	char *path = paths[next++ % NR_ENTRIES];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static void *map(const struct uring *uring, size_t size, uint64_t at)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			    uring->fd, (off_t)at);

	if (memory == MAP_FAILED)
		die("mmap");
	return memory;
}

static struct uring uring_make(uint32_t flags)
{
	struct uring uring = { .params.flags = flags };

	uring.fd = (int)syscall(SYS_io_uring_setup, NR_ENTRIES, &uring.params);
	if (uring.fd < 0 && (errno == ENOSYS || errno == EPERM))
		_exit(SKIPPED);
	must(uring.fd);
	uring.sq = map(&uring, uring.params.sq_off.array + NR_ENTRIES * sizeof(uint32_t),
		       IORING_OFF_SQ_RING);
	uring.cq = map(&uring,
		       uring.params.cq_off.cqes +
			       uring.params.cq_entries * sizeof(struct io_uring_cqe),
		       IORING_OFF_CQ_RING);
	uring.sqes = map(&uring, NR_ENTRIES * sizeof(*uring.sqes), IORING_OFF_SQES);
	return uring;
}

static uint32_t *word_at(char *ring, uint32_t at)
{
	return (uint32_t *)(void *)(ring + at);
}

/* Hands in NR ENTRIES at once and waits until NR_DONE are complete; fills RESULTS. */
static void uring_do(struct uring *uring, struct io_uring_sqe *entries, uint32_t nr,
		     uint32_t nr_done, int *results)
{
	const struct io_sqring_offsets *sq = &uring->params.sq_off;
	const struct io_cqring_offsets *cq = &uring->params.cq_off;
	uint32_t *tail = word_at(uring->sq, sq->tail);
	uint32_t *head = word_at(uring->cq, cq->head);
	struct io_uring_cqe *cqes = (void *)(uring->cq + cq->cqes);
	uint32_t flags = IORING_ENTER_GETEVENTS;

	for (uint32_t i = 0; i < nr; i++) {
		uint32_t at = (*tail + i) & *word_at(uring->sq, sq->ring_mask);

		entries[i].user_data = i;
		uring->sqes[at] = entries[i];
		word_at(uring->sq, sq->array)[at] = at;
	}
	__atomic_store_n(tail, *tail + nr, __ATOMIC_SEQ_CST);
	if (*word_at(uring->sq, sq->flags) & IORING_SQ_NEED_WAKEUP)
		flags |= IORING_ENTER_SQ_WAKEUP;
	must(syscall(SYS_io_uring_enter, uring->fd, nr, nr_done, flags, NULL, 0));
	while (__atomic_load_n(word_at(uring->cq, cq->tail), __ATOMIC_ACQUIRE) - *head < nr_done)
		must(syscall(SYS_io_uring_enter, uring->fd, 0, nr_done, IORING_ENTER_GETEVENTS,
			     NULL, 0));
	for (uint32_t i = 0; i < nr_done; i++) {
		const struct io_uring_cqe *cqe =
			&cqes[(*head + i) & *word_at(uring->cq, cq->ring_mask)];

		results[cqe->user_data] = cqe->res;
		completed[i] = (uint32_t)cqe->user_data;
	}
	__atomic_store_n(head, *head + nr_done, __ATOMIC_RELEASE);
}

static struct io_uring_sqe open_at(int at, const char *name, int flags)
{
	return (struct io_uring_sqe){
		.opcode = IORING_OP_OPENAT,
		.fd = at,
		.addr = (uintptr_t)name,
		.open_flags = (uint32_t)flags,
		.len = flags & O_CREAT ? 0600 : 0,
	};
}

/* Expects that FILE was opened with FLAGS and RESULT: a descriptor, unless IS_PLACE. */
static void expect_open(const char *file, const char *flags, int result, bool is_place)
{
	struct stat st;

	line_begin("file_open", getpid(), getppid(), getuid(), "uring_trigger");
	if (thread_name)
		line_str("thread", thread_name);
	line_str("file", file);
	line_str("flags", flags);
	line_str("result", result < 0 ? strerrorname_np(-result) : "success");
	line_str("file_type", "certificate");
	line_str("file_kind", "certificate");
	if (result >= 0 && !is_place) {
		must(fstat(result, &st));
		line_dev(st.st_dev);
		line_u64("inode", st.st_ino);
		close(result);
	}
	line_end();
}

/* Opens by ENTRY alone: expects FILE, FLAGS and errno NUMBER, 0 for success. */
static void try_one(struct uring *uring, struct io_uring_sqe entry, const char *file,
		    const char *flags, int number)
{
	int result;

	uring_do(uring, &entry, 1, 1, &result);
	if ((result < 0 ? -result : 0) != number)
		die("open of '%s' was to give %d, gave %d", file, number, result);
	expect_open(file, flags, result, false);
}

static void by_every_call(void)
{
	struct uring uring = uring_make(0);
	struct open_how how = { .flags = O_RDWR | O_CLOEXEC };
	struct io_uring_sqe entry = open_at(AT_FDCWD, in_dir("uring.pem"), 0);

	/* Not done at once: a file is made. */
	try_one(&uring, open_at(AT_FDCWD, in_dir("uring.pem"), O_WRONLY | O_CREAT | O_TRUNC),
		in_dir("uring.pem"), "O_WRONLY|O_CREAT|O_TRUNC", 0);
	try_one(&uring, entry, in_dir("uring.pem"), "O_RDONLY", 0);
	entry.opcode = IORING_OP_OPENAT2;
	entry.off = (uintptr_t)&how;
	entry.len = sizeof(how);
	try_one(&uring, entry, in_dir("uring.pem"), "O_RDWR|O_CLOEXEC", 0);
	try_one(&uring, open_at(AT_FDCWD, in_dir("none.pem"), O_RDONLY), in_dir("none.pem"),
		"O_RDONLY", ENOENT);
	try_one(&uring, open_at(AT_FDCWD, in_dir("uring.pem/x.pem"), O_RDONLY),
		in_dir("uring.pem/x.pem"), "O_RDONLY", ENOTDIR);
}

static void by_relative_name(void)
{
	struct uring uring = uring_make(0);
	int fd = (int)must(open(dir, O_PATH | O_DIRECTORY));

	try_one(&uring, open_at(fd, "uring.pem", O_RDONLY), in_dir("uring.pem"), "O_RDONLY", 0);
	try_one(&uring, open_at(fd, "none.pem", O_RDONLY), in_dir("none.pem"), "O_RDONLY", ENOENT);
	must(chdir(dir));
	try_one(&uring, open_at(AT_FDCWD, "uring.pem", O_RDONLY), in_dir("uring.pem"), "O_RDONLY",
		0);
}

/* None of a batch is complete before all of it was handed in; then in any order. */
static void in_a_batch(void)
{
	struct uring uring = uring_make(0);
	struct io_uring_sqe entries[NR_BATCH];
	int results[NR_BATCH];

	for (uint32_t i = 0; i < NR_BATCH; i++)
		entries[i] = open_at(AT_FDCWD, in_dir(i % 3 ? "uring.pem" : "none.pem"), O_RDONLY);
	uring_do(&uring, entries, NR_BATCH, NR_BATCH, results);
	for (uint32_t i = 0; i < NR_BATCH; i++)
		expect_open((const char *)(uintptr_t)entries[completed[i]].addr, "O_RDONLY",
			    results[completed[i]], false);
}

static void by_workers(void)
{
	struct uring uring = uring_make(0);
	struct io_uring_sqe entry = open_at(AT_FDCWD, in_dir("uring.pem"), O_RDONLY);

	entry.flags = IOSQE_ASYNC;
	for (int i = 0; i < 8; i++)
		try_one(&uring, entry, in_dir("uring.pem"), "O_RDONLY", 0);
}

/* A thread of the kernel's takes what is handed in. */
static void by_poller(void)
{
	struct uring uring = uring_make(IORING_SETUP_SQPOLL);
	static char name[16];

	/* io_sq_thread() of io_uring/sqpoll.c. */
	snprintf(name, sizeof(name), "iou-sqp-%d", getpid());
	thread_name = name;
	for (int i = 0; i < 8; i++)
		try_one(&uring, open_at(AT_FDCWD, in_dir("uring.pem"), O_RDONLY),
			in_dir("uring.pem"), "O_RDONLY", 0);
}

/* No descriptor is made: what the file is can not be told. */
static void into_table(void)
{
	struct uring uring = uring_make(0);
	int none[4] = { -1, -1, -1, -1 };
	struct io_uring_sqe entry = open_at(AT_FDCWD, in_dir("uring.pem"), O_RDONLY);
	int result;

	must(syscall(SYS_io_uring_register, uring.fd, IORING_REGISTER_FILES, none, 4));
	/* One more than the place. */
	entry.file_index = 3;
	uring_do(&uring, &entry, 1, 1, &result);
	must(result);
	expect_open(in_dir("uring.pem"), "O_RDONLY", result, true);
}

/* What follows one that fails is not tried. */
static void after_a_failure(void)
{
	struct uring uring = uring_make(0);
	struct io_uring_sqe entries[] = {
		open_at(AT_FDCWD, in_dir("none.pem"), O_RDONLY),
		open_at(AT_FDCWD, in_dir("uring.pem"), O_RDONLY),
	};
	int results[2];

	entries[0].flags = IOSQE_IO_LINK;
	uring_do(&uring, entries, 2, 2, results);
	if (results[1] != -ECANCELED)
		die("was to be cancelled: %d", results[1]);
	expect_open(in_dir("none.pem"), "O_RDONLY", results[0], false);
	expect_open(in_dir("uring.pem"), "O_RDONLY", results[1], false);
}

/* The program asks not to be told of success: the tool is not, either, and has to count it. */
static void in_silence(void)
{
	struct uring uring = uring_make(0);
	struct io_uring_sqe entries[] = {
		open_at(AT_FDCWD, in_dir("uring.pem"), O_RDONLY),
		open_at(AT_FDCWD, in_dir("none.pem"), O_RDONLY),
	};
	int results[2];

	if (!(uring.params.features & IORING_FEAT_CQE_SKIP))
		return;
	entries[0].flags = IOSQE_CQE_SKIP_SUCCESS;
	uring_do(&uring, entries, 2, 1, results);
	expect_open(in_dir("none.pem"), "O_RDONLY", results[1], false);
}

static const struct test_case cases[] = {
	{ "calls", by_every_call },  { "relative", by_relative_name }, { "batch", in_a_batch },
	{ "workers", by_workers },   { "poller", by_poller },	       { "table", into_table },
	{ "link", after_a_failure }, { "silence", in_silence },
};

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	dir = argv[1];
	close(uring_make(0).fd);
	cases_run(cases, ARRAY_SIZE(cases), argv + 2);
	return 0;
}
