/* SPDX-License-Identifier: MIT */
/*
 * catalogue/algorithms.h and catalogue/api.h: names are read within their bounds and in any case,
 * what is found spells itself, every number has an algorithm or none, and no more of a path is kept
 * than there is.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue/algorithms.h"
#include "catalogue/api.h"

#define INPUT_MAX 4096

static void check(int condition)
{
	if (!condition)
		abort();
}

static void check_algorithm(const struct algorithm *algorithm)
{
	if (!algorithm)
		return;
	check(algorithm_by_name(algorithm->name, strlen(algorithm->name)) == algorithm);
	check(code_name(&algorithm_kind_codes, algorithm->kind) != NULL);
	check(code_name(&algorithm_strength_codes, algorithm->verdict->strength) != NULL);
}

static void check_name(const char *name, size_t size)
{
	const struct algorithm *algorithm = algorithm_by_name(name, size);
	char *other = malloc(size + 1);

	check_algorithm(algorithm);
	memcpy(other, name, size);
	for (size_t i = 0; i < size; i++)
		if ((other[i] | 0x20) >= 'a' && (other[i] | 0x20) <= 'z')
			other[i] ^= 0x20;
	check(algorithm_by_name(other, size) == algorithm);
	/* a separator behind it changes nothing, as long as it is not too long */
	other[size] = '-';
	if (algorithm && size < 100)
		check(algorithm_by_name(other, size + 1) == algorithm);
	free(other);
}

static void check_function(const char *name, size_t size)
{
	for (unsigned int family = 0; family < 64; family++) {
		const struct api_function *function = api_find(family, name, size);

		if (function)
			check(strlen(function->name) == size &&
			      !memcmp(function->name, name, size));
	}
	check(api_path_kept(name, size) <= size);
	check(!memchr(name, ':', api_path_kept(name, size)) || memchr(name, '/', size) ||
	      api_path_kept(name, size) == size);
}

static void check_numbers(const uint8_t *data, size_t size)
{
	uint64_t number = 0;
	int32_t ints[2];

	memcpy(&number, data, size < sizeof(number) ? size : sizeof(number));
	memcpy(ints, &number, sizeof(ints));
	for (unsigned int codes = 0; codes <= NR_ALGORITHM_CODES; codes++) {
		check_algorithm(algorithm_by_code(codes, number));
		check_algorithm(algorithm_by_code(codes, (uint32_t)number));
		check_algorithm(algorithm_by_code(codes, (uint16_t)number));
	}
	check_algorithm(algorithm_by_psa((uint32_t)number));
	check_algorithm(algorithm_by_gcrypt_cipher(ints[0], ints[1]));
	check_algorithm(algorithm_by_gcrypt_cipher(ints[0] & 0x1ff, ints[1] & 0x1f));
	check_algorithm(algorithm_by_gcrypt_md(ints[0] & 0x1ff, (unsigned int)ints[1]));
	check(!algorithm_by_gcrypt_md(ints[0], 0) == !algorithm_by_gcrypt_md(ints[0], 1));
	api_command_find(ints[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > INPUT_MAX)
		return 0;

	/* of exactly its size, so that a sanitizer sees its end */
	char *copy = malloc(size ? size : 1);

	memcpy(copy, data, size);
	if (size) {
		check_name(copy, size);
		check_function(copy, size);
	}
	check_numbers(data, size);
	free(copy);
	return 0;
}
