/* SPDX-License-Identifier: MIT */
#include "made_certificate.h"

#include "catalogue/files.h"

#define CERTIFICATE(common, by, ca)                                                                \
	(&(struct made){ .subject = (common),                                                      \
			 .issuer = (by),                                                           \
			 .digest = "SHA256",                                                       \
			 .curve = "P-256",                                                         \
			 .end_days = 90,                                                           \
			 .is_ca = (ca) })

static void expect(const struct content *content, uint32_t kind, const char *chain)
{
	const char *at = chain;

	assert_int_equal(content->kind, kind);
	assert_int_equal(content->type, FILE_TYPE_certificate);
	for (size_t i = 0; i < content->certificates.count; i++) {
		assert_string_equal(sample_certificate(content, i)->chain, at);
		assert_int_equal(sample_certificate(content, i)->position, i);
		at += strlen(at) + 1;
	}
	assert_string_equal(at, "");
}

static void test_chain_with_its_root_has_places(void **state)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct content *content;

	(void)state;
	made_append(bio, CERTIFICATE("host", "middle", 0));
	made_append(bio, CERTIFICATE("middle", "top", 1));
	made_append(bio, CERTIFICATE("top", NULL, 1));
	content = made_judge_pem(bio, "fullchain.pem");
	expect(content, FILE_KIND_certificate_chain, "leaf\0intermediate\0root\0");
	assert_true(sample_certificate(content, 2)->is_self_signed);
	assert_true(sample_certificate(content, 1)->is_ca);
	assert_false(sample_certificate(content, 0)->is_ca);
	content_free(content);
}

static void test_chain_without_root_ends_in_an_intermediate(void **state)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct content *content;

	(void)state;
	made_append(bio, CERTIFICATE("host", "middle", 0));
	made_append(bio, CERTIFICATE("middle", "top", 1));
	content = made_judge_pem(bio, NULL);
	expect(content, FILE_KIND_certificate_chain, "leaf\0intermediate\0");
	content_free(content);
}

static void test_unrelated_certificates_are_alone(void **state)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct content *content;

	(void)state;
	made_append(bio, CERTIFICATE("a", "top", 0));
	made_append(bio, CERTIFICATE("b", "top", 0));
	made_append(bio, CERTIFICATE("c", NULL, 0));
	content = made_judge_pem(bio, NULL);
	expect(content, FILE_KIND_certificate, "alone\0alone\0alone\0");
	content_free(content);
}

static void test_roots_alone_are_a_bundle(void **state)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct content *content;

	(void)state;
	made_append(bio, CERTIFICATE("a", NULL, 1));
	made_append(bio, CERTIFICATE("b", NULL, 1));
	made_append(bio, CERTIFICATE("c", "b", 1));
	content = made_judge_pem(bio, NULL);
	expect(content, FILE_KIND_ca_bundle, "root\0root\0intermediate\0");
	content_free(content);
}

static void test_name_decides_for_one_authority(void **state)
{
	struct content *content = made_judge(CERTIFICATE("a", NULL, 1), "/etc/ssl/ca-bundle.crt");

	(void)state;
	expect(content, FILE_KIND_ca_bundle, "root\0");
	content_free(content);
	content = made_judge(CERTIFICATE("a", NULL, 1), "/etc/ssl/certs/0123abcd.0");
	expect(content, FILE_KIND_hashed_certificate, "root\0");
	content_free(content);
	content = made_judge(CERTIFICATE("a", NULL, 1), "/etc/ssl/my.crt");
	expect(content, FILE_KIND_certificate, "root\0");
	content_free(content);
	/* A name makes no authority. */
	content = made_judge(CERTIFICATE("a", "b", 0), "/etc/ssl/ca-bundle.crt");
	expect(content, FILE_KIND_certificate, "alone\0");
	content_free(content);
}

static void test_version_one_root_counts_as_an_authority(void **state)
{
	struct made made = *CERTIFICATE("old", NULL, 0);
	BIO *bio = BIO_new(BIO_s_mem());
	struct content *content;

	(void)state;
	made.is_version_1 = 1;
	made_append(bio, &made);
	made_append(bio, CERTIFICATE("new", NULL, 1));
	content = made_judge_pem(bio, NULL);
	expect(content, FILE_KIND_ca_bundle, "root\0root\0");
	assert_false(sample_certificate(content, 0)->is_ca);
	content_free(content);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chain_with_its_root_has_places),
		cmocka_unit_test(test_chain_without_root_ends_in_an_intermediate),
		cmocka_unit_test(test_unrelated_certificates_are_alone),
		cmocka_unit_test(test_roots_alone_are_a_bundle),
		cmocka_unit_test(test_name_decides_for_one_authority),
		cmocka_unit_test(test_version_one_root_counts_as_an_authority),
	};

	return cmocka_run_group_tests(tests, samples_setup, NULL);
}
