/* SPDX-License-Identifier: MIT */
#ifndef CATALOGUE_SSH_H
#define CATALOGUE_SSH_H

/*
 * Algorithms of SSH by their names on the wire, and which rule is against them
 * (ssh_algorithms.def; proto/ssh_verdict.h applies the rules). Everything returned is static and
 * constant; a name that the catalogue does not have is NULL, and the caller prints what it was
 * given.
 */

#include <stddef.h>
#include <stdint.h>

/* Which list a name stands in. Pseudo-algorithms stand among the kex. */
enum ssh_kind {
	SSH_KIND_kex,
	SSH_KIND_pseudo,
	SSH_KIND_host_key,
	SSH_KIND_cipher,
	SSH_KIND_mac,
	SSH_KIND_compression,
};

/* What a name's kind makes of it, as far as it matters to who reads a connection. */
enum ssh_trait {
	SSH_TRAIT_null,	 /* nothing: no key, no encryption, no MAC */
	SSH_TRAIT_plain, /* mac: of the plain text; compression */
	/* kex: by which messages it is done */
	SSH_TRAIT_dh,	   /* a group of fixed size */
	SSH_TRAIT_gex,	   /* a group that the server sends */
	SSH_TRAIT_ecdh,	   /* a curve */
	SSH_TRAIT_hybrid,  /* like ecdh, with a KEM that quantum computers do not break */
	SSH_TRAIT_rsa,	   /* a key that the server sends; host_key: a kind of key */
	SSH_TRAIT_gss,	   /* tokens of GSS-API */
	SSH_TRAIT_gss_gex, /* with a group that the server sends */
	/* pseudo */
	SSH_TRAIT_ext_info_c,
	SSH_TRAIT_ext_info_s,
	SSH_TRAIT_strict_c,
	SSH_TRAIT_strict_s,
	SSH_TRAIT_guess, /* the client's guess is right if the server takes it */
	/* host_key */
	SSH_TRAIT_dsa,
	SSH_TRAIT_ecdsa,
	SSH_TRAIT_eddsa,
	/* cipher */
	SSH_TRAIT_ctr,
	SSH_TRAIT_cbc,
	SSH_TRAIT_stream,
	SSH_TRAIT_aead,	  /* mac: that of such a cipher */
	SSH_TRAIT_chacha, /* ChaCha20 and Poly1305, which is an AEAD too */
	/* mac */
	SSH_TRAIT_etm, /* of what is encrypted */
};

enum ssh_rule {
	SSH_RULE_none, /* nothing against it */
#define SSH_RULE(rule, severity, why, policy) SSH_RULE_##rule,
#include "catalogue/ssh_algorithms.def"
	NR_SSH_RULES
};

struct ssh_algorithm {
	const char *name; /* ends in '-' where it stands for all that begin so */
	uint8_t kind;	  /* enum ssh_kind */
	uint8_t trait;	  /* enum ssh_trait */
	uint8_t rule;	  /* enum ssh_rule */
	uint16_t bits;	  /* see ssh_algorithms.def */
	const char *source;
};

/* The algorithm of KIND that the SIZE bytes at NAME spell, which may hold any bytes, or NULL. */
const struct ssh_algorithm *ssh_algorithm_find(enum ssh_kind kind, const void *name, size_t size);

#endif /* CATALOGUE_SSH_H */
