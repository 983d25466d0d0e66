/* SPDX-License-Identifier: MIT */
#ifndef CHECK_HOST_H
#define CHECK_HOST_H

/* What the host and the process itself tell; nothing of it decides what works. */

#include "check/check.h"

/* Fills *HOST, and tries what all tracing takes. Call while there are rights. */
void check_host_read(struct check_host *host);

/* Writes the names of CAPABILITIES, a bit each, NUL-separated, into TEXT. */
void check_capability_names(uint64_t capabilities, char *text, size_t size, struct text_list *ret);

#endif /* CHECK_HOST_H */
