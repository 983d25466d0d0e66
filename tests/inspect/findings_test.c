/* SPDX-License-Identifier: MIT */
#include "samples.h"

#include "inspect/finding.h"
#include "pipeline/record.h"

static const struct field *find(const struct fields *fields, const char *name)
{
	for (size_t i = 0; i < fields->nr_fields; i++)
		if (strcmp(fields->fields[i].name, name) == 0)
			return &fields->fields[i];
	fail_msg("no field '%s'", name);
	return NULL;
}

static struct value read_field(const struct fields *fields, const void *item, const char *name)
{
	struct record record = { .bytes = item };
	struct value value;

	field_get(&record, find(fields, name), &value);
	return value;
}

static void test_every_rule_is_complete(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_FINDING_RULES; i++) {
		const struct finding_rule_info *rule = &finding_rules[i];

		assert_non_null(code_name(&severity_codes, rule->severity));
		assert_true(strlen(rule->why) > 10 && strlen(rule->why) < 60);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(rule->name, finding_rules[j].name);
	}
	assert_string_equal(finding_rules[FINDING_dsa_key].name, "dsa_key");
	assert_string_equal(code_name(&severity_codes, SEVERITY_critical), "critical");
}

static void test_fields_read_a_finding(void **state)
{
	struct process_name process = { .pid = 7, .name = "fifteen letters" };
	struct finding finding = {
		.rule = "dsa_key",
		.severity = SEVERITY_medium,
		.why = "why",
		.evidence = "DSA-1024",
		.processes = { .items = &process, .count = 1, .stride = sizeof(process) },
	};
	struct value value;

	(void)state;
	assert_memory_equal(read_field(&finding_fields, &finding, "rule").str.bytes, "dsa_key", 8);
	assert_int_equal(read_field(&finding_fields, &finding, "severity").u, SEVERITY_medium);
	assert_int_equal(read_field(&finding_fields, &finding, "evidence").str.size, 8);
	assert_false(read_field(&finding_fields, &finding, "file").present);
	value = read_field(&finding_fields, &finding, "processes");
	assert_int_equal(value.list.count, 1);
	assert_int_equal(read_field(&process_name_fields, value.list.items, "pid").u, 7);
	assert_int_equal(read_field(&process_name_fields, value.list.items, "name").str.size, 15);
}

static void test_foreign_text_is_classed_as_such(void **state)
{
	(void)state;
	assert_int_equal(find(&finding_fields, "evidence")->class, CLASS_TEXT);
	assert_int_equal(find(&finding_fields, "file")->class, CLASS_PATH);
	assert_int_equal(find(&process_name_fields, "name")->class, CLASS_TEXT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_rule_is_complete),
		cmocka_unit_test(test_fields_read_a_finding),
		cmocka_unit_test(test_foreign_text_is_classed_as_such),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
