/* SPDX-License-Identifier: MIT */
/*
 * src/inspect/: whatever a file holds, judging it stays within the bytes, gives strings that are
 * UTF-8 and counts within the limits.
 *
 * The first byte chooses the name of the file and whether it is cut, the rest is the file.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue/files.h"
#include "inspect/content.h"
#include "lib/utf8.h"

#define INPUT_MAX (64U << 10)

static const char *const names[] = {
	NULL,	       "ca-bundle.crt", "0123abcd.0",	   "message.gpg", "ssh_host_x_key",
	"known_hosts", "x.p12",		"authorized_keys",
};

static void check(bool condition)
{
	if (!condition)
		abort();
}

static void check_bytes(const char *bytes, size_t size)
{
	uint32_t rune;

	for (size_t at = 0; at < size;) {
		at += utf8_decode(bytes + at, size - at, &rune);
		check(rune != UTF8_INVALID);
	}
}

static void check_text(const char *text)
{
	if (text)
		check_bytes(text, strlen(text));
}

static void check_certificate(const struct certificate *it, size_t position)
{
	check(it->position == position);
	check(it->fingerprint_sha256 && strlen(it->fingerprint_sha256) == 64);
	check(it->chain != NULL);
	check_text(it->subject);
	check_text(it->issuer);
	check_text(it->serial);
	check_text(it->key_type);
	check_text(it->curve);
	check_text(it->signature_algorithm);
	check((it->sans != NULL) == (it->sans_size > 0));
	check_bytes(it->sans, it->sans_size);
}

static void check_content(const struct content *content)
{
	const struct certificate *certificates = content->certificates.items;
	const struct finding *findings = content->findings.items;
	const struct key *keys = content->keys.items;

	check(code_name(&file_kind_codes, content->kind) != NULL);
	check(code_name(&file_type_codes, content->type) != NULL);
	check_text(content->format);
	check_text(content->note);
	check(content->kind != FILE_KIND_unknown || content->note);
	check(content->certificates.count <= CONTENT_CERTIFICATES_MAX);
	check(content->keys.count <= CONTENT_KEYS_MAX);
	check(content->findings.count <= CONTENT_FINDINGS_MAX);
	for (size_t i = 0; i < content->certificates.count; i++)
		check_certificate(&certificates[i], i);
	for (size_t i = 0; i < content->keys.count; i++) {
		check(keys[i].format != NULL);
		check_text(keys[i].type);
		check_text(keys[i].curve);
	}
	for (size_t i = 0; i < content->findings.count; i++)
		check_text(findings[i].evidence);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct content_stat stat = { .mode = 0646, .is_public_place = true };
	struct content *content;
	uint8_t *copy;

	if (size < 1 || size > INPUT_MAX)
		return 0;
	check(content_prepare() == 0);
	/* Of its own size, so that the sanitizer sees what is read behind it. */
	copy = malloc(size);
	memcpy(copy, data + 1, size - 1);
	copy = realloc(copy, size - 1 ? size - 1 : 1);
	check(content_inspect(copy, size - 1, data[0] & 8, names[data[0] & 7], &stat,
			      1700000000ULL * 1000000000, &content) == 0);
	check_content(content);
	content_free(content);
	free(copy);
	return 0;
}
