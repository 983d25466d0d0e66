/* SPDX-License-Identifier: MIT */
#include "tap/chains.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "proto/tls.h"
#include "sources/tls_handshake/handshake.h"

#define KEEP_NS	    (3600ULL * 1000000000)
#define DIGEST_SIZE 32

struct chain {
	struct content *content; /* NULL: none */
	uint64_t unix_ns;	 /* when it was looked at */
	uint8_t digest[DIGEST_SIZE];
};

struct chains {
	size_t next; /* the oldest */
	uint64_t nr_short;
	struct chain chains[CHAINS_MAX];
};

/* The SHA-256 of all of them and their sizes: other pieces of the same bytes are not the same. */
static bool digest_of(const struct content_der *ders, size_t nr, uint8_t digest[DIGEST_SIZE])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool is_ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);

	for (size_t i = 0; is_ok && i < nr; i++)
		is_ok = EVP_DigestUpdate(ctx, &ders[i].size, sizeof(ders[i].size)) &&
			EVP_DigestUpdate(ctx, ders[i].bytes, ders[i].size);
	is_ok = is_ok && EVP_DigestFinal_ex(ctx, digest, NULL);
	EVP_MD_CTX_free(ctx);
	return is_ok;
}

static const struct content *find(const struct chains *chains, const uint8_t digest[DIGEST_SIZE],
				  uint64_t unix_ns)
{
	for (size_t i = 0; i < CHAINS_MAX; i++) {
		const struct chain *chain = &chains->chains[i];

		if (chain->content && memcmp(chain->digest, digest, DIGEST_SIZE) == 0 &&
		    unix_ns - chain->unix_ns < KEEP_NS)
			return chain->content;
	}
	return NULL;
}

const struct content *chains_look(struct chains *chains, const struct record *record)
{
	struct content_der ders[TLS_SERVER_CERTIFICATES_MAX];
	uint8_t digest[DIGEST_SIZE];
	const struct content *known;
	struct content *content;
	struct chain *chain = &chains->chains[chains->next];
	size_t at = 0;
	size_t nr = 0;

	while (nr < TLS_SERVER_CERTIFICATES_MAX &&
	       tls_handshake_certificate(record, &at, &ders[nr].bytes, &ders[nr].size))
		nr++;
	if (!nr)
		return NULL;
	if (!digest_of(ders, nr, digest)) {
		chains->nr_short++;
		return NULL;
	}
	known = find(chains, digest, record->unix_ns);
	if (known)
		return known;
	if (content_inspect_chain(ders, nr, record->unix_ns, &content) < 0) {
		chains->nr_short++;
		return NULL;
	}
	content_free(chain->content);
	chain->content = content;
	chain->unix_ns = record->unix_ns;
	memcpy(chain->digest, digest, DIGEST_SIZE);
	chains->next = (chains->next + 1) % CHAINS_MAX;
	return content;
}

uint64_t chains_count_short(const struct chains *chains)
{
	return chains->nr_short;
}

int chains_new(struct chains **ret)
{
	struct chains *chains = calloc(1, sizeof(*chains));

	if (!chains)
		return -ENOMEM;
	*ret = chains;
	return 0;
}

void chains_free(struct chains *chains)
{
	if (!chains)
		return;
	for (size_t i = 0; i < CHAINS_MAX; i++)
		content_free(chains->chains[i].content);
	free(chains);
}
