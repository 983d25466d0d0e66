/* SPDX-License-Identifier: MIT */
#include "inspect/oid.h"

#include <stddef.h>
#include <string.h>

#include "lib/array.h"

static const struct oid_key keys[] = {
#define KEY_OID(oid, type, bits) { oid, type, bits },
#include "inspect/oids.def"
};

static const struct oid_key curves[] = {
#define CURVE_OID(oid, name, bits) { oid, name, bits },
#include "inspect/oids.def"
};

static const struct oid_signature signatures[] = {
#define SIGNATURE_OID(oid, name, weakness) { oid, name, SIGNATURE_WEAKNESS_##weakness },
#include "inspect/oids.def"
};

const struct oid_key *oid_key(const char *oid)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strcmp(keys[i].oid, oid) == 0)
			return &keys[i];
	return NULL;
}

const struct oid_key *oid_curve(const char *oid)
{
	for (size_t i = 0; i < ARRAY_SIZE(curves); i++)
		if (strcmp(curves[i].oid, oid) == 0)
			return &curves[i];
	return NULL;
}

const struct oid_signature *oid_signature(const char *oid)
{
	for (size_t i = 0; i < ARRAY_SIZE(signatures); i++)
		if (strcmp(signatures[i].oid, oid) == 0)
			return &signatures[i];
	return NULL;
}
