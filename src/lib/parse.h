/* SPDX-License-Identifier: MIT */
#ifndef LIB_PARSE_H
#define LIB_PARSE_H

/* Numbers and names as people type them. The whole text has to match; nothing is guessed. */

#include <stdint.h>
#include <sys/types.h>

/* A decimal number from MIN to MAX. Returns 0, -EINVAL (no number) or -ERANGE. */
int parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret);

/*
 * A size in bytes, optionally with K, M or G (powers of 1024) behind it, from MIN to MAX. Returns
 * as parse_u64().
 */
int parse_size(const char *text, uint64_t min, uint64_t max, uint64_t *ret);

/*
 * A duration in seconds, whole or with up to three decimals, 0 to 10 years; in milliseconds.
 * Returns as parse_u64().
 */
int parse_seconds(const char *text, uint64_t *ret_ms);

/* A user by name or number. Returns 0 or -ESRCH. RET_GID is the primary group, or the uid. */
int parse_user(const char *text, uid_t *ret_uid, gid_t *ret_gid);

#endif /* LIB_PARSE_H */
