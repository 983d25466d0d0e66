/* SPDX-License-Identifier: MIT */
/*
 * src/syscalls/recording_parse.c and what is done with what it lets through: two recordings that
 * may be anything, the first one before the first NUL. A recording that was read is written as it
 * was and read again to the same bytes; merging does not depend on the order; what is printed is
 * JSON by the judgement of json-c, or text of 80 columns.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/columns.h"
#include "lib/utf8.h"
#include "support/parsed.h"
#include "syscalls/comparison.h"
#include "syscalls/recording.h"
#include "syscalls/show.h"

#define OUT_MAX (4 << 20)

static void check(int condition)
{
	if (!condition)
		abort();
}

/* RECORDING as its file is, *RET_SIZE bytes for the caller to free. */
static char *rendered(const struct recording *recording, size_t *ret_size)
{
	char *text = NULL;

	check(recording_render(recording, &text, ret_size) == 0);
	check(parsed_count(text, *ret_size) == 1);
	return text;
}

static int is_same(const struct recording *left, const struct recording *right)
{
	size_t left_size, right_size;
	char *left_text = rendered(left, &left_size), *right_text = rendered(right, &right_size);
	int same = left_size == right_size && memcmp(left_text, right_text, left_size) == 0;

	free(left_text);
	free(right_text);
	return same;
}

static void check_text(const char *text)
{
	const char *line = text, *end;

	for (; (end = strchr(line, '\n')); line = end + 1) {
		check(columns_count(line, (size_t)(end - line)) <= 80);
		for (const char *at = line; at < end;) {
			uint32_t rune = 0;

			at += utf8_decode(at, (size_t)(end - at), &rune);
			check(rune != UTF8_INVALID && !utf8_is_control(rune));
		}
	}
	check(*line == '\0');
}

static void check_shown(const struct recording *recording)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	check(out && recording_print(recording, out, false) == 0 && fclose(out) == 0);
	check_text(text);
	free(text);
}

/* What was written of a recording is read again, and written as before. */
static void check_again(const struct recording *recording)
{
	struct recording *again = NULL;
	const char *what = NULL;
	size_t size;
	char *text = rendered(recording, &size);

	check(recording_parse(text, size, &again, &what) == 0);
	check(is_same(recording, again));
	recording_free(again);
	free(text);
}

static struct recording *read_one(const char *bytes, size_t size)
{
	struct recording *recording = NULL;
	const char *what = NULL;
	int err = recording_parse(bytes, size, &recording, &what);

	if (err) {
		check(err == -EBADMSG && what && *what && !recording);
		return NULL;
	}
	check_again(recording);
	check_shown(recording);
	if (recording->nr_runs > 0)
		check(recording_merge(recording, recording) == -EEXIST);
	return recording;
}

static int is_different(const struct recording *old, const struct recording *new)
{
	static char out[OUT_MAX];
	struct comparison comparison;
	struct json json;
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);
	int differs;

	check(comparison_make(old, new, &comparison) == 0);
	differs = comparison_differs(&comparison);
	json_init(&json, out, sizeof(out), JSON_COMPACT, NULL, NULL);
	comparison_write(&comparison, &json);
	check(json_error(&json) == 0 && parsed_count(out, json_pending(&json)) == 1);
	check(stream != NULL);
	comparison_print(&comparison, stream, false);
	check(fclose(stream) == 0);
	check_text(text);
	free(text);
	comparison_free(&comparison);
	return differs;
}

/* A with B is B with A; and what is refused changes nothing. */
static void check_merge(const char *a, size_t a_size, const char *b, size_t b_size)
{
	struct recording *left = read_one(a, a_size), *right = read_one(b, b_size);
	struct recording *left_again = NULL, *right_again = NULL;
	const char *what = NULL;
	int err;

	if (left && right) {
		check(is_different(left, right) == is_different(right, left));
		check(!is_different(left, left) && !is_different(right, right));
		check(recording_parse(a, a_size, &left_again, &what) == 0);
		check(recording_parse(b, b_size, &right_again, &what) == 0);
		err = recording_merge(left, right);
		check(err == 0 || err == -EXDEV || err == -EEXIST);
		check(recording_merge(right_again, left_again) == err);
		check(err ? is_same(left, left_again) : is_same(left, right_again));
		check_again(left);
		check_shown(left);
	}
	recording_free(left);
	recording_free(right);
	recording_free(left_again);
	recording_free(right_again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	const char *nul = size > 0 ? memchr(bytes, '\0', size) : NULL;

	if (size > 8192)
		return 0;
	if (nul)
		check_merge(bytes, (size_t)(nul - bytes), nul + 1,
			    size - (size_t)(nul - bytes) - 1);
	else
		recording_free(read_one(bytes, size));
	return 0;
}
