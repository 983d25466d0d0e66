/* SPDX-License-Identifier: MIT */
#include "inspect/chain.h"

#include <openssl/x509.h>
#include <string.h>

static bool is_issuer_of(const struct judge_side *issuer, const struct judge_side *issued)
{
	return X509_NAME_cmp(X509_get_subject_name(issuer->x509),
			     X509_get_issuer_name(issued->x509)) == 0;
}

/* Each pair once: at most CONTENT_CERTIFICATES_MAX squared comparisons. */
static void links_find(struct judge *judge)
{
	struct judge_side *sides = judge->sides;

	for (uint32_t i = 0; i < judge->nr_certificates; i++) {
		/* What names itself as issuer needs no other one; a copy of it is not issued by it.
		 */
		if (sides[i].is_self_issued)
			continue;
		for (uint32_t j = 0; j < judge->nr_certificates; j++) {
			if (j == i || !is_issuer_of(&sides[j], &sides[i]))
				continue;
			sides[i].is_issued = true;
			sides[j].is_issuer = true;
		}
	}
}

static bool is_root(const struct judge_side *side)
{
	return side->is_self_issued && (side->is_ca_like || side->is_issuer);
}

void chain_order(struct judge *judge)
{
	links_find(judge);
	for (uint32_t i = 0; i < judge->nr_certificates; i++) {
		const struct judge_side *side = &judge->sides[i];
		const char **chain = &judge->certificates[i].chain;

		if (is_root(side))
			*chain = "root";
		else if (side->is_issuer || (side->is_issued && side->is_ca_like))
			*chain = "intermediate";
		else
			*chain = side->is_issued ? "leaf" : "alone";
	}
}

bool chain_is_linked(const struct judge *judge)
{
	for (uint32_t i = 0; i < judge->nr_certificates; i++)
		if (judge->sides[i].is_issued)
			return true;
	return false;
}

bool chain_is_bundle(const struct judge *judge)
{
	bool is_named = judge->name_class && judge->name_class->kind == FILE_KIND_ca_bundle;
	uint32_t nr_roots = 0;

	for (uint32_t i = 0; i < judge->nr_certificates; i++) {
		if (!judge->sides[i].is_ca_like)
			return false;
		nr_roots += is_root(&judge->sides[i]);
	}
	return nr_roots >= 2 || (is_named && judge->nr_certificates > 0);
}
