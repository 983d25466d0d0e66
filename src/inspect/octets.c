/* SPDX-License-Identifier: MIT */
#include "inspect/octets.h"

#include <string.h>

/* Leading zero octets of a number that are stepped over. DER has one at most. */
#define ZEROS_MAX  16

#define NOT_BASE64 64
#define NO_GROUP   SIZE_MAX

void octets_raw(struct octets *octets, const void *bytes, size_t size)
{
	*octets = (struct octets){ .bytes = bytes, .bytes_size = size, .size = size };
}

/* RFC 4648, table 1. */
static uint8_t base64_value(uint8_t letter)
{
	if (letter >= 'A' && letter <= 'Z')
		return (uint8_t)(letter - 'A');
	if (letter >= 'a' && letter <= 'z')
		return (uint8_t)(letter - 'a' + 26);
	if (letter >= '0' && letter <= '9')
		return (uint8_t)(letter - '0' + 52);
	if (letter == '+')
		return 62;
	return letter == '/' ? 63 : NOT_BASE64;
}

static bool is_space(uint8_t byte)
{
	return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

void octets_base64(struct octets *octets, const void *text, size_t size)
{
	const uint8_t *bytes = text;
	size_t letters = 0, i;

	for (i = 0; i < size; i++) {
		if (base64_value(bytes[i]) != NOT_BASE64)
			letters++;
		else if (!is_space(bytes[i]))
			break;
	}
	*octets = (struct octets){
		.bytes = bytes,
		.bytes_size = i,
		.size = letters / 4 * 3 + (letters % 4 ? letters % 4 - 1 : 0),
		.is_base64 = true,
		.group_at = NO_GROUP,
	};
}

void octets_wipe(struct octets *octets)
{
	explicit_bzero(octets->group, sizeof(octets->group));
	octets->group_at = NO_GROUP;
	octets->text_at = 0;
}

/*
 * Moves over the text to the group at OFFSET, which is divisible by 3, and decodes that one only.
 * The loop knows where the text ends: octets.size was counted over the same letters.
 */
static void octets_seek(struct octets *octets, size_t offset)
{
	size_t next = octets->group_at == NO_GROUP ? 0 : octets->group_at + 3;
	size_t to_skip;
	uint32_t bits = 0;
	unsigned int nr_letters = 0;

	if (offset < next) {
		octets->text_at = 0;
		next = 0;
	}
	to_skip = (offset - next) / 3 * 4;
	while (nr_letters < 4 && octets->text_at < octets->bytes_size) {
		uint8_t value = base64_value(octets->bytes[octets->text_at++]);

		if (value == NOT_BASE64)
			continue;
		if (to_skip) {
			to_skip--;
			continue;
		}
		bits = bits << 6 | value;
		nr_letters++;
	}
	bits <<= 6 * (4 - nr_letters);
	octets->group[0] = (uint8_t)(bits >> 16);
	octets->group[1] = (uint8_t)(bits >> 8);
	octets->group[2] = (uint8_t)bits;
	octets->group_at = offset;
}

uint8_t octets_at(struct octets *octets, size_t offset)
{
	if (offset >= octets->size)
		return 0;
	if (!octets->is_base64)
		return octets->bytes[offset];
	if (octets->group_at != offset - offset % 3)
		octets_seek(octets, offset - offset % 3);
	return octets->group[offset % 3];
}

bool octets_number(struct octets *octets, size_t offset, size_t size, uint32_t *ret)
{
	uint32_t number = 0;

	if (offset > octets->size || size > octets->size - offset)
		return false;
	for (size_t i = 0; i < size; i++)
		number = number << 8 | octets_at(octets, offset + i);
	*ret = number;
	return true;
}

bool octets_copy(struct octets *octets, size_t offset, size_t size, void *out)
{
	uint8_t *bytes = out;

	if (offset > octets->size || size > octets->size - offset)
		return false;
	for (size_t i = 0; i < size; i++)
		bytes[i] = octets_at(octets, offset + i);
	return true;
}

uint32_t octets_bits(struct octets *octets, size_t at, size_t size)
{
	unsigned int zeros = 0;
	uint8_t first = 0;

	if (at > octets->size || size > octets->size - at)
		return 0;
	while (size && !(first = octets_at(octets, at)) && zeros++ < ZEROS_MAX) {
		at++;
		size--;
	}
	if (!first)
		return 0;
	return (uint32_t)(size * 8) - ((uint32_t)__builtin_clz(first) - 24);
}
