/* SPDX-License-Identifier: MIT */
#ifndef CHECK_CONTENT_H
#define CHECK_CONTENT_H

/* What of other processes can be looked into, by the broker. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "check/check.h"
#include "priv/broker.h"

#define CHECK_PIDS_MAX 4096

/* What is found out before the rights are gone. */
struct check_content {
	uint32_t pids[CHECK_PIDS_MAX]; /* that /proc has */
	size_t nr_pids;
	int mapped; /* to open a file that is mapped: 0 or a negative errno */
};

void check_content_begin(struct check_content *content);

/* Fills the verdict of content: BROKER serves, and this process has no rights. */
void check_content_end(struct check *check, const struct check_content *content,
		       struct broker *broker);

/* Whether there is no /proc at all; says so in VERDICT, as unavailable. */
bool check_content_lacks_proc(const struct check_content *content, struct check_verdict *verdict);

#endif /* CHECK_CONTENT_H */
