/* SPDX-License-Identifier: MIT */
#include "inspect/finding.h"

#include <string.h>

#include "lib/array.h"

#define FOUND(member)  offsetof(struct finding, member)
#define PERSON(member) offsetof(struct process_name, member)

static const struct code_entry severity_entries[] = {
	{ SEVERITY_info, "info", "worth knowing" },
	{ SEVERITY_low, "low", "may be put right in passing" },
	{ SEVERITY_medium, "medium", "will need work" },
	{ SEVERITY_high, "high", "a weakness, or something about to fail" },
	{ SEVERITY_critical, "critical", "open to anybody who tries" },
};

const struct code_table severity_codes = { "severity", severity_entries,
					   ARRAY_SIZE(severity_entries) };

const struct finding_rule_info finding_rules[NR_FINDING_RULES] = {
#define FINDING(rule, severity, why) [FINDING_##rule] = { #rule, SEVERITY_##severity, why },
#include "inspect/findings.def"
#undef FINDING
};

/* clang-format off */
static const struct field process_name_table[] = {
	{ NAMED("pid"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_u32,
	  .at = PERSON(pid), .help = "process id" },
	{ NAMED("name"), .type = FIELD_STR, .class = CLASS_TEXT, .get = get_comm,
	  .at = PERSON(name), .text = TEXT_BARE, .help = "its name" },
};
/* clang-format on */

const struct fields process_name_fields = FIELDS(process_name_table);

/* clang-format off */
static const struct field finding_table[] = {
	{ NAMED("rule"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = FOUND(rule), .text = TEXT_BARE, .help = "the rule that found it" },
	{ NAMED("severity"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .get = get_u32,
	  .at = FOUND(severity), .text = TEXT_BARE, .codes = &severity_codes,
	  .help = "how much it matters" },
	{ NAMED("why"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = FOUND(why), .text = TEXT_HIDDEN, .help = "what is wrong with that" },
	{ NAMED("evidence"), .type = FIELD_STR, .class = CLASS_TEXT, .get = get_text,
	  .at = FOUND(evidence), .help = "what was seen" },
	{ NAMED("policy"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = FOUND(policy), .presence = SOMETIMES, .text = TEXT_HIDDEN,
	  .help = "the document that says so" },
	{ NAMED("file"), .type = FIELD_STR, .class = CLASS_PATH, .get = get_text,
	  .at = FOUND(file), .presence = SOMETIMES, .help = "the file it is about" },
	{ NAMED("processes"), .type = FIELD_LIST, .class = CLASS_PUBLIC, .get = get_list,
	  .at = FOUND(processes), .sub = &process_name_fields,
	  .help = "the processes it concerns" },
};
/* clang-format on */

const struct fields finding_fields = FIELDS(finding_table);

int finding_compare(const void *left, const void *right)
{
	const struct finding *a = left;
	const struct finding *b = right;
	int order;

	if (a->severity != b->severity)
		return a->severity > b->severity ? -1 : 1;
	order = strcmp(a->rule, b->rule);
	return order ? order : strcmp(a->file, b->file);
}
