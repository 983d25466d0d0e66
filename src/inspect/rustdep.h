/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_RUSTDEP_H
#define INSPECT_RUSTDEP_H

/*
 * Which crates of cryptography (crates.def) a Rust program is made of. cargo-auditable leaves the
 * list of all in the section .dep-v0: JSON, compressed by zlib (its PARSING.md). Without it the
 * names of source files tell, which are in the messages of panics:
 * ".../registry/src/index.crates.io-1949cf8c6b5b557f/rustls-0.23.37/src/conn.rs".
 */

#include <stdbool.h>

#include "inspect/elf.h"
#include "inspect/providers.h"
#include "inspect/search.h"

/* A list that is larger, or has more parts than these, is not read. Real ones have some 100 KiB. */
#define RUSTDEP_JSON_MAX  (4U << 20)
#define RUSTDEP_PARTS_MAX (1U << 17)

/* Names of source files that are looked at; large programs have some ten thousand. */
#define RUSTDEP_PATHS_MAX (1U << 20)

#define CRATES_MAX	  128
#define CRATE_VERSION_MAX 32

struct crate {
	char version[CRATE_VERSION_MAX];
	bool is_listed; /* in .dep-v0 */
	bool is_seen;	/* its code is there */
};

struct crates {
	struct crate crates[CRATES_MAX]; /* in the order of crates.def */
	uint32_t nr_paths;		 /* that were compared with it */
};

/* Reads .dep-v0, if there is such a section. Adds to RET. Returns 0 or -ENOMEM. */
int rustdep_read(const struct elf *elf, struct crates *ret);

/* What finds names of source files, in read-only data. CRATES is borrowed and filled. */
struct needle_group rustdep_group(struct crates *crates);

/*
 * Adds the providers that the crates make. IS_LINKED tells whether the program gets a provider from
 * a shared library.
 */
void rustdep_tell(const struct crates *crates, struct providers *providers,
		  bool (*is_linked)(void *ctx, const char *provider), void *ctx);

#endif /* INSPECT_RUSTDEP_H */
