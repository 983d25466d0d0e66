/* SPDX-License-Identifier: MIT */
#include "lib/parse.h"

#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define TEN_YEARS_S (10ULL * 366 * 24 * 3600)

/* Reads the digits at *TEXT and moves past them. */
static int digits(const char **text, uint64_t *ret)
{
	uint64_t value = 0;
	const char *at = *text;

	if (!isdigit((unsigned char)*at))
		return -EINVAL;
	for (; isdigit((unsigned char)*at); at++) {
		unsigned int digit = (unsigned int)(*at - '0');

		if (value > (UINT64_MAX - digit) / 10)
			return -ERANGE;
		value = value * 10 + digit;
	}
	*text = at;
	*ret = value;
	return 0;
}

static int in_range(uint64_t value, uint64_t min, uint64_t max, uint64_t *ret)
{
	if (value < min || value > max)
		return -ERANGE;
	*ret = value;
	return 0;
}

int parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t value;
	int err = digits(&text, &value);

	if (err)
		return err;
	if (*text)
		return -EINVAL;
	return in_range(value, min, max, ret);
}

int parse_size(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t value;
	unsigned int shift = 0;
	int err = digits(&text, &value);

	if (err)
		return err;
	switch (*text) {
	case '\0':
		break;
	case 'k':
	case 'K':
		shift = 10;
		break;
	case 'm':
	case 'M':
		shift = 20;
		break;
	case 'g':
	case 'G':
		shift = 30;
		break;
	default:
		return -EINVAL;
	}
	if (*text && text[1])
		return -EINVAL;
	if (value > UINT64_MAX >> shift)
		return -ERANGE;
	return in_range(value << shift, min, max, ret);
}

int parse_seconds(const char *text, uint64_t *ret_ms)
{
	uint64_t seconds;
	uint64_t ms = 0;
	int err = digits(&text, &seconds);

	if (err)
		return err;
	if (*text == '.') {
		uint64_t unit = 100;

		text++;
		if (!*text)
			return -EINVAL;
		for (; isdigit((unsigned char)*text) && unit > 0; text++, unit /= 10)
			ms += unit * (unsigned int)(*text - '0');
	}
	if (*text)
		return -EINVAL;
	if (seconds > TEN_YEARS_S)
		return -ERANGE;
	*ret_ms = seconds * 1000 + ms;
	return 0;
}

int parse_user(const char *text, uid_t *ret_uid, gid_t *ret_gid)
{
	uint64_t number;
	bool is_number = parse_u64(text, 0, UINT32_MAX - 1, &number) == 0;
	struct passwd *entry = is_number ? getpwuid((uid_t)number) : getpwnam(text);

	if (!entry && !is_number)
		return -ESRCH;
	*ret_uid = entry ? entry->pw_uid : (uid_t)number;
	*ret_gid = entry ? entry->pw_gid : (gid_t)number;
	return 0;
}
