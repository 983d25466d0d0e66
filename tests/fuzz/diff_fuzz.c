/* SPDX-License-Identifier: MIT */
/*
 * src/inventory/diff.c: two snapshots that may be anything, the older one before the first newline.
 * What is told of them is JSON by the judgement of json-c, text of 80 columns, and the same in both
 * directions; nothing changed between a snapshot and itself.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/finding.h"
#include "inventory/diff.h"
#include "lib/columns.h"
#include "lib/utf8.h"
#include "support/parsed.h"

#define OUT_MAX (1 << 20)

static char out[OUT_MAX];

static void check(int condition)
{
	if (!condition)
		abort();
}

static void check_document(const struct diff *diff)
{
	struct json json;

	json_init(&json, out, sizeof(out) - 1, JSON_PRETTY, NULL, NULL);
	diff_write(diff, &json);
	check(json_error(&json) == 0);
	out[json_pending(&json)] = '\0';
	check(parsed_count(out, json_pending(&json)) == 1);
}

static void check_text(const struct diff *diff)
{
	char *text = NULL;
	const char *line, *end;

	check(diff_text(diff, false, &text) == 0);
	for (line = text; (end = strchr(line, '\n')); line = end + 1) {
		check(columns_count(line, (size_t)(end - line)) <= 80);
		for (const char *at = line; at < end;) {
			uint32_t rune = 0;

			at += utf8_decode(at, (size_t)(end - at), &rune);
			check(rune != UTF8_INVALID && !utf8_is_control(rune));
		}
	}
	check(*line == '\0');
	free(text);
}

/* How many changes there are, or -1 when there is nothing to compare. */
static long check_diff(const char *old, size_t old_size, const char *new, size_t new_size)
{
	struct diff *diff = NULL;
	const char *why = NULL;
	int err = diff_new(&diff, old, old_size, new, new_size, &why);
	size_t nr_changes;

	if (err) {
		check(err == -EBADMSG && why && !diff);
		return -1;
	}
	nr_changes = diff_count(diff);
	check(diff_new_findings(diff, SEVERITY_critical) <= diff_new_findings(diff, SEVERITY_info));
	check_document(diff);
	check_text(diff);
	diff_free(diff);
	return (long)nr_changes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *old = (const char *)data;
	const char *newline = size > 0 ? memchr(data, '\n', size) : NULL;
	size_t old_size = newline ? (size_t)(newline - old) : size;
	const char *new = newline ? newline + 1 : old;
	size_t new_size = newline ? size - old_size - 1 : size;
	long nr_changes;

	if (size > 8192)
		return 0;
	nr_changes = check_diff(old, old_size, new, new_size);
	if (nr_changes >= 0) {
		check(check_diff(new, new_size, old, old_size) == nr_changes);
		check(check_diff(old, old_size, old, old_size) == 0);
		check(check_diff(new, new_size, new, new_size) == 0);
	}
	return 0;
}
