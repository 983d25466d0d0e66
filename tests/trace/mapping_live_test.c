/* SPDX-License-Identifier: MIT */
/* Mappings as this kernel tells them: a file that is called like a crypto library is mapped. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/files.h"
#include "trace/mapping.h"

static struct mappings *mappings;

static int begin(void **state)
{
	files_begin(state);
	if (mappings_open(&mappings, 0) || mappings_enable(mappings))
		mappings = NULL;
	return 0;
}

static int end(void **state)
{
	mappings_close(mappings);
	return files_end(state);
}

static void need_mappings(void)
{
	if (!mappings) {
		print_message("perf_event_open(2) is not allowed\n");
		skip();
	}
}

/* A copy of this program called NAME: a real ELF file. */
static const char *copy_program(const char *name)
{
	const char *path = files_path(name);
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	char bytes[1 << 16];
	ssize_t n;

	assert_true(from >= 0 && to >= 0);
	while ((n = read(from, bytes, sizeof(bytes))) > 0)
		assert_int_equal(write(to, bytes, (size_t)n), n);
	close(from);
	close(to);
	return path;
}

static void *map_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *map = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

	assert_true(fd >= 0);
	assert_true(map != MAP_FAILED);
	close(fd);
	return map;
}

/* The first mapping of PATH that is staged, the ones before it taken off; NULL when there is none.
 */
static const struct mapping *find(const char *path)
{
	const struct mapping *mapping;

	mappings_collect(mappings);
	while ((mapping = mappings_first(mappings))) {
		if (strcmp(mapping->path, path) == 0)
			return mapping;
		mappings_pop(mappings);
	}
	return NULL;
}

struct build_id {
	uint8_t bytes[MAPPING_BUILD_ID_MAX];
	size_t size;
};

/* The note that the linker put into this program, the first object of all. */
static int find_build_id(struct dl_phdr_info *info, size_t size, void *ctx)
{
	struct build_id *ret = ctx;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		const char *at = (const char *)info->dlpi_addr + header->p_vaddr;
		const char *end_at = at + header->p_memsz;

		while (header->p_type == PT_NOTE && at + sizeof(ElfW(Nhdr)) < end_at) {
			const ElfW(Nhdr) *note = (const void *)at;
			const char *name = at + sizeof(*note);
			const char *value = name + ((note->n_namesz + 3) & ~3U);

			if (note->n_type == NT_GNU_BUILD_ID && strcmp(name, "GNU") == 0 &&
			    note->n_descsz <= sizeof(ret->bytes)) {
				memcpy(ret->bytes, value, note->n_descsz);
				ret->size = note->n_descsz;
			}
			at = value + ((note->n_descsz + 3) & ~3U);
		}
	}
	return 1;
}

static uint64_t boot_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void test_mapped_library_is_told(void **state)
{
	const char *path;
	const struct mapping *mapping;
	struct build_id build_id = { .size = 0 };
	struct stat st;
	uint64_t before;
	void *map;

	(void)state;
	need_mappings();
	path = copy_program("libssl.so.3");
	assert_int_equal(stat(path, &st), 0);
	before = boot_ns();
	map = map_file(path);
	mapping = find(path);
	assert_non_null(mapping);
	assert_int_equal(mapping->pid, getpid());
	assert_int_equal(mapping->tid, gettid());
	assert_ptr_equal(mapping->addr, map);
	assert_int_equal(mapping->inode, st.st_ino);
	assert_int_equal(mapping->path_size, strlen(path));
	assert_true(mapping->ts_ns >= before && mapping->ts_ns <= boot_ns());
	dl_iterate_phdr(find_build_id, &build_id);
	if (mapping->build_id_size) {
		assert_int_equal(mapping->build_id_size, build_id.size);
		assert_memory_equal(mapping->build_id, build_id.bytes, build_id.size);
	}
	munmap(map, 4096);
}

static void test_other_file_is_counted_only(void **state)
{
	struct mapping_counts before;
	const struct mapping_counts *counts;
	const char *path;
	void *map;

	(void)state;
	need_mappings();
	path = copy_program("libz.so.1");
	mappings_collect(mappings);
	before = *mappings_counts(mappings);
	map = map_file(path);
	assert_null(find(path));
	counts = mappings_counts(mappings);
	assert_true(counts->seen > before.seen);
	assert_true(counts->rejected > before.rejected);
	assert_int_equal(counts->malformed, 0);
	munmap(map, 4096);
}

static void test_mappings_come_in_the_order_of_their_time(void **state)
{
	uint64_t last = 0;
	unsigned int nr_found = 0;
	const struct mapping *mapping;
	const char *path;

	(void)state;
	need_mappings();
	path = copy_program("libcrypto.so.3");
	/* From several processes, so from several processors. */
	for (int i = 0; i < 8; i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			for (int j = 0; j < 8; j++)
				munmap(map_file(path), 4096);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	mappings_collect(mappings);
	for (; (mapping = mappings_first(mappings)); mappings_pop(mappings)) {
		assert_true(mapping->ts_ns >= last);
		last = mapping->ts_ns;
		nr_found += strcmp(mapping->path, path) == 0;
	}
	assert_int_equal(nr_found, 64);
}

/* More than there is room for waits in the ring, and nothing of it is lost or told twice. */
static void test_more_than_can_be_staged_comes_in_turns(void **state)
{
	const struct mapping *mapping;
	const char *path;
	unsigned int nr_found = 0;
	unsigned int nr_turns = 0;

	(void)state;
	need_mappings();
	path = copy_program("libgnutls.so.30");
	/* drained in between so that the ring does not overflow, but the staging array does */
	for (int i = 0; i < 1200; i++) {
		munmap(map_file(path), 4096);
		if (i % 100 == 99)
			mappings_collect(mappings);
	}
	while (mappings_collect(mappings) > 0) {
		for (; (mapping = mappings_first(mappings)); mappings_pop(mappings))
			nr_found += strcmp(mapping->path, path) == 0;
		nr_turns++;
	}
	assert_int_equal(mappings_counts(mappings)->lost, 0);
	assert_int_equal(nr_found, 1200);
	assert_true(nr_turns >= 2);
}

static void test_rings_have_a_size_and_nothing_at_first(void **state)
{
	(void)state;
	need_mappings();
	assert_true(mappings_ring_bytes(mappings) >= 16384);
	assert_int_equal(mappings_counts(mappings)->malformed, 0);
	mappings_pop(mappings);
	mappings_close(NULL);
}

/* Becomes a user who has no event so far, and may open events, but lock no more memory than others.
 */
static int become_user(void)
{
	static const cap_value_t kept[] = { CAP_PERFMON };
	const struct rlimit locked = { 0, 0 };
	cap_t caps = cap_init();

	return !caps || setrlimit(RLIMIT_MEMLOCK, &locked) || prctl(PR_SET_KEEPCAPS, 1) ||
	       setresuid(54321, 54321, 54321) ||
	       cap_set_flag(caps, CAP_PERMITTED, 1, kept, CAP_SET) ||
	       cap_set_flag(caps, CAP_EFFECTIVE, 1, kept, CAP_SET) || cap_set_proc(caps);
}

/* How long all rings are for a buffer of that size; 0: they were refused. */
static size_t bytes_of(size_t buffer, bool is_user)
{
	struct mappings *others;
	size_t bytes = 0;
	int fds[2];
	int status;
	pid_t child;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	child = fork();
	if (!child) {
		if (is_user && become_user())
			_exit(2);
		if (mappings_open(&others, buffer) == 0)
			bytes = mappings_ring_bytes(others);
		_exit(write(fds[1], &bytes, sizeof(bytes)) != sizeof(bytes));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(read(fds[0], &bytes, sizeof(bytes)), sizeof(bytes));
	close(fds[0]);
	close(fds[1]);
	return bytes;
}

static void test_rings_are_as_long_as_the_buffer_allows(void **state)
{
	size_t least, most;

	(void)state;
	need_mappings();
	least = mappings_ring_bytes(mappings);
	assert_int_equal(bytes_of(64U << 10, false), least);
	assert_int_equal(bytes_of(4U << 20, false), least);
	most = bytes_of(64U << 20, false);
	/* With many CPUs each has less, and all as much as the buffer. */
	assert_in_range(most, 8 * least, 64U << 20);
	/* Where so much may not be locked there is less, but no error. */
	assert_in_range(bytes_of(64U << 20, true), least, most - 1);
}

/* Keeps this process on the first CPU that it may run on. Returns its number. */
static uint32_t stay_on_one(void)
{
	cpu_set_t set;
	uint32_t cpu = 0;

	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	while (!CPU_ISSET(cpu, &set))
		cpu++;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	assert_int_equal(sched_setaffinity(0, sizeof(set), &set), 0);
	return cpu;
}

/* Whether FD's end of EPOLL is ready, or any other. */
static int count_ready(int epoll)
{
	struct epoll_event events[8];

	return epoll_wait(epoll, events, 8, 0);
}

/* That has been opened elsewhere, for which events that never were on stand in here. */
static void test_ring_of_a_cpu_that_came_back_takes_the_place_of_the_old_one(void **state)
{
	struct mappings *elsewhere;
	struct broker_ring opened;
	struct cpu_set_bits silent = { .words = { 0 } };
	const struct mapping *mapping;
	const char *path;
	cpu_set_t before;
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	unsigned int nr_before;
	size_t bytes;
	uint32_t cpu;
	int fd;

	(void)state;
	need_mappings();
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	assert_int_equal(mappings_watch(mappings, epoll), 0);
	bytes = mappings_ring_bytes(mappings);
	assert_int_equal(mappings_open(&elsewhere, 0), 0);
	path = copy_program("libssl.so.3");
	cpu = stay_on_one();
	munmap(map_file(path), 4096);
	nr_before = files_count_open();
	mappings_retire(mappings, cpu);
	fd = mappings_reopen(elsewhere, cpu, &opened);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(opened.bytes >= 16384);
	assert_int_equal(mappings_add(mappings, cpu, fd, &opened), 0);
	assert_int_equal(files_count_open(), nr_before + 1);

	/* What the old ring holds is told, then it is closed: with its event for build ids. */
	mapping = find(path);
	assert_non_null(mapping);
	mappings_pop(mappings);
	assert_null(find(path));
	assert_int_equal(files_count_open(), nr_before - (opened.build_id_event ? 1 : 0));
	munmap(map_file(path), 4096);
	mapping = find(path);
	assert_non_null(mapping);
	assert_int_equal(mapping->pid, getpid());
	assert_true(mapping->build_id_size > 0 || !opened.build_id_event);
	mappings_pop(mappings);
	assert_null(find(path));
	assert_true(mappings_ring_bytes(mappings) <= bytes);
	mappings_find_silent(mappings, &silent);
	assert_int_equal(cpus_count(&silent), 0);
	assert_int_equal(count_ready(epoll), 0);
	mappings_close(elsewhere);
	close(epoll);
	sched_setaffinity(0, sizeof(before), &before);
}

/* What it was told before it arrived is gone: from when on there is a ring is said. */
static void test_ring_that_did_not_arrive_is_handed_over_again(void **state)
{
	struct mappings *elsewhere;
	struct broker_ring opened;
	const struct mapping *mapping;
	const char *path;
	cpu_set_t before;
	unsigned int nr_before;
	uint32_t cpu;
	int fd;

	(void)state;
	need_mappings();
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	assert_int_equal(mappings_open(&elsewhere, 0), 0);
	path = copy_program("libssl.so.3");
	cpu = stay_on_one();
	mappings_retire(mappings, cpu);
	mappings_collect(mappings);
	fd = mappings_reopen(elsewhere, cpu, &opened);
	assert_true(fd >= 0);
	close(fd);
	munmap(map_file(path), 4096);
	nr_before = files_count_open();
	fd = mappings_reopen(elsewhere, cpu, &opened);
	assert_true(fd >= 0);
	assert_int_equal(files_count_open(), nr_before + 1);
	assert_int_equal(mappings_add(mappings, cpu, fd, &opened), 0);
	assert_null(find(path));
	munmap(map_file(path), 4096);
	mapping = find(path);
	assert_non_null(mapping);
	mappings_pop(mappings);
	assert_null(find(path));
	mappings_close(elsewhere);
	/* One that was there from the start has a reader. */
	assert_int_equal(mappings_open(&elsewhere, 0), 0);
	assert_int_equal(mappings_enable(elsewhere), 0);
	assert_int_equal(mappings_reopen(elsewhere, cpu, &opened), -EEXIST);
	mappings_close(elsewhere);
	sched_setaffinity(0, sizeof(before), &before);
}

/* The limit on descriptors grows until a ring can be handed over: none is left behind by that. */
static void test_ring_that_cannot_be_handed_over_is_so_later(void **state)
{
	struct mappings *elsewhere;
	struct broker_ring opened;
	struct rlimit before;
	unsigned int nr_before;
	int nr_failed = 0;
	int fd;

	(void)state;
	need_mappings();
	/* Not enabled: its rings are as silent as that of a CPU that came back. */
	assert_int_equal(mappings_open(&elsewhere, 0), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	nr_before = files_count_open();
	fd = dup(0);
	assert_true(fd >= 0);
	close(fd);
	for (struct rlimit limit = { (rlim_t)fd, before.rlim_max };; limit.rlim_cur++) {
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
		fd = mappings_reopen(elsewhere, 0, &opened);
		if (fd >= 0)
			break;
		assert_int_equal(fd, -EMFILE);
		nr_failed++;
	}
	setrlimit(RLIMIT_NOFILE, &before);
	assert_true(nr_failed > 0);
	close(fd);
	assert_true(files_count_open() <= nr_before);
	mappings_close(elsewhere);
}

/* Not without build ids on the last CPU because there was no descriptor left. */
static void test_rings_are_opened_whole_or_not_at_all(void **state)
{
	struct mappings *others;
	struct rlimit before;
	unsigned int nr_before, nr_whole;
	int first;
	int err;

	(void)state;
	need_mappings();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	nr_before = files_count_open();
	assert_int_equal(mappings_open(&others, 0), 0);
	nr_whole = files_count_open();
	mappings_close(others);
	first = dup(0);
	assert_true(first >= 0);
	close(first);
	for (unsigned int nr = 0;; nr++) {
		const struct rlimit limit = { (rlim_t)first + nr, before.rlim_max };

		assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
		err = mappings_open(&others, 0);
		setrlimit(RLIMIT_NOFILE, &before);
		if (!err)
			break;
		assert_int_equal(err, -EMFILE);
		assert_int_equal(files_count_open(), nr_before);
	}
	assert_int_equal(files_count_open(), nr_whole);
	mappings_close(others);
}

static void test_rings_are_opened_for_cpus_alone(void **state)
{
	static const uint32_t refused[] = { CPUS_MAX, CPUS_MAX + 1, INT32_MAX, UINT32_MAX };
	struct broker_ring opened;
	unsigned int nr_before;
	int err;

	(void)state;
	need_mappings();
	nr_before = files_count_open();
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_int_equal(mappings_reopen(mappings, refused[i], &opened), -EINVAL);
	/* There is hardly one. */
	err = mappings_reopen(mappings, CPUS_MAX - 1, &opened);
	assert_true(err == -ENODEV || err == -EINVAL);
	/* No ring. */
	assert_true(mappings_add(mappings, 0, open("/dev/null", O_RDONLY | O_CLOEXEC),
				 &(struct broker_ring){ .bytes = 4096 }) < 0);
	assert_int_equal(files_count_open(), nr_before);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_mapped_library_is_told),
		TEST(test_other_file_is_counted_only),
		TEST(test_mappings_come_in_the_order_of_their_time),
		TEST(test_more_than_can_be_staged_comes_in_turns),
		TEST(test_ring_of_a_cpu_that_came_back_takes_the_place_of_the_old_one),
		TEST(test_ring_that_did_not_arrive_is_handed_over_again),
		TEST(test_ring_that_cannot_be_handed_over_is_so_later),
		TEST(test_rings_are_opened_whole_or_not_at_all),
		TEST(test_rings_are_opened_for_cpus_alone),
		TEST(test_rings_are_as_long_as_the_buffer_allows),
		TEST(test_rings_have_a_size_and_nothing_at_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
