/* SPDX-License-Identifier: MIT */
#ifndef TESTS_INSPECT_MADE_CERTIFICATE_H
#define TESTS_INSPECT_MADE_CERTIFICATE_H

/* Certificates with properties that no program lets one choose, made with libcrypto. */

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "samples.h"

struct made {
	const char *subject;   /* common name */
	const char *issuer;    /* common name; NULL: the subject's */
	const char *digest;    /* "SHA256" */
	unsigned int rsa_bits; /* 0: a curve */
	const char *curve;
	long begin_days; /* from now */
	long end_days;
	int is_ca;
	int is_version_1;
};

static inline void made_name(X509_NAME *name, const char *common)
{
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common, -1, -1,
				   0);
}

static inline X509 *made_certificate(const struct made *made)
{
	EVP_PKEY *key = made->rsa_bits ? EVP_RSA_gen(made->rsa_bits) : EVP_EC_gen(made->curve);
	X509 *x509 = X509_new();

	assert_non_null(key);
	X509_set_version(x509, made->is_version_1 ? X509_VERSION_1 : X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), 0x1234);
	/* A minute off, so that the days left do not depend on when the test runs. */
	X509_time_adj_ex(X509_getm_notBefore(x509), (int)made->begin_days, -60, NULL);
	X509_time_adj_ex(X509_getm_notAfter(x509), (int)made->end_days, 60, NULL);
	made_name(X509_get_subject_name(x509), made->subject);
	made_name(X509_get_issuer_name(x509), made->issuer ? made->issuer : made->subject);
	X509_set_pubkey(x509, key);
	if (made->is_ca) {
		X509_EXTENSION *extension =
			X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");

		X509_add_ext(x509, extension, -1);
		X509_EXTENSION_free(extension);
	}
	assert_true(X509_sign(x509, key, EVP_get_digestbyname(made->digest)) > 0);
	EVP_PKEY_free(key);
	return x509;
}

/* Judges the DER of it. */
static inline struct content *made_judge(const struct made *made, const char *name)
{
	X509 *x509 = made_certificate(made);
	unsigned char *der = NULL;
	int size = i2d_X509(x509, &der);
	struct content *content;

	assert_true(size > 0);
	content = sample_judge(der, (size_t)size, name);
	OPENSSL_free(der);
	X509_free(x509);
	return content;
}

/* Appends it to a PEM text. */
static inline void made_append(BIO *bio, const struct made *made)
{
	X509 *x509 = made_certificate(made);

	assert_int_equal(PEM_write_bio_X509(bio, x509), 1);
	X509_free(x509);
}

/* Judges the PEM text in BIO, which it frees. */
static inline struct content *made_judge_pem(BIO *bio, const char *name)
{
	char *text;
	long size = BIO_get_mem_data(bio, &text);
	struct content *content = sample_judge(text, (size_t)size, name);

	BIO_free(bio);
	return content;
}

#endif /* TESTS_INSPECT_MADE_CERTIFICATE_H */
