/* SPDX-License-Identifier: MIT */
#include "samples.h"

#include "catalogue/files.h"

static int setup(void **state)
{
	if (samples_setup(state))
		return -1;
	return sample_run(
		"ssh-keygen -q -t ed25519 -N '' -f a; ssh-keygen -q -t rsa -b 1024 -N '' -f b;"
		"ssh-keygen -q -s a -I id -n user b.pub");
}

static void expect_kind(const char *script, const char *name, uint32_t kind, size_t nr_keys)
{
	struct content *content = sample_make(name, script);

	assert_int_equal(content->kind, kind);
	assert_int_equal(content->type, FILE_TYPE_unknown);
	assert_string_equal(content->format, "OpenSSH");
	assert_int_equal(content->keys.count, nr_keys);
	content_free(content);
}

static void test_public_key_and_certificate_are_told(void **state)
{
	struct content *content = sample_inspect("a.pub");

	(void)state;
	assert_int_equal(content->kind, FILE_KIND_ssh_public_key);
	sample_expect_key(content, "Ed25519", "OpenSSH", NULL, 256, 0, 0);
	assert_int_equal(content->findings.count, 0);
	content_free(content);
	content = sample_inspect("b-cert.pub");
	assert_int_equal(content->kind, FILE_KIND_ssh_certificate);
	sample_expect_key(content, "RSA", "OpenSSH", NULL, 1024, 0, 0);
	assert_string_equal(sample_finding(content, "rsa_key_short")->evidence, "RSA-1024");
	content_free(content);
}

static void test_lists_of_keys_are_told_apart(void **state)
{
	(void)state;
	expect_kind("cat a.pub b.pub > list", "list", FILE_KIND_ssh_authorized_keys, 2);
	expect_kind("{ printf 'from=\"10.0.0.1, x y\",no-pty '; cat a.pub; } > list", "list",
		    FILE_KIND_ssh_authorized_keys, 1);
	expect_kind("{ echo '# hosts'; echo; printf 'host,192.0.2.1 '; cat a.pub;"
		    " printf '@cert-authority *.example '; cat b.pub;"
		    " printf '|1|c2FsdA==|aGFzaA== '; cat b.pub; } > list",
		    "list", FILE_KIND_ssh_known_hosts, 3);
	expect_kind("cp a.pub authorized_keys", "authorized_keys", FILE_KIND_ssh_authorized_keys,
		    1);
	expect_kind("{ printf 'host '; sed 's/$/\\r/' a.pub; } > known_hosts", "known_hosts",
		    FILE_KIND_ssh_known_hosts, 1);
}

static void test_further_keys_are_counted(void **state)
{
	struct content *content =
		sample_make("list", "for i in $(seq 70); do cat a.pub; done > list");

	(void)state;
	assert_int_equal(content->keys.count, CONTENT_KEYS_MAX);
	assert_true(content->keys.truncated);
	assert_string_equal(content->note, "70 keys, of which 64 are told");
	content_free(content);
}

static void test_text_that_names_a_type_is_no_key(void **state)
{
	static const char text[] = "HostKeyAlgorithms ssh-rsa ssh-ed25519\nssh-rsa AAAA\nssh-rsa";
	struct content *content = sample_judge(text, sizeof(text) - 1, NULL);

	(void)state;
	assert_int_equal(content->kind, FILE_KIND_unknown);
	assert_int_equal(content->keys.count, 0);
	content_free(content);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_public_key_and_certificate_are_told),
		cmocka_unit_test(test_lists_of_keys_are_told_apart),
		cmocka_unit_test(test_further_keys_are_counted),
		cmocka_unit_test(test_text_that_names_a_type_is_no_key),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
