/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "inventory/profile_findings.h"

static struct profile_findings findings;
static struct pool pool;

static int end(void **state)
{
	(void)state;
	profile_findings_free(&findings);
	pool_free(&pool);
	return 0;
}

static void take(const char *rule, uint32_t severity, const char *evidence)
{
	const struct finding finding = { .rule = rule, .severity = severity, .evidence = evidence };

	assert_int_equal(profile_findings_take(&findings, &pool, &finding), 0);
}

static void test_rule_and_evidence_tell_findings_apart(void **state)
{
	(void)state;
	take("r", SEVERITY_low, "a");
	take("r", SEVERITY_low, "b");
	take("r", SEVERITY_low, NULL);
	take("s", SEVERITY_low, "a");
	take("r", SEVERITY_low, "b");
	take("r", SEVERITY_low, NULL);
	assert_int_equal(findings.nr_items, 4);
	assert_string_equal(findings.items[1].evidence, "b");
	assert_null(findings.items[2].evidence);
}

static void test_worst_severity_stays(void **state)
{
	(void)state;
	take("r", SEVERITY_low, "a");
	take("r", SEVERITY_high, "a");
	take("r", SEVERITY_info, "a");
	assert_int_equal(findings.nr_items, 1);
	assert_int_equal(findings.items[0].severity, SEVERITY_high);
}

/* What is left of an event is gone with the next one. */
static void test_texts_are_copied(void **state)
{
	char evidence[] = "RSA-1024";
	char file[] = "/a.pem";
	const struct finding finding = {
		.rule = "r", .why = "w", .policy = "p", .evidence = evidence, .file = file
	};

	(void)state;
	assert_int_equal(profile_findings_take(&findings, &pool, &finding), 0);
	memset(evidence, 'x', sizeof(evidence) - 1);
	memset(file, 'x', sizeof(file) - 1);
	assert_string_equal(findings.items[0].evidence, "RSA-1024");
	assert_string_equal(findings.items[0].file, "/a.pem");
	assert_string_equal(findings.items[0].policy, "p");
}

static void test_those_beyond_the_limit_are_counted(void **state)
{
	char evidence[16];

	(void)state;
	for (int i = 0; i < PROFILE_FINDINGS_MAX + 3; i++) {
		snprintf(evidence, sizeof(evidence), "%d", i);
		take("r", SEVERITY_low, evidence);
	}
	take("r", SEVERITY_high, "0");
	assert_int_equal(findings.nr_items, PROFILE_FINDINGS_MAX);
	assert_int_equal(findings.nr_refused, 3);
	assert_int_equal(findings.items[0].severity, SEVERITY_high);
}

#define TEST(function) cmocka_unit_test_teardown(function, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rule_and_evidence_tell_findings_apart),
		TEST(test_worst_severity_stays),
		TEST(test_texts_are_copied),
		TEST(test_those_beyond_the_limit_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
