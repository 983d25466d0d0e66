/* SPDX-License-Identifier: MIT */
#include "inspect/banner.h"

#include <string.h>

#include "catalogue/libraries.h"
#include "lib/array.h"
#include "lib/bytes.h"

enum banner_form {
	FORM_DATED,
	FORM_NUMBER,
	FORM_WHOLE,
	FORM_NAME
};

enum banner_in {
	IN_LIBRARY = 1,
	IN_PROGRAM = 2,
	IN_BOTH = 3
};

struct banner_row {
	const char *before;
	const char *after;
	size_t before_size;
	uint32_t family;
	enum banner_form form;
	enum banner_in in;
};

static const struct banner_row rows[] = {
#define BANNER(name, how, where, text, behind)                                                     \
	{ .before = (text),                                                                        \
	  .after = (behind),                                                                       \
	  .before_size = sizeof(text) - 1,                                                         \
	  .family = LIBRARY_FAMILY_##name,                                                         \
	  .form = FORM_##how,                                                                      \
	  .in = IN_##where },
#include "inspect/banners.def"
};

_Static_assert(ARRAY_SIZE(rows) <= BANNERS_MAX, "every row has its place");

void banners_init(struct banners *banners, uint32_t family)
{
	enum banner_in in = family == LIBRARY_FAMILY_none ? IN_PROGRAM : IN_LIBRARY;

	*banners = (struct banners){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!(rows[i].in & in) || (in == IN_LIBRARY && rows[i].family != family))
			continue;
		banners->row[banners->nr_needles] = (uint8_t)i;
		banners->needles[banners->nr_needles++] =
			(struct needle){ .bytes = rows[i].before, .size = rows[i].before_size };
	}
}

/* What is left of the bytes behind a banner's beginning. */
struct rest {
	const char *bytes;
	size_t size;
};

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool rest_digits(struct rest *rest, size_t min, size_t max)
{
	size_t count = 0;

	while (count < rest->size && is_digit(rest->bytes[count]))
		count++;
	rest->bytes += count;
	rest->size -= count;
	return count >= min && count <= max;
}

static bool rest_byte(struct rest *rest, char byte)
{
	if (!rest->size || *rest->bytes != byte)
		return false;
	rest->bytes++;
	rest->size--;
	return true;
}

static bool rest_text(struct rest *rest, const char *text)
{
	if (!bytes_begin(rest->bytes, rest->size, text))
		return false;
	rest->bytes += strlen(text);
	rest->size -= strlen(text);
	return true;
}

/* "3.87", "3.0.17", "1.1.1w": steps over it. */
static bool rest_version(struct rest *rest)
{
	unsigned int parts = 0;

	do {
		if (!rest_digits(rest, 1, 6))
			return false;
		parts++;
	} while (rest_byte(rest, '.'));
	for (unsigned int i = 0; i < 2 && rest->size && is_letter(*rest->bytes); i++)
		rest_byte(rest, *rest->bytes);
	return parts >= 2 && parts <= 4;
}

/* "-beta1", "+quic", "-fips": pre-release and build of OpenSSL's versions. */
static void rest_suffix(struct rest *rest)
{
	if (!rest->size || (*rest->bytes != '-' && *rest->bytes != '+'))
		return;
	while (rest->size &&
	       (is_letter(*rest->bytes) || is_digit(*rest->bytes) || strchr("-+.", *rest->bytes)) &&
	       *rest->bytes)
		rest_byte(rest, *rest->bytes);
}

/* " 1 Jul 2025", and "  FIPS 25 Mar 2021" of Red Hat. */
static bool rest_date(struct rest *rest)
{
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	bool has_month = false;

	if (!rest_byte(rest, ' '))
		return false;
	while (rest_byte(rest, ' '))
		;
	rest_text(rest, "FIPS ");
	if (!rest_digits(rest, 1, 2) || !rest_byte(rest, ' '))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(months) && !has_month; i++)
		has_month = rest_text(rest, months[i]);
	return has_month && rest_text(rest, " 20") && rest_digits(rest, 2, 2);
}

/* Whether what is at REST is what ROW asks for behind its beginning, and how long its version is.
 */
static bool row_fits(const struct banner_row *row, struct rest rest, size_t *ret_size)
{
	const char *begin = rest.bytes;

	*ret_size = 0;
	if (row->form == FORM_NAME)
		return true;
	if (!rest_version(&rest))
		return false;
	if (row->form == FORM_DATED)
		rest_suffix(&rest);
	*ret_size = (size_t)(rest.bytes - begin);
	if (row->form == FORM_DATED)
		return rest_date(&rest);
	if (row->form == FORM_WHOLE)
		return rest.size && !*rest.bytes;
	if (row->after[0])
		return rest_text(&rest, row->after);
	return !rest.size || !(is_digit(*rest.bytes) || is_letter(*rest.bytes));
}

static void keep(struct banners *banners, size_t i, const char *version, size_t size)
{
	char text[BANNER_VERSION_MAX] = "";

	if (size < sizeof(text))
		memcpy(text, version, size);
	if (banners->found[i].is_found && strcmp(banners->found[i].version, text) != 0)
		banners->found[i].is_torn = true;
	banners->found[i].is_found = true;
	memcpy(banners->found[i].version, text, sizeof(text));
}

static void take_banner(void *ctx, size_t which, const struct hit *hit)
{
	struct banners *banners = ctx;
	size_t i = banners->row[which], size;
	const struct banner_row *row = &rows[i];
	const char *before = (const char *)hit->bytes + hit->at;
	struct rest rest = { before + row->before_size, hit->size - hit->at - row->before_size };

	if (row->form == FORM_WHOLE)
		rest = (struct rest){ before + 1, hit->size - hit->at - 1 };
	else if (hit->at && is_letter(*before) && (is_letter(before[-1]) || is_digit(before[-1])))
		return;
	if (row_fits(row, rest, &size))
		keep(banners, i, rest.bytes, size);
}

struct needle_group banners_group(struct banners *banners)
{
	return (struct needle_group){ banners->needles, banners->nr_needles, take_banner, banners };
}

bool banners_version(const struct banners *banners, uint32_t family, const char **ret_version)
{
	const char *version = NULL;
	bool is_found = false, is_torn = false;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *told = banners->found[i].version;

		if (rows[i].family != family || !banners->found[i].is_found)
			continue;
		is_found = true;
		is_torn = is_torn || banners->found[i].is_torn ||
			  (version && *told && strcmp(version, told) != 0);
		if (*told)
			version = told;
	}
	*ret_version = is_torn ? NULL : version;
	return is_found;
}
