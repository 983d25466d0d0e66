/* SPDX-License-Identifier: MIT */
#include "samples.h"

#include <openssl/objects.h>

#include "inspect/oid.h"

static const char *const keys[] = {
#define KEY_OID(oid, type, bits) oid,
#include "inspect/oids.def"
};

static const char *const curves[] = {
#define CURVE_OID(oid, name, bits) oid,
#include "inspect/oids.def"
};

static const char *const signatures[] = {
#define SIGNATURE_OID(oid, name, weakness) oid,
#include "inspect/oids.def"
};

/* What libcrypto calls the digest of a signature algorithm, or NULL where it does not know. */
static const char *digest_of(const char *oid)
{
	int digest;

	if (!OBJ_find_sigid_algs(OBJ_txt2nid(oid), &digest, NULL))
		return NULL;
	return digest == NID_undef ? NULL : OBJ_nid2sn(digest);
}

static void test_each_identifier_is_found_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_string_equal(oid_key(keys[i])->oid, keys[i]);
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
		assert_string_equal(oid_curve(curves[i])->oid, curves[i]);
	for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++)
		assert_string_equal(oid_signature(signatures[i])->oid, signatures[i]);
	assert_null(oid_key("1.2.3"));
	assert_null(oid_curve("1.2.840.113549.1.1.1"));
	assert_null(oid_signature(""));
}

static void test_curves_have_the_size_that_libcrypto_says(void **state)
{
	size_t nr_compared = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
		const struct oid_key *curve = oid_curve(curves[i]);
		int nid = OBJ_txt2nid(curves[i]);
		const char *name = nid == NID_undef ? NULL : OBJ_nid2sn(nid);
		unsigned int bits;

		if (!name || sscanf(name + strcspn(name, "0123456789"), "%u", &bits) != 1)
			continue;
		/* "secp256k1", "prime256v1", "brainpoolP256r1"; "SM2" has no size in it. */
		if (bits < 100)
			continue;
		assert_int_equal(curve->bits, bits);
		nr_compared++;
	}
	assert_true(nr_compared > 25);
}

static void test_weakness_is_that_of_the_digest(void **state)
{
	size_t nr_compared = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++) {
		const struct oid_signature *row = oid_signature(signatures[i]);
		const char *digest = digest_of(signatures[i]);

		if (!digest)
			continue;
		nr_compared++;
		if (strcmp(digest, "SHA1") == 0)
			assert_int_equal(row->weakness, SIGNATURE_WEAKNESS_sha1);
		else if (digest[0] == 'M')
			assert_int_equal(row->weakness, SIGNATURE_WEAKNESS_md5);
		else
			assert_int_equal(row->weakness, SIGNATURE_WEAKNESS_none);
	}
	assert_true(nr_compared > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_identifier_is_found_once),
		cmocka_unit_test(test_curves_have_the_size_that_libcrypto_says),
		cmocka_unit_test(test_weakness_is_that_of_the_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
