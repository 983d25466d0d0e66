/* SPDX-License-Identifier: MIT */
#include "made_certificate.h"

#include "inspect/x509_names.h"

/* The name of one attribute, as TYPE (V_ASN1_...). */
static const char *text_of(struct judge *judge, const char *attribute, int type, const void *bytes,
			   int size)
{
	X509_NAME *name = X509_NAME_new();
	const char *text;

	assert_int_equal(X509_NAME_add_entry_by_txt(name, attribute, type, bytes, size, -1, 0), 1);
	text = x509_name_text(judge, name);
	X509_NAME_free(name);
	return text;
}

static void test_names_are_escaped_as_the_standard_says(void **state)
{
	struct judge *judge = judge_new(0, false);

	(void)state;
	/* RFC 4514, 2.4 and 4 */
	assert_string_equal(text_of(judge, "CN", V_ASN1_UTF8STRING, "James \"Jim\" Smith, III", -1),
			    "CN=James \\\"Jim\\\" Smith\\, III");
	assert_string_equal(text_of(judge, "CN", V_ASN1_UTF8STRING, "Before\rAfter", -1),
			    "CN=Before\\0DAfter");
	assert_string_equal(text_of(judge, "CN", V_ASN1_UTF8STRING, "Lu\xc4\x8di\xc4\x87", -1),
			    "CN=Lu\xc4\x8di\xc4\x87");
	assert_string_equal(text_of(judge, "CN", V_ASN1_UTF8STRING, "a\0b", 3), "CN=a\\00b");
	assert_string_equal(text_of(judge, "1.2.3.4", V_ASN1_UTF8STRING, "x", -1),
			    "1.2.3.4=#0C0178");
	judge_free(judge);
}

static void test_other_string_types_become_utf8(void **state)
{
	struct judge *judge = judge_new(0, false);

	(void)state;
	assert_string_equal(text_of(judge, "CN", V_ASN1_BMPSTRING, "\x00\x42\x00\xfc", 4),
			    "CN=B\xc3\xbc");
	assert_string_equal(text_of(judge, "CN", V_ASN1_T61STRING, "B\xfc", 2), "CN=B\xc3\xbc");
	judge_free(judge);
}

static void test_empty_name_is_empty_text(void **state)
{
	struct judge *judge = judge_new(0, false);
	X509_NAME *name = X509_NAME_new();

	(void)state;
	assert_string_equal(x509_name_text(judge, name), "");
	X509_NAME_free(name);
	judge_free(judge);
}

/* The alternative names of a certificate whose extension is DER. */
static const char *sans_of(struct judge *judge, const void *der, int size, size_t *ret_size)
{
	X509 *x509 = X509_new();
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension;
	const char *sans;

	ASN1_OCTET_STRING_set(value, der, size);
	extension = X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0, value);
	X509_add_ext(x509, extension, -1);
	sans = x509_sans_text(judge, x509, ret_size);
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(value);
	X509_free(x509);
	return sans;
}

static void test_hostile_alternative_names_stay_apart(void **state)
{
	/* DNS "a\0b", DNS "\xff", IP of three octets, directoryName {} */
	static const unsigned char der[] = { 0x30, 0x11, 0x82, 3, 'a', 0,    'b', 0x82, 1, 0xff,
					     0x87, 3,	 1,    2, 3,   0xa4, 2,	  0x30, 0 };
	static const char expected[] = "DNS:a\\00b\0DNS:\xef\xbf\xbd\0IP:invalid\0othername";
	struct judge *judge = judge_new(0, false);
	size_t size = 0;
	const char *sans = sans_of(judge, der, sizeof(der), &size);

	(void)state;
	assert_int_equal(size, sizeof(expected) - 1);
	assert_memory_equal(sans, expected, size);
	assert_null(sans_of(judge, der, 3, &size));
	judge_free(judge);
}

static void test_list_of_names_is_limited(void **state)
{
	enum {
		COUNT = 30000
	};
	unsigned char *der = malloc(5 + 3 * COUNT);
	struct judge *judge = judge_new(0, false);
	const char *sans;
	size_t size = 0;

	(void)state;
	/* SEQUENCE with three octets of length. */
	memcpy(der, "\x30\x83\x01\x5f\x90", 5);
	for (int i = 0; i < COUNT; i++)
		memcpy(der + 5 + 3 * i, "\x82\x01x", 3);
	sans = sans_of(judge, der, 5 + 3 * COUNT, &size);
	assert_in_range(size, JUDGE_LIST_MAX - 8, JUDGE_LIST_MAX);
	assert_string_equal(sans, "DNS:x");
	assert_string_equal(sans + size - 5, "DNS:x");
	judge_free(judge);
	free(der);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_are_escaped_as_the_standard_says),
		cmocka_unit_test(test_other_string_types_become_utf8),
		cmocka_unit_test(test_empty_name_is_empty_text),
		cmocka_unit_test(test_hostile_alternative_names_stay_apart),
		cmocka_unit_test(test_list_of_names_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
