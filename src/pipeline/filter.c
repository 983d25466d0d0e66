/* SPDX-License-Identifier: MIT */
#include "pipeline/filter.h"

#include <fnmatch.h>
#include <string.h>

#include "catalogue/libraries.h"
#include "sources/source.h"

/* A directory and a name of PATH_MAX each. */
#define PATH_COPY_SIZE 8193

bool filter_glob(const char *pattern, const char *path, size_t size)
{
	char copy[PATH_COPY_SIZE];

	if (size >= sizeof(copy))
		size = sizeof(copy) - 1;
	memcpy(copy, path, size);
	copy[size] = '\0';
	if (fnmatch(pattern, copy, 0) == 0)
		return true;
	if (strchr(pattern, '/'))
		return false;

	const char *slash = strrchr(copy, '/');

	return slash && fnmatch(pattern, slash + 1, 0) == 0;
}

static bool file_matches(const struct filter *filter, const struct value *path)
{
	for (size_t i = 0; i < filter->nr_files; i++)
		if (filter_glob(filter->files[i], path->str.bytes, path->str.size))
			return true;
	return false;
}

static bool library_wanted(const struct filter *filter, const struct value *path)
{
	const struct library_class *class = library_classify(path->str.bytes, path->str.size);
	uint32_t family = class ? class->family : LIBRARY_FAMILY_none;

	for (size_t i = 0; i < filter->nr_libraries; i++)
		if (library_matches(path->str.bytes, path->str.size, family, filter->libraries[i]))
			return true;
	return false;
}

static bool family_wanted(const struct filter *filter, uint64_t family)
{
	for (size_t i = 0; i < filter->nr_libraries; i++)
		if (library_matches("", 0, (uint32_t)family, filter->libraries[i]))
			return true;
	return false;
}

/* The same for a list of paths. */
static bool any_library_wanted(const struct filter *filter, const struct value *paths)
{
	struct value path = { .present = true };
	size_t at = 0;

	while (at < paths->str.size) {
		path.str.bytes = paths->str.bytes + at;
		path.str.size = strnlen(path.str.bytes, paths->str.size - at);
		if (library_wanted(filter, &path))
			return true;
		at += path.str.size + 1;
	}
	return false;
}

/* Whether VALUE, of FIELD with a role, is what --file or --library ask for. */
static bool value_wanted(const struct filter *filter, const struct field *field,
			 const struct value *value)
{
	switch (field->role) {
	case ROLE_FILE:
		return file_matches(filter, value);
	case ROLE_LIBRARY:
		return field->type == FIELD_STRV ? any_library_wanted(filter, value)
						 : library_wanted(filter, value);
	case ROLE_FAMILY:
		return family_wanted(filter, value->u);
	case ROLE_NONE:
		break;
	}
	return false;
}

int filter_record(const struct filter *filter, const struct record *record)
{
	const struct fields *table = &record->source->fields;

	if (!(filter->wanted & 1U << source_id(record->source)) ||
	    record->hdr->ts_ns < filter->since_ns)
		return STAGE_DROP;
	if (!filter->nr_files && !filter->nr_libraries)
		return STAGE_NEXT;
	for (size_t i = 0; i < table->nr_fields; i++) {
		const struct field *field = &table->fields[i];
		struct value value;

		if (field->role == ROLE_NONE)
			continue;
		field_get(record, field, &value);
		if (value.present && value_wanted(filter, field, &value))
			return STAGE_NEXT;
	}
	return STAGE_DROP;
}
