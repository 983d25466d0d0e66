/* SPDX-License-Identifier: MIT */
#ifndef TESTS_TRACE_PROBED_H
#define TESTS_TRACE_PROBED_H

/*
 * A session, and a library whose functions have probes: each test calls some and looks at what was
 * told. All of it as this kernel has it, as one that has no links for many probes, and where that
 * makes a difference as one whose programs cannot sleep either. For tests of one program, after
 * cmocka.h: has state.
 */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "catalogue/api.h"
#include "lib/cleanup.h"
#include "sources/source.h"
#include "support/files.h"
#include "support/made_library.h"
#include "trace/plan.h"
#include "trace/uprobes.h"

#define EVENTS_MAX 4096
#define PAGE	   4096
/* BPF_TRACE_UPROBE_MULTI, which older headers lack. */
#define MULTI 48

/* What the kernel under the test can do. */
enum kernel {
	KERNEL_now,
	KERNEL_before_multi,  /* Linux 6.6 */
	KERNEL_before_sleep,  /* and 6.0 */
	KERNEL_before_cookie, /* and 5.15 */
	KERNEL_short,	      /* of memory, for what probes need */
	KERNEL_odd,	      /* takes links for many, and not our programs for these */
};

static enum kernel kernel;

/* Whether a kernel that is older than this host's would refuse it. */
static inline bool is_refused(long command, const union bpf_attr *attr)
{
	if (kernel == KERNEL_short)
		return false;
	if (kernel == KERNEL_odd)
		return command == BPF_PROG_LOAD && attr->expected_attach_type == MULTI &&
		       attr->insn_cnt > 2;
	if (command == BPF_LINK_CREATE)
		return kernel >= KERNEL_before_multi && attr->link_create.attach_type == MULTI;
	if (command != BPF_PROG_LOAD || attr->prog_type != BPF_PROG_TYPE_KPROBE)
		return false;
	return kernel == KERNEL_before_cookie ||
	       (kernel >= KERNEL_before_sleep && attr->prog_flags & BPF_F_SLEEPABLE);
}

/*
 * That of the C library, for all that is linked here, except for what an older kernel lacks. It
 * reads six arguments whether or not there are so many: no sanitizer may watch that.
 */
__attribute__((no_sanitize("address"))) long syscall(long number, ...)
{
	static long (*real)(long number, ...);
	long args[6];
	va_list list;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	va_start(list, number);
	for (size_t i = 0; i < 6; i++)
		args[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_bpf && is_refused(args[0], (const union bpf_attr *)args[1])) {
		errno = EINVAL;
		return -1;
	}
	if (number == SYS_bpf && kernel == KERNEL_short && args[0] == BPF_LINK_CREATE) {
		errno = ENOMEM;
		return -1;
	}
	return real(number, args[0], args[1], args[2], args[3], args[4], args[5]);
}

struct event {
	struct api_call_event fixed;
	uint8_t bytes[sizeof(struct api_call_event) + 2 * API_TEXT_MAX];
	size_t size;
};

static struct session session;
static struct processes *processes;
static struct uprobes uprobes;
static struct event events[EVENTS_MAX];
static size_t nr_events;
static struct made_functions made;
static void *handle;
static int library = -1;
static const char *why_not; /* nothing can be tested */

/* A slot for each function of the library. */
enum {
	SLOT_new,
	SLOT_ctrl,
	SLOT_list,
	SLOT_locations,
	SLOT_read,
	SLOT_write,
	SLOT_cipher,
	SLOT_final,
	SLOT_setting,
	SLOT_rsa,
	SLOT_verify,
	SLOT_host,
	SLOT_ip,
	SLOT_ip_of,
	SLOT_digest,
	SLOT_ext,
	NR_SLOTS_HERE,
};

#define TEXT_AT(i)                                                                                 \
	{                                                                                          \
		.reader = API_READ_text, .index = (i), .name = "text"                              \
	}
#define NUMBER_AT(i)                                                                               \
	{                                                                                          \
		.reader = API_READ_number, .index = (i), .name = "number"                          \
	}
#define NID(how, i)                                                                                \
	{                                                                                          \
		.reader = API_READ_##how, .index = (i), .codes = ALGORITHM_CODES_nid,              \
		.name = "nid"                                                                      \
	}
#define FUNCTION(function, ...)                                                                    \
	{                                                                                          \
		.name = #function, ##__VA_ARGS__                                                   \
	}

/* What is to be told of them, whatever the catalogue has of the real ones. */
static const struct api_function functions[NR_SLOTS_HERE] = {
	[SLOT_new] = FUNCTION(SSL_CTX_new, .result = API_RESULT_pointer),
	[SLOT_ctrl] = FUNCTION(SSL_CTX_ctrl, .kind = API_KIND_config,
			       .arguments = { { .reader = API_READ_control, .index = 1 } }),
	[SLOT_list] = FUNCTION(SSL_CTX_set_cipher_list, .arguments = { TEXT_AT(1) }),
	[SLOT_locations] =
		FUNCTION(SSL_CTX_load_verify_locations, .arguments = { TEXT_AT(1), TEXT_AT(2) }),
	[SLOT_read] = FUNCTION(SSL_read, .group = API_GROUP_all),
	[SLOT_write] = FUNCTION(SSL_write, .group = API_GROUP_all),
	[SLOT_cipher] = FUNCTION(EVP_CipherInit_ex, .kind = API_KIND_cipher,
				 .arguments = { NID(code_at, 1), NUMBER_AT(5) }),
	[SLOT_final] = FUNCTION(EVP_DigestFinal_ex, .kind = API_KIND_digest,
				.arguments = { NID(code_in, 0) }),
	[SLOT_setting] = FUNCTION(EVP_PKEY_CTX_ctrl_str,
				  .arguments = { { .reader = API_READ_setting, .index = 1 } }),
	[SLOT_rsa] = FUNCTION(RSA_generate_key_ex, .arguments = { NUMBER_AT(1) }),
	[SLOT_verify] = FUNCTION(X509_verify_cert, .result = API_RESULT_number),
	[SLOT_host] = FUNCTION(X509_check_host, .result = API_RESULT_number),
	[SLOT_ip] = FUNCTION(X509_check_ip_asc, .result = API_RESULT_number,
			     .arguments = { TEXT_AT(1) }),
	[SLOT_ip_of] = FUNCTION(X509_check_ip, .result = API_RESULT_number),
	[SLOT_digest] = FUNCTION(X509_digest, .kind = API_KIND_internal),
	[SLOT_ext] = FUNCTION(X509_get_ext_d2i, .only = 85, .is_outside = true,
			      .arguments = { NUMBER_AT(1) }),
};

/* Where the function of SLOT is. */
static inline unsigned long offset_of(uint32_t slot)
{
	return made_offset(dlsym(handle, functions[slot].name));
}

static inline int on_record(void *ctx, void *bytes, size_t size)
{
	const struct event_hdr *hdr = bytes;
	struct event *event = &events[nr_events];

	(void)ctx;
	if (hdr->source != SOURCE_api_call)
		return 0;
	if (nr_events == EVENTS_MAX || size > sizeof(event->bytes) || size < sizeof(event->fixed) ||
	    hdr->size != size)
		abort();
	memcpy(event->bytes, bytes, size);
	memcpy(&event->fixed, bytes, sizeof(event->fixed));
	event->size = size;
	nr_events++;
	return 0;
}

/* What was told since the last time. */
static inline size_t collect(void)
{
	nr_events = 0;
	while (ring_buffer__consume(session.ring) > 0)
		;
	return nr_events;
}

static inline uint64_t cookie_of(uint32_t slot)
{
	return plan_cookie(&functions[slot], false, false) | slot;
}

/* Places of all functions for PROBES, room for two each. Returns how many. */
static inline size_t probes_make(struct broker_probe *probes)
{
	size_t nr = 0;

	for (uint32_t i = 0; i < NR_SLOTS_HERE; i++) {
		uint64_t cookie = cookie_of(i);
		uint64_t offset = offset_of(i);

		if (cookie & (API_COOKIE_RESULT | API_COOKIE_QUIET))
			probes[nr++] = (struct broker_probe){ offset, cookie, 1, 0 };
		probes[nr++] = (struct broker_probe){ offset, cookie, 0, 0 };
	}
	return nr;
}

static inline int attach_all(void)
{
	struct broker_probe probes[2 * NR_SLOTS_HERE];
	size_t nr = probes_make(probes);
	uint32_t nr_failed;
	int set = uprobes_attach(&uprobes, library, probes, nr, &nr_failed);

	return set < 0 || !nr_failed ? set : -EINVAL;
}

/* Marks the code around SLOT as its file's, as the plan does. */
static inline void slots_reset(void)
{
	memset(uprobes.slots, 0, NR_SLOTS_HERE * sizeof(uprobes.slots[0]));
	memset(uprobes.counts, 0, API_COUNTS_MAX * sizeof(uprobes.counts[0]));
	memset(uprobes.shared, 0, sizeof(*uprobes.shared));
	uprobes.slots[SLOT_ext].only = 85;
	uprobes.slots[SLOT_ext].before = offset_of(SLOT_ext) % PAGE;
	uprobes.slots[SLOT_ext].behind = PAGE - uprobes.slots[SLOT_ext].before;
	session.control->worker = 0;
	session.control->on = 1;
}

/* A session that reports of the NR processes ROOTS and their children. */
static inline int open_session_of(const uint32_t *roots, size_t nr)
{
	const struct trace_config config = {
		.ring_size = 1U << 20,
		.select = SELECT_TREE | SELECT_INHERIT,
	};
	int err = processes_new(&processes, 65536, true);

	if (!err)
		err = session_open(&session, &config, on_record, NULL);
	for (size_t i = 0; !err && i < nr; i++)
		err = session_add_root(&session, roots[i]);
	if (!err)
		err = uprobes_load(&uprobes, &session);
	return err ? err : session_start(&session, processes);
}

/* Of this process and its children: what others do meanwhile does not fill the ring. */
static inline int open_session(void)
{
	const uint32_t own = (uint32_t)getpid();

	return open_session_of(&own, 1);
}

static inline void close_session(void)
{
	uprobes_close(&uprobes);
	session_close(&session);
	processes_free(processes);
	processes = NULL;
}

/* Makes the library, and loads it into this process. */
static inline void library_begin(void **state)
{
	files_begin(state);
	session = (struct session){ .places = { .tracefs = -1, .cgroup = -1 } };
	why_not = geteuid() ? "needs root" : NULL;
	if (!why_not && !made_library(files_path("libssl.so.3")))
		why_not = "there is no compiler";
	if (why_not)
		return;
	handle = made_load(files_path("libssl.so.3"), &made);
	library = open(files_path("libssl.so.3"), O_RDONLY | O_CLOEXEC);
}

static inline int library_end(void **state)
{
	if (handle)
		dlclose(handle);
	handle = NULL;
	cleanup_fd(&library);
	return files_end(state);
}

static inline int group_begin(void **state)
{
	library_begin(state);
	return why_not ? 0 : open_session() || attach_all() != 0 ? -1 : 0;
}

static inline int group_end(void **state)
{
	size_t nr_told = 0;

	for (uint32_t i = 0; i < uprobes.nr_sets; i++)
		uprobes_detach(&uprobes, i);
	if (handle) {
		collect();
		made.SSL_CTX_set_cipher_list(NULL, "not probed any more");
		nr_told = collect();
	}
	close_session();
	return library_end(state) || nr_told ? -1 : 0;
}

static inline int begin(void **state)
{
	(void)state;
	if (!why_not) {
		slots_reset();
		collect();
	}
	return 0;
}

static inline void need_probes(void)
{
	if (!why_not)
		return;
	print_message("%s\n", why_not);
	skip();
}

/* The only event, of SLOT. */
static inline const struct event *told(uint32_t slot)
{
	assert_int_equal(collect(), 1);
	assert_int_equal(events[0].fixed.slot, slot);
	assert_int_equal(events[0].fixed.count, 1);
	assert_int_equal(events[0].fixed.hdr.tgid, getpid());
	assert_int_equal(events[0].fixed.hdr.tid, gettid());
	assert_int_equal(events[0].fixed.hdr.ppid, getppid());
	return &events[0];
}

/* TAIL, within the record, is the SIZE bytes at TEXT. */
static inline void check_bytes(const struct event *event, struct tail tail, const char *text,
			       size_t size)
{
	assert_int_equal(tail.size, size);
	assert_true((size_t)tail.off + tail.size <= event->size);
	assert_memory_equal(event->bytes + tail.off, text, size);
}

static inline void check_text(const struct event *event, struct tail tail, const char *text)
{
	check_bytes(event, tail, text, strlen(text));
}

#define TEST(function) cmocka_unit_test_setup(function, begin)

/* Runs the array TESTS on each of the kernels down to OLDEST. Returns how many failed. */
#define run_on_kernels(tests, oldest)                                                              \
	({                                                                                         \
		static const char *const names_[] = { "this kernel", "without links for many",     \
						      "without sleep" };                           \
		int nr_failed_ = 0;                                                                \
		for (kernel = KERNEL_now; kernel <= (oldest); kernel++)                            \
			nr_failed_ += cmocka_run_group_tests_name(names_[kernel], tests,           \
								  group_begin, group_end);         \
		nr_failed_;                                                                        \
	})

#endif /* TESTS_TRACE_PROBED_H */
