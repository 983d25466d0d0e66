/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_FINDING_H
#define INSPECT_FINDING_H

/*
 * Findings: what somebody should look at, with the reason. The rules are the catalogue
 * findings.def. A finding in a document is an item of finding_fields.
 */

#include <stdint.h>

#include "catalogue/codes.h"
#include "pipeline/field.h"

/* From least to most; printed and compared by --fail-on. */
enum severity {
	SEVERITY_info,
	SEVERITY_low,
	SEVERITY_medium,
	SEVERITY_high,
	SEVERITY_critical,
};

extern const struct code_table severity_codes;

enum finding_rule {
#define FINDING(rule, severity, why) FINDING_##rule,
#include "inspect/findings.def"
#undef FINDING
	NR_FINDING_RULES
};

struct finding_rule_info {
	const char *name;  /* "certificate_expired" */
	uint32_t severity; /* enum severity */
	const char *why;   /* one short sentence for people */
};

extern const struct finding_rule_info finding_rules[NR_FINDING_RULES];

/* One finding, ready to be written. All strings are borrowed. */
struct finding {
	const char *rule;
	uint32_t severity;
	const char *why;
	const char *evidence; /* foreign text: what was seen, "RSA-1024", "notAfter 2025-01-01" */
	const char *policy;   /* the document that says so; NULL: not one alone */
	const char *file;     /* where; NULL: not about a file */
	struct item_list processes; /* of struct process_name, who is concerned; may be empty */
};

/* {pid, name} */
struct process_name {
	uint32_t pid;
	char name[16]; /* comm */
};

/* {rule, severity, why, evidence, policy, file, processes:[{pid, name}]} */
extern const struct fields finding_fields;
extern const struct fields process_name_fields;

/*
 * Orders two findings that have a file, for qsort(3): the worst first; of equal ones by rule, then
 * by file, so that two runs say the same.
 */
int finding_compare(const void *left, const void *right);

#endif /* INSPECT_FINDING_H */
