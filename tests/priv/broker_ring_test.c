/* SPDX-License-Identifier: MIT */
/* Perf rings that the worker asks for, by the number of a CPU alone. */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "priv/opened.h"
#include "trace/mapping.h"

/* What the broker, another process, was asked for. */
struct asked {
	unsigned int nr;
	uint32_t cpu;
	uint32_t kind;
	int answer; /* 0: a descriptor */
};

static struct asked *asked;
static struct mappings *mappings; /* never on: as of CPUs that went */

static int on_ring(void *ctx, uint32_t kind, uint32_t cpu, struct broker_ring *ret)
{
	if (ctx != asked)
		return -ERANGE;
	asked->nr++;
	asked->cpu = cpu;
	asked->kind = kind;
	*ret = (struct broker_ring){ .bytes = 4711, .build_id_event = UINT64_MAX };
	return asked->answer ? asked->answer : open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int on_mappings(void *ctx, uint32_t kind, uint32_t cpu, struct broker_ring *ret)
{
	return kind == BROKER_RING_MAPPINGS ? mappings_reopen(ctx, cpu, ret) : -ENOSYS;
}

static void on_leave(void *ctx)
{
	if (ctx)
		mappings_leave(ctx);
}

static int begin(void **state)
{
	files_begin(state);
	asked = mmap(NULL, sizeof(*asked), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	return asked == MAP_FAILED ? -1 : 0;
}

static int end(void **state)
{
	broker_stop(&broker);
	mappings_close(mappings);
	mappings = NULL;
	munmap(asked, sizeof(*asked));
	return files_end(state);
}

static void test_number_arrives_and_what_is_answered_comes_back(void **state)
{
	const struct broker_config config = { .open_ring = on_ring, .ring_ctx = asked };
	struct broker_ring ring = { 0 };
	int fd;

	(void)state;
	assert_int_equal(broker_start(&broker, &config), 0);
	fd = broker_open_ring(&broker, BROKER_RING_MAPPINGS, 5, &ring);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(asked->nr, 1);
	assert_int_equal(asked->cpu, 5);
	assert_int_equal(ring.bytes, 4711);
	assert_true(ring.build_id_event == UINT64_MAX);
	assert_int_equal(asked->kind, BROKER_RING_MAPPINGS);
	asked->answer = -EEXIST;
	assert_int_equal(broker_open_ring(&broker, BROKER_RING_RECORDS, UINT32_MAX, &ring),
			 -EEXIST);
	assert_true(asked->cpu == UINT32_MAX);
	assert_int_equal(asked->kind, BROKER_RING_RECORDS);
}

static void test_broker_without_rings_has_none(void **state)
{
	const struct broker_config config = { 0 };
	struct broker_ring ring;

	(void)state;
	assert_int_equal(broker_start(&broker, &config), 0);
	assert_int_equal(broker_open_ring(&broker, BROKER_RING_MAPPINGS, 0, &ring), -ENOSYS);
	broker_stop(&broker);
	assert_int_equal(broker_open_ring(&broker, BROKER_RING_MAPPINGS, 0, &ring), -EPIPE);
}

/* Maps the file at PATH for execution, as a library is, on CPU alone. */
static void map_on(const char *path, uint32_t cpu)
{
	int fd = open_file(path);
	cpu_set_t before, set;
	void *map;

	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	assert_int_equal(sched_setaffinity(0, sizeof(set), &set), 0);
	map = mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	assert_true(map != MAP_FAILED);
	munmap(map, 1);
	close(fd);
	sched_setaffinity(0, sizeof(before), &before);
}

static unsigned int count_mapped(const char *path)
{
	const struct mapping *mapping;
	unsigned int nr = 0;

	mappings_collect(mappings);
	for (; (mapping = mappings_first(mappings)); mappings_pop(mappings))
		nr += strcmp(mapping->path, path) == 0;
	return nr;
}

/* The filter of the broker lets it, and who asked may read what it opened. */
static void test_ring_that_the_broker_opens_tells_of_its_cpu(void **state)
{
	struct broker_config config = { .open_ring = on_mappings, .leave = on_leave };
	struct broker_ring ring;
	const char *path;
	cpu_set_t set;

	(void)state;
	if (mappings_open(&mappings, 0)) {
		print_message("perf_event_open(2) is not allowed\n");
		skip();
	}
	config.ring_ctx = config.leave_ctx = mappings;
	assert_int_equal(broker_start(&broker, &config), 0);
	path = files_path("libssl.so.3");
	file_put(path, "library", 0600);
	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	for (uint32_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		int fd;

		if (!CPU_ISSET(cpu, &set))
			continue;
		map_on(path, cpu);
		assert_int_equal(count_mapped(path), 0);
		mappings_retire(mappings, cpu);
		fd = broker_open_ring(&broker, BROKER_RING_MAPPINGS, cpu, &ring);
		assert_true(fd >= 0);
		assert_int_equal(mappings_add(mappings, cpu, fd, &ring), 0);
		map_on(path, cpu);
		assert_int_equal(count_mapped(path), 1);
		/* It may have been lost on its way. */
		fd = broker_open_ring(&broker, BROKER_RING_MAPPINGS, cpu, &ring);
		assert_true(fd >= 0);
		close(fd);
	}
	assert_int_equal(mappings_counts(mappings)->malformed, 0);
	/* It holds on when the broker has gone. */
	broker_stop(&broker);
	map_on(path, (uint32_t)sched_getcpu());
	assert_int_equal(count_mapped(path), 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_number_arrives_and_what_is_answered_comes_back),
		TEST(test_broker_without_rings_has_none),
		TEST(test_ring_that_the_broker_opens_tells_of_its_cpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
