/* SPDX-License-Identifier: MIT */
#include "inspect/x509.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "inspect/key.h"
#include "inspect/oid.h"
#include "inspect/x509_names.h"

#define NS_PER_S   1000000000ULL
#define S_PER_DAY  INT64_C(86400)
#define SERIAL_MAX 256

/*
 * Days from 1970-01-01 to a date of the Gregorian calendar, MONTH from 0: years are counted from
 * March, so that a leap day ends one. timegm(3) would open the file of the time zone.
 */
static int64_t days_from_date(int64_t year, int month, int day)
{
	int64_t months = year * 12 + month - 2;
	int64_t march_year = months / 12, march_month = months % 12;
	/* Months from March have 31, 30, 31, 30, 31 days, over and over: 153 in five of them. */
	int64_t day_of_year = (153 * march_month + 2) / 5 + day - 1;

	return march_year * 365 + march_year / 4 - march_year / 100 + march_year / 400 +
	       day_of_year - 719468;
}

/* Seconds since the epoch, from the year 1 on. Returns false when TIME is no date. */
static bool time_read(const ASN1_TIME *time, int64_t *ret)
{
	struct tm tm;

	if (!time || !ASN1_TIME_to_tm(time, &tm) || tm.tm_year < -1899)
		return false;
	*ret = days_from_date(1900 + (int64_t)tm.tm_year, tm.tm_mon, tm.tm_mday) * S_PER_DAY +
	       (int64_t)tm.tm_hour * 3600 + (int64_t)tm.tm_min * 60 + tm.tm_sec;
	return true;
}

/* Cut to what u64 ns can say; 0 is left for "not known". */
static uint64_t time_ns(int64_t seconds)
{
	if (seconds <= 0)
		return 1;
	if ((uint64_t)seconds > UINT64_MAX / NS_PER_S)
		return UINT64_MAX;
	return (uint64_t)seconds * NS_PER_S;
}

static void dates_read(const struct judge *judge, const X509 *x509, struct certificate *certificate,
		       struct judge_side *side)
{
	int64_t now = (int64_t)(judge->now_ns / NS_PER_S);
	int64_t begin, end, left;

	side->has_no_dates = true;
	if (!time_read(X509_get0_notBefore(x509), &begin) ||
	    !time_read(X509_get0_notAfter(x509), &end))
		return;
	side->has_no_dates = false;
	left = end - now;
	certificate->not_before_ns = time_ns(begin);
	certificate->not_after_ns = time_ns(end);
	/* Whole days, rounded down, so that one second too late is -1. */
	certificate->days_left = left / S_PER_DAY - (left % S_PER_DAY < 0);
	side->is_soon_over = left >= 0 && left <= X509_SOON_DAYS * S_PER_DAY;
	side->is_early = begin > now;
}

/* Points OCTETS at the encoding of ALGORITHM, for the caller to OPENSSL_free(); NULL when none. */
static unsigned char *algorithm_encode(const X509_ALGOR *algorithm, struct octets *octets)
{
	unsigned char *der = NULL;
	int size = i2d_X509_ALGOR(algorithm, &der);

	octets_raw(octets, der, size > 0 ? (size_t)size : 0);
	return size > 0 ? der : NULL;
}

/* RFC 4055, 3.1: { [0] { hash, ... }, ... }; where the hash is left out it is SHA-1. */
static enum signature_weakness pss_weakness(struct der parameters)
{
	char text[DER_OID_TEXT_MAX];
	struct tlv value;
	const char *oid;

	if (!der_enter(&parameters, DER_SEQUENCE) || !der_enter(&parameters, DER_CONTEXT_0))
		return SIGNATURE_WEAKNESS_sha1;
	if (!der_enter(&parameters, DER_SEQUENCE) || !der_take(&parameters, DER_OID, &value))
		return SIGNATURE_WEAKNESS_none;
	oid = der_oid(&parameters, &value, text);
	if (oid && strcmp(oid, "1.3.14.3.2.26") == 0)
		return SIGNATURE_WEAKNESS_sha1;
	return oid && strcmp(oid, "1.2.840.113549.2.5") == 0 ? SIGNATURE_WEAKNESS_md5
							     : SIGNATURE_WEAKNESS_none;
}

static void signature_read(struct judge *judge, const X509 *x509, struct certificate *certificate,
			   struct judge_side *side)
{
	const X509_ALGOR *algorithm;
	char text[DER_OID_TEXT_MAX];
	const char *oid = NULL;
	struct octets octets;
	unsigned char *encoded;
	struct tlv value;
	struct der der;

	X509_get0_signature(NULL, &algorithm, x509);
	encoded = algorithm_encode(algorithm, &octets);
	der = der_all(&octets);
	if (encoded && der_enter(&der, DER_SEQUENCE) && der_take(&der, DER_OID, &value))
		oid = der_oid(&der, &value, text);
	if (oid) {
		const struct oid_signature *row = oid_signature(oid);
		/* With Ed25519 and the post-quantum ones key and signature share an identifier. */
		const struct oid_key *key = oid_key(oid);

		if (row) {
			certificate->signature_algorithm = row->name;
			side->weakness = row->weakness == SIGNATURE_WEAKNESS_pss ? pss_weakness(der)
										 : row->weakness;
		} else {
			certificate->signature_algorithm =
				key ? key->name : judge_text(judge, oid, strlen(oid));
		}
	}
	OPENSSL_free(encoded);
}

static void key_read(struct judge *judge, const X509 *x509, struct certificate *certificate)
{
	unsigned char *spki = NULL;
	int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &spki);
	struct key key = { 0 };
	struct octets octets;

	if (size <= 0)
		return;
	octets_raw(&octets, spki, (size_t)size);
	key_read_spki(judge, der_all(&octets), &key);
	OPENSSL_free(spki);
	certificate->key_type = key.type;
	certificate->key_bits = key.bits;
	certificate->curve = key.curve;
}

/* Whether the signature, which need not be good, can be checked in bounded time. */
static bool is_verifiable(const struct certificate *certificate)
{
	const char *type = certificate->key_type;

	if (!type || !certificate->key_bits || certificate->key_bits > X509_VERIFY_BITS_MAX)
		return false;
	return strncmp(type, "RSA", 3) == 0 || strcmp(type, "EC") == 0 ||
	       strncmp(type, "Ed", 2) == 0;
}

static bool is_signed_by_itself(X509 *x509)
{
	EVP_PKEY *key = X509_get0_pubkey(x509);

	return key && X509_verify(x509, key) == 1;
}

static void ca_read(const X509 *x509, struct certificate *certificate, struct judge_side *side)
{
	BASIC_CONSTRAINTS *constraints = X509_get_ext_d2i(x509, NID_basic_constraints, NULL, NULL);

	certificate->is_ca = constraints && constraints->ca;
	/* Version 1 has no extensions: its roots are known by signing themselves. */
	side->is_ca_like = certificate->is_ca || (X509_get_version(x509) == X509_VERSION_1 &&
						  certificate->is_self_signed);
	BASIC_CONSTRAINTS_free(constraints);
}

static void serial_read(struct judge *judge, const X509 *x509, struct certificate *certificate)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(x509);
	size_t size = (size_t)ASN1_STRING_length(serial);
	const char *digits = judge_hex(judge, ASN1_STRING_get0_data(serial),
				       size < SERIAL_MAX ? size : SERIAL_MAX);

	if (digits && ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER)
		digits = judge_format(judge, "-%s", digits);
	certificate->serial = digits;
}

static void certificate_read(struct judge *judge, X509 *x509, const uint8_t *der, size_t size)
{
	struct judge_side side = { .x509 = x509 };
	struct certificate certificate = { 0 };
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int digest_size = 0;

	certificate.subject = x509_name_text(judge, X509_get_subject_name(x509));
	certificate.issuer = x509_name_text(judge, X509_get_issuer_name(x509));
	side.is_self_issued =
		X509_NAME_cmp(X509_get_subject_name(x509), X509_get_issuer_name(x509)) == 0;
	serial_read(judge, x509, &certificate);
	dates_read(judge, x509, &certificate, &side);
	key_read(judge, x509, &certificate);
	signature_read(judge, x509, &certificate, &side);
	certificate.sans = x509_sans_text(judge, x509, &certificate.sans_size);
	certificate.is_self_signed =
		side.is_self_issued && is_verifiable(&certificate) && is_signed_by_itself(x509);
	ca_read(x509, &certificate, &side);
	if (EVP_Digest(der, size, digest, &digest_size, EVP_sha256(), NULL) == 1)
		certificate.fingerprint_sha256 = judge_hex(judge, digest, digest_size);
	judge_add_certificate(judge, &certificate, &side);
}

bool x509_read(struct judge *judge, const uint8_t *der, size_t size)
{
	const unsigned char *at = der;
	X509 *x509;

	if (judge_is_full(judge)) {
		judge_skip_certificate(judge);
		return true;
	}
	x509 = d2i_X509(NULL, &at, (long)size);
	if (x509)
		certificate_read(judge, x509, der, (size_t)(at - der));
	/* Whatever was not understood on the way is no concern of the next caller. */
	ERR_clear_error();
	return x509 != NULL;
}

int x509_prepare(void)
{
	static const char bytes[] = "";
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int size;

	/*
	 * Without this the first use of libcrypto reads openssl.cnf, and what that names: files of
	 * the host have no say in how foreign bytes are judged.
	 */
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return -EIO;
	/* Loads the built-in provider, which brings keys and signatures too. */
	if (EVP_Digest(bytes, 0, digest, &size, EVP_sha256(), NULL) != 1) {
		ERR_clear_error();
		return -EIO;
	}
	return 0;
}
