/* SPDX-License-Identifier: MIT */
#include "inspect/judge.h"

#include <errno.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/crypto_memory.h"
#include "lib/utf8.h"

/* Strings lie one after the other in blocks; one that is longer has a block of its own. */
#define BLOCK_SIZE 2048

struct judge_block {
	struct judge_block *next;
	size_t used;
	size_t size;
	char bytes[];
};

struct judge *judge_new(uint64_t now_ns, bool is_cut)
{
	struct judge *judge = calloc(1, sizeof(*judge));

	if (!judge)
		return NULL;
	judge->now_ns = now_ns;
	judge->is_cut = is_cut;
	/* What it was before is no concern of this one. */
	(void)crypto_memory_was_short();
	return judge;
}

static void sides_free(struct judge *judge)
{
	for (uint32_t i = 0; judge->sides && i < judge->nr_certificates; i++)
		X509_free(judge->sides[i].x509);
	free(judge->sides);
	judge->sides = NULL;
}

void judge_free(struct judge *judge)
{
	if (!judge)
		return;
	sides_free(judge);
	free(judge->certificates);
	free(judge->keys);
	free(judge->findings);
	for (struct judge_block *block = judge->blocks, *next; block; block = next) {
		next = block->next;
		free(block);
	}
	free(judge);
}

int judge_finish(struct judge *judge)
{
	struct content *content = &judge->content;

	sides_free(judge);
	content->certificates = (struct item_list){
		.items = judge->certificates,
		.count = judge->nr_certificates,
		.stride = sizeof(struct certificate),
		.truncated = judge->nr_certificates_untold > 0,
	};
	content->keys = (struct item_list){
		.items = judge->keys,
		.count = judge->nr_keys,
		.stride = sizeof(struct key),
		.truncated = judge->nr_keys_untold > 0,
	};
	content->findings = (struct item_list){
		.items = judge->findings,
		.count = judge->nr_findings,
		.stride = sizeof(struct finding),
		.truncated = judge->nr_findings_untold > 0,
	};
	return judge->err;
}

/* SIZE bytes for a string, or NULL. */
static char *room_take(struct judge *judge, size_t size)
{
	struct judge_block *block = judge->blocks;

	if (!block || block->size - block->used < size) {
		size_t block_size = size > BLOCK_SIZE ? size : BLOCK_SIZE;

		block = malloc(sizeof(*block) + block_size);
		if (!block) {
			judge->err = -ENOMEM;
			return NULL;
		}
		*block = (struct judge_block){ .next = judge->blocks, .size = block_size };
		judge->blocks = block;
	}

	char *room = block->bytes + block->used;

	block->used += size;
	return room;
}

/* Every text gets room of its own size: most are short, and a file may hold hundreds. */
const char *judge_list(struct judge *judge, const char *bytes, size_t size)
{
	char *copy = room_take(judge, size + 1);

	if (!copy)
		return NULL;
	memcpy(copy, bytes, size);
	copy[size] = '\0';
	return copy;
}

const char *judge_text(struct judge *judge, const void *bytes, size_t size)
{
	const char *from = bytes;
	char text[JUDGE_TEXT_MAX];
	size_t length = 0, at = 0;

	while (at < size) {
		uint32_t rune;
		size_t taken = utf8_decode(from + at, size - at, &rune);
		const char *piece = from + at;
		size_t piece_size = taken;

		if (rune == UTF8_INVALID) {
			piece = "\xef\xbf\xbd";
			piece_size = 3;
		} else if (rune == 0) {
			piece = "\\00";
			piece_size = 3;
		}
		if (piece_size > sizeof(text) - length)
			break;
		memcpy(text + length, piece, piece_size);
		length += piece_size;
		at += taken;
	}
	return judge_list(judge, text, length);
}

const char *judge_format(struct judge *judge, const char *format, ...)
{
	char text[JUDGE_TEXT_MAX];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (length < 0)
		return NULL;
	/* Once more through judge_text(): vsnprintf() cuts within a character. */
	return judge_text(judge, text, strlen(text));
}

const char *judge_hex(struct judge *judge, const uint8_t *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	size_t taken = size < JUDGE_TEXT_MAX / 2 ? size : JUDGE_TEXT_MAX / 2;
	char *text = room_take(judge, 2 * taken + 1);

	if (!text)
		return NULL;
	for (size_t i = 0; i < taken; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * taken] = '\0';
	return text;
}

/*
 * Makes room for one more of *ITEMS, which has COUNT of SIZE bytes: twice as much when COUNT is a
 * power of two.
 */
static int array_grow(struct judge *judge, void **items, uint32_t count, size_t size)
{
	void *grown;

	if (count & (count - 1))
		return 0;
	grown = reallocarray(*items, count ? 2 * (size_t)count : 1, size);
	if (!grown) {
		judge->err = -ENOMEM;
		return -ENOMEM;
	}
	*items = grown;
	return 0;
}

bool judge_is_full(const struct judge *judge)
{
	return judge->nr_certificates == CONTENT_CERTIFICATES_MAX;
}

void judge_skip_certificate(struct judge *judge)
{
	judge->nr_certificates_untold++;
}

void judge_add_certificate(struct judge *judge, const struct certificate *certificate,
			   const struct judge_side *side)
{
	uint32_t count = judge->nr_certificates;

	if (judge_is_full(judge)) {
		judge_skip_certificate(judge);
		X509_free(side->x509);
		return;
	}
	if (array_grow(judge, (void **)&judge->certificates, count, sizeof(*certificate)) ||
	    array_grow(judge, (void **)&judge->sides, count, sizeof(*side))) {
		X509_free(side->x509);
		return;
	}
	judge->certificates[count] = *certificate;
	judge->certificates[count].position = count;
	judge->sides[count] = *side;
	judge->nr_certificates++;
}

void judge_add_key(struct judge *judge, const struct key *key)
{
	if (judge->nr_keys == CONTENT_KEYS_MAX) {
		judge->nr_keys_untold++;
		return;
	}
	if (array_grow(judge, (void **)&judge->keys, judge->nr_keys, sizeof(*key)))
		return;
	judge->keys[judge->nr_keys++] = *key;
}

void judge_add_finding(struct judge *judge, enum finding_rule rule, const char *evidence)
{
	const struct finding_rule_info *info = &finding_rules[rule];

	if (judge->nr_findings == CONTENT_FINDINGS_MAX) {
		judge->nr_findings_untold++;
		return;
	}
	if (array_grow(judge, (void **)&judge->findings, judge->nr_findings,
		       sizeof(*judge->findings)))
		return;
	judge->findings[judge->nr_findings++] = (struct finding){
		.rule = info->name,
		.severity = info->severity,
		.why = info->why,
		.evidence = evidence,
		.processes = { .stride = sizeof(struct process_name) },
	};
}

void judge_note(struct judge *judge, const char *note)
{
	if (!judge->content.note)
		judge->content.note = note;
}

void judge_set_format(struct judge *judge, const char *format)
{
	if (!judge->content.format)
		judge->content.format = format;
}

void judge_set_kind(struct judge *judge, enum file_type type, enum file_kind kind)
{
	judge->content.type = type;
	judge->content.kind = kind;
}
