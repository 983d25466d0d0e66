/* SPDX-License-Identifier: MIT */
#include "inventory/snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue/libraries.h"
#include "inventory/process_doc.h"

/*
 * The processes that use cryptography, in the order of the inventory, and how many libraries and
 * files they have between them. Returns 0 or -ENOMEM.
 */
static int make_processes(struct snapshot *snapshot, const struct document_source *source)
{
	const struct inventory *inventory = source->inventory;
	struct snapshot_process *items;
	size_t n = 0;

	for (size_t i = 0; i < inventory->nr_processes; i++)
		n += process_uses_crypto(inventory->processes[i]);
	items = pool_take(&snapshot->pool, n * sizeof(*items));
	if (!items)
		return -ENOMEM;
	snapshot->processes = (struct item_list){ .items = items, .stride = sizeof(*items) };
	for (size_t i = 0; i < inventory->nr_processes; i++) {
		const struct inventory_process *process = inventory->processes[i];
		int err;

		if (!process_uses_crypto(process))
			continue;
		err = process_doc_make(&snapshot->pool, source, process,
				       &items[snapshot->processes.count++]);
		if (err)
			return err;
		snapshot->summary.total_libraries += process_count_libraries(process);
		snapshot->summary.total_files += process_count_files(process);
	}
	return 0;
}

/* What OBJECT, which was looked into, contains. */
static const struct certificate *certificates_of(const struct inventory_object *object)
{
	return object->content->certificates.items;
}

static const struct key *keys_of(const struct inventory_object *object)
{
	return object->content->keys.items;
}

/* Enters the certificates of OBJECT, for which there is room. USERS have it open. */
static void add_certificates(struct snapshot *snapshot, const struct inventory_object *object,
			     const struct item_list *users)
{
	struct snapshot_certificate *items = (void *)snapshot->certificates.items;

	for (size_t i = 0; i < object->content->certificates.count; i++)
		items[snapshot->certificates.count++] = (struct snapshot_certificate){
			.certificate = certificates_of(object)[i],
			.file = object->path,
			.is_trusted = object->content->kind == FILE_KIND_ca_bundle,
			.processes = *users,
		};
}

/* The same for its keys, with who owns the file and who may read it. Returns 0 or -ENOMEM. */
static int add_keys(struct snapshot *snapshot, const struct document_source *source,
		    const struct inventory_object *object, const struct item_list *users)
{
	struct snapshot_key *items = (void *)snapshot->keys.items;

	for (size_t i = 0; i < object->content->keys.count; i++) {
		struct snapshot_key *item = &items[snapshot->keys.count++];

		*item = (struct snapshot_key){
			.key = keys_of(object)[i],
			.file = object->path,
			.owner = document_user(&snapshot->pool, source->users, object->stat.uid),
			.processes = *users,
		};
		if (!item->owner)
			return -ENOMEM;
		snprintf(item->mode, sizeof(item->mode), "%04o", object->stat.mode & 07777U);
	}
	return 0;
}

/*
 * All certificates and keys of all files. Without a look into them both lists stay unknown, which
 * is not the same as empty. Returns 0 or -ENOMEM.
 */
static int make_contents(struct snapshot *snapshot, const struct document_source *source,
			 const struct document_users *users)
{
	const struct inventory *inventory = source->inventory;
	size_t nr_certificates = 0;
	size_t nr_keys = 0;
	int err = 0;

	for (size_t i = 0; i < inventory->nr_objects; i++) {
		const struct content *content = inventory->objects[i]->content;

		nr_certificates += content ? content->certificates.count : 0;
		nr_keys += content ? content->keys.count : 0;
	}
	if (!source->is_inspected)
		return 0;
	snapshot->certificates = (struct item_list){
		.items = pool_take(&snapshot->pool,
				   nr_certificates * sizeof(struct snapshot_certificate)),
		.stride = sizeof(struct snapshot_certificate),
	};
	snapshot->keys = (struct item_list){
		.items = pool_take(&snapshot->pool, nr_keys * sizeof(struct snapshot_key)),
		.stride = sizeof(struct snapshot_key),
	};
	if (!snapshot->certificates.items || !snapshot->keys.items)
		return -ENOMEM;
	for (size_t i = 0; !err && i < inventory->nr_objects; i++) {
		const struct inventory_object *object = inventory->objects[i];

		if (!object->content)
			continue;
		add_certificates(snapshot, object, &users->lists[object->position]);
		err = add_keys(snapshot, source, object, &users->lists[object->position]);
	}
	return err;
}

/* OpenSSL 1.0.2 ended in 2019, 1.1.1 in 2023 (https://openssl-library.org/policies/releasestrat).
 */
static bool is_end_of_life(const struct inventory_object *object)
{
	const char *version = inventory_version(object);

	return version && object->family == LIBRARY_FAMILY_openssl &&
	       (strncmp(version, "0.", 2) == 0 || strncmp(version, "1.", 2) == 0);
}

/* Enters a finding about OBJECT, for which there is room; EVIDENCE is borrowed. */
static void add_finding(struct item_list *findings, enum finding_rule rule, const char *evidence,
			const struct inventory_object *object, const struct item_list *users)
{
	struct finding *items = (void *)findings->items;

	items[findings->count++] = (struct finding){
		.rule = finding_rules[rule].name,
		.severity = finding_rules[rule].severity,
		.why = finding_rules[rule].why,
		.evidence = evidence,
		.file = object->path,
		.processes = *users,
	};
}

/* What was found about the library OBJECT. Returns 0 or -ENOMEM. */
static int judge_library(struct snapshot *snapshot, const struct inventory_object *object,
			 const struct item_list *users)
{
	const char *version = inventory_version(object);
	char text[160];
	char *evidence;

	if (is_end_of_life(object))
		add_finding(&snapshot->findings, FINDING_library_end_of_life, version, object,
			    users);
	if (!object->is_deleted)
		return 0;
	snprintf(text, sizeof(text), "in use: %s, on disk: %s", version ? version : "unknown",
		 object->disk_version ? object->disk_version : "unknown or nothing");
	evidence = pool_text(&snapshot->pool, text, strlen(text));
	if (!evidence)
		return -ENOMEM;
	add_finding(&snapshot->findings, FINDING_library_replaced, evidence, object, users);
	return 0;
}

/*
 * What content_inspect() found in each file, and what the libraries themselves tell. Two for each
 * object is as much as judge_library() enters. Returns 0 or -ENOMEM.
 */
static int make_findings(struct snapshot *snapshot, const struct document_source *source,
			 const struct document_users *users)
{
	const struct inventory *inventory = source->inventory;
	struct finding *items;
	size_t room = 0;
	int err = 0;

	for (size_t i = 0; i < inventory->nr_objects; i++)
		room += 2 + (inventory->objects[i]->content
				     ? inventory->objects[i]->content->findings.count
				     : 0);
	items = pool_take(&snapshot->pool, room * sizeof(*items));
	if (!items)
		return -ENOMEM;
	snapshot->findings = (struct item_list){ .items = items, .stride = sizeof(*items) };
	for (size_t i = 0; !err && i < inventory->nr_objects; i++) {
		const struct inventory_object *object = inventory->objects[i];
		const struct item_list *who = &users->lists[object->position];
		const struct finding *found =
			object->content ? object->content->findings.items : NULL;

		for (size_t j = 0; found && j < object->content->findings.count; j++) {
			items[snapshot->findings.count] = found[j];
			items[snapshot->findings.count].file = object->path;
			items[snapshot->findings.count++].processes = *who;
		}
		if (object->family != LIBRARY_FAMILY_none && object->nr_users)
			err = judge_library(snapshot, object, who);
	}
	qsort(items, snapshot->findings.count, sizeof(*items), finding_compare);
	return err;
}

/* The rest of the summary: what is there, each once. */
static void count(struct snapshot *snapshot, const struct inventory *inventory)
{
	struct snapshot_summary *summary = &snapshot->summary;

	summary->total_processes = snapshot->processes.count;
	summary->certificates = snapshot->certificates.count;
	summary->keys = snapshot->keys.count;
	summary->findings = snapshot->findings.count;
	for (size_t i = 0; i < inventory->nr_objects; i++) {
		const struct inventory_object *object = inventory->objects[i];

		if (!object->nr_users)
			continue;
		if (object->family != LIBRARY_FAMILY_none)
			summary->unique_libraries++;
		else
			summary->unique_files++;
	}
}

static int compare_inodes(const void *left, const void *right)
{
	const uint64_t *a = left;
	const uint64_t *b = right;

	return *a < *b ? -1 : *a > *b;
}

/*
 * How many connections the processes have that are told: a socket that several of them have counts
 * once, as far as it is kept. Returns 0 or -ENOMEM.
 */
static int count_connections(struct snapshot *snapshot, const struct inventory *inventory)
{
	uint64_t *inodes;
	size_t n = 0;

	for (size_t i = 0; i < inventory->nr_processes; i++)
		n += inventory->processes[i]->nr_connections;
	inodes = pool_take(&snapshot->pool, n * sizeof(*inodes));
	if (!inodes)
		return -ENOMEM;
	n = 0;
	for (size_t i = 0; i < inventory->nr_processes; i++) {
		const struct inventory_process *process = inventory->processes[i];

		if (!process_uses_crypto(process))
			continue;
		snapshot->summary.connections += process->nr_more_connections;
		for (uint32_t j = 0; j < process->nr_connections; j++)
			inodes[n++] = process->connections[j].inode;
	}
	qsort(inodes, n, sizeof(inodes[0]), compare_inodes);
	for (size_t i = 0; i < n; i++)
		snapshot->summary.connections += i == 0 || inodes[i] != inodes[i - 1];
	return 0;
}

/* What of the connections is beyond the limit. */
static void cover_connections(struct snapshot *snapshot, const struct inventory *inventory)
{
	uint64_t nr_more = 0;

	for (size_t i = 0; i < inventory->nr_processes; i++)
		if (process_uses_crypto(inventory->processes[i]))
			nr_more += inventory->processes[i]->nr_more_connections;
	if (nr_more)
		document_gap(&snapshot->coverage, "ends of connections",
			     "more than 1,024 of a process", nr_more);
}

int snapshot_new(struct snapshot **ret, const struct document_source *source)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
	struct document_users users;
	int err;

	if (!snapshot)
		return -ENOMEM;
	snapshot->now_ns = source->now_ns;
	snapshot->hostname = source->hostname;
	snapshot->kernel = source->kernel;
	snapshot->host = source->host;
	err = document_users_make(&snapshot->pool, source->inventory, &users);
	if (!err)
		err = make_processes(snapshot, source);
	if (!err)
		err = make_contents(snapshot, source, &users);
	if (!err)
		err = make_findings(snapshot, source, &users);
	if (!err)
		err = count_connections(snapshot, source->inventory);
	if (!err)
		err = document_cover(&snapshot->coverage, &snapshot->pool, source);
	if (err) {
		snapshot_free(snapshot);
		return err;
	}
	count(snapshot, source->inventory);
	cover_connections(snapshot, source->inventory);
	*ret = snapshot;
	return 0;
}

void snapshot_free(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	pool_free(&snapshot->pool);
	free(snapshot);
}

size_t snapshot_count_findings(const struct snapshot *snapshot, uint32_t severity)
{
	const struct finding *findings = snapshot->findings.items;
	size_t n = 0;

	for (size_t i = 0; i < snapshot->findings.count; i++)
		n += findings[i].severity >= severity;
	return n;
}
