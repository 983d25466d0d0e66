/* SPDX-License-Identifier: MIT */
#include "lib/columns.h"

#include <stdbool.h>
#include <stdint.h>

#include "lib/utf8.h"

#define ELLIPSIS	 "..."
#define ELLIPSIS_COLUMNS (sizeof(ELLIPSIS) - 1)

struct range {
	uint32_t first;
	uint32_t last;
};

/*
 * Unicode 14.0, UnicodeData.txt: marks that do not space (Mn, Me) and format characters (Cf), of
 * the scripts that file names are likely to be in. A mark missing here shifts a line by a column.
 */
static const struct range zero_ranges[] = {
	{ 0x0300, 0x036f },   { 0x0483, 0x0489 }, { 0x0591, 0x05bd }, { 0x05bf, 0x05bf },
	{ 0x05c1, 0x05c2 },   { 0x05c4, 0x05c5 }, { 0x05c7, 0x05c7 }, { 0x0610, 0x061a },
	{ 0x061c, 0x061c },   { 0x064b, 0x065f }, { 0x0670, 0x0670 }, { 0x06d6, 0x06dd },
	{ 0x06df, 0x06e4 },   { 0x06e7, 0x06e8 }, { 0x06ea, 0x06ed }, { 0x0900, 0x0902 },
	{ 0x093a, 0x093a },   { 0x093c, 0x093c }, { 0x0941, 0x0948 }, { 0x094d, 0x094d },
	{ 0x0951, 0x0957 },   { 0x0962, 0x0963 }, { 0x0e31, 0x0e31 }, { 0x0e34, 0x0e3a },
	{ 0x0e47, 0x0e4e },   { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff }, { 0x200b, 0x200f },
	{ 0x2060, 0x2065 },   { 0x206a, 0x206f }, { 0x20d0, 0x20f0 }, { 0x302a, 0x302d },
	{ 0x3099, 0x309a },   { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f }, { 0xfeff, 0xfeff },
	{ 0xe0100, 0xe01ef },
};

/* Unicode 14.0, EastAsianWidth.txt, W and F; gaps that no character fills are closed. */
static const struct range wide_ranges[] = {
	{ 0x1100, 0x115f },   { 0x231a, 0x231b },   { 0x2329, 0x232a },	  { 0x23e9, 0x23ec },
	{ 0x23f0, 0x23f0 },   { 0x23f3, 0x23f3 },   { 0x25fd, 0x25fe },	  { 0x2614, 0x2615 },
	{ 0x2648, 0x2653 },   { 0x267f, 0x267f },   { 0x2693, 0x2693 },	  { 0x26a1, 0x26a1 },
	{ 0x26aa, 0x26ab },   { 0x26bd, 0x26be },   { 0x26c4, 0x26c5 },	  { 0x26ce, 0x26ce },
	{ 0x26d4, 0x26d4 },   { 0x26ea, 0x26ea },   { 0x26f2, 0x26f3 },	  { 0x26f5, 0x26f5 },
	{ 0x26fa, 0x26fa },   { 0x26fd, 0x26fd },   { 0x2705, 0x2705 },	  { 0x270a, 0x270b },
	{ 0x2728, 0x2728 },   { 0x274c, 0x274c },   { 0x274e, 0x274e },	  { 0x2753, 0x2755 },
	{ 0x2757, 0x2757 },   { 0x2795, 0x2797 },   { 0x27b0, 0x27b0 },	  { 0x27bf, 0x27bf },
	{ 0x2b1b, 0x2b1c },   { 0x2b50, 0x2b50 },   { 0x2b55, 0x2b55 },	  { 0x2e80, 0x303e },
	{ 0x3040, 0x3247 },   { 0x3250, 0x4dbf },   { 0x4e00, 0xa4cf },	  { 0xa960, 0xa97f },
	{ 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },   { 0xfe10, 0xfe19 },	  { 0xfe30, 0xfe6f },
	{ 0xff01, 0xff60 },   { 0xffe0, 0xffe6 },   { 0x16fe0, 0x18d08 }, { 0x1aff0, 0x1b2fb },
	{ 0x1f004, 0x1f004 }, { 0x1f0cf, 0x1f0cf }, { 0x1f18e, 0x1f18e }, { 0x1f191, 0x1f19a },
	{ 0x1f200, 0x1f320 }, { 0x1f32d, 0x1f335 }, { 0x1f337, 0x1f37c }, { 0x1f37e, 0x1f393 },
	{ 0x1f3a0, 0x1f3ca }, { 0x1f3cf, 0x1f3d3 }, { 0x1f3e0, 0x1f3f0 }, { 0x1f3f4, 0x1f3f4 },
	{ 0x1f3f8, 0x1f43e }, { 0x1f440, 0x1f440 }, { 0x1f442, 0x1f4fc }, { 0x1f4ff, 0x1f53d },
	{ 0x1f54b, 0x1f54e }, { 0x1f550, 0x1f567 }, { 0x1f57a, 0x1f57a }, { 0x1f595, 0x1f596 },
	{ 0x1f5a4, 0x1f5a4 }, { 0x1f5fb, 0x1f64f }, { 0x1f680, 0x1f6c5 }, { 0x1f6cc, 0x1f6cc },
	{ 0x1f6d0, 0x1f6d2 }, { 0x1f6d5, 0x1f6df }, { 0x1f6eb, 0x1f6ef }, { 0x1f6f4, 0x1f6ff },
	{ 0x1f7e0, 0x1f7f0 }, { 0x1f90c, 0x1f93a }, { 0x1f93c, 0x1f945 }, { 0x1f947, 0x1f9ff },
	{ 0x1fa70, 0x1faff }, { 0x20000, 0x3fffd },
};

#define IN_RANGES(ranges, rune) in_ranges((ranges), sizeof(ranges) / sizeof((ranges)[0]), (rune))

static bool in_ranges(const struct range *ranges, size_t nr_ranges, uint32_t rune)
{
	size_t low = 0, high = nr_ranges;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ranges[middle].last < rune)
			low = middle + 1;
		else
			high = middle;
	}
	return low < nr_ranges && rune >= ranges[low].first;
}

static bool is_shown_as_it_is(uint32_t rune)
{
	return rune != UTF8_INVALID && !utf8_is_control(rune);
}

static size_t rune_columns(uint32_t rune)
{
	if (rune < zero_ranges[0].first || !is_shown_as_it_is(rune))
		return 1;
	if (IN_RANGES(zero_ranges, rune))
		return 0;
	return IN_RANGES(wide_ranges, rune) ? 2 : 1;
}

size_t columns_count(const char *bytes, size_t size)
{
	size_t nr_columns = 0;

	for (size_t at = 0; at < size;) {
		uint32_t rune = 0;

		at += utf8_decode(bytes + at, size - at, &rune);
		nr_columns += rune_columns(rune);
	}
	return nr_columns;
}

/* The size of the leading bytes that take WIDTH columns at most, with the marks on the last one. */
static size_t prefix_size(const char *bytes, size_t size, size_t width, size_t *ret_columns)
{
	size_t at = 0, nr_columns = 0;

	while (at < size) {
		uint32_t rune = 0;
		size_t step = utf8_decode(bytes + at, size - at, &rune);

		if (nr_columns + rune_columns(rune) > width)
			break;
		nr_columns += rune_columns(rune);
		at += step;
	}
	*ret_columns = nr_columns;
	return at;
}

static void print_inert(FILE *out, const char *bytes, size_t size)
{
	for (size_t at = 0; at < size;) {
		uint32_t rune = 0;
		size_t step = utf8_decode(bytes + at, size - at, &rune);

		if (is_shown_as_it_is(rune))
			fwrite(bytes + at, 1, step, out);
		else
			fputs("\xef\xbf\xbd", out);
		at += step;
	}
}

size_t columns_print(FILE *out, const char *bytes, size_t size, size_t width, enum columns_cut cut)
{
	size_t nr_columns = columns_count(bytes, size);
	size_t keep, tail, head_size, head_columns, skip_size, skipped;

	if (nr_columns <= width) {
		print_inert(out, bytes, size);
		return nr_columns;
	}
	if (width <= ELLIPSIS_COLUMNS) {
		fwrite(ELLIPSIS, 1, width, out);
		return width;
	}
	keep = width - ELLIPSIS_COLUMNS;
	/* the name at the end of a path tells more than where it begins */
	tail = cut == COLUMNS_CUT_MIDDLE ? keep - keep / 3 : 0;
	head_size = prefix_size(bytes, size, keep - tail, &head_columns);
	skip_size = prefix_size(bytes, size, nr_columns - tail, &skipped);
	/* a wide character that straddles the cut is left out, with the marks on it */
	if (skipped < nr_columns - tail)
		skip_size += prefix_size(bytes + skip_size, size - skip_size, 2, &keep);
	print_inert(out, bytes, head_size);
	fwrite(ELLIPSIS, 1, ELLIPSIS_COLUMNS, out);
	print_inert(out, bytes + skip_size, size - skip_size);
	return head_columns + ELLIPSIS_COLUMNS + columns_count(bytes + skip_size, size - skip_size);
}
