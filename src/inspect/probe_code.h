/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_PROBE_CODE_H
#define INSPECT_PROBE_CODE_H

/*
 * What inspect/probe.h promises of a place, judged from the SIZE bytes of a function, the whole of
 * it, borrowed. One function for each machine: true with the distance from the entry in
 * *RET_SKIPPED when there is a cheap place, 0 for the entry itself.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool probe_x86_place(const uint8_t *code, size_t size, uint32_t *ret_skipped);
bool probe_arm64_place(const uint8_t *code, size_t size, uint32_t *ret_skipped);

#endif /* INSPECT_PROBE_CODE_H */
