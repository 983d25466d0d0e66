/* SPDX-License-Identifier: MIT */
#include "samples.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "catalogue/files.h"
#include "inspect/der.h"
#include "inspect/judge.h"
#include "inspect/pem.h"

static void test_blocks_are_found_between_other_text(void **state)
{
	static const char text[] = "-----\n-----BEGIN\nsubject=-----BEGIN A-----\n"
				   "-----BEGIN A B-----  \r\nProc-Type: 4,ENCRYPTED\r\n"
				   "DEK-Info: AES-128-CBC,00\r\n folded\r\n\r\nQUJD\r\n"
				   "-----END A B-----\r\ntext\n-----BEGIN C-----\n-----END D-----\n"
				   "-----BEGIN E-----\nQQ==";
	const char *guarded = guard_copy(text, sizeof(text) - 1);
	const char *at = guarded, *end = guarded + sizeof(text) - 1;
	struct pem_block block;

	(void)state;
	assert_true(pem_next(&at, end, &block));
	assert_int_equal(block.label_size, 3);
	assert_memory_equal(block.label, "A B", 3);
	assert_true(block.is_encrypted);
	assert_true(block.is_whole);
	assert_int_equal(block.body_size, 6);
	assert_memory_equal(block.body, "QUJD\r\n", 6);
	assert_true(pem_next(&at, end, &block));
	assert_memory_equal(block.label, "C", 1);
	assert_false(block.is_whole);
	assert_true(pem_next(&at, end, &block));
	assert_memory_equal(block.label, "E", 1);
	assert_false(block.is_whole);
	assert_int_equal(block.body_size, 4);
	assert_false(pem_next(&at, end, &block));
	guard_free(guarded, sizeof(text) - 1);
}

static void expect_note(const char *text, uint32_t kind, const char *note)
{
	struct content *content = sample_judge(text, strlen(text), NULL);

	assert_int_equal(content->kind, kind);
	assert_string_equal(content->note, note);
	content_free(content);
}

static void test_damage_is_told(void **state)
{
	(void)state;
	expect_note("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
		    FILE_KIND_unknown, "damaged: a block cannot be read");
	expect_note("-----BEGIN CERTIFICATE-----\nMIIB\n", FILE_KIND_unknown,
		    "damaged: a block has no end");
	expect_note("-----BEGIN PRIVATE KEY-----\n????\n-----END PRIVATE KEY-----\n",
		    FILE_KIND_private_key, "damaged: a block cannot be read");
}

static void test_other_private_keys_are_private_keys(void **state)
{
	static const char text[] =
		"-----BEGIN NEW PRIVATE KEY-----\nAAAA\n-----END NEW PRIVATE KEY-----";
	struct content *content = sample_judge(text, sizeof(text) - 1, NULL);

	(void)state;
	assert_int_equal(content->kind, FILE_KIND_private_key);
	sample_expect_key(content, NULL, "PEM", NULL, 0, 1, 0);
	content_free(content);
}

static void test_certificate_and_key_are_a_private_key(void **state)
{
	struct content *content = sample_make(
		"both.pem",
		"openssl req -x509 -nodes -newkey ed25519 -subj /CN=x -days 90 -keyout k"
		" -out c; cat c k > both.pem");

	(void)state;
	assert_int_equal(content->type, FILE_TYPE_private_key);
	assert_int_equal(content->kind, FILE_KIND_private_key);
	assert_int_equal(content->certificates.count, 1);
	sample_expect_key(content, "Ed25519", "PKCS#8", NULL, 256, 1, 0);
	content_free(content);
}

/* Asserts that TEXT, or a struct, has no eight bytes in a row of SECRET. */
static void expect_without(const void *bytes, size_t size, const unsigned char *secret,
			   int secret_size)
{
	for (int i = 0; bytes && i + 8 <= secret_size; i++)
		assert_null(memmem(bytes, size, secret + i, 8));
}

static void expect_text_without(const char *text, const unsigned char *secret, int secret_size)
{
	expect_without(text, text ? strlen(text) : 0, secret, secret_size);
}

/* Judges the PEM of KEY and looks for its secret NUMBER in all that the content reaches. */
static void expect_unknown(EVP_PKEY *key, const char *number, bool is_traditional)
{
	BIO *bio = BIO_new(BIO_s_mem());
	unsigned char secret[1024];
	struct content *content;
	const struct key *told;
	BIGNUM *value = NULL;
	char *text;
	long size;
	int secret_size;

	assert_int_equal(EVP_PKEY_get_bn_param(key, number, &value), 1);
	secret_size = BN_bn2bin(value, secret);
	BN_free(value);
	assert_int_equal(
		is_traditional
			? PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL)
			: PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL),
		1);
	size = BIO_get_mem_data(bio, &text);
	content = sample_judge(text, (size_t)size, "k.pem");
	assert_int_equal(content->keys.count, 1);
	assert_int_equal(content->certificates.count, 0);
	assert_int_equal(content->findings.count, EVP_PKEY_is_a(key, "RSA"));
	told = sample_key(content, 0);
	/* The judge, of which the content is the first member, and all of its texts. */
	expect_without(content, sizeof(struct judge), secret, secret_size);
	expect_without(told, sizeof(*told), secret, secret_size);
	expect_text_without(told->type, secret, secret_size);
	expect_text_without(told->format, secret, secret_size);
	expect_text_without(told->curve, secret, secret_size);
	expect_text_without(content->format, secret, secret_size);
	expect_text_without(content->note, secret, secret_size);
	if (content->findings.count)
		expect_text_without(((const struct finding *)content->findings.items)->evidence,
				    secret, secret_size);
	content_free(content);
	BIO_free(bio);
}

static void test_no_secret_number_is_kept(void **state)
{
	EVP_PKEY *rsa = EVP_RSA_gen(1024), *ec = EVP_EC_gen("P-256");

	(void)state;
	expect_unknown(rsa, OSSL_PKEY_PARAM_RSA_D, false);
	expect_unknown(rsa, OSSL_PKEY_PARAM_RSA_D, true);
	expect_unknown(rsa, OSSL_PKEY_PARAM_RSA_FACTOR1, true);
	expect_unknown(ec, OSSL_PKEY_PARAM_PRIV_KEY, false);
	expect_unknown(ec, OSSL_PKEY_PARAM_PRIV_KEY, true);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec);
}

/* Hostile repetition: these take no more than some milliseconds each. */
static void test_one_mebibyte_of_anything_takes_little_time(void **state)
{
	static const char *const pieces[] = {
		"-----BEGIN ",
		"-----BEGIN CERTIFICATE-----\n",
		"-----",
		"\n",
		"-----BEGIN A-----\n\n",
		"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
		"0\x80",
		"$\x80",
		"ssh-rsa ",
		"ssh-rsa AAAA\n",
		"\"",
		"AGE-PLUGIN-\n",
		"\xc6\x01\x04",
		"\x99",
		"a:b\n",
		"-----BEGIN X509 CRL-----\n0000000000000000000000000000\n",
	};
	struct timespec begin, end;

	(void)state;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		size_t size = strlen(pieces[i]);
		char *bytes = malloc(CONTENT_SIZE_MAX);

		for (size_t at = 0; at < CONTENT_SIZE_MAX; at++)
			bytes[at] = pieces[i][at % size];
		content_free(sample_judge(bytes, CONTENT_SIZE_MAX, NULL));
		free(bytes);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	/* All of them; a quadratic one alone would take minutes. */
	assert_true(end.tv_sec - begin.tv_sec < 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks_are_found_between_other_text),
		cmocka_unit_test(test_damage_is_told),
		cmocka_unit_test(test_other_private_keys_are_private_keys),
		cmocka_unit_test(test_certificate_and_key_are_a_private_key),
		cmocka_unit_test(test_no_secret_number_is_kept),
		cmocka_unit_test(test_one_mebibyte_of_anything_takes_little_time),
	};

	return cmocka_run_group_tests(tests, samples_setup, NULL);
}
