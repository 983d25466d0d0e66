/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_PROBE_CODE_H
#define INSPECT_PROBE_CODE_H

/*
 * What inspect/probe.h promises of a place, judged from the code of a function. One function for
 * each machine: true when there is a cheap place, with what is known of it in *RET. A call behind
 * the entry is one where HAS_SHADOW_STACK is false.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct probe_code {
	const uint8_t *bytes; /* the whole function, borrowed */
	size_t size;
	uint8_t arguments;     /* as in struct probe_want, none but the first six */
	bool has_shadow_stack; /* whoever runs it may have one */
};

/* skipped, stack and has_stack as in struct probe_place. */
struct probe_spot {
	uint32_t skipped; /* 0: the entry itself */
	uint32_t stack;
	bool has_stack;
};

bool probe_x86_place(const struct probe_code *code, struct probe_spot *ret);
bool probe_arm64_place(const struct probe_code *code, struct probe_spot *ret);

#endif /* INSPECT_PROBE_CODE_H */
