/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_OID_H
#define INSPECT_OID_H

/*
 * Names of object identifiers, from the catalogue oids.def. An identifier is given as its dotted
 * text. Everything returned is static and constant.
 */

#include <stdint.h>

struct oid_key {
	const char *oid;
	const char *name;
	uint32_t bits; /* 0: not told by the identifier */
};

enum signature_weakness {
	SIGNATURE_WEAKNESS_none,
	SIGNATURE_WEAKNESS_md5, /* or an older digest */
	SIGNATURE_WEAKNESS_sha1,
	SIGNATURE_WEAKNESS_pss, /* the parameters tell */
};

struct oid_signature {
	const char *oid;
	const char *name;
	enum signature_weakness weakness;
};

/* The row of OID, or NULL. Algorithms of a key; a signature's own identifier may be one too. */
const struct oid_key *oid_key(const char *oid);
const struct oid_key *oid_curve(const char *oid);
const struct oid_signature *oid_signature(const char *oid);

#endif /* INSPECT_OID_H */
