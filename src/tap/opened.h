/* SPDX-License-Identifier: MIT */
#ifndef TAP_OPENED_H
#define TAP_OPENED_H

/*
 * Which process opened which certificate, so that a server's handshake can be led back to the file
 * that it shows. The last OPENED_MAX are remembered.
 */

#include <stddef.h>
#include <stdint.h>

#include "inspect/content.h"

#define OPENED_MAX 1024

struct opened;

/* Returns 0 or -ENOMEM. */
int opened_new(struct opened **ret);
void opened_free(struct opened *opened);

/* PID opened the file PATH (SIZE bytes), whose first certificate is the first of CONTENT. */
void opened_add(struct opened *opened, uint32_t pid, const struct content *content,
		const char *path, size_t size);

/*
 * The path under which PID, or else its parent PPID, opened a file whose first certificate is the
 * first of CONTENT; NULL: not seen. Valid until the next opened_add().
 */
const char *opened_find(const struct opened *opened, uint32_t pid, uint32_t ppid,
			const struct content *content);

#endif /* TAP_OPENED_H */
