/* SPDX-License-Identifier: MIT */
#include "inspect/der.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct der der_all(struct octets *octets)
{
	return (struct der){ .octets = octets, .at = 0, .end = octets->size };
}

struct der der_inside(const struct der *der, const struct tlv *value)
{
	return (struct der){ .octets = der->octets,
			     .at = value->at,
			     .end = value->at + value->size };
}

#define INDEFINITE SIZE_MAX

/*
 * Reads identifier and length at AT: tag, begin, at and size of *RET. The content may be longer
 * than what is there.
 */
static bool header_read(const struct der *der, size_t at, struct tlv *ret)
{
	size_t left = der->end - at, used = 2;

	if (left < 2)
		return false;
	ret->begin = at;
	ret->tag = octets_at(der->octets, at);
	if ((ret->tag & 0x1f) == 0x1f) {
		/* X.690, 8.1.2.4: a tag above 30 goes on while bit 8 is set; two octets are ample.
		 */
		if (octets_at(der->octets, at + 1) & 0x80)
			used++;
		used++;
		if (left < used)
			return false;
	}

	uint8_t first = octets_at(der->octets, at + used - 1);
	size_t nr_more = first & 0x7f;

	ret->size = first;
	if (first == 0x80) {
		ret->size = INDEFINITE;
	} else if (first & 0x80) {
		uint32_t size = 0;

		/* Four octets of length are more than any file that is read has. */
		if (nr_more > 4 || left - used < nr_more)
			return false;
		if (!octets_number(der->octets, at + used, nr_more, &size))
			return false;
		ret->size = size;
		used += nr_more;
	}
	ret->at = at + used;
	return true;
}

/*
 * Finds the end-of-contents octets of the indefinite value whose content begins at AT
 * (X.690, 8.1.5). Values of definite length are stepped over, others counted in and out.
 */
static bool end_find(const struct der *der, size_t at, size_t *ret)
{
	unsigned int depth = 1;
	struct tlv value;

	while (header_read(der, at, &value)) {
		if (value.tag == 0 && value.size == 0) {
			if (--depth == 0) {
				*ret = at;
				return true;
			}
			at = value.at;
		} else if (value.size == INDEFINITE) {
			if (++depth > DER_DEPTH_MAX)
				return false;
			at = value.at;
		} else if (value.size > der->end - value.at) {
			return false;
		} else {
			at = value.at + value.size;
		}
	}
	return false;
}

bool der_next(struct der *der, struct tlv *ret)
{
	struct tlv value;

	if (!header_read(der, der->at, &value))
		return false;
	if (value.size == INDEFINITE) {
		size_t end;

		/* Only constructed values may be indefinite. */
		if (!(value.tag & 0x20) || !end_find(der, value.at, &end))
			return false;
		value.size = end - value.at;
		value.end = end + 2;
	} else {
		if (value.size > der->end - value.at)
			return false;
		value.end = value.at + value.size;
	}
	der->at = value.end;
	*ret = value;
	return true;
}

bool der_take(struct der *der, uint8_t tag, struct tlv *ret)
{
	struct der ahead = *der;
	struct tlv value;

	/* Before der_next(), which may have to look for an end. */
	if (der->at >= der->end || octets_at(der->octets, der->at) != tag)
		return false;
	if (!der_next(&ahead, &value))
		return false;
	*der = ahead;
	*ret = value;
	return true;
}

bool der_enter(struct der *der, uint8_t tag)
{
	struct tlv value;

	if (!der_take(der, tag, &value))
		return false;
	*der = der_inside(der, &value);
	return true;
}

bool der_enter_cut(struct der *der, uint8_t tag)
{
	struct tlv value;

	if (!header_read(der, der->at, &value) || value.tag != tag)
		return false;
	der->at = value.at;
	if (value.size < der->end - value.at)
		der->end = value.at + value.size;
	return true;
}

/* Appends ARC to the LENGTH letters of OUT, the first two arcs from one number. */
static size_t arc_append(char out[DER_OID_TEXT_MAX], size_t length, uint64_t arc)
{
	const char *dot = length ? "." : "";

	if (length == 0) {
		/* X.690, 8.19.4: 40 times the first, which is 2 at most, and the second. */
		uint64_t root = arc < 80 ? arc / 40 : 2;

		length = (size_t)snprintf(out, DER_OID_TEXT_MAX, "%" PRIu64, root);
		arc -= root * 40;
		dot = ".";
	}
	return length +
	       (size_t)snprintf(out + length, DER_OID_TEXT_MAX - length, "%s%" PRIu64, dot, arc);
}

const char *der_oid(const struct der *der, const struct tlv *value, char out[DER_OID_TEXT_MAX])
{
	uint64_t arc = 0;
	size_t length = 0;

	if (value->tag != DER_OID || value->size == 0 ||
	    octets_at(der->octets, value->at + value->size - 1) & 0x80)
		return NULL;
	for (size_t i = 0; i < value->size; i++) {
		uint8_t byte = octets_at(der->octets, value->at + i);

		if (arc >> 57)
			return NULL;
		arc = arc << 7 | (byte & 0x7f);
		if (byte & 0x80)
			continue;
		/* An arc has 20 digits at most and a dot, "..." needs 3 more and the NUL. */
		if (length > DER_OID_TEXT_MAX - 26) {
			snprintf(out + length, DER_OID_TEXT_MAX - length, "...");
			return out;
		}
		length = arc_append(out, length, arc);
		arc = 0;
	}
	return out;
}

uint32_t der_bits(const struct der *der, const struct tlv *value)
{
	if (value->tag != DER_INTEGER || value->size == 0 ||
	    octets_at(der->octets, value->at) & 0x80)
		return 0;
	return octets_bits(der->octets, value->at, value->size);
}

uint32_t der_small(const struct der *der, const struct tlv *value)
{
	uint32_t number;

	if (value->tag != DER_INTEGER || value->size == 0 || value->size > 4 ||
	    octets_at(der->octets, value->at) & 0x80 ||
	    !octets_number(der->octets, value->at, value->size, &number))
		return UINT32_MAX;
	return number;
}

static char tag_letter(uint8_t tag)
{
	static const char context[] = "0123456789";

	switch (tag) {
	case DER_SEQUENCE:
		return 'S';
	case DER_SET:
		return 's';
	case DER_INTEGER:
		return 'I';
	case DER_OCTET_STRING:
		return 'O';
	case DER_BIT_STRING:
		return 'B';
	case DER_OID:
		return 'o';
	case DER_NULL:
		return 'N';
	case DER_UTC_TIME:
	case DER_GENERALIZED_TIME:
		return 'T';
	case DER_ENUMERATED:
		return 'E';
	case DER_BOOLEAN:
		return 'b';
	default:
		if ((tag & 0xc0) == 0x80 && (tag & 0x1f) < sizeof(context) - 1)
			return context[tag & 0x1f];
		return '?';
	}
}

const char *der_shape(struct der der, char *out, size_t cap)
{
	struct tlv value;
	size_t length = 0;

	while (length + 1 < cap && der.at < der.end) {
		if (!der_next(&der, &value)) {
			out[length++] = '!';
			break;
		}
		out[length++] = tag_letter(value.tag);
	}
	out[length] = '\0';
	return out;
}

/* X.690, 8.7.3: the pieces are OCTET STRINGs; a piece in pieces is not known to occur. */
int der_copy(const struct der *der, const struct tlv *value, uint8_t **ret, size_t *ret_size)
{
	struct der pieces = der_inside(der, value);
	bool is_one = value->tag == DER_OCTET_STRING;
	struct tlv piece = *value;
	size_t size = 0;
	uint8_t *copy;

	if (!is_one && value->tag != (DER_OCTET_STRING | 0x20))
		return -EBADMSG;
	/* All pieces together are within the value. */
	copy = malloc(value->size + 1);
	if (!copy)
		return -ENOMEM;
	while (is_one || der_take(&pieces, DER_OCTET_STRING, &piece)) {
		if (!octets_copy(der->octets, piece.at, piece.size, copy + size))
			break;
		size += piece.size;
		if (is_one)
			break;
	}
	*ret = copy;
	*ret_size = size;
	return 0;
}
