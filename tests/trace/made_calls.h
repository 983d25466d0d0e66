/* SPDX-License-Identifier: MIT */
#ifndef TESTS_TRACE_MADE_CALLS_H
#define TESTS_TRACE_MADE_CALLS_H

/*
 * A struct calls whose probes a broker says it has attached: no rights are needed, and nothing is
 * traced. For tests of one program, after cmocka.h: has state.
 */

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "pipeline/clock.h"
#include "pipeline/decode.h"
#include "sources/api_call/call.h"
#include "sources/lib_load/lib_load.h"
#include "support/raw.h"
#include "trace/calls.h"

/* Of which is remembered what the broker was asked for. */
#define SETS_MAX 8

static struct raw raw;
static struct arena arena;
static struct record record;
static struct session session;
static struct broker broker;
static struct calls calls;
static char libssl[PATH_MAX], libcrypto[PATH_MAX];

/* What the broker was asked for; it is another process. */
static struct asked {
	int result; /* negative: it attaches nothing */
	uint32_t nr_sets;
	size_t nr_probes[SETS_MAX];
	uint32_t nr_gone;
	uint32_t gone[SETS_MAX];
} * asked;

static inline int fake_probe(void *ctx, int fd, const struct broker_probe *probes, size_t nr_probes,
			     uint32_t *ret_failed)
{
	(void)ctx;
	(void)fd;
	(void)probes;
	*ret_failed = 0;
	if (asked->result < 0)
		return asked->result;
	asked->nr_probes[asked->nr_sets % SETS_MAX] = nr_probes;
	return (int)asked->nr_sets++;
}

static inline int fake_unprobe(void *ctx, uint32_t set)
{
	(void)ctx;
	asked->gone[asked->nr_gone++ % SETS_MAX] = set;
	return 0;
}

static inline void *map(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(memory, MAP_FAILED);
	return memory;
}

static inline void begin_calls(enum api_group group)
{
	struct broker_config config = {
		.probe = fake_probe,
		.unprobe = fake_unprobe,
	};

	asked = map(sizeof(*asked));
	memset(&calls, 0, sizeof(calls));
	calls.session = &session;
	calls.broker = &broker;
	calls.uprobes.slots = map(API_SLOTS_MAX * sizeof(struct api_slot));
	calls.uprobes.counts = map(API_COUNTS_MAX * sizeof(struct api_count));
	calls.uprobes.shared = map(sizeof(struct api_shared));
	assert_int_equal(broker_start(&broker, &config), 0);
	assert_int_equal(probes_new(&calls.probes, &calls.uprobes, &broker, group), 0);
}

static inline int begin(void **state)
{
	(void)state;
	begin_calls(API_GROUP_default);
	return 0;
}

static inline int begin_all(void **state)
{
	(void)state;
	begin_calls(API_GROUP_all);
	return 0;
}

static inline int end(void **state)
{
	(void)state;
	calls_close(&calls);
	broker_stop(&broker);
	munmap(asked, sizeof(*asked));
	memset(&session, 0, sizeof(session));
	return 0;
}

static inline int decoded(void)
{
	return record_decode(&record, &arena, raw.bytes, raw.size);
}

/* This process maps the library at PATH, AGE_NS ago. Returns what is to become of the record. */
static inline int map_library(const char *path, uint64_t age_ns)
{
	struct lib_load_event *event = (void *)raw.bytes;
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	raw_begin(&raw, SOURCE_lib_load);
	event->hdr.tgid = (uint32_t)getpid();
	event->hdr.ppid = (uint32_t)getppid();
	event->hdr.ts_ns = boot_clock_now() - age_ns;
	event->inode = st.st_ino;
	event->dev_major = major(st.st_dev);
	event->dev_minor = minor(st.st_dev);
	raw_tail_text(&raw, offsetof(struct lib_load_event, path), path);
	assert_int_equal(decoded(), STAGE_NEXT);
	return calls_mapped(&calls, &record);
}

static inline void coverage_of_calls(struct coverage *coverage)
{
	coverage_init(coverage, 0, true);
	calls_cover(&calls, coverage);
}

/* How often COVERAGE says that WHAT was not seen because of something with WHY in it. */
static inline uint64_t gap_of(const struct coverage *coverage, const char *what, const char *why)
{
	for (size_t i = 0; i < coverage->not_seen.count; i++)
		if (strcmp(coverage->gap[i].what, what) == 0 && strstr(coverage->gap[i].why, why))
			return coverage->gap[i].count;
	return 0;
}

/* The slot of function NAME; fails when it has none. */
static inline uint32_t slot_of(const char *name)
{
	const struct api_function *function;
	const struct probed_file *file;

	for (uint32_t i = 0; probes_at(calls.probes, i, &function, &file); i++)
		if (strcmp(function->name, name) == 0)
			return i;
	fail_msg("'%s' has no probe", name);
	return 0;
}

static inline struct api_call_event *begin_call(uint32_t slot)
{
	struct api_call_event *event = (void *)raw.bytes;

	raw_begin(&raw, SOURCE_api_call);
	event->slot = slot;
	event->count = 1;
	return event;
}

/* What the call that was begun is; it has to be one. */
static inline const struct api_call *resolved(void)
{
	assert_int_equal(decoded(), STAGE_NEXT);
	assert_int_equal(calls_resolve(&calls, &record), STAGE_NEXT);
	return api_call_of(&record);
}

/* The libraries that are installed. */
static inline int find_libraries(void **state)
{
	static const struct {
		const char *name, *symbol;
		char *path;
	} libraries[] = { { "libssl.so.3", "SSL_new", libssl },
			  { "libcrypto.so.3", "MD5", libcrypto } };

	(void)state;
	for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++) {
		void *handle = dlopen(libraries[i].name, RTLD_LAZY);
		Dl_info info;

		if (!handle || !dladdr(dlsym(handle, libraries[i].symbol), &info) ||
		    !realpath(info.dli_fname, libraries[i].path))
			return -1;
	}
	return 0;
}

#endif /* TESTS_TRACE_MADE_CALLS_H */
