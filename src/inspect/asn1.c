/* SPDX-License-Identifier: MIT */
#include "inspect/asn1.h"

#include <string.h>

#include "inspect/key.h"
#include "inspect/pkcs12.h"
#include "inspect/x509.h"
#include "lib/array.h"

/* Letters of a shape that are looked at. */
#define SHAPE_MAX	   12

#define OID_SIGNED_DATA	   "1.2.840.113549.1.7.2"
#define OID_CONTENT_TYPES  "1.2.840.113549.1.7."
#define OID_AUTH_ENVELOPED "1.2.840.113549.1.9.16.1."
#define OID_OCSP_BASIC	   "1.3.6.1.5.5.7.48.1.1"

bool asn1_read_csr(struct judge *judge, struct der der)
{
	struct tlv value;
	struct key key;

	/* { { version, subject, subjectPKInfo, attributes }, algorithm, signature } */
	if (!der_enter_cut(&der, DER_SEQUENCE) || !der_enter_cut(&der, DER_SEQUENCE) ||
	    !der_take(&der, DER_INTEGER, &value) || !der_take(&der, DER_SEQUENCE, &value) ||
	    !key_read_spki(judge, der, &key))
		return false;
	judge->sights |= SIGHT_CSR;
	key.format = "PKCS#10";
	judge_add_key(judge, &key);
	return true;
}

bool asn1_read_crl(struct judge *judge, struct der der)
{
	struct tlv value;

	/* { { version OPTIONAL, algorithm, issuer, thisUpdate, ... }, algorithm, signature } */
	if (!der_enter_cut(&der, DER_SEQUENCE) || !der_enter_cut(&der, DER_SEQUENCE))
		return false;
	(void)der_take(&der, DER_INTEGER, &value);
	if (!der_take(&der, DER_SEQUENCE, &value) || !der_take(&der, DER_SEQUENCE, &value) ||
	    (!der_take(&der, DER_UTC_TIME, &value) &&
	     !der_take(&der, DER_GENERALIZED_TIME, &value)))
		return false;
	judge->sights |= SIGHT_CRL;
	return true;
}

/* The values of DER are certificates, and structures of other kinds (RFC 5652, 10.2.2). */
static void certificates_read(struct judge *judge, struct der der)
{
	struct tlv value;

	while (der_next(&der, &value)) {
		if (value.tag != DER_SEQUENCE)
			continue;
		if (!x509_read(judge, der.octets->bytes + value.begin, value.end - value.begin))
			judge_note(judge, "damaged: a certificate cannot be read");
	}
}

/* { version, digestAlgorithms, content, [0] certificates, [1] crls, signerInfos } */
static void signed_data_read(struct judge *judge, struct der der)
{
	struct tlv value, signers;
	bool has_signers = false;

	if (!der_enter_cut(&der, DER_SEQUENCE) || !der_take(&der, DER_INTEGER, &value) ||
	    !der_take(&der, DER_SET, &value) || !der_take(&der, DER_SEQUENCE, &value))
		return;
	if (der_take(&der, DER_CONTEXT_0, &value))
		certificates_read(judge, der_inside(&der, &value));
	(void)der_take(&der, DER_CONTEXT_1, &value);
	if (der_take(&der, DER_SET, &signers))
		has_signers = signers.size > 0;
	judge->sights |= has_signers ? SIGHT_CMS_MESSAGE : SIGHT_PKCS7;
}

bool asn1_read_pkcs7(struct judge *judge, struct der der)
{
	char text[DER_OID_TEXT_MAX];
	struct tlv value;
	const char *oid;

	if (!der_enter_cut(&der, DER_SEQUENCE) || !der_take(&der, DER_OID, &value))
		return false;
	oid = der_oid(&der, &value, text);
	if (!oid || !der_enter_cut(&der, DER_CONTEXT_0))
		return false;
	if (strcmp(oid, OID_SIGNED_DATA) == 0) {
		/* Certificates are handed on where they lie. */
		if (!der.octets->is_base64)
			signed_data_read(judge, der);
		return true;
	}
	if (strncmp(oid, OID_CONTENT_TYPES, strlen(OID_CONTENT_TYPES)) != 0 &&
	    strncmp(oid, OID_AUTH_ENVELOPED, strlen(OID_AUTH_ENVELOPED)) != 0)
		return false;
	judge->sights |= SIGHT_CMS_MESSAGE;
	return true;
}

static bool add_key(struct judge *judge, struct der der, key_reader *reader)
{
	struct key key;

	if (!reader(judge, der, &key))
		return false;
	judge_add_key(judge, &key);
	judge->sights |= key.is_private ? SIGHT_PRIVATE_KEY : SIGHT_PUBLIC_KEY;
	return true;
}

/*
 * Two numbers: RSA { n, e } or Diffie-Hellman { p, g }. Generators in use are 2 and 5 or as long as
 * the prime (RFC 2409, RFC 7919), exponents of RSA are odd and at least 3 (RFC 8017, 3.1); 5 is
 * none that is in use.
 */
static bool read_two_integers(struct judge *judge, struct der der)
{
	struct der inside = der;
	struct tlv first, second;
	uint32_t number;
	struct key key;

	if (!der_enter(&inside, DER_SEQUENCE) || !der_take(&inside, DER_INTEGER, &first) ||
	    !der_take(&inside, DER_INTEGER, &second))
		return false;
	number = der_small(&inside, &second);
	/* Anything shorter is no key but a pair of numbers in some other format. */
	if (der_bits(&inside, &first) < 256)
		return false;
	if (number != 2 && number != 5)
		return number & 1 && add_key(judge, der, key_read_pkcs1_public);
	if (!key_read_dh_parameters(judge, der, &key))
		return false;
	judge->sights |= SIGHT_DH_PARAMETERS;
	judge_add_key(judge, &key);
	return true;
}

/* { 0, [0] { OID, OCTET STRING } } of RFC 6960, 4.2.1. */
static bool read_ocsp_response(struct judge *judge, struct der der)
{
	char text[DER_OID_TEXT_MAX];
	struct tlv value;
	const char *oid;

	if (!der_enter(&der, DER_SEQUENCE) || !der_take(&der, DER_ENUMERATED, &value) ||
	    !der_enter(&der, DER_CONTEXT_0) || !der_enter(&der, DER_SEQUENCE) ||
	    !der_take(&der, DER_OID, &value))
		return false;
	oid = der_oid(&der, &value, text);
	if (!oid || strcmp(oid, OID_OCSP_BASIC) != 0)
		return false;
	judge->sights |= SIGHT_OCSP_RESPONSE;
	return true;
}

static bool read_pkcs1(struct judge *judge, struct der der)
{
	return add_key(judge, der, key_read_pkcs1_private);
}

static bool read_dsa(struct judge *judge, struct der der)
{
	return add_key(judge, der, key_read_dsa);
}

static bool read_sec1(struct judge *judge, struct der der)
{
	return add_key(judge, der, key_read_sec1);
}

static bool read_pkcs8(struct judge *judge, struct der der)
{
	return add_key(judge, der, key_read_pkcs8);
}

static bool read_pkcs8_encrypted(struct judge *judge, struct der der)
{
	return add_key(judge, der, key_read_pkcs8_encrypted);
}

static bool read_spki(struct judge *judge, struct der der)
{
	return add_key(judge, der, key_read_spki);
}

static bool read_certificate(struct judge *judge, struct der der)
{
	if (x509_read(judge, der.octets->bytes, der.octets->size))
		return true;
	judge_note(judge, "damaged: a certificate cannot be read");
	return false;
}

/* What is signed: { { ... }, algorithm, signature }. Tried by their inner shapes. */
static bool read_signed(struct judge *judge, struct der der)
{
	struct der inside = der;
	char shape[SHAPE_MAX];

	if (!der_enter(&inside, DER_SEQUENCE) || !der_enter(&inside, DER_SEQUENCE))
		return false;
	der_shape(inside, shape, sizeof(shape));
	if (strncmp(shape, "0ISSSS", 6) == 0 || strncmp(shape, "ISSSS", 5) == 0)
		return read_certificate(judge, der);
	if (strncmp(shape, "SST", 3) == 0 || strncmp(shape, "ISST", 4) == 0)
		return asn1_read_crl(judge, der);
	return strncmp(shape, "ISS", 3) == 0 && asn1_read_csr(judge, der);
}

/* Shapes of the outer sequence; "$" ends one that is to match wholly. The first that fits is it. */
static const struct {
	const char *shape;
	bool (*read)(struct judge *, struct der);
	const char *format;
} shapes[] = {
	{ "SSB$", read_signed, "DER" },	      { "ISO", read_pkcs8, "DER" },
	{ "ISS", pkcs12_read, "PKCS#12" },    { "IS$", pkcs12_read, "PKCS#12" },
	{ "IIIIIIIII", read_pkcs1, "DER" },   { "IIIIII$", read_dsa, "DER" },
	{ "II$", read_two_integers, "DER" },  { "III$", read_two_integers, "DER" },
	{ "IO", read_sec1, "DER" },	      { "SO$", read_pkcs8_encrypted, "DER" },
	{ "SB$", read_spki, "DER" },	      { "o0$", asn1_read_pkcs7, "DER" },
	{ "E0$", read_ocsp_response, "DER" },
};

static bool shape_fits(const char *shape, const char *pattern)
{
	size_t size = strlen(pattern);

	if (pattern[size - 1] == '$')
		return strlen(shape) == size - 1 && strncmp(shape, pattern, size - 1) == 0;
	return strncmp(shape, pattern, size) == 0;
}

bool asn1_judge(struct judge *judge, const uint8_t *bytes, size_t size)
{
	char shape[SHAPE_MAX];
	struct octets octets;
	struct der inside;

	octets_raw(&octets, bytes, size);
	inside = der_all(&octets);
	if (judge->is_cut) {
		/* Without its end it has no shape; revocation lists are what grows so large. */
		if (!asn1_read_crl(judge, inside) && !asn1_read_pkcs7(judge, inside))
			return false;
		judge_set_format(judge, "DER");
		return true;
	}
	if (!der_enter(&inside, DER_SEQUENCE))
		return false;
	der_shape(inside, shape, sizeof(shape));
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		if (!shape_fits(shape, shapes[i].shape) || !shapes[i].read(judge, der_all(&octets)))
			continue;
		judge_set_format(judge, shapes[i].format);
		return true;
	}
	return false;
}
