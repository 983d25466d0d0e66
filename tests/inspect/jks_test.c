/* SPDX-License-Identifier: MIT */
#include "samples.h"

#include "catalogue/files.h"

#define KEYTOOL                                                                                    \
	"keytool -genkeypair -alias a -keyalg RSA -keysize 2048 -dname CN=java -storepass secret"  \
	" -keypass secret -validity 90 "

/* An entry of a certificate that is four bytes of nothing, by hand. */
static const uint8_t damaged[] = { 0xfe, 0xed, 0xfe, 0xed, 0,	0,   0, 2, 0, 0, 0, 1, 0, 0,
				   0,	 2,    0,    1,	   'a', 0,   0, 0, 0, 0, 0, 0, 0, 0,
				   5,	 'X',  '.',  '5',  '0', '9', 0, 0, 0, 4, 1, 2, 3, 4 };

static void expect_store(const char *script, const char *name, uint32_t kind, const char *format)
{
	struct content *content = sample_make(name, script);
	char *fingerprint = sample_output("openssl x509 -in a.pem -noout -fingerprint -sha256 |"
					  " sed 's/.*=//; s/://g' | tr A-F a-f");

	assert_int_equal(content->type, FILE_TYPE_keystore);
	assert_int_equal(content->kind, kind);
	assert_string_equal(content->format, format);
	sample_expect_key(content, "RSA", format, NULL, 2048, 1, 1);
	assert_int_equal(content->certificates.count, 1);
	assert_string_equal(sample_certificate(content, 0)->subject, "CN=java");
	assert_string_equal(sample_certificate(content, 0)->fingerprint_sha256, fingerprint);
	assert_null(content->note);
	free(fingerprint);
	content_free(content);
}

static void test_keystores_of_java_are_told_without_password(void **state)
{
	(void)state;
	if (!sample_has("keytool"))
		skip();
	expect_store(KEYTOOL "-storetype JKS -keystore k.jks; keytool -exportcert -alias a -rfc"
			     " -storetype JKS -keystore k.jks -storepass secret > a.pem",
		     "k.jks", FILE_KIND_jks, "JKS");
	expect_store(KEYTOOL "-storetype JCEKS -keystore k.jceks; keytool -exportcert -alias a -rfc"
			     " -storetype JCEKS -keystore k.jceks -storepass secret > a.pem",
		     "k.jceks", FILE_KIND_jceks, "JCEKS");
}

static void test_secret_key_ends_what_is_told(void **state)
{
	struct content *content;

	(void)state;
	if (!sample_has("keytool"))
		skip();
	content = sample_make(
		"s.jceks", "keytool -genseckey -alias s -keyalg AES -keysize 128 -storetype JCEKS"
			   " -keystore s.jceks -storepass secret -keypass secret");
	sample_expect_key(content, NULL, "JCEKS", NULL, 0, 1, 1);
	assert_string_equal(content->note, "holds a secret key: entries behind it are not told");
	content_free(content);
}

static void test_damage_is_told(void **state)
{
	struct content *content = sample_judge(damaged, sizeof(damaged), NULL);

	(void)state;
	assert_int_equal(content->kind, FILE_KIND_jks);
	assert_string_equal(content->note, "damaged: a certificate cannot be read");
	assert_int_equal(content->certificates.count, 0);
	content_free(content);
	for (size_t size = 12; size < sizeof(damaged); size++) {
		content = sample_judge(damaged, size, NULL);
		assert_int_equal(content->kind, FILE_KIND_jks);
		assert_string_equal(content->note, "damaged: an entry cannot be read");
		content_free(content);
	}
}

static void test_unknown_version_is_no_keystore(void **state)
{
	uint8_t bytes[sizeof(damaged)];
	struct content *content;

	(void)state;
	memcpy(bytes, damaged, sizeof(bytes));
	bytes[7] = 3;
	content = sample_judge(bytes, sizeof(bytes), NULL);
	assert_int_equal(content->kind, FILE_KIND_unknown);
	content_free(content);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keystores_of_java_are_told_without_password),
		cmocka_unit_test(test_secret_key_ends_what_is_told),
		cmocka_unit_test(test_damage_is_told),
		cmocka_unit_test(test_unknown_version_is_no_keystore),
	};

	return cmocka_run_group_tests(tests, samples_setup, NULL);
}
