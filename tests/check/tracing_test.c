/* SPDX-License-Identifier: MIT */
/* What `check` says of tracing, of root and of somebody without rights. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sys/capability.h>

#include "check/tracing.h"
#include "check/tried.h"
#include "check/verdict.h"

static void try_tracing(void)
{
	const struct trace_config config = { .ring_size = 1 << 20,
					     .wanted = (1U << NR_SOURCES) - 1 };

	check_tracing(tried, &config);
}

static void test_without_rights_nothing_is_traced(void **state)
{
	(void)state;
	if (bpf_errno_of_nobody() != EPERM) {
		print_message("bpf(2) is not refused for want of rights\n");
		skip();
		return;
	}
	try_with(without_rights, try_tracing);
	for (size_t i = 0; i < NR_SOURCES; i++) {
		assert_tells(i, CHECK_UNAVAILABLE, CHECK_PRIVILEGES);
		assert_true(tried->all[i].verdict.lacking & CHECK_CAP(CAP_BPF));
		assert_null(tried->all[i].hook);
	}
	assert_true(tried->all[SOURCE_tls_handshake].verdict.lacking & CHECK_CAP(CAP_NET_ADMIN));
	assert_false(tried->all[SOURCE_file_open].verdict.lacking & CHECK_CAP(CAP_NET_ADMIN));
	assert_tells(CHECK_FEATURE_monitor, CHECK_UNAVAILABLE, CHECK_PRIVILEGES);
	assert_false(check_is_hopeless(tried));
	/* What is left is the inventory of one's own processes. */
	assert_tells(CHECK_FEATURE_snapshot, CHECK_LIMITED, CHECK_PRIVILEGES);
	assert_string_equal(tried->all[CHECK_FEATURE_snapshot].hook, "/proc");
	assert_tells(CHECK_FEATURE_sandbox, CHECK_WORKS, CHECK_NOTHING);
}

static void test_root_traces_and_is_confined(void **state)
{
	static const size_t traced[] = { SOURCE_process_exec, SOURCE_process_exit, SOURCE_file_open,
					 SOURCE_lib_load };

	(void)state;
	if (bpf_errno() || geteuid() != 0) {
		print_message("bpf(2) does not work here, or for root alone\n");
		skip();
		return;
	}
	try_with(NULL, try_tracing);
	for (size_t i = 0; i < sizeof(traced) / sizeof(traced[0]); i++) {
		assert_int_not_equal(tried->all[traced[i]].verdict.status, CHECK_UNAVAILABLE);
		assert_non_null(tried->all[traced[i]].hook);
	}
	assert_int_not_equal(tried->all[CHECK_FEATURE_monitor].verdict.status, CHECK_UNAVAILABLE);
	assert_string_equal(tried->all[CHECK_FEATURE_snapshot].hook,
			    tried->host.has_btf ? "BPF iterators" : "/proc");
	assert_tells(CHECK_FEATURE_sandbox, CHECK_WORKS, CHECK_NOTHING);
	assert_string_equal(tried->all[CHECK_FEATURE_sandbox].hook, "seccomp(2)");
}

static void test_what_is_not_seen_of_the_host_is_told(void **state)
{
	char not_seen[] = "IPsec needs CAP_NET_ADMIN\0dm-crypt is hidden";
	const struct host_crypto all = { .not_seen = not_seen };
	const struct host_crypto some = { .not_seen = not_seen, .not_seen_size = sizeof(not_seen) };
	const struct check_verdict *verdict = &tried->all[CHECK_FEATURE_host_crypto].verdict;

	(void)state;
	check_host_crypto(tried, &all);
	assert_tells(CHECK_FEATURE_host_crypto, CHECK_WORKS, CHECK_NOTHING);
	check_host_crypto(tried, &some);
	assert_tells(CHECK_FEATURE_host_crypto, CHECK_LIMITED, CHECK_PRIVILEGES);
	assert_non_null(strstr(verdict->why, "IPsec needs CAP_NET_ADMIN"));
	assert_non_null(strstr(verdict->why, "dm-crypt is hidden"));
	/* A host whose capabilities nobody has told of has none. */
	assert_true(verdict->lacking & CHECK_CAP(CAP_NET_ADMIN));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, tried_begin, tried_end)
	const struct CMUnitTest tests[] = {
		TEST(test_without_rights_nothing_is_traced),
		TEST(test_root_traces_and_is_confined),
		TEST(test_what_is_not_seen_of_the_host_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
