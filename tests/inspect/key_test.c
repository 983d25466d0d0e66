/* SPDX-License-Identifier: MIT */
#include "samples.h"

#include "catalogue/files.h"

/* Algorithms of openssl-genpkey(1), and what is expected of them. */
static const struct sample {
	const char *options;
	const char *type;
	const char *curve;
	uint32_t bits;
} samples[] = {
	{ "-algorithm RSA -pkeyopt rsa_keygen_bits:2048", "RSA", NULL, 2048 },
	{ "-algorithm RSA -pkeyopt rsa_keygen_bits:1024", "RSA", NULL, 1024 },
	{ "-algorithm RSA -pkeyopt rsa_keygen_bits:1031", "RSA", NULL, 1031 },
	{ "-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:1024", "RSA-PSS", NULL, 1024 },
	{ "-algorithm EC -pkeyopt ec_paramgen_curve:P-256", "EC", "P-256", 256 },
	{ "-algorithm EC -pkeyopt ec_paramgen_curve:P-384", "EC", "P-384", 384 },
	{ "-algorithm EC -pkeyopt ec_paramgen_curve:P-521", "EC", "P-521", 521 },
	{ "-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1", "EC", "secp256k1", 256 },
	{ "-algorithm EC -pkeyopt ec_paramgen_curve:prime192v1", "EC", "P-192", 192 },
	{ "-algorithm EC -pkeyopt ec_paramgen_curve:brainpoolP256r1", "EC", "brainpoolP256r1",
	  256 },
	{ "-algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit", "EC",
	  "explicit", 256 },
	{ "-algorithm EC -pkeyopt ec_paramgen_curve:sect283k1 -pkeyopt ec_param_enc:explicit", "EC",
	  "explicit", 283 },
	{ "-algorithm ED25519", "Ed25519", NULL, 256 },
	{ "-algorithm ED448", "Ed448", NULL, 456 },
	{ "-algorithm X25519", "X25519", NULL, 256 },
	{ "-algorithm X448", "X448", NULL, 448 },
};

static void generate(const struct sample *sample)
{
	char script[512];

	snprintf(script, sizeof(script),
		 "openssl genpkey %s -out key.pem; openssl pkcs8 -topk8 -nocrypt -in key.pem "
		 "-outform DER -out key.der;"
		 "openssl pkey -in key.pem -pubout -out pub.pem;"
		 "openssl pkey -in key.pem -pubout -outform DER -out pub.der;"
		 "openssl pkcs8 -topk8 -in key.pem -passout pass:x -out enc.pem;"
		 "openssl pkcs8 -topk8 -in key.pem -passout pass:x -outform DER -out enc.der",
		 sample->options);
	assert_int_equal(sample_run(script), 0);
}

static void expect(const char *name, uint32_t kind, const char *type, const char *format,
		   const char *curve, uint32_t bits, int is_private, int is_encrypted)
{
	struct content *content = sample_inspect(name);

	assert_int_equal(content->kind, kind);
	assert_int_equal(content->type, is_private ? FILE_TYPE_private_key : FILE_TYPE_unknown);
	assert_string_equal(content->format, strstr(name, ".der") ? "DER" : "PEM");
	sample_expect_key(content, type, format, curve, bits, is_private, is_encrypted);
	assert_null(content->note);
	content_free(content);
}

static void test_pkcs8_and_spki_are_told_as_they_were_made(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		const struct sample *it = &samples[i];

		generate(it);
		expect("key.pem", FILE_KIND_private_key, it->type, "PKCS#8", it->curve, it->bits, 1,
		       0);
		expect("key.der", FILE_KIND_private_key, it->type, "PKCS#8", it->curve, it->bits, 1,
		       0);
		expect("pub.pem", FILE_KIND_public_key, it->type, "SPKI", it->curve, it->bits, 0,
		       0);
		expect("pub.der", FILE_KIND_public_key, it->type, "SPKI", it->curve, it->bits, 0,
		       0);
		expect("enc.pem", FILE_KIND_private_key, NULL, "PKCS#8", NULL, 0, 1, 1);
		expect("enc.der", FILE_KIND_private_key, NULL, "PKCS#8", NULL, 0, 1, 1);
	}
}

static void test_traditional_formats_are_told(void **state)
{
	(void)state;
	assert_int_equal(
		sample_run("openssl genrsa -traditional -out rsa.pem 2048;"
			   "openssl rsa -in rsa.pem -traditional -outform DER -out rsa.der;"
			   "openssl rsa -in rsa.pem -RSAPublicKey_out -out rsapub.pem;"
			   "openssl rsa -in rsa.pem -RSAPublicKey_out -outform DER -out rsapub.der;"
			   "openssl rsa -in rsa.pem -traditional -aes128 -passout pass:x -out "
			   "rsaenc.pem;"
			   "openssl ecparam -name secp521r1 -genkey -out ec.pem;"
			   "openssl ec -in ec.pem -outform DER -out ec.der;"
			   "openssl ec -in ec.pem -aes128 -passout pass:x -out ecenc.pem"),
		0);
	expect("rsa.pem", FILE_KIND_private_key, "RSA", "PKCS#1", NULL, 2048, 1, 0);
	expect("rsa.der", FILE_KIND_private_key, "RSA", "PKCS#1", NULL, 2048, 1, 0);
	expect("rsapub.pem", FILE_KIND_public_key, "RSA", "PKCS#1", NULL, 2048, 0, 0);
	expect("rsapub.der", FILE_KIND_public_key, "RSA", "PKCS#1", NULL, 2048, 0, 0);
	expect("rsaenc.pem", FILE_KIND_private_key, "RSA", "PKCS#1", NULL, 0, 1, 1);
	/* With the block of parameters that ecparam writes in front. */
	expect("ec.pem", FILE_KIND_private_key, "EC", "SEC1", "P-521", 521, 1, 0);
	expect("ec.der", FILE_KIND_private_key, "EC", "SEC1", "P-521", 521, 1, 0);
	expect("ecenc.pem", FILE_KIND_private_key, "EC", "SEC1", NULL, 0, 1, 1);
}

static void test_dsa_and_dh_have_the_size_of_their_prime(void **state)
{
	(void)state;
	assert_int_equal(sample_run("openssl dsaparam -out dsap.pem 1024;"
				    "openssl gendsa -out dsa8.pem dsap.pem;"
				    "openssl dsa -in dsa8.pem -out dsa.pem;"
				    "openssl dsa -in dsa8.pem -outform DER -out dsa.der;"
				    "openssl pkcs8 -topk8 -nocrypt -in dsa8.pem -out dsapk8.pem;"
				    "openssl dsa -in dsa8.pem -pubout -out dsapub.pem;"
				    "openssl genpkey -genparam -algorithm DH -pkeyopt "
				    "group:ffdhe3072 -out dh.pem;"
				    "openssl dhparam -in dh.pem -outform DER -out dh.der"),
			 0);
	expect("dsapk8.pem", FILE_KIND_private_key, "DSA", "PKCS#8", NULL, 1024, 1, 0);
	expect("dsapub.pem", FILE_KIND_public_key, "DSA", "SPKI", NULL, 1024, 0, 0);
	expect("dh.pem", FILE_KIND_dh_parameters, "DH", "parameters", NULL, 3072, 0, 0);
	expect("dh.der", FILE_KIND_dh_parameters, "DH", "parameters", NULL, 3072, 0, 0);
}

/* Post-quantum algorithms that libcrypto 3.0 does not have: SubjectPublicKeyInfo by hand. */
static void test_unknown_algorithms_are_told_by_number(void **state)
{
	/* SEQUENCE { SEQUENCE { OID 2.16.840.1.101.3.4.3.18 }, BIT STRING } */
	uint8_t spki[] = { 0x30, 0x11, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
			   0x65, 0x03, 0x04, 0x03, 0x12, 0x03, 0x02, 0x00, 0x55 };
	struct content *content = sample_judge(spki, sizeof(spki), NULL);

	(void)state;
	sample_expect_key(content, "ML-DSA-65", "SPKI", NULL, 0, 0, 0);
	content_free(content);
	spki[14] = 0x7f;
	content = sample_judge(spki, sizeof(spki), NULL);
	sample_expect_key(content, "2.16.840.1.101.3.4.3.127", "SPKI", NULL, 0, 0, 0);
	content_free(content);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pkcs8_and_spki_are_told_as_they_were_made),
		cmocka_unit_test(test_traditional_formats_are_told),
		cmocka_unit_test(test_dsa_and_dh_have_the_size_of_their_prime),
		cmocka_unit_test(test_unknown_algorithms_are_told_by_number),
	};

	return cmocka_run_group_tests(tests, samples_setup, NULL);
}
