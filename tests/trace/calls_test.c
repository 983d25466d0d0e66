/* SPDX-License-Identifier: MIT */
/* What becomes of records of calls, and of files that are mapped. Counts: calls_count_test.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "catalogue/libraries.h"
#include "trace/made_calls.h"

#define OPENSSL LIBRARY_FAMILY_openssl

/* What the call is named by. */
static const char *text_name(const struct api_call *call)
{
	static char text[128];

	assert_non_null(call->name);
	snprintf(text, sizeof(text), "%.*s", (int)call->name_size, call->name);
	return text;
}

static void test_without_probes_nothing_is_known_and_nothing_done(void **state)
{
	static struct coverage coverage;
	struct calls none = { 0 };

	(void)state;
	begin_call(0);
	assert_int_equal(decoded(), STAGE_NEXT);
	assert_int_equal(calls_resolve(&none, &record), STAGE_MALFORMED);
	raw_begin(&raw, SOURCE_lib_load);
	raw_tail_text(&raw, offsetof(struct lib_load_event, path), "/lib/libssl.so.3");
	assert_int_equal(decoded(), STAGE_NEXT);
	assert_int_equal(calls_mapped(&none, &record), STAGE_NEXT);
	raw_begin(&raw, SOURCE_process_exec);
	assert_int_equal(decoded(), STAGE_NEXT);
	assert_int_equal(calls_executed(&none, &record), STAGE_NEXT);
	calls_tick(&none, UINT64_MAX);
	assert_int_equal(calls_tell_counts(&none, NULL, 0, 1), 0);
	coverage_init(&coverage, 0, true);
	calls_cover(&none, &coverage);
	assert_int_equal(coverage.not_seen.count + coverage.late.count + coverage.lapses.count, 0);
	calls_close(&none);
	calls_close(&none);
}

/* Of its first mapping it is told for how long its calls were not seen. */
static void test_library_that_is_mapped_has_probes_from_then_on(void **state)
{
	static struct coverage coverage;
	uint64_t before_ns = boot_clock_now();

	(void)state;
	assert_int_equal(map_library(libssl, 7000000), STAGE_NEXT);
	assert_int_equal(asked->nr_sets, 1);
	assert_true(asked->nr_probes[0] > 20);
	assert_int_equal(calls.nr_late, 1);
	assert_int_equal(calls.late[0].pid, getpid());
	assert_string_equal(calls.late[0].library, libssl);
	assert_string_equal(calls.late[0].process, RAW_COMM);
	assert_in_range(calls.late[0].ms, 7, 8 + (boot_clock_now() - before_ns) / 1000000);
	slot_of("SSL_do_handshake");
	/* once a file, not once a mapping */
	assert_int_equal(map_library(libssl, 0), STAGE_NEXT);
	assert_int_equal(map_library(libcrypto, 0), STAGE_NEXT);
	assert_int_equal(map_library(libcrypto, 0), STAGE_NEXT);
	assert_int_equal(asked->nr_sets, 2);
	assert_int_equal(calls.nr_late, 2);
	coverage_of_calls(&coverage);
	assert_int_equal(coverage.late.count, 2);
	assert_ptr_equal(coverage.late.items, calls.late);
	assert_int_equal(coverage.not_seen.count, 0);
}

static void test_library_that_is_not_what_it_was_has_none(void **state)
{
	static struct coverage coverage;
	static char longest[4097];
	struct lib_load_event *event = (void *)raw.bytes;

	(void)state;
	/* what this process has mapped itself is known by then */
	assert_int_equal(map_library(libcrypto, 0), STAGE_NEXT);
	assert_int_equal(map_library(libssl, 0), STAGE_NEXT);
	/* another file has taken its place since */
	event->inode++;
	raw_hdr(&raw)->size = (uint32_t)raw.size;
	assert_int_equal(decoded(), STAGE_NEXT);
	assert_int_equal(calls_mapped(&calls, &record), STAGE_NEXT);
	assert_int_equal(asked->nr_sets, 2);
	assert_int_equal(calls.nr_late, 2);
	/* and a name that is longer than any */
	memset(longest, 'x', sizeof(longest) - 1);
	memcpy(longest + sizeof(longest) - 11, "/libssl.so", 11);
	raw_begin(&raw, SOURCE_lib_load);
	raw_tail_text(&raw, offsetof(struct lib_load_event, path), longest);
	assert_int_equal(decoded(), STAGE_NEXT);
	assert_int_equal(calls_mapped(&calls, &record), STAGE_NEXT);
	assert_int_equal(calls.nr_late, 2);
	coverage_of_calls(&coverage);
	assert_int_equal(gap_of(&coverage, "calls in a library", "opened or probed"), 1);
}

static void test_library_that_cannot_be_probed_is_told(void **state)
{
	static struct coverage coverage;

	(void)state;
	asked->result = -EPERM;
	assert_int_equal(map_library(libssl, 0), STAGE_NEXT);
	assert_int_equal(map_library(libssl, 0), STAGE_NEXT);
	assert_int_equal(calls.nr_late, 0);
	coverage_of_calls(&coverage);
	assert_int_equal(gap_of(&coverage, "calls in a library", "opened or probed"), 1);
	assert_int_equal(coverage.late.count, 0);
}

/* This program has no crypto library inside. */
static void test_program_with_nothing_inside_is_not_late(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		raw_begin(&raw, SOURCE_process_exec);
		raw_hdr(&raw)->tgid = (uint32_t)getpid();
		assert_int_equal(decoded(), STAGE_NEXT);
		assert_int_equal(calls_executed(&calls, &record), STAGE_NEXT);
	}
	assert_int_equal(asked->nr_sets, 0);
	assert_int_equal(calls.nr_late, 0);
}

static void test_slot_tells_function_and_file(void **state)
{
	const struct api_call *call;

	(void)state;
	map_library(libssl, 0);
	map_library(libcrypto, 0);
	begin_call(slot_of("SSL_set_connect_state"));
	call = resolved();
	assert_string_equal(call->function->name, "SSL_set_connect_state");
	assert_string_equal(call->library, libssl);
	assert_int_equal(call->family, OPENSSL);
	begin_call(slot_of("EVP_PBE_scrypt"));
	call = resolved();
	assert_string_equal(call->library, libcrypto);
	assert_string_equal(text_name(call), "scrypt");
}

static void test_slots_that_are_not_taken_are_malformed(void **state)
{
	static const uint32_t slots[] = { API_SLOTS_MAX - 1, API_SLOTS_MAX, 1U << 31,
					  API_SLOT_KERNEL - 1 };

	(void)state;
	begin_call(0);
	assert_int_equal(decoded(), STAGE_NEXT);
	assert_int_equal(calls_resolve(&calls, &record), STAGE_MALFORMED);
	map_library(libssl, 0);
	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
		begin_call(slots[i]);
		assert_int_equal(decoded(), STAGE_NEXT);
		assert_int_equal(calls_resolve(&calls, &record), STAGE_MALFORMED);
	}
}

/* Process PID calls function NAME. Returns the severity of what is found, or -1. */
static int call_by(uint32_t pid, const char *name)
{
	struct api_call_event *event = begin_call(slot_of(name));
	const struct api_call *call;

	event->hdr.tgid = pid;
	event->marks = API_VALUE(0);
	call = resolved();
	return call->findings.count ? (int)call->finding[0].severity : -1;
}

/* A server asks few clients for certificates. */
static void test_program_is_what_it_last_said(void **state)
{
	(void)state;
	map_library(libssl, 0);
	assert_int_equal(call_by(100, "SSL_CTX_set_verify"), SEVERITY_high);
	assert_int_equal(call_by(100, "TLS_server_method"), -1);
	assert_int_equal(call_by(100, "SSL_CTX_set_verify"), SEVERITY_info);
	/* another one, and one whose pid has the same place */
	assert_int_equal(call_by(101, "SSL_CTX_set_verify"), SEVERITY_high);
	assert_int_equal(call_by(100 + CALLS_ROLES_MAX, "SSL_CTX_set_verify"), SEVERITY_high);
	assert_int_equal(call_by(100, "SSL_CTX_set_verify"), SEVERITY_info);
	call_by(100, "SSL_set_connect_state");
	assert_int_equal(call_by(100, "SSL_CTX_set_verify"), SEVERITY_high);
	call_by(100, "SSL_accept");
	assert_int_equal(call_by(100, "SSL_set_verify"), SEVERITY_info);
	call_by(100, "SSL_connect");
	assert_int_equal(call_by(100, "SSL_set_verify"), SEVERITY_high);
	call_by(100 + CALLS_ROLES_MAX, "SSL_set_accept_state");
	assert_int_equal(call_by(100 + CALLS_ROLES_MAX, "SSL_set_verify"), SEVERITY_info);
	assert_int_equal(call_by(100, "SSL_set_verify"), SEVERITY_high);
	call_by(100, "TLS_client_method");
	assert_int_equal(call_by(100 + CALLS_ROLES_MAX, "SSL_set_verify"), SEVERITY_high);
}

/* A bind(2) of AF_ALG is what its type and its name make of it. */
static void test_calls_of_the_kernel_need_no_probes(void **state)
{
	static const struct {
		const char *type, *name, *algorithm;
		enum api_kind kind;
	} cases[] = {
		{ "skcipher", "cbc(aes)", "AES-CBC", API_KIND_cipher },
		{ "aead", "gcm(aes)", "AES-GCM", API_KIND_cipher },
		{ "hash", "sha256", "SHA-256", API_KIND_digest },
		{ "hash", "hmac(sha256)", "HMAC-SHA-256", API_KIND_mac },
		{ "rng", "stdrng", NULL, API_KIND_rng },
		{ "other", "", NULL, API_KIND_context },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct api_call_event *event = begin_call(API_SLOT_KERNEL);
		const struct api_call *call;

		event->function = API_KERNEL_bind;
		raw_tail_text(&raw, offsetof(struct api_call_event, texts[0]), cases[i].type);
		raw_tail_text(&raw, offsetof(struct api_call_event, texts[1]), cases[i].name);
		call = resolved();
		assert_int_equal(call->function->kind, cases[i].kind);
		assert_string_equal(call->function->name, "bind");
		assert_string_equal(call->library, "kernel");
		assert_int_equal(call->family, LIBRARY_FAMILY_kernel);
		if (cases[i].algorithm)
			assert_string_equal(text_name(call), cases[i].algorithm);
	}
	begin_call(API_SLOT_KERNEL)->function = API_KERNEL_tls_tx;
	assert_string_equal(resolved()->function->name, "setsockopt");
	begin_call(API_SLOT_KERNEL)->function = 9999;
	assert_int_equal(decoded(), STAGE_NEXT);
	assert_int_equal(calls_resolve(&calls, &record), STAGE_MALFORMED);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_probes_nothing_is_known_and_nothing_done),
		TEST(test_library_that_is_mapped_has_probes_from_then_on),
		TEST(test_library_that_is_not_what_it_was_has_none),
		TEST(test_library_that_cannot_be_probed_is_told),
		TEST(test_program_with_nothing_inside_is_not_late),
		TEST(test_slot_tells_function_and_file),
		TEST(test_slots_that_are_not_taken_are_malformed),
		TEST(test_program_is_what_it_last_said),
		TEST(test_calls_of_the_kernel_need_no_probes),
	};

	return cmocka_run_group_tests(tests, find_libraries, NULL);
}
