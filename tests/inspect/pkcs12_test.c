/* SPDX-License-Identifier: MIT */
#include "samples.h"

#include "catalogue/files.h"

#define EXPORT "openssl pkcs12 -export -in c.pem -inkey k.pem -passout pass:x -out "

static int setup(void **state)
{
	if (samples_setup(state))
		return -1;
	return sample_run("openssl req -x509 -nodes -newkey rsa:2048 -subj /CN=twelve -days 90"
			  " -keyout k.pem -out c.pem");
}

static struct content *judge(const char *script)
{
	struct content *content = sample_make("s.p12", script);

	assert_int_equal(content->type, FILE_TYPE_keystore);
	assert_int_equal(content->kind, FILE_KIND_pkcs12);
	assert_string_equal(content->format, "PKCS#12");
	return content;
}

static void test_encrypted_parts_are_counted(void **state)
{
	struct content *content = judge(EXPORT "s.p12");

	(void)state;
	sample_expect_key(content, NULL, "PKCS#12", NULL, 0, 1, 1);
	assert_int_equal(content->certificates.count, 0);
	assert_string_equal(content->note, "encrypted: 1 of 2 parts cannot be looked into");
	content_free(content);
}

static void test_plain_certificates_are_told(void **state)
{
	struct content *content = judge(EXPORT "s.p12 -certpbe NONE");

	(void)state;
	sample_expect_key(content, NULL, "PKCS#12", NULL, 0, 1, 1);
	assert_string_equal(sample_certificate(content, 0)->subject, "CN=twelve");
	assert_null(content->note);
	content_free(content);
}

static void test_plain_key_is_told_as_such(void **state)
{
	struct content *content = judge(EXPORT "s.p12 -certpbe NONE -keypbe NONE");

	(void)state;
	sample_expect_key(content, "RSA", "PKCS#12", NULL, 2048, 1, 0);
	content_free(content);
}

/* NSS writes indefinite lengths and strings in pieces. */
static void test_pieces_of_indefinite_length_are_read(void **state)
{
	struct content *content;

	(void)state;
	if (!sample_has("pk12util"))
		skip();
	content = judge(EXPORT
			"k.p12 -name n; mkdir -p db; certutil -N -d sql:db --empty-password;"
			"pk12util -d sql:db -i k.p12 -W x; pk12util -d sql:db -o s.p12 -n n -W x");
	sample_expect_key(content, NULL, "PKCS#12", NULL, 0, 1, 1);
	assert_string_equal(content->note, "encrypted: 1 of 2 parts cannot be looked into");
	content_free(content);
	content = sample_inspect("db/key4.db");
	assert_int_equal(content->kind, FILE_KIND_nss_database);
	assert_int_equal(content->type, FILE_TYPE_keystore);
	assert_string_equal(content->format, "SQLite");
	content_free(content);
	content = sample_inspect("db/cert9.db");
	assert_int_equal(content->kind, FILE_KIND_nss_database);
	content_free(content);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encrypted_parts_are_counted),
		cmocka_unit_test(test_plain_certificates_are_told),
		cmocka_unit_test(test_plain_key_is_told_as_such),
		cmocka_unit_test(test_pieces_of_indefinite_length_are_read),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
