/* SPDX-License-Identifier: MIT */
#ifndef INVENTORY_LIBS_H
#define INVENTORY_LIBS_H

/* The document of `libs`: the crypto libraries in use, and by whom. */

#include "inventory/document.h"
#include "inspect/finding.h"

struct libs_item {
	const char *name; /* of the file */
	const char *path;
	uint32_t family;
	const char *version;
	const char *disk_version;
	const char *package;
	const char *build_id;
	const char *soname;
	bool is_stale;
	struct item_list processes; /* of struct process_name */
};

struct libs_summary {
	uint64_t libraries;
	uint64_t processes; /* that map one of them */
	uint64_t stale;
};

struct libs {
	uint64_t now_ns;
	const char *hostname;
	const char *kernel;
	struct item_list libraries; /* of struct libs_item */
	struct libs_summary summary;
	struct document_coverage coverage;
	struct pool pool;
};

extern const struct fields libs_fields;

/*
 * Makes the document of the libraries of SOURCE that match one of the NR_PATTERNS patterns at
 * PATTERNS (library_matches()), all for none. SOURCE is borrowed as long as it lives. Returns 0 or
 * -ENOMEM.
 */
int libs_new(struct libs **ret, const struct document_source *source, const char *const *patterns,
	     size_t nr_patterns);
void libs_free(struct libs *libs);

#endif /* INVENTORY_LIBS_H */
