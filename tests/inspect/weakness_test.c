/* SPDX-License-Identifier: MIT */
#include "made_certificate.h"

#include "catalogue/files.h"

static void expect(const struct content *content, const char *rule, uint32_t severity,
		   const char *evidence)
{
	const struct finding *finding = sample_finding(content, rule);

	if (!finding)
		fail_msg("no finding '%s'", rule);
	assert_int_equal(finding->severity, severity);
	assert_string_equal(finding->evidence, evidence);
	assert_non_null(finding->why);
	assert_null(finding->file);
	assert_int_equal(finding->processes.count, 0);
}

/* Judges MADE and asserts that there is one finding, or none where RULE is NULL. */
static void expect_only(const struct made *made, const char *name, const char *rule,
			uint32_t severity, const char *evidence)
{
	struct content *content = made_judge(made, name);

	if (rule)
		expect(content, rule, severity, evidence);
	assert_int_equal(content->findings.count, rule != NULL);
	content_free(content);
}

static void test_dates_are_judged(void **state)
{
	struct made made = { .subject = "x",
			     .issuer = "ca",
			     .digest = "SHA256",
			     .curve = "P-256",
			     .begin_days = -10,
			     .end_days = 31 };

	(void)state;
	expect_only(&made, NULL, NULL, 0, NULL);
	made.end_days = 29;
	expect_only(&made, NULL, "certificate_expires_soon", SEVERITY_medium, "29 days left, CN=x");
	made.end_days = -3;
	expect_only(&made, NULL, "certificate_expired", SEVERITY_high, "3 days past its end, CN=x");
	made.end_days = 90;
	made.begin_days = 2;
	expect_only(&made, NULL, "certificate_not_yet_valid", SEVERITY_medium, "CN=x");
}

static void test_short_keys_are_judged(void **state)
{
	struct made made = {
		.subject = "x", .issuer = "ca", .digest = "SHA256", .rsa_bits = 1024, .end_days = 90
	};

	(void)state;
	expect_only(&made, NULL, "rsa_key_short", SEVERITY_high, "RSA-1024, CN=x");
	made.rsa_bits = 2047;
	expect_only(&made, NULL, "rsa_key_short", SEVERITY_high, "RSA-2047, CN=x");
	made.rsa_bits = 1023;
	expect_only(&made, NULL, "rsa_key_broken", SEVERITY_critical, "RSA-1023, CN=x");
	made.rsa_bits = 2048;
	expect_only(&made, NULL, NULL, 0, NULL);
	made.rsa_bits = 0;
	made.curve = "prime192v1";
	expect_only(&made, NULL, "ec_key_short", SEVERITY_high, "EC P-192, CN=x");
	made.curve = "P-224";
	expect_only(&made, NULL, NULL, 0, NULL);
}

static void test_weak_signatures_are_judged(void **state)
{
	struct made made = {
		.subject = "x", .issuer = "ca", .digest = "SHA1", .rsa_bits = 2048, .end_days = 90
	};

	(void)state;
	expect_only(&made, NULL, "sha1_signature", SEVERITY_high, "RSA-SHA1, CN=x");
	made.digest = "MD5";
	expect_only(&made, NULL, "md5_signature", SEVERITY_critical, "RSA-MD5, CN=x");
	/* Nobody checks the signature of a root. */
	made.digest = "SHA1";
	made.issuer = NULL;
	made.is_ca = 1;
	expect_only(&made, NULL, NULL, 0, NULL);
	/* A self-signed certificate that is no root is shown and may be checked. */
	made.is_ca = 0;
	expect_only(&made, NULL, "sha1_signature", SEVERITY_high, "RSA-SHA1, CN=x");
}

static void test_pss_tells_its_digest(void **state)
{
	static const char make[] =
		"openssl req -x509 -nodes -newkey rsa:2048 -sha1 -sigopt rsa_padding_mode:pss"
		" -addext basicConstraints=CA:FALSE -days 90 -subj /CN=x -keyout k -out cert.pem";
	struct content *content = sample_make("cert.pem", make);

	(void)state;
	expect(content, "sha1_signature", SEVERITY_high, "RSASSA-PSS, CN=x");
	content_free(content);
}

static void test_collection_of_authorities_is_judged_mildly(void **state)
{
	struct made made = { .subject = "x",
			     .digest = "SHA256",
			     .curve = "P-256",
			     .is_ca = 1,
			     .begin_days = -20,
			     .end_days = -3 };
	const char *name = "ca-bundle.crt";

	(void)state;
	expect_only(&made, name, "ca_certificate_expired", SEVERITY_low,
		    "3 days past its end, CN=x");
	made.end_days = 3;
	expect_only(&made, name, NULL, 0, NULL);
	made.rsa_bits = 1024;
	expect_only(&made, name, "ca_key_short", SEVERITY_info, "RSA-1024, CN=x");
	made.rsa_bits = 2048;
	made.digest = "MD5";
	expect_only(&made, name, NULL, 0, NULL);
	made.issuer = "other";
	expect_only(&made, name, "ca_signature_weak", SEVERITY_info, "RSA-MD5, CN=x");
}

static void test_dsa_is_judged(void **state)
{
	struct content *content =
		sample_make("dsa.pem", "openssl dsaparam -genkey -noout -out dsa.pem 1024");

	(void)state;
	expect(content, "dsa_key", SEVERITY_medium, "DSA-1024");
	expect(content, "rsa_key_short", SEVERITY_high, "DSA-1024");
	content_free(content);
}

/* Judges the file NAME as one of MODE. */
static struct content *judge_mode(const char *name, uint32_t mode, bool is_public_place)
{
	struct content_stat stat = { .mode = mode, .is_public_place = is_public_place };
	struct content *content;
	size_t size;
	char *bytes = sample_read(name, &size);

	assert_int_equal(
		content_inspect(bytes, size, false, name, &stat, sample_now_ns(), &content), 0);
	free(bytes);
	return content;
}

static void test_access_to_private_keys_is_judged(void **state)
{
	struct content *content;

	(void)state;
	assert_int_equal(sample_run("openssl genpkey -algorithm ed25519 -out k.pem;"
				    "openssl pkey -in k.pem -pubout -out p.pem;"
				    "openssl pkcs8 -topk8 -in k.pem -passout pass:x -out e.pem"),
			 0);
	content = judge_mode("k.pem", 0600, true);
	assert_int_equal(content->findings.count, 0);
	content_free(content);
	content = judge_mode("k.pem", 0644, true);
	assert_int_equal(content->findings.count, 1);
	expect(content, "private_key_readable", SEVERITY_high, "mode 0644");
	content_free(content);
	content = judge_mode("k.pem", 0646, true);
	assert_int_equal(content->findings.count, 2);
	expect(content, "private_key_writable", SEVERITY_critical, "mode 0646");
	content_free(content);
	/* Behind a directory that others may not enter. */
	content = judge_mode("k.pem", 0644, false);
	assert_int_equal(content->findings.count, 0);
	content_free(content);
	content = judge_mode("e.pem", 0644, true);
	assert_int_equal(content->findings.count, 0);
	content_free(content);
	content = judge_mode("e.pem", 0602, true);
	expect(content, "private_key_writable", SEVERITY_critical, "mode 0602");
	content_free(content);
	content = judge_mode("p.pem", 0666, true);
	assert_int_equal(content->findings.count, 0);
	content_free(content);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dates_are_judged),
		cmocka_unit_test(test_short_keys_are_judged),
		cmocka_unit_test(test_weak_signatures_are_judged),
		cmocka_unit_test(test_pss_tells_its_digest),
		cmocka_unit_test(test_collection_of_authorities_is_judged_mildly),
		cmocka_unit_test(test_dsa_is_judged),
		cmocka_unit_test(test_access_to_private_keys_is_judged),
	};

	return cmocka_run_group_tests(tests, samples_setup, NULL);
}
