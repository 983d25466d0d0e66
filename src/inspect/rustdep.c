/* SPDX-License-Identifier: MIT */
#include "inspect/rustdep.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>
#include <zlib.h>

#include "lib/array.h"
#include "lib/bytes.h"

/* {"packages": [{"name": ...}]} and what future versions add; json-c counts from 1. */
#define JSON_DEPTH 8

enum crate_kind {
	KIND_PART,
	KIND_ITSELF,
	KIND_BINDING
};

struct crate_row {
	const char *name;
	const char *provider;
	enum crate_kind kind;
};

static const struct crate_row rows[] = {
#define CRATE(name, provider)	      { name, provider, KIND_PART },
#define CRATE_ITSELF(name)	      { name, name, KIND_ITSELF },
#define CRATE_BINDING(name, provider) { name, provider, KIND_BINDING },
#include "inspect/crates.def"
};

_Static_assert(ARRAY_SIZE(rows) <= CRATES_MAX, "every row has its place");

static struct crate *find_crate(struct crates *crates, const char *name, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (bytes_equal(name, size, rows[i].name))
			return &crates->crates[i];
	return NULL;
}

/* Two versions of a crate in a program are possible; the first that is found is told. */
static void set_version(struct crate *crate, const char *version, size_t size)
{
	if (!crate->version[0] && size < sizeof(crate->version)) {
		memcpy(crate->version, version, size);
		crate->version[size] = '\0';
	}
}

/* Inflates as much as there is of SECTION into TEXT of CAP bytes. Returns its size, 0: not zlib. */
static size_t inflate_section(const struct elf *elf, const struct elf_section *section, char *text,
			      size_t cap)
{
	z_stream stream = { .next_out = (Bytef *)text, .avail_out = (uInt)cap };
	uint64_t end = section->size > UINT64_MAX - section->offset
			       ? UINT64_MAX
			       : section->offset + section->size;
	int status = Z_OK;

	if (inflateInit(&stream) != Z_OK)
		return 0;
	for (uint64_t at = section->offset; at < end && status == Z_OK && stream.avail_out;) {
		size_t size;
		const void *bytes = window_some(elf->file, at, &size);

		if (!bytes)
			break;
		if (size > end - at)
			size = (size_t)(end - at);
		stream.next_in = (Bytef *)(uintptr_t)bytes;
		stream.avail_in = (uInt)size;
		status = inflate(&stream, Z_NO_FLUSH);
		at += size;
	}
	inflateEnd(&stream);
	return status == Z_STREAM_END ? cap - stream.avail_out : 0;
}

/* json-c takes some hundred bytes for a part of a byte or two: what they may come to is bounded. */
static bool has_bounded_parts(const char *text, size_t size)
{
	size_t parts = 0;

	for (size_t i = 0; i < size; i++)
		parts += text[i] == ',' || text[i] == '{' || text[i] == '[';
	return parts <= RUSTDEP_PARTS_MAX;
}

static const char *string_of(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_is_type(object, json_type_object) ||
	    !json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	return json_object_get_string(value);
}

/* {"name": "ring", "version": "0.17.8", "kind": "build"}; what only builds is not inside. */
static void take_package(struct crates *crates, struct json_object *package)
{
	const char *name = string_of(package, "name"), *version = string_of(package, "version");
	const char *kind = string_of(package, "kind");
	struct crate *crate = name ? find_crate(crates, name, strlen(name)) : NULL;

	if (!crate || (kind && strcmp(kind, "runtime") != 0))
		return;
	crate->is_listed = true;
	if (version)
		set_version(crate, version, strlen(version));
}

static int parse_list(const char *text, size_t size, struct crates *crates)
{
	struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH);
	struct json_object *list, *packages;

	if (!tokener)
		return -ENOMEM;
	list = json_tokener_parse_ex(tokener, text, (int)size);
	if (json_object_is_type(list, json_type_object) &&
	    json_object_object_get_ex(list, "packages", &packages) &&
	    json_object_is_type(packages, json_type_array))
		for (size_t i = 0; i < json_object_array_length(packages); i++)
			take_package(crates, json_object_array_get_idx(packages, i));
	json_object_put(list);
	json_tokener_free(tokener);
	return 0;
}

int rustdep_read(const struct elf *elf, struct crates *ret)
{
	const struct elf_section *section = elf_section(elf, ".dep-v0");
	char *text;
	size_t size;
	int err = 0;

	if (!section)
		return 0;
	/* Pages that stay untouched cost nothing. */
	text = malloc(RUSTDEP_JSON_MAX);
	if (!text)
		return -ENOMEM;
	size = inflate_section(elf, section, text, RUSTDEP_JSON_MAX);
	if (size && has_bounded_parts(text, size))
		err = parse_list(text, size, ret);
	free(text);
	return err;
}

static const struct needle path_needles[] = {
	{ .bytes = "/src/", .size = 5 },
};

static bool is_name_byte(uint8_t byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '_' ||
	       byte == '-' || byte == '.' || byte == '+';
}

/*
 * The component before "/src/" is NAME-VERSION when it comes from a registry: the version begins
 * behind the last dash that a digit follows and the name has no dot.
 */
static void take_path(void *ctx, size_t which, const struct hit *hit)
{
	const char *end = (const char *)hit->bytes + hit->at, *begin = end, *dash = NULL;

	(void)which;
	while (begin > (const char *)hit->bytes && end - begin < 64 &&
	       is_name_byte((uint8_t)begin[-1])) {
		begin--;
		if (*begin == '-' && begin[1] >= '0' && begin[1] <= '9')
			dash = begin;
	}
	if (!dash || !memchr(dash, '.', (size_t)(end - dash)))
		return;

	struct crates *crates = ctx;
	struct crate *crate;

	if (crates->nr_paths == RUSTDEP_PATHS_MAX)
		return;
	crates->nr_paths++;
	crate = find_crate(crates, begin, (size_t)(dash - begin));
	if (!crate)
		return;
	crate->is_seen = true;
	set_version(crate, dash + 1, (size_t)(end - dash - 1));
}

struct needle_group rustdep_group(struct crates *crates)
{
	return (struct needle_group){ path_needles, ARRAY_SIZE(path_needles), take_path, crates };
}

static void tell_crate(const struct crate *crate, const struct crate_row *row,
		       struct providers *providers)
{
	/* A list names what the program was built from; code that nothing calls is not in it. */
	struct draft *draft = providers_add(
		providers, row->provider, LINKAGE_static,
		crate->is_seen && row->kind != KIND_BINDING ? CONFIDENCE_high : CONFIDENCE_medium,
		crate->is_listed ? "crates" : "paths");
	char text[64 + CRATE_VERSION_MAX];

	if (!draft)
		return;
	if (crate->is_listed && crate->is_seen)
		texts_add(&draft->evidence, "paths", strlen("paths"));
	if (row->kind == KIND_ITSELF)
		draft_version(draft, crate->version, strlen(crate->version));
	snprintf(text, sizeof(text), "%s %s", row->name, crate->version);
	texts_add(&draft->modules, text, strlen(text) - (crate->version[0] ? 0 : 1));
}

void rustdep_tell(const struct crates *crates, struct providers *providers,
		  bool (*is_linked)(void *ctx, const char *provider), void *ctx)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct crate *crate = &crates->crates[i];

		if (!crate->is_listed && !crate->is_seen)
			continue;
		if (rows[i].kind == KIND_BINDING && is_linked(ctx, rows[i].provider))
			continue;
		tell_crate(crate, &rows[i], providers);
	}
}
