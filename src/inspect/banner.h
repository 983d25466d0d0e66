/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_BANNER_H
#define INSPECT_BANNER_H

/*
 * Versions of crypto libraries by what they say of themselves (banners.def). Only whole banners
 * count: a sentence about "OpenSSL 1.1.1 or newer" is none. A struct banners borrows nothing.
 */

#include "inspect/search.h"

#define BANNERS_MAX	   64
#define BANNER_VERSION_MAX 24

struct banners {
	size_t nr_needles;
	struct needle needles[BANNERS_MAX];
	uint8_t row[BANNERS_MAX];
	struct {
		char version[BANNER_VERSION_MAX]; /* empty: it tells none, or several */
		bool is_found;
		bool is_torn; /* different versions were found */
	} found[BANNERS_MAX]; /* by row */
};

/*
 * Prepares to look for the banners of a library of FAMILY (enum library_family), or, for
 * LIBRARY_FAMILY_none, for those of all libraries that may be inside a program.
 */
void banners_init(struct banners *banners, uint32_t family);

/* What finds them, in read-only data. BANNERS is borrowed and filled. */
struct needle_group banners_group(struct banners *banners);

/*
 * Whether a banner of FAMILY was found. *RET_VERSION is borrowed, and NULL when there is none or
 * when banners contradict each other.
 */
bool banners_version(const struct banners *banners, uint32_t family, const char **ret_version);

#endif /* INSPECT_BANNER_H */
