/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "inspect/constants.h"
#include "support/guard.h"

static struct constants constants;
static struct providers providers;

static const struct draft *look(const void *bytes, size_t size)
{
	struct needle_group group = constants_group(&constants);
	const void *guarded = guard_copy(bytes, size);
	struct search *search = NULL;
	struct window window;

	constants.found = 0;
	providers = (struct providers){ 0 };
	window_memory(&window, guarded, size);
	assert_int_equal(search_new(&search, &group, 1), 0);
	assert_true(search_run(search, &window, 0, size));
	search_free(search);
	guard_free(guarded, size);
	constants_tell(&constants, &providers);
	return providers.count ? &providers.drafts[0] : NULL;
}

static void check_one(const void *bytes, size_t size, const char *algorithm)
{
	const struct draft *draft = look(bytes, size);

	assert_non_null(draft);
	assert_string_equal(draft->name, "constants");
	assert_int_equal(draft->confidence, CONFIDENCE_low);
	assert_int_equal(draft->linkage, LINKAGE_static);
	assert_string_equal(draft->evidence.bytes, "constants");
	assert_int_equal(draft->capabilities.size, strlen(algorithm) + 1);
	assert_string_equal(draft->capabilities.bytes, algorithm);
	/* A byte less of it is not it. */
	assert_null(look((const uint8_t *)bytes + 1, size - 1));
}

/*
 * The tables computed, not copied. AES: FIPS 197, section 5.1.1, the inverse in GF(2^8) and an
 * affine transformation.
 */
static uint8_t gf_times(uint8_t a, uint8_t b)
{
	uint8_t product = 0;

	for (; b; b >>= 1) {
		if (b & 1)
			product ^= a;
		a = (uint8_t)(a << 1 ^ (a & 0x80 ? 0x1b : 0));
	}
	return product;
}

static uint8_t aes_sbox(uint8_t byte)
{
	uint8_t inverse = 0, result = 0x63;

	for (unsigned int i = 1; i < 256 && byte; i++)
		if (gf_times(byte, (uint8_t)i) == 1)
			inverse = (uint8_t)i;
	for (unsigned int i = 0; i < 5; i++)
		result ^= (uint8_t)(inverse << i | inverse >> (8 - i));
	return result;
}

static void test_aes_tables_are_found(void **state)
{
	uint8_t sbox[256], table[2048];

	(void)state;
	for (unsigned int i = 0; i < 256; i++)
		sbox[i] = aes_sbox((uint8_t)i);
	check_one(sbox, sizeof(sbox), "AES");
	for (unsigned int i = 0; i < 512; i++) {
		const uint8_t s = sbox[i % 256];
		const uint8_t word[4] = { gf_times(s, 2), s, s, gf_times(s, 3) };

		for (unsigned int k = 0; k < 4; k++)
			table[4 * i + k] = word[i < 256 ? k : 3 - k];
	}
	check_one(table, 1024, "AES");
	check_one(table + 1024, 1024, "AES");
}

/*
 * FIPS 180-4, 4.2.2: the first bits of the fractional parts of the cube roots of primes: the
 * largest n with n^3 <= prime * 2^(3 * bits), without its whole part.
 */
static uint64_t root_bits(uint64_t prime, unsigned int bits)
{
	/* n has up to bits + 2 bits; n^3 needs more than 128 for 64, so limbs of 32 are used. */
	uint64_t result = 0;

	for (int bit = (int)bits + 2; bit >= 0; bit--) {
		unsigned __int128 n = ((unsigned __int128)result << 1 | 1) << bit;
		uint32_t factor[3] = { (uint32_t)n, (uint32_t)(n >> 32), (uint32_t)(n >> 64) };
		uint32_t square[6] = { 0 }, cube[9] = { 0 }, limit[9] = { 0 };
		bool is_more = false, is_decided = false;

		for (size_t i = 0; i < 3; i++) {
			uint64_t carry = 0;

			for (size_t k = 0; k < 3; k++) {
				carry += (uint64_t)factor[i] * factor[k] + square[i + k];
				square[i + k] = (uint32_t)carry;
				carry >>= 32;
			}
			square[i + 3] = (uint32_t)carry;
		}
		for (size_t i = 0; i < 6; i++) {
			uint64_t carry = 0;

			for (size_t k = 0; k < 3; k++) {
				carry += (uint64_t)square[i] * factor[k] + cube[i + k];
				cube[i + k] = (uint32_t)carry;
				carry >>= 32;
			}
			cube[i + 3] = (uint32_t)carry;
		}
		limit[3 * bits / 32] = (uint32_t)prime;
		for (size_t i = 9; i-- > 0 && !is_decided;) {
			is_decided = cube[i] != limit[i];
			is_more = cube[i] > limit[i];
		}
		result = result << 1 | !is_more;
	}
	return bits == 64 ? result : result & 0xffffffff;
}

static void test_sha2_constants_are_found(void **state)
{
	static const uint64_t primes[] = { 2, 3, 5, 7 };
	uint8_t words[16], longs[32];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		uint64_t word = root_bits(primes[i], 32), number = root_bits(primes[i], 64);

		for (unsigned int k = 0; k < 8; k++) {
			if (k < 4)
				words[4 * i + k] = (uint8_t)(word >> 8 * k);
			longs[8 * i + k] = (uint8_t)(number >> 8 * k);
		}
	}
	check_one(words, sizeof(words), "SHA-256");
	check_one(longs, sizeof(longs), "SHA-512");
}

/* FIPS 202, 3.2.5, algorithm 5: an LFSR of 8 bits gives the bits 2^j - 1 of each round. */
static void test_keccak_constants_are_found(void **state)
{
	uint8_t constants_of_rounds[24 * 8] = { 0 };
	uint32_t lfsr = 1;

	(void)state;
	for (unsigned int round = 0; round < 24; round++) {
		for (unsigned int j = 0; j < 7; j++) {
			unsigned int bit = (1U << j) - 1;

			if (lfsr & 1)
				constants_of_rounds[8 * round + bit / 8] |= (uint8_t)(1 << bit % 8);
			lfsr = lfsr << 1 ^ (lfsr & 0x80 ? 0x171 : 0);
		}
	}
	assert_non_null(look(constants_of_rounds, sizeof(constants_of_rounds)));
	assert_string_equal(providers.drafts[0].capabilities.bytes, "SHA-3");
}

static void test_other_constants_are_found(void **state)
{
	/* 2^256 - 2^224 + 2^192 + 2^96 - 1 */
	uint8_t p256[32] = { 0xff, 0xff, 0xff, 0xff, [7] = 1 };
	/* Pi's fraction, 3.243f6a88 85a308d3 13198a2e 03707344, in little-endian words. */
	static const uint32_t pi[] = { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 };

	(void)state;
	memset(p256 + 20, 0xff, 12);
	check_one(p256, sizeof(p256), "P-256");
	check_one("expand 32-byte k", 16, "ChaCha20");
	check_one(pi, sizeof(pi), "Blowfish");
}

static void test_several_are_listed_once_each(void **state)
{
	static const char text[] =
		"expand 32-byte k expand 32-byte k\0"
		"\x88\x6a\x3f\x24\xd3\x08\xa3\x85\x2e\x8a\x19\x13\x44\x73\x70\x03"
		"\xa5\x63\x63\xc6\x84\x7c\x7c\xf8\xc6\x63\x63\xa5\xf8\x7c\x7c\x84";
	static const char expected[] = "AES\0ChaCha20\0Blowfish";
	const struct draft *draft = look(text, sizeof(text));

	(void)state;
	assert_non_null(draft);
	assert_int_equal(draft->capabilities.size, sizeof(expected));
	assert_memory_equal(draft->capabilities.bytes, expected, sizeof(expected));
}

static void test_plain_bytes_hold_none(void **state)
{
	uint8_t *bytes = calloc(1, 1 << 20);

	(void)state;
	assert_non_null(bytes);
	assert_null(look(bytes, 1 << 20));
	memset(bytes, 0xff, 1 << 20);
	assert_null(look(bytes, 1 << 20));
	for (size_t i = 0; i < 1 << 20; i++)
		bytes[i] = (uint8_t)(i * 2654435761U >> 24);
	assert_null(look(bytes, 1 << 20));
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aes_tables_are_found),
		cmocka_unit_test(test_sha2_constants_are_found),
		cmocka_unit_test(test_keccak_constants_are_found),
		cmocka_unit_test(test_other_constants_are_found),
		cmocka_unit_test(test_several_are_listed_once_each),
		cmocka_unit_test(test_plain_bytes_hold_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
