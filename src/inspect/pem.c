/* SPDX-License-Identifier: MIT */
#include "inspect/pem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/asn1.h"
#include "inspect/der.h"
#include "inspect/key.h"
#include "inspect/pgp.h"
#include "inspect/ssh.h"
#include "inspect/x509.h"
#include "lib/bytes.h"

#define DASHES "-----"
#define BEGIN  "-----BEGIN "
#define END    "-----END "

/* Where the next line that begins with five dashes begins, from AT, which begins one; or END. */
static const char *dashes_find(const char *at, const char *end)
{
	while (at < end) {
		const char *newline;

		if (bytes_begin(at, (size_t)(end - at), DASHES))
			return at;
		newline = memchr(at, '\n', (size_t)(end - at));
		if (!newline)
			return end;
		at = newline + 1;
	}
	return end;
}

/* Where the line at AT ends, its line end excluded and included. */
static const char *line_end(const char *at, const char *end, const char **ret_next)
{
	const char *newline = memchr(at, '\n', (size_t)(end - at));
	const char *to = newline ? newline : end;

	*ret_next = newline ? newline + 1 : end;
	while (to > at && (to[-1] == '\r' || to[-1] == ' ' || to[-1] == '\t'))
		to--;
	return to;
}

/* Whether the line from AT to END is BOUNDARY, a label and five dashes. */
static bool label_read(const char *at, const char *end, const char *boundary, const char **ret,
		       size_t *ret_size)
{
	size_t size = (size_t)(end - at), fixed = strlen(boundary) + strlen(DASHES);

	if (size < fixed || size - fixed > PEM_LABEL_MAX || !bytes_begin(at, size, boundary) ||
	    memcmp(end - strlen(DASHES), DASHES, strlen(DASHES)) != 0)
		return false;
	*ret = at + strlen(boundary);
	*ret_size = size - fixed;
	return true;
}

/*
 * Steps over headers: lines with a colon, and an empty one behind them. RFC 1421, 4.6.1.1 has those
 * of encrypted keys; armor has others.
 */
static void headers_skip(struct pem_block *block)
{
	const char *end = block->body + block->body_size, *at = block->body, *next;
	bool has_headers = false;

	while (at < end) {
		const char *to = line_end(at, end, &next);
		size_t size = (size_t)(to - at);

		if (size && !memchr(at, ':', size) && !(has_headers && (*at == ' ' || *at == '\t')))
			break;
		if (bytes_begin(at, size, "Proc-Type:") && memmem(at, size, "ENCRYPTED", 9))
			block->is_encrypted = true;
		has_headers = true;
		at = next;
		if (!size)
			break;
	}
	block->body = at;
	block->body_size = (size_t)(end - at);
}

bool pem_next(const char **at, const char *end, struct pem_block *ret)
{
	struct pem_block block = { 0 };
	const char *next, *label;
	size_t label_size;

	for (;;) {
		const char *line = dashes_find(*at, end);

		if (line == end) {
			*at = end;
			return false;
		}

		const char *to = line_end(line, end, &next);

		*at = next;
		if (label_read(line, to, BEGIN, &block.label, &block.label_size))
			break;
	}
	block.body = *at;
	/* Base64 has no dash and headers do not begin with one: the next such line ends the block.
	 */
	*at = dashes_find(*at, end);
	block.body_size = (size_t)(*at - block.body);
	if (*at < end) {
		const char *to = line_end(*at, end, &next);

		if (label_read(*at, to, END, &label, &label_size)) {
			*at = next;
			block.is_whole = label_size == block.label_size &&
					 memcmp(label, block.label, label_size) == 0;
		}
	}
	headers_skip(&block);
	*ret = block;
	return true;
}

/* Decodes the body, which is public, and hands it on. */
static bool decoded(struct judge *judge, const struct pem_block *block,
		    bool (*read)(struct judge *, const uint8_t *, size_t))
{
	struct octets octets;
	uint8_t *bytes;
	bool is_read;

	octets_base64(&octets, block->body, block->body_size);
	bytes = malloc(octets.size + 1);
	if (!bytes) {
		judge->err = -ENOMEM;
		return false;
	}
	octets_copy(&octets, 0, octets.size, bytes);
	is_read = read(judge, bytes, octets.size);
	free(bytes);
	return is_read;
}

static bool read_certificate(struct judge *judge, const struct pem_block *block)
{
	/* Many more than are told need not be decoded. */
	if (judge_is_full(judge)) {
		judge_skip_certificate(judge);
		return true;
	}
	return decoded(judge, block, x509_read);
}

static bool pkcs7_bytes(struct judge *judge, const uint8_t *bytes, size_t size)
{
	struct octets octets;

	octets_raw(&octets, bytes, size);
	return asn1_read_pkcs7(judge, der_all(&octets));
}

static bool read_pkcs7(struct judge *judge, const struct pem_block *block)
{
	return decoded(judge, block, pkcs7_bytes);
}

static bool read_csr(struct judge *judge, const struct pem_block *block)
{
	struct octets octets;

	octets_base64(&octets, block->body, block->body_size);
	return asn1_read_csr(judge, der_all(&octets));
}

static bool read_crl(struct judge *judge, const struct pem_block *block)
{
	struct octets octets;

	octets_base64(&octets, block->body, block->body_size);
	return asn1_read_crl(judge, der_all(&octets));
}

/* The key is read within the text: see key.h for what of it is decoded. */
static bool read_key(struct judge *judge, const struct pem_block *block, key_reader *reader,
		     enum judge_sight sight)
{
	struct octets octets;
	struct key key;
	bool is_read;

	octets_base64(&octets, block->body, block->body_size);
	is_read = reader(judge, der_all(&octets), &key);
	octets_wipe(&octets);
	if (!is_read)
		return false;
	judge_add_key(judge, &key);
	judge->sights |= sight;
	return true;
}

/* A private key with nothing known but TYPE and that it is there. */
static void add_hidden_key(struct judge *judge, const char *type, const char *format,
			   bool is_encrypted)
{
	judge_add_key(judge, &(struct key){
				     .type = type,
				     .format = format,
				     .is_private = true,
				     .is_encrypted = is_encrypted,
			     });
	judge->sights |= SIGHT_PRIVATE_KEY;
}

static bool read_encrypted(struct judge *judge, const char *type, const char *format)
{
	add_hidden_key(judge, type, format, true);
	return true;
}

static bool read_pkcs8(struct judge *judge, const struct pem_block *block)
{
	return read_key(judge, block, key_read_pkcs8, SIGHT_PRIVATE_KEY);
}

static bool read_pkcs8_encrypted(struct judge *judge, const struct pem_block *block)
{
	return read_key(judge, block, key_read_pkcs8_encrypted, SIGHT_PRIVATE_KEY);
}

static bool read_rsa(struct judge *judge, const struct pem_block *block)
{
	if (block->is_encrypted)
		return read_encrypted(judge, "RSA", "PKCS#1");
	return read_key(judge, block, key_read_pkcs1_private, SIGHT_PRIVATE_KEY);
}

static bool read_ec(struct judge *judge, const struct pem_block *block)
{
	if (block->is_encrypted)
		return read_encrypted(judge, "EC", "SEC1");
	return read_key(judge, block, key_read_sec1, SIGHT_PRIVATE_KEY);
}

static bool read_dsa(struct judge *judge, const struct pem_block *block)
{
	if (block->is_encrypted)
		return read_encrypted(judge, "DSA", "OpenSSL");
	return read_key(judge, block, key_read_dsa, SIGHT_PRIVATE_KEY);
}

/* A key that only a TPM can use: it is encrypted for that. */
static bool read_tss2(struct judge *judge, const struct pem_block *block)
{
	(void)block;
	return read_encrypted(judge, NULL, "TSS2");
}

static bool read_spki(struct judge *judge, const struct pem_block *block)
{
	return read_key(judge, block, key_read_spki, SIGHT_PUBLIC_KEY);
}

static bool read_pkcs1_public(struct judge *judge, const struct pem_block *block)
{
	return read_key(judge, block, key_read_pkcs1_public, SIGHT_PUBLIC_KEY);
}

static bool read_dh(struct judge *judge, const struct pem_block *block)
{
	return read_key(judge, block, key_read_dh_parameters, SIGHT_DH_PARAMETERS);
}

/* Commonly in front of a private key; no kind of file of their own. */
static bool read_ec_parameters(struct judge *judge, const struct pem_block *block)
{
	(void)judge;
	(void)block;
	return true;
}

static bool read_openssh(struct judge *judge, const struct pem_block *block)
{
	struct octets octets;
	bool is_read;

	octets_base64(&octets, block->body, block->body_size);
	is_read = ssh_read_openssh(judge, &octets);
	octets_wipe(&octets);
	if (is_read)
		judge->sights |= SIGHT_SSH_PRIVATE_KEY;
	return is_read;
}

static bool read_pgp(struct judge *judge, const struct pem_block *block)
{
	struct octets octets;

	octets_base64(&octets, block->body, block->body_size);
	(void)pgp_read_packets(judge, &octets, 0, octets.size);
	octets_wipe(&octets);
	judge->sights |= SIGHT_PGP_DATA;
	return true;
}

static bool read_age(struct judge *judge, const struct pem_block *block)
{
	(void)block;
	judge->sights |= SIGHT_ENCRYPTED_FILE;
	return true;
}

/* Labels: RFC 7468, openssl(1) PEM_read_bio, OpenSSH PROTOCOL.key, RFC 9580 6.2.1, age(1). */
static const struct pem_label {
	const char *label;
	bool (*read)(struct judge *judge, const struct pem_block *block);
	const char *format;
} labels[] = {
	{ "CERTIFICATE", read_certificate, "PEM" },
	{ "X509 CERTIFICATE", read_certificate, "PEM" },
	{ "TRUSTED CERTIFICATE", read_certificate, "PEM" },
	{ "CERTIFICATE REQUEST", read_csr, "PEM" },
	{ "NEW CERTIFICATE REQUEST", read_csr, "PEM" },
	{ "X509 CRL", read_crl, "PEM" },
	{ "PKCS7", read_pkcs7, "PEM" },
	{ "PKCS #7 SIGNED DATA", read_pkcs7, "PEM" },
	{ "CMS", read_pkcs7, "PEM" },
	{ "PRIVATE KEY", read_pkcs8, "PEM" },
	{ "ENCRYPTED PRIVATE KEY", read_pkcs8_encrypted, "PEM" },
	{ "RSA PRIVATE KEY", read_rsa, "PEM" },
	{ "EC PRIVATE KEY", read_ec, "PEM" },
	{ "DSA PRIVATE KEY", read_dsa, "PEM" },
	{ "TSS2 PRIVATE KEY", read_tss2, "PEM" },
	{ "PUBLIC KEY", read_spki, "PEM" },
	{ "RSA PUBLIC KEY", read_pkcs1_public, "PEM" },
	{ "DH PARAMETERS", read_dh, "PEM" },
	{ "X9.42 DH PARAMETERS", read_dh, "PEM" },
	{ "EC PARAMETERS", read_ec_parameters, "PEM" },
	{ "DSA PARAMETERS", read_ec_parameters, "PEM" },
	{ "OPENSSH PRIVATE KEY", read_openssh, "OpenSSH" },
	{ "PGP PUBLIC KEY BLOCK", read_pgp, "OpenPGP" },
	{ "PGP PRIVATE KEY BLOCK", read_pgp, "OpenPGP" },
	{ "PGP MESSAGE", read_pgp, "OpenPGP" },
	{ "PGP SIGNATURE", read_pgp, "OpenPGP" },
	{ "AGE ENCRYPTED FILE", read_age, "age" },
};

static bool is_private(const struct pem_block *block)
{
	static const char end[] = "PRIVATE KEY";

	return block->label_size >= strlen(end) &&
	       memcmp(block->label + block->label_size - strlen(end), end, strlen(end)) == 0;
}

static const struct pem_label *label_find(const struct pem_block *block)
{
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		if (bytes_equal(block->label, block->label_size, labels[i].label))
			return &labels[i];
	return NULL;
}

/* Returns whether the label is known, or that of some private key. */
static bool block_read(struct judge *judge, const struct pem_block *block)
{
	const struct pem_label *label = label_find(block);
	bool is_read = label && label->read(judge, block);

	if (!label && !is_private(block))
		return false;
	judge_set_format(judge, label ? label->format : "PEM");
	if (!block->is_whole)
		judge_note(judge, judge->is_cut ? JUDGE_NOTE_CUT : "damaged: a block has no end");
	else if (label && !is_read)
		judge_note(judge, "damaged: a block cannot be read");
	/* A private key that is not understood is a private key none the less. */
	if (!is_read && is_private(block))
		add_hidden_key(judge, NULL, "PEM", block->is_encrypted);
	return true;
}

bool pem_judge(struct judge *judge, const char *text, size_t size)
{
	static const char mark[] = "\xef\xbb\xbf";
	const char *at = text, *end = text + size;
	struct pem_block block;
	bool is_known = false;

	if (bytes_begin(text, size, mark))
		at += strlen(mark);
	while (pem_next(&at, end, &block))
		if (block_read(judge, &block))
			is_known = true;
	return is_known;
}
