/* SPDX-License-Identifier: MIT */
#ifndef CMD_SUMMARY_H
#define CMD_SUMMARY_H

/* Documents as tables for people, at most 80 columns wide, readable without colour. */

#include "cmd/take.h"
#include "inventory/libs.h"
#include "inventory/snapshot.h"

/* Return 0 or a negative errno of the output. */
int summary_print_snapshot(struct take *take, const struct snapshot *snapshot);
int summary_print_libs(struct take *take, const struct libs *libs);

#endif /* CMD_SUMMARY_H */
