/* SPDX-License-Identifier: MIT */
#include "inspect/key.h"

#include <string.h>

/* Goes into the first value of DER, a sequence, and takes the INTEGER in it that comes first. */
static uint32_t first_integer_bits(struct der der)
{
	struct tlv value;

	if (!der_enter_cut(&der, DER_SEQUENCE) || !der_take(&der, DER_INTEGER, &value))
		return 0;
	return der_bits(&der, &value);
}

/* { version, { fieldType, prime or { m, ... } }, ... } of RFC 3279, 2.3.5. */
static uint32_t explicit_curve_bits(struct der parameters)
{
	struct tlv value;

	if (!der_take(&parameters, DER_INTEGER, &value) ||
	    !der_enter_cut(&parameters, DER_SEQUENCE) || !der_take(&parameters, DER_OID, &value))
		return 0;
	if (der_take(&parameters, DER_INTEGER, &value))
		return der_bits(&parameters, &value);
	if (!der_enter_cut(&parameters, DER_SEQUENCE) ||
	    !der_take(&parameters, DER_INTEGER, &value) || value.size > 2)
		return 0;

	uint32_t degree = der_small(&parameters, &value);

	return degree == UINT32_MAX ? 0 : degree;
}

/* Sets name and size of a curve that is named by its identifier or described. */
static bool curve_describe(struct judge *judge, struct der parameters, struct key *ret)
{
	struct der inside = parameters;
	char text[DER_OID_TEXT_MAX];
	struct tlv value;
	const char *oid;

	if (der_enter_cut(&inside, DER_SEQUENCE)) {
		ret->curve = "explicit";
		ret->bits = explicit_curve_bits(inside);
		return ret->bits > 0;
	}
	if (!der_take(&parameters, DER_OID, &value))
		return false;
	oid = der_oid(&parameters, &value, text);
	if (!oid)
		return false;

	const struct oid_key *curve = oid_curve(oid);

	ret->curve = curve ? curve->name : judge_text(judge, oid, strlen(oid));
	ret->bits = curve ? curve->bits : 0;
	return true;
}

static bool is_rsa(const char *type)
{
	return strncmp(type, "RSA", 3) == 0;
}

void key_describe(struct judge *judge, struct der algorithm, const struct der *bits,
		  struct key *ret)
{
	char text[DER_OID_TEXT_MAX];
	struct tlv value;
	const char *oid;

	if (!der_take(&algorithm, DER_OID, &value))
		return;
	oid = der_oid(&algorithm, &value, text);
	if (!oid)
		return;

	const struct oid_key *row = oid_key(oid);

	if (!row) {
		ret->type = judge_text(judge, oid, strlen(oid));
		return;
	}
	ret->type = row->name;
	ret->bits = row->bits;
	if (is_rsa(row->name))
		ret->bits = bits ? first_integer_bits(*bits) : 0;
	else if (strncmp(row->name, "EC", 2) == 0)
		curve_describe(judge, algorithm, ret);
	else if (strcmp(row->name, "DSA") == 0 || strcmp(row->name, "DH") == 0)
		ret->bits = first_integer_bits(algorithm);
}

bool key_read_spki(struct judge *judge, struct der der, struct key *ret)
{
	struct key key = { .format = "SPKI" };
	struct tlv algorithm, bits;

	if (!der_enter_cut(&der, DER_SEQUENCE) || !der_take(&der, DER_SEQUENCE, &algorithm) ||
	    !der_take(&der, DER_BIT_STRING, &bits) || bits.size == 0)
		return false;
	/* The first octet of a BIT STRING counts unused bits. */
	bits.at++;
	bits.size--;

	struct der content = der_inside(&der, &bits);

	key_describe(judge, der_inside(&der, &algorithm), &content, &key);
	*ret = key;
	return true;
}

bool key_read_pkcs8(struct judge *judge, struct der der, struct key *ret)
{
	struct key key = { .format = "PKCS#8", .is_private = true };
	struct tlv value, algorithm;

	if (!der_enter_cut(&der, DER_SEQUENCE) || !der_take(&der, DER_INTEGER, &value) ||
	    der_small(&der, &value) > 1 || !der_take(&der, DER_SEQUENCE, &algorithm) ||
	    !der_enter_cut(&der, DER_OCTET_STRING))
		return false;
	key_describe(judge, der_inside(&der, &algorithm), NULL, &key);
	/* RSA keeps the modulus, which is public, beside the secret: { version, n, ... }. */
	if (key.type && is_rsa(key.type) && der_enter_cut(&der, DER_SEQUENCE) &&
	    der_take(&der, DER_INTEGER, &value) && der_take(&der, DER_INTEGER, &value))
		key.bits = der_bits(&der, &value);
	*ret = key;
	return true;
}

bool key_read_pkcs8_encrypted(struct judge *judge, struct der der, struct key *ret)
{
	struct tlv value;
	struct der algorithm;

	(void)judge;
	if (!der_enter_cut(&der, DER_SEQUENCE) || !der_take(&der, DER_SEQUENCE, &value))
		return false;
	algorithm = der_inside(&der, &value);
	if (!der_take(&algorithm, DER_OID, &value) || !der_enter_cut(&der, DER_OCTET_STRING))
		return false;
	*ret = (struct key){ .format = "PKCS#8", .is_private = true, .is_encrypted = true };
	return true;
}

bool key_read_pkcs1_public(struct judge *judge, struct der der, struct key *ret)
{
	struct tlv modulus, exponent;

	(void)judge;
	if (!der_enter_cut(&der, DER_SEQUENCE) || !der_take(&der, DER_INTEGER, &modulus) ||
	    !der_take(&der, DER_INTEGER, &exponent))
		return false;
	*ret = (struct key){ .type = "RSA", .format = "PKCS#1", .bits = der_bits(&der, &modulus) };
	return true;
}

bool key_read_pkcs1_private(struct judge *judge, struct der der, struct key *ret)
{
	struct tlv version, modulus, exponent;

	(void)judge;
	if (!der_enter_cut(&der, DER_SEQUENCE) || !der_take(&der, DER_INTEGER, &version) ||
	    der_small(&der, &version) > 1 || !der_take(&der, DER_INTEGER, &modulus) ||
	    !der_take(&der, DER_INTEGER, &exponent))
		return false;
	*ret = (struct key){
		.type = "RSA",
		.format = "PKCS#1",
		.bits = der_bits(&der, &modulus),
		.is_private = true,
	};
	return true;
}

bool key_read_sec1(struct judge *judge, struct der der, struct key *ret)
{
	struct key key = { .type = "EC", .format = "SEC1", .is_private = true };
	struct tlv version, secret;

	/* The secret lies before the curve: only its length is looked at. */
	if (!der_enter_cut(&der, DER_SEQUENCE) || !der_take(&der, DER_INTEGER, &version) ||
	    der_small(&der, &version) != 1 || !der_take(&der, DER_OCTET_STRING, &secret))
		return false;
	if (der_enter(&der, DER_CONTEXT_0))
		curve_describe(judge, der, &key);
	*ret = key;
	return true;
}

bool key_read_dsa(struct judge *judge, struct der der, struct key *ret)
{
	struct tlv version, prime, subprime;

	(void)judge;
	if (!der_enter_cut(&der, DER_SEQUENCE) || !der_take(&der, DER_INTEGER, &version) ||
	    der_small(&der, &version) != 0 || !der_take(&der, DER_INTEGER, &prime) ||
	    !der_take(&der, DER_INTEGER, &subprime))
		return false;
	*ret = (struct key){
		.type = "DSA",
		.format = "OpenSSL",
		.bits = der_bits(&der, &prime),
		.is_private = true,
	};
	return true;
}

bool key_read_dh_parameters(struct judge *judge, struct der der, struct key *ret)
{
	uint32_t bits = first_integer_bits(der);

	(void)judge;
	if (!bits)
		return false;
	*ret = (struct key){ .type = "DH", .format = "parameters", .bits = bits };
	return true;
}

bool key_read_ec_parameters(struct judge *judge, struct der der, struct key *ret)
{
	struct key key = { .type = "EC", .format = "parameters" };

	if (!curve_describe(judge, der, &key))
		return false;
	*ret = key;
	return true;
}
