/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

#include "inventory/host.h"
#include "support/parsed.h"
#include "support/scene.h"

static struct scene scene;

static int close_scene(void **state)
{
	(void)state;
	scene_close(&scene);
	return 0;
}

static const char *written(const struct host_crypto *host, bool is_redacted)
{
	scene_open(&scene, "json-lines", is_redacted);
	assert_int_equal(scene_document(&scene, host, &host_crypto_fields), 0);
	return scene_end(&scene);
}

static const struct dm_crypt_device devices[] = {
	{ .name = "luks-home", .type = "LUKS2", .device = "dm-0" },
	{ .device = "dm-1" },
};

static const struct kernel_algorithm algorithms[] = {
	{ .name = "gcm(aes)",
	  .driver = "generic-gcm-aesni",
	  .module = "aesni_intel",
	  .type = "aead",
	  .refcnt = 3,
	  .passed_selftest = true },
	{ .name = "odd", .refcnt = 2 },
};

static const struct host_crypto full = {
	.fips_enabled = true,
	.has_fips = true,
	.has_dm_crypt = true,
	.dm_crypt = { .items = devices, .count = 2, .stride = sizeof(devices[0]) },
	.has_wireguard = true,
	.wireguard = "wg0\0wg1",
	.wireguard_size = sizeof("wg0\0wg1"),
	.has_ipsec = true,
	.ipsec_states = 4,
	.ipsec_policies = 6,
	.has_ktls = true,
	.ktls_tx = 1,
	.ktls_rx = 2,
	.has_af_alg = true,
	.af_alg_sockets = 5,
	.has_algorithms = true,
	.nr_algorithms = 120,
	.in_use = { .items = algorithms, .count = 2, .stride = sizeof(algorithms[0]) },
	.not_seen = "a: b\0c: d",
	.not_seen_size = sizeof("a: b\0c: d"),
};

static void test_all_that_is_known_is_written(void **state)
{
	(void)state;
	assert_string_equal(
		written(&full, false),
		"{\"fips_enabled\":true,"
		"\"dm_crypt\":[{\"name\":\"luks-home\",\"type\":\"LUKS2\",\"device\":\"dm-0\"},"
		"{\"name\":null,\"type\":null,\"device\":\"dm-1\"}],"
		"\"wireguard\":[\"wg0\",\"wg1\"],"
		"\"ipsec\":{\"states\":4,\"policies\":6},\"ktls\":{\"tx\":1,\"rx\":2},"
		"\"af_alg\":{\"sockets\":5},"
		"\"algorithms\":{\"registered\":120,\"in_use\":["
		"{\"name\":\"gcm(aes)\",\"driver\":\"generic-gcm-aesni\",\"module\":\"aesni_"
		"intel\","
		"\"type\":\"aead\",\"refcnt\":3,\"selftest\":\"passed\"},"
		"{\"name\":\"odd\",\"driver\":null,\"module\":null,\"type\":null,\"refcnt\":2,"
		"\"selftest\":\"unknown\"}]},"
		"\"not_seen\":[\"a: b\",\"c: d\"]}\n");
}

static void test_what_is_not_known_is_null(void **state)
{
	const struct host_crypto nothing = { .not_seen = "" };

	(void)state;
	assert_string_equal(written(&nothing, true),
			    "{\"fips_enabled\":null,\"dm_crypt\":null,\"wireguard\":null,"
			    "\"ipsec\":null,\"ktls\":null,\"af_alg\":null,\"algorithms\":null,"
			    "\"not_seen\":[]}\n");
}

static void test_what_is_known_to_be_none_is_not_null(void **state)
{
	const struct host_crypto none = {
		.has_fips = true,
		.has_dm_crypt = true,
		.has_wireguard = true,
		.wireguard = "",
		.has_ipsec = true,
		.has_ktls = true,
		.has_af_alg = true,
		.has_algorithms = true,
		.not_seen = "",
	};

	(void)state;
	assert_string_equal(written(&none, true),
			    "{\"fips_enabled\":false,\"dm_crypt\":[],\"wireguard\":[],"
			    "\"ipsec\":{\"states\":0,\"policies\":0},\"ktls\":{\"tx\":0,\"rx\":0},"
			    "\"af_alg\":{\"sockets\":0},"
			    "\"algorithms\":{\"registered\":0,\"in_use\":[]},\"not_seen\":[]}\n");
}

/* Names that people chose are treated as foreign text; redaction leaves the list a list. */
static void test_names_are_redacted_as_text(void **state)
{
	static const struct dm_crypt_device device = { .name = "/home/alice/\033x",
						       .device = "dm-0" };
	struct host_crypto host = full;
	const char *text;

	(void)state;
	host.dm_crypt.items = &device;
	host.dm_crypt.count = 1;
	text = written(&host, true);
	assert_null(strstr(text, "alice"));
	assert_null(strchr(text, '\033'));
	assert_string_equal(parsed_value(text, "wireguard.0"), "wg0");
	assert_string_equal(parsed_value(text, "wireguard.1"), "wg1");
	assert_null(parsed_value(text, "wireguard.2"));
}

static void check_classes(const struct fields *table)
{
	for (size_t i = 0; i < table->nr_fields; i++) {
		const struct field *field = &table->fields[i];

		assert_int_not_equal(field->class, CLASS_NONE);
		assert_non_null(field->help);
		assert_int_equal(field->json_key_size, strlen(field->json_key));
		if (!field->sub)
			continue;
		for (size_t j = 0; j < field->sub->nr_fields; j++)
			assert_int_not_equal(field->sub->fields[j].class, CLASS_NONE);
	}
}

static void test_every_field_has_a_class(void **state)
{
	(void)state;
	assert_int_equal(host_crypto_fields.nr_fields, 8);
	check_classes(&host_crypto_fields);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_all_that_is_known_is_written, close_scene),
		cmocka_unit_test_teardown(test_what_is_not_known_is_null, close_scene),
		cmocka_unit_test_teardown(test_what_is_known_to_be_none_is_not_null, close_scene),
		cmocka_unit_test_teardown(test_names_are_redacted_as_text, close_scene),
		cmocka_unit_test(test_every_field_has_a_class),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
