/* SPDX-License-Identifier: MIT */
#include "syscalls/reading.h"

#include <errno.h>
#include <string.h>

/* json-c has a type by the name of a function of ours */
#define json_bool json_c_bool
#include <json-c/json.h>
#undef json_bool

void reading_fail(struct reading *reading, int err, const char *what)
{
	if (reading->err)
		return;
	reading->err = err;
	reading->what = what;
}

struct json_object *reading_member(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, key, &value);
	return value;
}

uint64_t reading_number(struct reading *reading, struct json_object *object, const char *key,
			uint64_t max, const char *what)
{
	struct json_object *value = reading_member(object, key);

	if (!json_object_is_type(value, json_type_int) || json_object_get_int64(value) < 0 ||
	    json_object_get_uint64(value) > max) {
		reading_fail(reading, -EBADMSG, what);
		return 0;
	}
	return json_object_get_uint64(value);
}

bool reading_bool(struct reading *reading, struct json_object *object, const char *key,
		  const char *what)
{
	struct json_object *value = reading_member(object, key);

	if (!json_object_is_type(value, json_type_boolean))
		reading_fail(reading, -EBADMSG, what);
	return json_object_get_boolean(value);
}

const char *reading_text(struct reading *reading, struct json_object *value, const char *what)
{
	size_t size = json_object_is_type(value, json_type_string)
			      ? (size_t)json_object_get_string_len(value)
			      : READING_TEXT_MAX + 1;

	if (size > READING_TEXT_MAX || strlen(json_object_get_string(value)) != size) {
		reading_fail(reading, -EBADMSG, what);
		return NULL;
	}
	return json_object_get_string(value);
}

const char *reading_keep(struct reading *reading, struct json_object *value, const char *what)
{
	const char *text = reading_text(reading, value, what);
	const char *copy = text ? recording_text(reading->recording, text, strlen(text)) : NULL;

	if (text && !copy)
		reading_fail(reading, -ENOMEM, NULL);
	return copy;
}

const char *reading_kept(struct reading *reading, struct json_object *object, const char *key,
			 const char *what)
{
	struct json_object *value = reading_member(object, key);

	return value ? reading_keep(reading, value, what) : NULL;
}

struct json_object *reading_list(struct reading *reading, struct json_object *object,
				 const char *key, size_t max, const char *what)
{
	struct json_object *list = reading_member(object, key);

	if (!json_object_is_type(list, json_type_array) || json_object_array_length(list) > max) {
		reading_fail(reading, -EBADMSG, what);
		return NULL;
	}
	return list;
}

size_t reading_length(struct json_object *list)
{
	return list ? json_object_array_length(list) : 0;
}

bool reading_is_hex(const char *text, size_t size)
{
	return strlen(text) == size && strspn(text, "0123456789abcdef") == size;
}

uint8_t reading_arch(struct reading *reading, struct json_object *object)
{
	const char *name =
		reading_text(reading, reading_member(object, "arch"), "an 'arch' is not text");
	int arch = name ? syscall_arch_find(name) : 0;

	if (arch < 0)
		reading_fail(reading, -EBADMSG, "an 'arch' that is not known");
	return arch < 0 ? 0 : (uint8_t)arch;
}
