/* SPDX-License-Identifier: MIT */
#include "inspect/jks.h"

#include <string.h>

#include "inspect/x509.h"

#define MAGIC_JKS   0xfeedfeedU
#define MAGIC_JCEKS 0xcecececeU

/* Versions 1 and 2; a certificate says its type since the second. */
#define VERSION_MAX 2

enum entry_tag {
	ENTRY_PRIVATE_KEY = 1,
	ENTRY_CERTIFICATE = 2,
	ENTRY_SECRET_KEY = 3, /* JCEKS: a serialized Java object, which has no length */
};

/* What is not read yet. */
struct store {
	struct judge *judge;
	const uint8_t *at;
	size_t left;
	uint32_t version;
	const char *format;
};

static bool skip(struct store *store, size_t size)
{
	if (size > store->left)
		return false;
	store->at += size;
	store->left -= size;
	return true;
}

/* A big-endian number of SIZE bytes. */
static bool take_number(struct store *store, size_t size, uint32_t *ret)
{
	const uint8_t *from = store->at;
	uint32_t number = 0;

	if (!skip(store, size))
		return false;
	for (size_t i = 0; i < size; i++)
		number = number << 8 | from[i];
	*ret = number;
	return true;
}

/* Steps over bytes behind a length of its own of SIZE bytes. */
static bool skip_counted(struct store *store, size_t size)
{
	uint32_t count;

	return take_number(store, size, &count) && skip(store, count);
}

/* A type ("X.509"), then a counted certificate. */
static bool take_certificate(struct store *store)
{
	const uint8_t *der;
	uint32_t size;

	if (store->version > 1 && !skip_counted(store, 2))
		return false;
	if (!take_number(store, 4, &size))
		return false;
	der = store->at;
	if (!skip(store, size))
		return false;
	if (!x509_read(store->judge, der, size))
		judge_note(store->judge, "damaged: a certificate cannot be read");
	return true;
}

/* The encrypted key, then its certificates; the first of them tells what kind of key it is. */
static bool take_private_key(struct store *store)
{
	struct key key = { .format = store->format, .is_private = true, .is_encrypted = true };
	struct judge *judge = store->judge;
	uint32_t first = judge->nr_certificates, nr_certificates;
	bool is_whole = true;

	if (!skip_counted(store, 4) || !take_number(store, 4, &nr_certificates))
		return false;
	for (uint32_t i = 0; i < nr_certificates && is_whole; i++) {
		is_whole = take_certificate(store);
		if (i == 0 && judge->nr_certificates > first) {
			key.type = judge->certificates[first].key_type;
			key.curve = judge->certificates[first].curve;
			key.bits = judge->certificates[first].key_bits;
		}
	}
	judge_add_key(judge, &key);
	return is_whole;
}

/* Returns false when nothing behind it can be read. */
static bool take_entry(struct store *store)
{
	uint32_t tag;

	/* The alias, and when it was made in 8 bytes. */
	if (!take_number(store, 4, &tag) || !skip_counted(store, 2) || !skip(store, 8))
		return false;
	if (tag == ENTRY_CERTIFICATE)
		return take_certificate(store);
	if (tag == ENTRY_PRIVATE_KEY)
		return take_private_key(store);
	if (tag != ENTRY_SECRET_KEY)
		return false;
	judge_add_key(
		store->judge,
		&(struct key){ .format = store->format, .is_private = true, .is_encrypted = true });
	judge_note(store->judge, "holds a secret key: entries behind it are not told");
	return false;
}

bool jks_judge(struct judge *judge, const uint8_t *bytes, size_t size)
{
	struct store store = { .judge = judge, .at = bytes, .left = size };
	uint32_t magic, nr_entries;
	bool is_jks;

	if (!take_number(&store, 4, &magic) || (magic != MAGIC_JKS && magic != MAGIC_JCEKS) ||
	    !take_number(&store, 4, &store.version) || store.version - 1 >= VERSION_MAX ||
	    !take_number(&store, 4, &nr_entries))
		return false;
	is_jks = magic == MAGIC_JKS;
	store.format = is_jks ? "JKS" : "JCEKS";
	judge_set_format(judge, store.format);
	judge_set_kind(judge, FILE_TYPE_keystore, is_jks ? FILE_KIND_jks : FILE_KIND_jceks);
	/* Every entry takes bytes: the count cannot make this longer than the file. */
	for (uint32_t i = 0; i < nr_entries; i++) {
		if (take_entry(&store))
			continue;
		judge_note(judge,
			   judge->is_cut ? JUDGE_NOTE_CUT : "damaged: an entry cannot be read");
		break;
	}
	return true;
}
