/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/capability.h>

#include <cmocka.h>

#include "check/verdict.h"

#define TRACING (CHECK_CAP(CAP_BPF) | CHECK_CAP(CAP_PERFMON))

/* A refusal on HOST, with all that is then said. */
static struct check_verdict refused(struct check_host *host, uint64_t takes, int err)
{
	struct check_verdict verdict = { 0 };

	verdict_refused(&verdict, CHECK_UNAVAILABLE, host, takes, "bpf(2)", err);
	verdict_end(&verdict, host);
	return verdict;
}

static void test_admin_stands_for_what_came_of_it(void **state)
{
	struct check_host host = { .effective = CHECK_CAP(CAP_SYS_ADMIN) };

	(void)state;
	assert_int_equal(verdict_lacking(&host, TRACING | CHECK_CAP(CAP_NET_ADMIN)), 0);
	assert_int_equal(verdict_lacking(&host, CHECK_CAP(CAP_DAC_READ_SEARCH)),
			 CHECK_CAP(CAP_DAC_READ_SEARCH));
	host.effective = CHECK_CAP(CAP_DAC_OVERRIDE);
	assert_int_equal(verdict_lacking(&host, CHECK_CAP(CAP_DAC_READ_SEARCH)), 0);
	assert_int_equal(verdict_lacking(&host, TRACING), TRACING);
}

static void test_a_user_is_told_what_to_grant(void **state)
{
	struct check_host host = { .uid = 1000, .effective = CHECK_CAP(CAP_PERFMON) };
	struct check_verdict verdict = refused(&host, TRACING, -EPERM);

	(void)state;
	assert_int_equal(verdict.status, CHECK_UNAVAILABLE);
	assert_int_equal(verdict.cause, CHECK_PRIVILEGES);
	assert_string_equal(verdict.why, "missing: CAP_BPF");
	assert_string_equal(verdict.command,
			    "sudo setcap \"cap_dac_read_search+ep cap_net_admin+ep cap_perfmon+ep "
			    "cap_bpf+ep\" \"$(command -v crypto-tracer)\"");
	assert_int_equal(host.missing, CHECK_CAP(CAP_BPF));
}

static void test_root_is_told_by_whom_it_was_taken(void **state)
{
	struct check_host host = { .container = "docker" };
	struct check_verdict verdict = refused(&host, TRACING, -EPERM);

	(void)state;
	assert_string_equal(verdict.command, "docker run --cap-add=PERFMON --cap-add=BPF ...");
	host.container = "kubernetes";
	verdict = refused(&host, TRACING, -EPERM);
	assert_string_equal(verdict.command, "");
	assert_string_equal(verdict.remedy, "add to securityContext.capabilities.add of the "
					    "container: PERFMON, BPF");
	host.container = NULL;
	verdict = refused(&host, TRACING, -EPERM);
	assert_non_null(strstr(verdict.remedy, "CapabilityBoundingSet="));
	assert_string_equal(verdict.why, "missing: CAP_PERFMON, CAP_BPF");
}

static void test_with_all_capabilities_something_else_is_named(void **state)
{
	struct check_host host = { .effective = UINT64_MAX, .has_filter = true };
	struct check_verdict verdict = refused(&host, TRACING, -ENOSYS);

	(void)state;
	assert_string_equal(verdict.why,
			    "a seccomp filter refuses bpf(2): Function not implemented");
	assert_int_equal(verdict.cause, CHECK_PRIVILEGES);
	host = (struct check_host){ .effective = UINT64_MAX, .lockdown = "confidentiality" };
	verdict = refused(&host, TRACING, -EPERM);
	assert_string_equal(verdict.why, "kernel lockdown (confidentiality) refuses bpf(2): "
					 "Operation not permitted");
	assert_int_equal(verdict.cause, CHECK_ENVIRONMENT);
	memcpy(host.lockdown, "none", sizeof("none"));
	verdict = refused(&host, TRACING, -EPERM);
	assert_non_null(strstr(verdict.why, "although the capabilities are there"));
	assert_non_null(strstr(verdict.remedy, "SELinux"));
	host.has_user_namespace = true;
	verdict = refused(&host, TRACING, -EPERM);
	assert_non_null(strstr(verdict.why, "user namespace"));
	assert_int_equal(verdict.cause, CHECK_PRIVILEGES);
}

static void test_perf_events_left_to_admin_are_no_filter(void **state)
{
	uint64_t all = UINT64_MAX & ~CHECK_CAP(CAP_SYS_ADMIN);
	struct check_host host = { .effective = all, .has_filter = true, .perf_event_paranoid = 3 };
	struct check_verdict verdict = { 0 };

	(void)state;
	verdict_refused(&verdict, CHECK_UNAVAILABLE, &host, CHECK_CAP(CAP_PERFMON),
			"perf_event_open(2)", -EACCES);
	assert_string_equal(verdict.why, "with kernel.perf_event_paranoid at 3 this kernel leaves "
					 "perf_event_open(2) to CAP_SYS_ADMIN");
	assert_string_equal(verdict.command, "sudo sysctl kernel.perf_event_paranoid=2");
	assert_int_equal(verdict.cause, CHECK_PRIVILEGES);
	assert_int_equal(host.missing, CHECK_CAP(CAP_SYS_ADMIN));
	/* A filter's refusal is one. */
	verdict = (struct check_verdict){ 0 };
	verdict_refused(&verdict, CHECK_UNAVAILABLE, &host, CHECK_CAP(CAP_PERFMON),
			"perf_event_open(2)", -EPERM);
	assert_non_null(strstr(verdict.why, "seccomp"));
	host.perf_event_paranoid = 2;
	verdict = (struct check_verdict){ 0 };
	verdict_refused(&verdict, CHECK_UNAVAILABLE, &host, CHECK_CAP(CAP_PERFMON),
			"perf_event_open(2)", -EACCES);
	assert_non_null(strstr(verdict.why, "seccomp"));
}

static void test_refusals_are_told_together_and_once(void **state)
{
	struct check_host host = { .uid = 1000 };
	struct check_verdict verdict = { 0 };

	(void)state;
	verdict_refused(&verdict, CHECK_LIMITED, &host, CHECK_CAP(CAP_BPF), "bpf(2)", -EPERM);
	verdict_refused(&verdict, CHECK_UNAVAILABLE, &host, CHECK_CAP(CAP_FOWNER), "open(2)",
			-EPERM);
	verdict_add(&verdict, CHECK_LIMITED, CHECK_KERNEL, "a", "b", NULL);
	verdict_add(&verdict, CHECK_LIMITED, CHECK_KERNEL, "a", "b", NULL);
	verdict_end(&verdict, &host);
	assert_int_equal(verdict.status, CHECK_UNAVAILABLE);
	assert_int_equal(verdict.cause, CHECK_PRIVILEGES);
	assert_string_equal(verdict.why, "a; missing: CAP_FOWNER, CAP_BPF");
	assert_string_equal(verdict.remedy, "b; run it with sudo, or grant the capabilities once");
	/* every capability there is has room */
	host.missing = 0;
	verdict = refused(&host, UINT64_MAX >> 23, -EPERM);
	assert_true(strlen(verdict.why) < CHECK_WHY_SIZE);
	assert_true(strlen(verdict.command) < CHECK_WHY_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_admin_stands_for_what_came_of_it),
		cmocka_unit_test(test_a_user_is_told_what_to_grant),
		cmocka_unit_test(test_root_is_told_by_whom_it_was_taken),
		cmocka_unit_test(test_with_all_capabilities_something_else_is_named),
		cmocka_unit_test(test_perf_events_left_to_admin_are_no_filter),
		cmocka_unit_test(test_refusals_are_told_together_and_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
