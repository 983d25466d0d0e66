/* SPDX-License-Identifier: MIT */
#include "inventory/facts.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

/* A path and a version; longer ones are cut. */
#define NAMED_TEXT_MAX (PATH_MAX + 256)

static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, name, &value);
	return value;
}

static bool is_scalar(struct json_object *value)
{
	return json_object_is_type(value, json_type_string) ||
	       json_object_is_type(value, json_type_int) ||
	       json_object_is_type(value, json_type_boolean);
}

/* The member NAME if it can identify or be compared, otherwise NULL: as if it were not there. */
static struct json_object *scalar(struct json_object *object, const char *name)
{
	struct json_object *value = member(object, name);

	return is_scalar(value) ? value : NULL;
}

static struct json_object *text(struct json_object *object, const char *name)
{
	struct json_object *value = member(object, name);

	return json_object_is_type(value, json_type_string) ? value : NULL;
}

static size_t array_size(struct json_object *value)
{
	return json_object_is_type(value, json_type_array) ? json_object_array_length(value) : 0;
}

static int compare_bytes(struct json_object *a, struct json_object *b)
{
	size_t a_size = (size_t)json_object_get_string_len(a);
	size_t b_size = (size_t)json_object_get_string_len(b);
	int order = memcmp(json_object_get_string(a), json_object_get_string(b),
			   a_size < b_size ? a_size : b_size);

	return order ? order : (a_size > b_size) - (a_size < b_size);
}

static int compare_integers(struct json_object *a, struct json_object *b)
{
	int64_t a_signed = json_object_get_int64(a), b_signed = json_object_get_int64(b);
	uint64_t a_value, b_value;

	if (a_signed < 0 || b_signed < 0)
		return (a_signed > b_signed) - (a_signed < b_signed);
	a_value = json_object_get_uint64(a);
	b_value = json_object_get_uint64(b);
	return (a_value > b_value) - (a_value < b_value);
}

int facts_compare_values(struct json_object *a, struct json_object *b)
{
	json_type a_type = json_object_get_type(a), b_type = json_object_get_type(b);

	if (a == b)
		return 0;
	if (a_type != b_type)
		return a_type < b_type ? -1 : 1;
	switch (a_type) {
	case json_type_string:
		return compare_bytes(a, b);
	case json_type_int:
		return compare_integers(a, b);
	case json_type_boolean:
		return json_object_get_boolean(a) - json_object_get_boolean(b);
	default:
		return 0;
	}
}

int facts_compare_ids(const struct fact *a, const struct fact *b, size_t nr_ids)
{
	int order = 0;

	for (size_t i = 0; i < nr_ids && !order; i++)
		order = facts_compare_values(a->ids[i], b->ids[i]);
	return order;
}

static int compare_facts(const void *a_fact, const void *b_fact)
{
	const struct fact *a = a_fact, *b = b_fact;
	int order = facts_compare_ids(a, b, FACTS_IDS);

	if (order)
		return order;
	if (a->attribute != b->attribute)
		return a->attribute < b->attribute ? -1 : 1;
	return facts_compare_values(a->value, b->value);
}

static void sort(struct facts *facts)
{
	size_t kept = 0;

	if (facts->nr_facts == 0)
		return;
	qsort(facts->facts, facts->nr_facts, sizeof(facts->facts[0]), compare_facts);
	for (size_t i = 1; i < facts->nr_facts; i++) {
		if (compare_facts(&facts->facts[kept], &facts->facts[i]) != 0)
			facts->facts[++kept] = facts->facts[i];
	}
	facts->nr_facts = kept + 1;
}

static int add(struct facts *facts, const struct fact *fact)
{
	if (facts->nr_facts == facts->cap) {
		size_t cap = facts->cap ? 2 * facts->cap : 64;
		struct fact *grown = reallocarray(facts->facts, cap, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		facts->facts = grown;
		facts->cap = cap;
	}
	facts->facts[facts->nr_facts++] = *fact;
	return 0;
}

/* Takes over VALUE, which may be NULL for want of memory. */
static int own(struct facts *facts, struct json_object *value)
{
	if (!value)
		return -ENOMEM;
	if (!facts->owned)
		facts->owned = json_object_new_array();
	if (!facts->owned || json_object_array_add(facts->owned, value)) {
		json_object_put(value);
		return -ENOMEM;
	}
	return 0;
}

/* An object by its name or path, and its version if it has one: "openssl 3.0.17". */
static int add_named(struct facts *facts, struct fact fact, struct json_object *object)
{
	struct json_object *name = text(object, "name"), *version = text(object, "version");
	char bytes[NAMED_TEXT_MAX];
	int err;

	if (!name)
		name = text(object, "path");
	if (!name)
		return 0;
	snprintf(bytes, sizeof(bytes), version ? "%s %s" : "%s", json_object_get_string(name),
		 version ? json_object_get_string(version) : "");
	fact.value = json_object_new_string(bytes);
	err = own(facts, fact.value);
	return err ? err : add(facts, &fact);
}

static int add_value(struct facts *facts, const struct fact *thing, unsigned int attribute,
		     struct json_object *value)
{
	struct fact fact = *thing;

	fact.attribute = attribute;
	if (json_object_is_type(value, json_type_object))
		return add_named(facts, fact, value);
	if (!is_scalar(value))
		return 0;
	fact.value = value;
	return add(facts, &fact);
}

static int add_values(struct facts *facts, const struct fact *thing, unsigned int attribute,
		      struct json_object *values)
{
	int err = 0;

	if (!json_object_is_type(values, json_type_array))
		return add_value(facts, thing, attribute, values);
	for (size_t i = 0; i < array_size(values) && !err; i++)
		err = add_value(facts, thing, attribute, json_object_array_get_idx(values, i));
	return err;
}

/* The thing and all its attributes, by the names of the table. */
static int add_thing(struct facts *facts, const struct facts_info *info, const struct fact *thing,
		     struct json_object *item)
{
	int err = add(facts, thing);

	facts->known |= FACTS_KNOWN(FACTS_THERE);
	for (unsigned int i = 0; i < FACTS_ATTRIBUTES_MAX && info->attributes[i].name; i++) {
		struct json_object *values = NULL;

		if (err)
			return err;
		if (!json_object_object_get_ex(item, info->attributes[i].member, &values))
			continue;
		facts->known |= FACTS_KNOWN(i + 1);
		err = add_values(facts, thing, i + 1, values);
	}
	return err;
}

static int collect_item(struct facts *facts, const struct facts_info *info,
			struct json_object *item)
{
	struct fact thing = { .attribute = FACTS_THERE };

	for (size_t i = 0; i < FACTS_IDS && info->ids[i]; i++)
		thing.ids[i] = scalar(item, info->ids[i]);
	/* what has no name at all is not what the list is about */
	if (!thing.ids[0] && !thing.ids[1] && !thing.ids[2])
		return 0;
	return add_thing(facts, info, &thing, item);
}

/* The libraries of the host are those of its processes. */
static int collect_libraries(struct facts *facts, const struct facts_info *info,
			     struct json_object *process)
{
	struct json_object *paths = member(process, "library_paths");
	int err = 0;

	(void)info;
	if (json_object_is_type(paths, json_type_array))
		facts->known |= FACTS_KNOWN(FACTS_THERE);
	for (size_t i = 0; i < array_size(paths) && !err; i++) {
		struct fact thing = { .ids = { json_object_array_get_idx(paths, i) } };

		if (json_object_is_type(thing.ids[0], json_type_string))
			err = add(facts, &thing);
	}
	return err;
}

/* What is built into an executable is another thing in each of them; a shared library is not. */
static bool is_built_in(struct json_object *linkage)
{
	const char *name = linkage ? json_object_get_string(linkage) : "";

	return strcmp(name, "static") == 0 || strcmp(name, "bundled") == 0;
}

static int collect_providers(struct facts *facts, const struct facts_info *info,
			     struct json_object *process)
{
	struct json_object *providers = member(process, "crypto_providers");
	int err = 0;

	if (json_object_is_type(providers, json_type_array))
		facts->known |= FACTS_KNOWN(FACTS_THERE);
	for (size_t i = 0; i < array_size(providers) && !err; i++) {
		struct json_object *provider = json_object_array_get_idx(providers, i);
		struct fact thing = { .ids = { text(provider, "name"), text(provider, "linkage"),
					       text(provider, "path") } };

		if (!thing.ids[0])
			continue;
		if (!thing.ids[2] && is_built_in(thing.ids[1]))
			thing.ids[2] = text(process, "exe");
		err = add_thing(facts, info, &thing, provider);
	}
	return err;
}

/* Behind "17 days", which is less or more tomorrow; the beginning where there is no such thing. */
static const char *skip_days(const char *evidence)
{
	static const char days[] = " days";
	size_t digits = strspn(evidence, "0123456789");

	if (digits > 0 && strncmp(evidence + digits, days, sizeof(days) - 1) == 0)
		return evidence + digits + sizeof(days) - 1;
	return evidence;
}

/* The evidence tells findings of a file apart. */
static int collect_finding(struct facts *facts, const struct facts_info *info,
			   struct json_object *finding)
{
	struct json_object *rule = text(finding, "rule"), *evidence = text(finding, "evidence");
	struct fact thing = { .ids = { rule, text(finding, "file") } };
	int err = 0;

	if (!rule)
		return 0;
	if (evidence) {
		const char *lasting = skip_days(json_object_get_string(evidence));

		thing.ids[2] = json_object_new_string(lasting);
		err = own(facts, thing.ids[2]);
	}
	return err ? err : add_thing(facts, info, &thing, finding);
}

/* Of what the kernel tells only what somebody set up; the rest are counters. */
static int collect_host(struct facts *facts, const struct facts_info *info,
			struct json_object *host)
{
	static const char *const names[] = { "dm_crypt", "fips_enabled", "wireguard" };

	(void)info;
	facts->known = FACTS_ALL_KNOWN;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct json_object *values = member(host, names[i]);
		struct fact thing = { .ids = { json_object_new_string(names[i]) } };
		int err = own(facts, thing.ids[0]);

		if (!err && values)
			err = add(facts, &thing);
		if (!err && values)
			err = add_values(facts, &thing, 1, values);
		if (err)
			return err;
	}
	return 0;
}

/* clang-format off: it would spread these over a hundred lines */
const struct facts_info facts_infos[NR_FACTS_SECTIONS] = {
	[FACTS_programs] = {
		.name = "programs", .source = "processes", .ids = { "exe", "running_as", "name" },
		.attributes = {
			{ "libraries", "library_paths",
			  .is_set = true, .is_compared = true, .is_bulk = true },
			{ "crypto_providers", "crypto_providers",
			  .is_set = true, .is_compared = true },
			{ "open_crypto_files", "open_crypto_files",
			  .is_set = true, .is_compared = true, .is_bulk = true },
			{ "stale_libraries", "stale_libraries",
			  .is_set = true, .is_compared = true },
		},
		.collect = collect_item,
	},
	[FACTS_libraries] = {
		.name = "libraries", .source = "processes", .ids = { "path" },
		.collect = collect_libraries,
	},
	[FACTS_providers] = {
		.name = "providers", .source = "processes", .ids = { "name", "linkage", "path" },
		.attributes = {
			{ "versions", "version", .is_set = true, .is_compared = true },
		},
		.collect = collect_providers,
	},
	[FACTS_certificates] = {
		.name = "certificates", .source = "certificates",
		.ids = { "file", "subject", "fingerprint_sha256" },
		.attributes = {
			{ "not_after", "not_after", .is_compared = true },
		},
		.is_replaceable = true, .collect = collect_item,
	},
	[FACTS_keys] = {
		.name = "keys", .source = "keys", .ids = { "file", "type", "bits" },
		.attributes = {
			{ "encrypted", "encrypted", .is_compared = true },
			{ "mode", "mode", .is_compared = true },
			{ "owner", "owner", .is_compared = true },
		},
		.is_replaceable = true, .collect = collect_item,
	},
	[FACTS_findings] = {
		.name = "findings", .source = "findings", .ids = { "rule", "file" },
		.attributes = {
			{ .name = "severity", .member = "severity" },
			{ .name = "why", .member = "why" },
			{ .name = "evidence", .member = "evidence" },
		},
		.collect = collect_finding,
	},
	[FACTS_host_crypto] = {
		.name = "host_crypto", .source = "host_crypto", .ids = { "name" },
		.attributes = {
			{ "value", NULL, .is_set = true, .is_compared = true },
		},
		.is_single = true, .collect = collect_host,
	},
};
/* clang-format on */

int facts_collect(struct facts *facts, enum facts_section section, struct json_object *document)
{
	const struct facts_info *info = &facts_infos[section];
	struct json_object *source = member(document, info->source);
	bool is_list = json_object_is_type(source, json_type_array) && !info->is_single;
	struct json_object *certificates;
	int err = 0;

	/* Taken with --no-inspect it has findings about names alone: not those of the other. */
	if (section == FACTS_findings &&
	    json_object_object_get_ex(document, "certificates", &certificates) && !certificates)
		return 0;
	if (info->is_single && json_object_is_type(source, json_type_object))
		err = info->collect(facts, info, source);
	for (size_t i = 0; is_list && i < array_size(source) && !err; i++) {
		struct json_object *item = json_object_array_get_idx(source, i);

		if (json_object_is_type(item, json_type_object))
			err = info->collect(facts, info, item);
	}
	if (is_list && array_size(source) == 0)
		facts->known = FACTS_ALL_KNOWN;
	sort(facts);
	return err;
}

void facts_free(struct facts *facts)
{
	json_object_put(facts->owned);
	free(facts->facts);
}
