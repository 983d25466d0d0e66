/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "catalogue/files.h"
#include "lib/array.h"
#include "support/guard.h"

#define NOTHING NULL, NULL

/* What the catalogue should say of PATH; both names NULL: nothing. */
struct expectation {
	const char *path;
	const char *type;
	const char *kind;
};

static void expectation_check(const struct expectation *expected, const char *path)
{
	size_t size = strlen(path);
	const struct file_class *class = file_classify(guard_copy(path, size), size);

	if (!expected->type) {
		if (class)
			fail_msg("'%s' is not in the catalogue, classified as %s", path,
				 code_name(&file_kind_codes, class->kind));
		return;
	}
	if (!class)
		fail_msg("'%s' should be %s", path, expected->kind);
	if (strcmp(code_name(&file_type_codes, class->type), expected->type) ||
	    strcmp(code_name(&file_kind_codes, class->kind), expected->kind))
		fail_msg("'%s' should be %s/%s, is %s/%s", path, expected->type, expected->kind,
			 code_name(&file_type_codes, class->type),
			 code_name(&file_kind_codes, class->kind));
}

static void expectations_check(const struct expectation *expected, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		expectation_check(&expected[i], expected[i].path);
}

static void test_specified_extensions_have_the_specified_types(void **state)
{
	static const struct expectation expected[] = {
		{ "/etc/nginx/server.crt", "certificate", "certificate" },
		{ "/etc/nginx/server.pem", "certificate", "certificate" },
		{ "/etc/nginx/server.cer", "certificate", "certificate" },
		{ "/etc/nginx/server.der", "certificate", "certificate" },
		{ "/etc/nginx/server.key", "private_key", "private_key" },
		{ "/etc/app/id.p12", "keystore", "pkcs12" },
		{ "/etc/app/id.pfx", "keystore", "pkcs12" },
		{ "/etc/app/id.jks", "keystore", "jks" },
		{ "/etc/app/id.keystore", "keystore", "java_keystore" },
		{ "/root/.keystore", "keystore", "java_keystore" },
		{ "/etc/app/client.csr", "unknown", "csr" },
		{ "/etc/app/ca.crl", "unknown", "crl" },
	};

	(void)state;
	expectations_check(expected, ARRAY_SIZE(expected));
}

static void test_pem_is_a_key_when_its_base_name_says_key(void **state)
{
	static const struct expectation expected[] = {
		{ "/etc/letsencrypt/live/x/privkey.pem", "private_key", "private_key" },
		{ "/etc/letsencrypt/live/x/cert.pem", "certificate", "certificate" },
		{ "/etc/letsencrypt/live/x/fullchain.pem", "certificate", "certificate_chain" },
		{ "KEY.PEM", "private_key", "private_key" },
		{ "server-Key-2.pem", "private_key", "private_key" },
		{ "/etc/keys/server.pem", "certificate", "certificate" },
		{ "/etc/ssl/ke.pem", "certificate", "certificate" },
		{ "/etc/ssl/pubkey.pem", "unknown", "public_key" },
		{ "/etc/ssl/dhparam.pem", "unknown", "dh_parameters" },
		{ "/etc/nginx/mykey.crt", "certificate", "certificate" },
	};

	(void)state;
	expectations_check(expected, ARRAY_SIZE(expected));
}

static void test_ssh_names_are_known(void **state)
{
	static const struct expectation expected[] = {
		{ "/home/a/.ssh/id_rsa", "private_key", "ssh_private_key" },
		{ "id_rsa", "private_key", "ssh_private_key" },
		{ "/home/a/.ssh/id_ed25519_sk", "private_key", "ssh_private_key" },
		{ "/home/a/.ssh/id_rsa.pub", "unknown", "ssh_public_key" },
		{ "/home/a/.ssh/id_rsa-cert.pub", "unknown", "ssh_certificate" },
		{ "/etc/ssh/ssh_host_ed25519_key", "private_key", "ssh_host_key" },
		{ "/etc/ssh/ssh_host_ed25519_key.pub", "unknown", "ssh_public_key" },
		{ "/etc/ssh/ssh_host_rsa_key-cert.pub", "unknown", "ssh_certificate" },
		{ "/etc/ssh/sshd_config", "unknown", "ssh_config" },
		{ "/root/.ssh/config", "unknown", "ssh_config" },
		{ ".ssh/config", "unknown", "ssh_config" },
		{ "/root/.ssh/authorized_keys", "unknown", "ssh_authorized_keys" },
		{ "/root/.ssh/known_hosts", "unknown", "ssh_known_hosts" },
		{ "/home/a/putty.ppk", "private_key", "ssh_private_key" },
		{ "/home/a/xid_rsa", NOTHING },
		{ "/home/a/id_rsa/notes", NOTHING },
		{ "/home/a/id_rsa.bak", NOTHING },
		{ "/home/a/x.ssh/config", NOTHING },
		{ "/home/a/xssh_host_rsa_key", NOTHING },
		{ "/etc/app/config", NOTHING },
	};

	(void)state;
	expectations_check(expected, ARRAY_SIZE(expected));
}

static void test_trust_stores_and_databases_are_known(void **state)
{
	static const struct expectation expected[] = {
		{ "/etc/ssl/certs/ca-certificates.crt", "certificate", "ca_bundle" },
		{ "/etc/pki/tls/certs/ca-bundle.crt", "certificate", "ca_bundle" },
		{ "/etc/ssl/cert.pem", "certificate", "ca_bundle" },
		{ "/etc/ssl/certs/3e45d192.0", "certificate", "hashed_certificate" },
		{ "3E45D192.12", "certificate", "hashed_certificate" },
		{ "/etc/ssl/crl/3e45d192.r0", "unknown", "hashed_crl" },
		{ "/etc/ssl/crl/3e45d192.R10", "unknown", "hashed_crl" },
		{ "/etc/ssl/certs/3e45d192", NOTHING },
		{ "/etc/ssl/certs/3e45d192.", NOTHING },
		{ "/etc/ssl/certs/3e45d19g.0", NOTHING },
		{ "/etc/ssl/certs/x3e45d192.0", NOTHING },
		{ "/etc/ssl/certs/e45d192.0", NOTHING },
		{ "/etc/ssl/certs/3e45d192.100", NOTHING },
		{ "/etc/ssl/certs/3e45d192.r", NOTHING },
		{ "/etc/ssl/certs/3e45d192.s1", NOTHING },
		{ "/usr/lib/jvm/x/lib/security/cacerts", "keystore", "java_truststore" },
		{ "/home/a/.pki/nssdb/cert9.db", "keystore", "nss_database" },
		{ "/home/a/.pki/nssdb/pkcs11.txt", "unknown", "nss_database" },
		{ "/var/lib/app/history.db", NOTHING },
		{ "/etc/krb5.keytab", "keystore", "keytab" },
		{ "/home/a/passwords.kdbx", "keystore", "password_database" },
	};

	(void)state;
	expectations_check(expected, ARRAY_SIZE(expected));
}

static void test_openpgp_names_depend_on_their_directory(void **state)
{
	static const struct expectation expected[] = {
		{ "/root/.gnupg/private-keys-v1.d/0A.key", "private_key", "pgp_private_key" },
		{ "private-keys-v1.d/0A.key", "private_key", "pgp_private_key" },
		{ "/root/xprivate-keys-v1.d/0A.key", "private_key", "private_key" },
		{ "/root/.gnupg/pubring.kbx", "unknown", "pgp_keyring" },
		{ "/root/.gnupg/trustdb.gpg", "unknown", "pgp_trustdb" },
		{ "/etc/apt/trusted.gpg.d/a.asc", "unknown", "pgp_keyring" },
		{ "/usr/share/keyrings/a.gpg", "unknown", "pgp_keyring" },
		{ "/x/debian-archive-keyring.gpg", "unknown", "pgp_keyring" },
		{ "/home/a/letter.gpg", "unknown", "pgp_data" },
		{ "/home/a/letter.asc", "unknown", "pgp_data" },
	};

	(void)state;
	expectations_check(expected, ARRAY_SIZE(expected));
}

static void test_configuration_and_policy_names_are_known(void **state)
{
	static const struct expectation expected[] = {
		{ "/etc/ssl/openssl.cnf", "unknown", "config" },
		{ "/etc/gnutls/config", "unknown", "config" },
		{ "/etc/crypto-policies/config", "unknown", "crypto_policy" },
		{ "/etc/crypto-policies/state/current", "unknown", "crypto_policy" },
		{ "/etc/crypto-policies/back-ends/opensslcnf.config", "unknown", "crypto_policy" },
		{ "/proc/sys/crypto/fips_enabled", "unknown", "fips_flag" },
		{ "/etc/system-fips", "unknown", "fips_flag" },
		{ "/dev/tpmrm0", "unknown", "crypto_device" },
		{ "/dev/urandom", NOTHING },
		{ "/etc/policies/config", NOTHING },
		{ "/srv/my-policies/config", NOTHING },
		{ "/etc/nginx/nginx.conf", NOTHING },
		{ "/etc/app.config", NOTHING },
	};

	(void)state;
	expectations_check(expected, ARRAY_SIZE(expected));
}

static void test_other_names_are_not_in_the_catalogue(void **state)
{
	static const struct expectation expected[] = {
		{ "/", NOTHING },
		{ "/etc/ssl/certs/", NOTHING },
		{ "/etc/ssl/server.key/", NOTHING },
		{ "/usr/lib/libssl.so.3", NOTHING },
		{ "monkey", NOTHING },
		{ "pem", NOTHING },
		{ "server.pem.txt", NOTHING },
		{ "server.keys", NOTHING },
		{ "server_key", NOTHING },
		{ ".", NOTHING },
		{ "..", NOTHING },
		{ "\xc1\xd0\xc5\xcd", NOTHING }, /* "APEM" with bit 7 set */
	};

	(void)state;
	expectations_check(expected, ARRAY_SIZE(expected));
	assert_null(file_classify("", 0));
}

static void test_case_and_length_do_not_matter(void **state)
{
	char path[4096];

	(void)state;
	expectation_check(&(struct expectation){ "", "private_key", "ssh_private_key" }, "ID_RSA");
	expectation_check(&(struct expectation){ "", "certificate", "ca_bundle" },
			  "/etc/ssl/CA-Certificates.CRT");

	memset(path, 'a', sizeof(path));
	for (size_t i = 0; i < sizeof(path); i += 200)
		path[i] = '/';
	memcpy(path + sizeof(path) - 5, ".PeM", 5);
	expectation_check(&(struct expectation){ "", "certificate", "certificate" }, path);
}

/* Every row of the catalogue is reached: none stands in the shadow of another. */
static void test_each_row_gives_its_own_class(void **state)
{
#define WITH(prefix, text, type, kind) { prefix text, #type, #kind },
	static const struct expectation expected[] = {
#define FILE_EXT(end, type, kind)	      WITH("/x/a", end, type, kind)
#define FILE_NAME(name, type, kind)	      WITH("/x/", name, type, kind)
#define FILE_FINER_DIR(dir, end, type, kind)  WITH("/x/" dir "/a", end, type, kind)
#define FILE_FINER_NAME(name, type, kind)     WITH("/x/", name, type, kind)
#define FILE_FINER_HAS(text, end, type, kind) WITH("/x/a" text "b", end, type, kind)
#define FILE_FINER_EXT(end, type, kind)	      WITH("/x/a", end, type, kind)
#include "catalogue/files.def"
	};

	(void)state;
	assert_true(ARRAY_SIZE(expected) > 100);
	expectations_check(expected, ARRAY_SIZE(expected));
}

static void test_any_bytes_are_read_within_their_size(void **state)
{
	static const char path[] = "/etc/crypto-policies/back-ends/opensslcnf.config/3e45d192.r1";

	(void)state;
	for (size_t from = 0; from < sizeof(path); from++) {
		for (size_t size = 1; from + size <= sizeof(path); size++) {
			const struct file_class *class =
				file_classify(guard_copy(path + from, size), size);

			if (class)
				assert_non_null(code_name(&file_kind_codes, class->kind));
		}
	}
}

static void test_the_four_types_are_those_of_the_specification(void **state)
{
	(void)state;
	assert_int_equal(file_type_codes.nr_entries, 4);
	assert_string_equal(code_name(&file_type_codes, FILE_TYPE_certificate), "certificate");
	assert_string_equal(code_name(&file_type_codes, FILE_TYPE_private_key), "private_key");
	assert_string_equal(code_name(&file_type_codes, FILE_TYPE_keystore), "keystore");
	assert_string_equal(code_name(&file_type_codes, FILE_TYPE_unknown), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_specified_extensions_have_the_specified_types),
		cmocka_unit_test(test_pem_is_a_key_when_its_base_name_says_key),
		cmocka_unit_test(test_ssh_names_are_known),
		cmocka_unit_test(test_trust_stores_and_databases_are_known),
		cmocka_unit_test(test_openpgp_names_depend_on_their_directory),
		cmocka_unit_test(test_configuration_and_policy_names_are_known),
		cmocka_unit_test(test_other_names_are_not_in_the_catalogue),
		cmocka_unit_test(test_case_and_length_do_not_matter),
		cmocka_unit_test(test_each_row_gives_its_own_class),
		cmocka_unit_test(test_any_bytes_are_read_within_their_size),
		cmocka_unit_test(test_the_four_types_are_those_of_the_specification),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
