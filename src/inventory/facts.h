/* SPDX-License-Identifier: MIT */
#ifndef INVENTORY_FACTS_H
#define INVENTORY_FACTS_H

/*
 * A snapshot taken apart into what can be compared with another one: sorted facts "this thing has
 * this attribute with this value". What changes on a live host without anybody having changed
 * anything (PIDs, how many processes, days left, counters) is no fact. Processes of the same
 * program are one thing.
 *
 * Facts borrow from the document they were collected from, and own what they had to make up.
 */

#include <stdbool.h>
#include <stddef.h>

struct json_object;
struct facts;
struct facts_info;

enum facts_section {
	FACTS_programs,
	FACTS_libraries,
	FACTS_providers,
	FACTS_certificates,
	FACTS_keys,
	FACTS_findings,
	FACTS_host_crypto,
	NR_FACTS_SECTIONS
};

#define FACTS_IDS	     3
#define FACTS_ATTRIBUTES_MAX 4

/* The attribute that every thing has: that it is there. Others count from 1. */
#define FACTS_THERE 0

struct facts_attribute {
	const char *name;   /* in a diff */
	const char *member; /* in a snapshot */
	bool is_set;	    /* any number of values; of others the first counts */
	bool is_compared;   /* another value is a change of the thing */
	bool is_bulk;	    /* too much to be told to people of a new thing */
};

struct facts_info {
	const char *name;	    /* in a diff */
	const char *source;	    /* the member of a snapshot */
	const char *ids[FACTS_IDS]; /* what tells things apart; NULL: none, or not shown */
	struct facts_attribute attributes[FACTS_ATTRIBUTES_MAX]; /* up to the one without a name */
	bool is_replaceable; /* a new thing at the place, ids[0], of one that is gone replaces it */
	bool is_single;	     /* the source is one object; its things are neither new nor gone */
	int (*collect)(struct facts *facts, const struct facts_info *info,
		       struct json_object *item);
};

struct fact {
	struct json_object *ids[FACTS_IDS]; /* strings, integers, booleans or NULL */
	unsigned int attribute;
	struct json_object *value; /* NULL for FACTS_THERE */
};

#define FACTS_KNOWN(attribute) (1U << (attribute))
#define FACTS_ALL_KNOWN	       (~0U) /* there are no things */

/* Sorted by ids, attribute, value; each once. */
struct facts {
	struct fact *facts;
	size_t nr_facts;
	size_t cap;
	unsigned int
		known; /* FACTS_KNOWN(N): attribute N is told of some thing, or there is none */
	struct json_object *owned;
};

extern const struct facts_info facts_infos[NR_FACTS_SECTIONS];

/*
 * Fills the zeroed FACTS from DOCUMENT, an object, which has to outlive them. What is missing or of
 * another type than expected is not there. Returns 0 or -ENOMEM; facts_free() in both cases.
 */
int facts_collect(struct facts *facts, enum facts_section section, struct json_object *document);
void facts_free(struct facts *facts);

/* Orders scalar values of any type, also NULL: below 0, 0 or above 0. */
int facts_compare_values(struct json_object *a, struct json_object *b);

/* The same for the first NR_IDS ids of two facts. */
int facts_compare_ids(const struct fact *a, const struct fact *b, size_t nr_ids);

#endif /* INVENTORY_FACTS_H */
