/* SPDX-License-Identifier: MIT */
#ifndef CATALOGUE_API_SITES_H
#define CATALOGUE_API_SITES_H

/* What static probes of libraries tell (api_sites.def). Everything returned is static. */

#include <stddef.h>

#include "catalogue/api.h"

enum api_key_reader {
	API_KEY_text,
	API_KEY_algorithm, /* a name for algorithm_by_name() */
	API_KEY_number,
	API_KEY_version, /* these are numbers of TLS */
	API_KEY_cipher_suite,
	API_KEY_group,
	API_KEY_signature,
};

struct api_key {
	const char *name;
	const char *what; /* it is called as an argument */
	enum api_key_reader reader;
};

/*
 * What is done in a context that says that it is the SIZE bytes at NAME, as a function; one for all
 * that are not known. Never NULL.
 */
const struct api_function *api_site_function(const char *name, size_t size);

/* The key that is the SIZE bytes at NAME; NULL when it is not to be told. */
const struct api_key *api_key_find(const char *name, size_t size);

#endif /* CATALOGUE_API_SITES_H */
