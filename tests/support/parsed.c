/* SPDX-License-Identifier: MIT */
#include "support/parsed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* json-c has a type by the name of a function of ours */
#define json_bool json_c_bool
#include <json-c/json.h>
#undef json_bool

#define VALUE_SIZE (1U << 20)
#define DEPTH_MAX  32
#define STRICT                                                                                     \
	(JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8 | JSON_TOKENER_ALLOW_TRAILING_CHARS)

static size_t skip_space(const char *text, size_t size)
{
	size_t at = 0;

	while (at < size && strchr(" \t\r\n", text[at]) && text[at])
		at++;
	return at;
}

/* Parses the document at TEXT. Returns how many bytes it takes, 0 for an error. */
static size_t parse(struct json_tokener *tokener, const char *text, size_t size,
		    struct json_object **ret)
{
	json_tokener_reset(tokener);
	*ret = json_tokener_parse_ex(tokener, text, (int)size);
	/* A number at the very end could go on: it needs to see what follows. */
	if (json_tokener_get_error(tokener) == json_tokener_continue) {
		size_t taken = json_tokener_get_parse_end(tokener);

		*ret = json_tokener_parse_ex(tokener, "\n", 1);
		return json_tokener_get_error(tokener) == json_tokener_success ? taken : 0;
	}
	if (json_tokener_get_error(tokener) != json_tokener_success)
		return 0;
	return json_tokener_get_parse_end(tokener);
}

int parsed_count(const char *text, size_t size)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	int count = 0;
	size_t at = skip_space(text, size);

	json_tokener_set_flags(tokener, STRICT);
	while (at < size) {
		struct json_object *document;
		size_t taken = parse(tokener, text + at, size - at, &document);

		json_object_put(document);
		if (!taken) {
			count = -1;
			break;
		}
		count++;
		at += taken;
		at += skip_space(text + at, size - at);
	}
	json_tokener_free(tokener);
	return count;
}

static struct json_object *step(struct json_object *at, const char *key, size_t size)
{
	char name[64];
	struct json_object *value = NULL;

	if (size >= sizeof(name))
		return NULL;
	memcpy(name, key, size);
	name[size] = '\0';
	if (json_object_is_type(at, json_type_array))
		return json_object_array_get_idx(at, strtoul(name, NULL, 10));
	json_object_object_get_ex(at, name, &value);
	return value;
}

const char *parsed_value(const char *text, const char *path)
{
	static char value[VALUE_SIZE];
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *document;
	struct json_object *at;
	size_t taken;

	json_tokener_set_flags(tokener, STRICT);
	taken = parse(tokener, text, strlen(text), &document);
	json_tokener_free(tokener);
	if (!taken) {
		fprintf(stderr, "parsed_value: not JSON: %.200s\n", text);
		abort();
	}
	at = document;
	while (at && *path) {
		size_t size = strcspn(path, ".");

		at = step(at, path, size);
		path += size + (path[size] == '.');
	}
	if (at)
		snprintf(value, sizeof(value), "%s",
			 json_object_is_type(at, json_type_string)
				 ? json_object_get_string(at)
				 : json_object_to_json_string_ext(
					   at, JSON_C_TO_STRING_PLAIN |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(document);
	return at ? value : NULL;
}
