/* SPDX-License-Identifier: MIT */
/* Mappings as this kernel tells them: a file that is called like a crypto library is mapped. */
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
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
	if (mappings_open(&mappings) || mappings_enable(mappings))
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

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_mapped_library_is_told),
		TEST(test_other_file_is_counted_only),
		TEST(test_mappings_come_in_the_order_of_their_time),
		TEST(test_more_than_can_be_staged_comes_in_turns),
		TEST(test_rings_have_a_size_and_nothing_at_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
