/* SPDX-License-Identifier: MIT */
#include "lib/utf8.h"

#include <stdio.h>
#include <string.h>

/* The longest escape of text_escape(): "\u202e". */
#define ESCAPE_MAX 6

struct lead {
	unsigned char nr_more; /* continuation bytes behind this lead byte; 0 is no lead byte */
	unsigned char bits;    /* the lead byte's share of the code point */
	unsigned char low;     /* the range of the first continuation byte, */
	unsigned char high;    /* which is where overlongs and surrogates show */
};

/* Unicode 3.9, table 3-7, well-formed UTF-8 byte sequences. BYTE is 0x80 or above. */
static struct lead lead_of(unsigned char byte)
{
	if (byte < 0xc2 || byte > 0xf4)
		return (struct lead){ 0 };
	if (byte < 0xe0)
		return (struct lead){ 1, byte & 0x1f, 0x80, 0xbf };
	if (byte < 0xf0)
		return (struct lead){ 2, byte & 0x0f, byte == 0xe0 ? 0xa0 : 0x80,
				      byte == 0xed ? 0x9f : 0xbf };
	return (struct lead){ 3, byte & 0x07, byte == 0xf0 ? 0x90 : 0x80,
			      byte == 0xf4 ? 0x8f : 0xbf };
}

size_t utf8_decode(const char *bytes, size_t size, uint32_t *ret_rune)
{
	const unsigned char *in = (const unsigned char *)bytes;
	struct lead lead;
	uint32_t rune;
	size_t at;

	if (!size)
		return 0;
	if (in[0] < 0x80) {
		*ret_rune = in[0];
		return 1;
	}

	lead = lead_of(in[0]);
	rune = lead.bits;
	for (at = 1; at <= lead.nr_more; at++) {
		unsigned char low = at == 1 ? lead.low : 0x80;
		unsigned char high = at == 1 ? lead.high : 0xbf;

		if (at == size || in[at] < low || in[at] > high)
			break;
		rune = rune << 6 | (in[at] & 0x3f);
	}
	*ret_rune = lead.nr_more && at > lead.nr_more ? rune : UTF8_INVALID;
	return at;
}

static bool byte_is_plain(unsigned char byte)
{
	return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

/*
 * byte_is_plain() for eight bytes. With the top bits masked off, adding a constant to each byte
 * cannot carry into the next one, so every test leaves its answer in its own byte's top bit.
 */
static bool word_is_plain(uint64_t word)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	const uint64_t tops = ones * 0x80;
	uint64_t low = word & ~tops;
	uint64_t plain = (low + ones * 0x60) &		       /* at least 0x20 */
			 ~(low + ones) &		       /* not 0x7f */
			 ((low ^ ones * '"') + ones * 0x7f) &  /* not equal */
			 ((low ^ ones * '\\') + ones * 0x7f) & /* not equal */
			 ~word;				       /* not above 0x7f */

	return (plain & tops) == tops;
}

/* Eight bytes, if all are plain. */
static bool word_copy(char *out, const char *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	memcpy(out, &word, sizeof(word));
	return word_is_plain(word);
}

size_t utf8_plain_copy(char *out, const char *bytes, size_t size)
{
	const size_t step = sizeof(uint64_t);
	size_t at = 0;

	while (size - at >= step && word_copy(out + at, bytes + at))
		at += step;
	/* the last, incomplete word overlaps the one before it */
	if (size - at < step && size >= step && word_copy(out + size - step, bytes + size - step))
		return size;
	for (; at < size && byte_is_plain((unsigned char)bytes[at]); at++)
		out[at] = bytes[at];
	return at;
}

bool utf8_is_control(uint32_t rune)
{
	return rune < 0x20 || (rune >= 0x7f && rune <= 0x9f) ||
	       (rune >= 0x2028 && rune <= 0x202e) || (rune >= 0x2066 && rune <= 0x2069);
}

static size_t hex_escape(char *out, char kind, uint32_t value, unsigned int nr_digits)
{
	size_t size = 0;

	out[size++] = '\\';
	out[size++] = kind;
	for (unsigned int i = nr_digits; i > 0; i--)
		out[size++] = "0123456789abcdef"[value >> (i - 1) * 4 & 0xf];
	return size;
}

/* Renders the one or more bytes of a code point, or of what is none. Returns the length in OUT. */
static size_t escape_one(char out[static ESCAPE_MAX], const char *bytes, size_t size, uint32_t rune)
{
	static const char named[][2] = { "\nn", "\rr", "\tt", "\\\\" };

	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		if (rune != (unsigned char)named[i][0])
			continue;
		out[0] = '\\';
		out[1] = named[i][1];
		return 2;
	}
	if (rune == UTF8_INVALID)
		return hex_escape(out, 'x', (unsigned char)*bytes, 2);
	if (!utf8_is_control(rune)) {
		memcpy(out, bytes, size);
		return size;
	}
	return rune < 0x80 ? hex_escape(out, 'x', rune, 2) : hex_escape(out, 'u', rune, 4);
}

size_t text_escape(char *out, size_t cap, const char *bytes, size_t size)
{
	size_t written = 0, at = 0;

	if (!cap)
		return 0;
	while (at < size) {
		size_t room = cap - 1 - written, piece = size - at, step;
		char escape[ESCAPE_MAX];
		uint32_t rune = 0;

		if (piece > room)
			piece = room;
		step = utf8_plain_copy(out + written, bytes + at, piece);
		written += step;
		at += step;
		if (step == piece)
			break;
		step = utf8_decode(bytes + at, size - at, &rune);
		/* each byte of a broken sequence is shown, not the sequence as one */
		if (rune == UTF8_INVALID)
			step = 1;
		piece = escape_one(escape, bytes + at, step, rune);
		if (piece > cap - 1 - written)
			break;
		memcpy(out + written, escape, piece);
		written += piece;
		at += step;
	}
	out[written] = '\0';
	return written;
}

size_t text_vformat(char *out, size_t cap, const char *format, va_list args)
{
	int n = vsnprintf(out, cap, format, args);

	if (n <= 0)
		return 0;
	return (size_t)n < cap ? (size_t)n : cap - 1;
}
