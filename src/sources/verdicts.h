/* SPDX-License-Identifier: MIT */
#ifndef SOURCES_VERDICTS_H
#define SOURCES_VERDICTS_H

/*
 * What is held against a handshake, within its record: for each verdict the number of its rule, the
 * size of its evidence, a byte each, and the evidence.
 */

#include <stdint.h>

#include "inspect/finding.h"
#include "pipeline/field.h"
#include "pipeline/record.h"

#define VERDICTS_MAX 24
#define EVIDENCE_MAX 255

/*
 * The findings of the verdicts in TAIL of RECORD, and of MORE (may be NULL), a list of struct
 * finding. NAME_RULE fills what a rule says of every finding, and returns false for a number that
 * is none. Evidence and list are in the record's arena; what has no room there, or is beyond
 * VERDICTS_MAX, is left out, and the list truncated. NULL: none, or no room.
 */
const struct item_list *verdicts_read(struct record *record, struct tail tail,
				      bool (*name_rule)(uint8_t rule, struct finding *finding),
				      const struct item_list *more);

/* A getter: the list in slot FIELD->at, which is not there when it is empty. */
void verdicts_get(const struct record *record, const struct field *field, struct value *ret);

#endif /* SOURCES_VERDICTS_H */
