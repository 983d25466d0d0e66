/* SPDX-License-Identifier: MIT */
#include "lib/json_document.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* json-c has a type by the name of a function of ours */
#define json_bool json_c_bool
#include <json-c/json.h>
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
