/* SPDX-License-Identifier: MIT */
#include "lib/json_document.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* json-c has a type by the name of a function of ours */
#define json_bool json_c_bool
#include <json-c/json.h>
#include <json-c/printbuf.h>
#undef json_bool

#include "lib/cleanup.h"
#include "lib/file.h"

/*
 * What the tree of a document may weigh: a value counts 1, a list or an object 8 (json-c 0.16 gives
 * even an empty one room for 16 or 32 members). Some 2 GiB at worst.
 */
#define WEIGHT_MAX	 (32U << 20)
#define CONTAINER_WEIGHT 8

/* Our own documents are 6 deep. */
#define DEPTH_MAX 16

static size_t weight_of(const char *text, size_t size)
{
	size_t weight = 0;

	for (size_t i = 0; i < size; i++) {
		if (text[i] == ',' || text[i] == ':')
			weight++;
		else if (text[i] == '[' || text[i] == '{')
			weight += CONTAINER_WEIGHT;
	}
	return weight;
}

static bool is_blank(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (!memchr(" \t\r\n", text[i], 4))
			return false;
	return true;
}

/*
 * Bytes in the longest run without the quote that begins or ends a string, which no string and no
 * number is longer than. One behind a backslash may be within a string.
 */
static size_t longest_token(const char *text, size_t size)
{
	size_t longest = 0;
	size_t begin = 0;

	for (size_t i = 0; i <= size; i++) {
		if (i < size && (text[i] != '"' || (i > 0 && text[i - 1] == '\\')))
			continue;
		if (i - begin > longest)
			longest = i - begin;
		begin = i + 1;
	}
	return longest;
}

/*
 * Has TOKENER take room for tokens of SIZE bytes now: json-c 0.16 does not look whether it got some
 * when it needs it, and leaves bytes out of the value. Returns 0 or -ENOMEM.
 */
static int reserve(struct json_tokener *tokener, size_t size)
{
	if (printbuf_memset(tokener->pb, 0, 0, (int)size + 1) < 0)
		return -ENOMEM;
	printbuf_reset(tokener->pb);
	return 0;
}

enum json_fault json_document_parse(const char *text, size_t size, struct json_object **ret)
{
	struct json_tokener *tokener;
	struct json_object *document;
	enum json_tokener_error err;
	size_t end;

	if (size > JSON_DOCUMENT_MAX)
		return JSON_FAULT_size;
	if (weight_of(text, size) > WEIGHT_MAX)
		return JSON_FAULT_values;
	tokener = json_tokener_new_ex(DEPTH_MAX);
	if (!tokener)
		return JSON_FAULT_memory;
	if (reserve(tokener, longest_token(text, size))) {
		json_tokener_free(tokener);
		return JSON_FAULT_memory;
	}
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	document = json_tokener_parse_ex(tokener, text, (int)size);
	err = json_tokener_get_error(tokener);
	end = json_tokener_get_parse_end(tokener);
	json_tokener_free(tokener);
	/* it stops without an error at a NUL, which may have anything behind it */
	if (err != json_tokener_success || end > size || !is_blank(text + end, size - end)) {
		json_object_put(document);
		return JSON_FAULT_syntax;
	}
	*ret = document;
	return JSON_FAULT_none;
}

int json_document_read(int fd, char **ret, size_t *ret_size, const char **ret_what)
{
	int err = fd < 0 ? fd : file_read_fd(fd, JSON_DOCUMENT_MAX, ret, ret_size);

	cleanup_fd(&fd);
	if (err == -EFBIG)
		*ret_what = "larger than 256 MiB";
	else if (err == -ENODEV)
		*ret_what = "not a file or a pipe";
	else if (err)
		*ret_what = strerror(-err);
	return err;
}
