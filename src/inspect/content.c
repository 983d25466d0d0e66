/* SPDX-License-Identifier: MIT */
#include "inspect/content.h"

#include <errno.h>
#include <string.h>

#include "inspect/asn1.h"
#include "inspect/chain.h"
#include "inspect/crypto_memory.h"
#include "inspect/gnupg.h"
#include "inspect/jks.h"
#include "inspect/judge.h"
#include "inspect/pem.h"
#include "inspect/pgp.h"
#include "inspect/ssh.h"
#include "inspect/ssh_lines.h"
#include "inspect/weakness.h"
#include "inspect/x509.h"
#include "lib/bytes.h"

/* Names of tables stand in the first pages of a database. */
#define SQLITE_HEAD_MAX (64U << 10)

static bool has(const void *bytes, size_t size, const char *text)
{
	return memmem(bytes, size, text, strlen(text));
}

/* NSS: lib/softoken/sdb.c names its tables so. Rows are not looked at. */
static bool judge_sqlite(struct judge *judge, const char *bytes, size_t size)
{
	static const char magic[] = "SQLite format 3"; /* and its NUL */
	size_t head = size < SQLITE_HEAD_MAX ? size : SQLITE_HEAD_MAX;
	bool has_private;

	if (size < sizeof(magic) || memcmp(bytes, magic, sizeof(magic)) != 0)
		return false;
	has_private = has(bytes, head, "nssPrivate");
	if (!has_private && !has(bytes, head, "nssPublic"))
		return false;
	judge_set_format(judge, "SQLite");
	judge_set_kind(judge, FILE_TYPE_keystore, FILE_KIND_nss_database);
	judge_note(judge, has_private ? "private keys in NSS databases are not told"
				      : "certificates in NSS databases are not told");
	return true;
}

/* KeePass 2, its documentation of the KDBX format: two signatures, the first little-endian. */
static bool judge_keepass(struct judge *judge, const char *bytes, size_t size)
{
	if (!bytes_begin(bytes, size, "\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5"))
		return false;
	judge_set_format(judge, "KDBX");
	judge_set_kind(judge, FILE_TYPE_keystore, FILE_KIND_password_database);
	judge_note(judge, "encrypted");
	return true;
}

/*
 * age(1): a line for each identity. Only the beginnings of lines are compared; behind the prefix
 * everything is secret.
 */
static bool judge_age(struct judge *judge, const char *text, size_t size)
{
	static const struct {
		const char *prefix, *type;
		bool is_encrypted;
	} identities[] = {
		{ "AGE-SECRET-KEY-1", "X25519", false },
		{ "AGE-SECRET-KEY-PQ-1", "MLKEM768-X25519", false },
		/* The secret is in a device that a plugin talks to. */
		{ "AGE-PLUGIN-", NULL, true },
	};
	const char *end = text + size;
	bool is_found = false;

	if (bytes_begin(text, size, "age-encryption.org/v1\n")) {
		judge_set_format(judge, "age");
		judge->sights |= SIGHT_ENCRYPTED_FILE;
		return true;
	}
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));

		for (size_t i = 0; i < sizeof(identities) / sizeof(identities[0]); i++) {
			if (!bytes_begin(text, (size_t)(end - text), identities[i].prefix))
				continue;
			judge_add_key(judge, &(struct key){
						     .type = identities[i].type,
						     .format = "age",
						     .is_private = true,
						     .is_encrypted = identities[i].is_encrypted,
					     });
			is_found = true;
		}
		text = newline ? newline + 1 : end;
	}
	if (!is_found)
		return false;
	judge_set_format(judge, "age");
	judge_set_kind(judge, FILE_TYPE_private_key, FILE_KIND_age_private_key);
	return true;
}

/* What has a beginning of its own, first; text and packets, which have less, last. */
static void judge_bytes(struct judge *judge, const uint8_t *bytes, size_t size)
{
	const char *text = (const char *)bytes;

	if (jks_judge(judge, bytes, size) || judge_sqlite(judge, text, size) ||
	    judge_keepass(judge, text, size) || gnupg_judge_keybox(judge, bytes, size) ||
	    ssh_judge_putty(judge, text, size) || asn1_judge(judge, bytes, size) ||
	    pem_judge(judge, text, size) || gnupg_judge_private_key(judge, text, size) ||
	    judge_age(judge, text, size) || ssh_judge_lines(judge, text, size))
		return;
	(void)pgp_judge_binary(judge, bytes, size);
}

static bool is_named(const struct judge *judge, enum file_kind kind)
{
	return judge->name_class && judge->name_class->kind == kind;
}

/* The kind of a file with certificates and no private keys. */
static enum file_kind certificates_kind(const struct judge *judge)
{
	if (judge->sights & SIGHT_CMS_MESSAGE)
		return FILE_KIND_cms_message;
	if (judge->sights & SIGHT_PKCS7)
		return FILE_KIND_pkcs7;
	if (chain_is_bundle(judge))
		return FILE_KIND_ca_bundle;
	if (chain_is_linked(judge))
		return FILE_KIND_certificate_chain;
	return is_named(judge, FILE_KIND_hashed_certificate) ? FILE_KIND_hashed_certificate
							     : FILE_KIND_certificate;
}

/*
 * The kind of a file by what was seen in it, where the format alone did not say: private keys
 * before certificates before the rest.
 */
static void kind_decide(struct judge *judge)
{
	static const struct {
		enum judge_sight sight;
		enum file_type type;
		enum file_kind kind;
	} kinds[] = {
		{ SIGHT_PRIVATE_KEY, FILE_TYPE_private_key, FILE_KIND_private_key },
		{ SIGHT_SSH_PRIVATE_KEY, FILE_TYPE_private_key, FILE_KIND_ssh_private_key },
		{ SIGHT_PGP_PRIVATE_KEY, FILE_TYPE_private_key, FILE_KIND_pgp_private_key },
		{ SIGHT_CMS_MESSAGE, FILE_TYPE_unknown, FILE_KIND_cms_message },
		{ SIGHT_PKCS7, FILE_TYPE_certificate, FILE_KIND_pkcs7 },
		{ SIGHT_CRL, FILE_TYPE_unknown, FILE_KIND_crl },
		{ SIGHT_CSR, FILE_TYPE_unknown, FILE_KIND_csr },
		{ SIGHT_OCSP_RESPONSE, FILE_TYPE_unknown, FILE_KIND_ocsp_response },
		{ SIGHT_PUBLIC_KEY, FILE_TYPE_unknown, FILE_KIND_public_key },
		{ SIGHT_DH_PARAMETERS, FILE_TYPE_unknown, FILE_KIND_dh_parameters },
		{ SIGHT_PGP_PUBLIC_KEY, FILE_TYPE_unknown, FILE_KIND_pgp_keyring },
		{ SIGHT_PGP_DATA, FILE_TYPE_unknown, FILE_KIND_pgp_data },
		{ SIGHT_ENCRYPTED_FILE, FILE_TYPE_unknown, FILE_KIND_encrypted_file },
	};
	const uint32_t privates = SIGHT_PRIVATE_KEY | SIGHT_SSH_PRIVATE_KEY | SIGHT_PGP_PRIVATE_KEY;

	if (judge->content.kind != FILE_KIND_unknown)
		return;
	if (judge->nr_certificates && !(judge->sights & privates)) {
		enum file_kind kind = certificates_kind(judge);

		judge_set_kind(judge,
			       kind == FILE_KIND_cms_message ? FILE_TYPE_unknown
							     : FILE_TYPE_certificate,
			       kind);
		return;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!(judge->sights & kinds[i].sight))
			continue;
		judge_set_kind(judge, kinds[i].type, kinds[i].kind);
		break;
	}
	if (judge->content.kind == FILE_KIND_ssh_private_key &&
	    is_named(judge, FILE_KIND_ssh_host_key))
		judge->content.kind = FILE_KIND_ssh_host_key;
}

/* Whether the certificates are there because they are trusted, not because somebody shows them. */
static bool is_trust_collection(const struct judge *judge)
{
	switch (judge->content.kind) {
	case FILE_KIND_ca_bundle:
	case FILE_KIND_hashed_certificate:
		return true;
	case FILE_KIND_jks:
	case FILE_KIND_jceks:
	case FILE_KIND_pkcs12:
		return judge->nr_keys == 0 && chain_is_bundle(judge);
	default:
		return false;
	}
}

static void notes_add(struct judge *judge, size_t size)
{
	if (judge->nr_certificates_untold)
		judge_note(judge,
			   judge_format(judge, "%u certificates, of which %u are told",
					judge->nr_certificates + judge->nr_certificates_untold,
					judge->nr_certificates));
	if (judge->nr_keys_untold)
		judge_note(judge,
			   judge_format(judge, "%u keys, of which %u are told",
					judge->nr_keys + judge->nr_keys_untold, judge->nr_keys));
	if (judge->is_cut)
		judge_note(judge, JUDGE_NOTE_CUT);
	if (judge->content.kind == FILE_KIND_unknown)
		judge_note(judge, size ? "the content is of no known format" : "empty");
}

/* What is to be said once SIZE bytes, or something else to look at, were taken apart. */
static int conclude(struct judge *judge, const struct content_stat *stat, size_t size,
		    struct content **ret)
{
	int err;

	chain_order(judge);
	kind_decide(judge);
	weakness_find(judge, is_trust_collection(judge), stat);
	notes_add(judge, size);
	/* A certificate that could not be read for want of it looks like none. */
	if (crypto_memory_was_short())
		judge->err = -ENOMEM;
	err = judge_finish(judge);
	if (err) {
		judge_free(judge);
		return err;
	}
	*ret = &judge->content;
	return 0;
}

int content_inspect(const void *bytes, size_t size, bool is_cut, const char *name,
		    const struct content_stat *stat, uint64_t now_ns, struct content **ret)
{
	struct judge *judge = judge_new(now_ns, is_cut || size > CONTENT_SIZE_MAX);

	if (!judge)
		return -ENOMEM;
	if (size > CONTENT_SIZE_MAX)
		size = CONTENT_SIZE_MAX;
	if (name)
		judge->name_class = file_classify(name, strlen(name));
	if (size)
		judge_bytes(judge, bytes, size);
	return conclude(judge, stat, size, ret);
}

int content_inspect_chain(const struct content_der *ders, size_t nr, uint64_t now_ns,
			  struct content **ret)
{
	struct judge *judge = judge_new(now_ns, false);

	if (!judge)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++)
		x509_read(judge, ders[i].bytes, ders[i].size);
	return conclude(judge, NULL, nr, ret);
}

struct content *content_keep(const struct content *content)
{
	struct content *kept = (struct content *)content;

	kept->nr_keepers++;
	return kept;
}

void content_free(struct content *content)
{
	if (content && content->nr_keepers) {
		content->nr_keepers--;
		return;
	}
	/* The content is the first member. */
	judge_free((struct judge *)content);
}

int content_prepare(void)
{
	return x509_prepare();
}
