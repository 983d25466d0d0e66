/* SPDX-License-Identifier: MIT */
#include "catalogue/ssh.h"

#include <stdbool.h>
#include <string.h>

#include "lib/array.h"

struct row {
	struct ssh_algorithm algorithm;
	size_t size; /* of the name */
};

static const struct row rows[] = {
#define SSH_ALGORITHM(of, text, what, width, against, where)                                       \
	{ { .name = (text),                                                                        \
	    .kind = SSH_KIND_##of,                                                                 \
	    .trait = SSH_TRAIT_##what,                                                             \
	    .rule = SSH_RULE_##against,                                                            \
	    .bits = (width),                                                                       \
	    .source = (where) },                                                                   \
	  sizeof(text) - 1 },
#include "catalogue/ssh_algorithms.def"
};

static bool row_matches(const struct row *row, const void *name, size_t size)
{
	bool is_prefix = row->algorithm.name[row->size - 1] == '-';

	if (is_prefix ? size <= row->size : size != row->size)
		return false;
	return memcmp(row->algorithm.name, name, row->size) == 0;
}

const struct ssh_algorithm *ssh_algorithm_find(enum ssh_kind kind, const void *name, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].algorithm.kind == kind && row_matches(&rows[i], name, size))
			return &rows[i].algorithm;
	return NULL;
}
