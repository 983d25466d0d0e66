/* SPDX-License-Identifier: MIT */
#ifndef TESTS_INVENTORY_SNAPSHOTS_H
#define TESTS_INVENTORY_SNAPSHOTS_H

/* Small snapshots, and what the document of their diff says. For tests of one program: has state.
 */

#include "inventory/diff.h"
#include "support/guard.h"
#include "support/parsed.h"

#define OUT_MAX (1 << 20)

/* The members of a snapshot, and what makes it one. */
#define SNAPSHOT(members)                                                                          \
	"{\"snapshot_version\":\"1.0\",\"generated_at\":\"2026-11-21T09:00:00.000000Z\","          \
	"\"hostname\":\"web-01\",\"kernel\":\"6.1\"" members "}\n"

#define PROCESS(pid, rest)                                                                         \
	"{\"pid\":" pid ",\"ppid\":1,\"start_time\":\"t" pid "\",\"name\":\"nginx\","              \
	"\"exe\":\"/usr/sbin/nginx\",\"running_as\":\"root\"," rest "}"

#define HELD(libraries, files)                                                                     \
	"\"library_paths\":[" libraries "],\"open_crypto_files\":[" files "],"                     \
	"\"stale_libraries\":[],\"crypto_providers\":[]"

#define CERTIFICATE(file, subject, fingerprint, days)                                              \
	"{\"file\":\"" file "\",\"subject\":\"" subject "\",\"fingerprint_sha256\":\"" fingerprint \
	"\",\"not_after\":\"until " fingerprint "\",\"days_left\":" days "}"

static char document[OUT_MAX];

static inline int try_diff(struct diff **ret, const char *old, const char *new,
			   const char **ret_why)
{
	const char *old_text = guard_copy(old, strlen(old));
	const char *new_text = guard_copy(new, strlen(new));
	int err = diff_new(ret, old_text, strlen(old), new_text, strlen(new), ret_why);

	guard_free(old_text, strlen(old));
	guard_free(new_text, strlen(new));
	return err;
}

static inline struct diff *diff_of(const char *old, const char *new)
{
	const char *why = NULL;
	struct diff *diff = NULL;
	struct json json;

	assert_int_equal(try_diff(&diff, old, new, &why), 0);
	json_init(&json, document, sizeof(document) - 1, JSON_COMPACT, NULL, NULL);
	diff_write(diff, &json);
	assert_int_equal(json_error(&json), 0);
	document[json_pending(&json)] = '\0';
	assert_int_equal(parsed_count(document, strlen(document)), 1);
	return diff;
}

static inline void assert_value(const char *path, const char *expected)
{
	const char *value = parsed_value(document, path);

	assert_non_null(value);
	assert_string_equal(value, expected);
}

/* What the document tells of a section, as json-c prints it. */
static inline void assert_diff(const char *old, const char *new, const char *path,
			       const char *expected)
{
	diff_free(diff_of(old, new));
	assert_value(path, expected);
}

static inline void assert_same(const char *old, const char *new)
{
	struct diff *diff = diff_of(old, new);

	assert_int_equal(diff_count(diff), 0);
	assert_value("notes", "[]");
	diff_free(diff);
}

#endif /* TESTS_INVENTORY_SNAPSHOTS_H */
