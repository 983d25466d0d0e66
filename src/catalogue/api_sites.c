/* SPDX-License-Identifier: MIT */
#include "catalogue/api_sites.h"

#include <string.h>

#include "lib/array.h"

/* The first is for all that are not known. */
static const struct api_function sites[] = {
	{ .name = "crypto_auditing", .kind = API_KIND_context },
#define API_SITE(site, what) { .name = #site, .kind = API_KIND_##what },
#include "catalogue/api_sites.def"
};

static const struct api_key keys[] = {
#define API_KEY(key, how, called) { #key, called, API_KEY_##how },
#include "catalogue/api_sites.def"
};

static bool is_called(const char *name, const char *bytes, size_t size)
{
	return strlen(name) == size && memcmp(name, bytes, size) == 0;
}

const struct api_function *api_site_function(const char *name, size_t size)
{
	for (size_t i = 1; i < ARRAY_SIZE(sites); i++)
		if (is_called(sites[i].name, name, size))
			return &sites[i];
	return &sites[0];
}

const struct api_key *api_key_find(const char *name, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (is_called(keys[i].name, name, size))
			return &keys[i];
	return NULL;
}
