/* SPDX-License-Identifier: MIT */
#include "samples.h"

#include "catalogue/files.h"

static int setup(void **state)
{
	if (samples_setup(state))
		return -1;
	return sample_run(
		"openssl req -x509 -nodes -newkey rsa:2048 -subj /CN=ca -days 90 -keyout k.pem"
		" -out ca.pem; openssl req -new -key k.pem -subj /CN=req -out r.pem;"
		"openssl req -in r.pem -outform DER -out r.der;"
		"touch index.txt; echo 01 > number;"
		"printf '[ca]\\ndefault_ca=d\\n[d]\\ndatabase=index.txt\\ncrlnumber=number\\n"
		"default_md=sha256\\ndefault_crl_days=9\\n' > ca.cnf;"
		"openssl ca -config ca.cnf -gencrl -cert ca.pem -keyfile k.pem -out l.pem;"
		"openssl crl -in l.pem -outform DER -out l.der;"
		"openssl crl2pkcs7 -nocrl -certfile ca.pem -out p.pem;"
		"openssl crl2pkcs7 -nocrl -certfile ca.pem -outform DER -out p.der;"
		"openssl x509 -in ca.pem -outform DER -out c.der;"
		"openssl x509 -in ca.pem -trustout -out t.pem;"
		"openssl x509 -in ca.pem -text -out x.pem; sed 's/$/\\r/' ca.pem > crlf.pem;"
		"openssl smime -sign -in ca.cnf -signer ca.pem -inkey k.pem -outform DER -out "
		"s.der;"
		"openssl smime -encrypt -in ca.cnf -aes128 -outform PEM -out e.pem ca.pem");
}

static void expect(const char *name, uint32_t type, uint32_t kind, size_t nr_certificates)
{
	struct content *content = sample_inspect(name);

	assert_int_equal(content->type, type);
	assert_int_equal(content->kind, kind);
	assert_string_equal(content->format, strstr(name, ".der") ? "DER" : "PEM");
	assert_int_equal(content->certificates.count, nr_certificates);
	assert_null(content->note);
	content_free(content);
}

static void test_structures_are_told_in_both_encodings(void **state)
{
	(void)state;
	expect("ca.pem", FILE_TYPE_certificate, FILE_KIND_certificate, 1);
	expect("t.pem", FILE_TYPE_certificate, FILE_KIND_certificate, 1);
	expect("x.pem", FILE_TYPE_certificate, FILE_KIND_certificate, 1);
	expect("crlf.pem", FILE_TYPE_certificate, FILE_KIND_certificate, 1);
	expect("c.der", FILE_TYPE_certificate, FILE_KIND_certificate, 1);
	expect("r.pem", FILE_TYPE_unknown, FILE_KIND_csr, 0);
	expect("r.der", FILE_TYPE_unknown, FILE_KIND_csr, 0);
	expect("l.pem", FILE_TYPE_unknown, FILE_KIND_crl, 0);
	expect("l.der", FILE_TYPE_unknown, FILE_KIND_crl, 0);
	expect("p.pem", FILE_TYPE_certificate, FILE_KIND_pkcs7, 1);
	expect("p.der", FILE_TYPE_certificate, FILE_KIND_pkcs7, 1);
	expect("s.der", FILE_TYPE_unknown, FILE_KIND_cms_message, 1);
	expect("e.pem", FILE_TYPE_unknown, FILE_KIND_cms_message, 0);
}

static void test_request_has_its_key(void **state)
{
	struct content *content = sample_inspect("r.der");

	(void)state;
	sample_expect_key(content, "RSA", "PKCS#10", NULL, 2048, 0, 0);
	content_free(content);
}

static void test_long_revocation_list_is_known_by_its_beginning(void **state)
{
	struct content *content;
	size_t size;
	char *bytes = sample_read("l.der", &size);

	(void)state;
	assert_int_equal(content_inspect(bytes, size - 100, true, NULL, NULL, 0, &content), 0);
	assert_int_equal(content->kind, FILE_KIND_crl);
	assert_string_equal(content->note, "cut: the file is longer than what is read");
	content_free(content);
	free(bytes);
}

/* Beginning like ASN.1 but of no shape that is known. */
static void test_other_structures_are_unknown(void **state)
{
	static const uint8_t pair[] = { 0x30, 0x06, 0x02, 0x01, 0x05, 0x02, 0x01, 0x03 };
	struct content *content = sample_judge(pair, sizeof(pair), NULL);

	(void)state;
	assert_int_equal(content->kind, FILE_KIND_unknown);
	assert_string_equal(content->note, "the content is of no known format");
	content_free(content);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_structures_are_told_in_both_encodings),
		cmocka_unit_test(test_request_has_its_key),
		cmocka_unit_test(test_long_revocation_list_is_known_by_its_beginning),
		cmocka_unit_test(test_other_structures_are_unknown),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
