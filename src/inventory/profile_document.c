/* SPDX-License-Identifier: MIT */
/* What was collected, as a document. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue/libraries.h"
#include "inventory/profile_private.h"
#include "lib/bytes.h"

/* Enters what LIBRARY is an implementation of; files of one project and version are one. */
static void add_provider(struct item_list *list, const struct profile_library *library)
{
	static const char evidence[] = "mapped";
	struct provider *providers = (struct provider *)list->items;
	const char *name = code_name(&library_family_codes, library->family);

	for (size_t i = 0; i < list->count; i++) {
		if (!text_equal(providers[i].name, name))
			continue;
		if (!library->version || text_equal(providers[i].version, library->version))
			return;
		if (!providers[i].version) {
			providers[i].version = library->version;
			return;
		}
	}
	providers[list->count++] = (struct provider){
		.name = name,
		.version = library->version,
		.linkage = LINKAGE_dynamic,
		.confidence = CONFIDENCE_high,
		.evidence = evidence,
		.evidence_size = sizeof(evidence),
	};
}

/* What ENTRY has mapped, then what is built into its program. Returns 0 or -ENOMEM. */
static int make_providers(struct pool *pool, struct profile_entry *entry)
{
	const struct program *program = entry->exe && entry->exe->family == LIBRARY_FAMILY_none
						? entry->exe->program
						: NULL;
	size_t nr_builtin = program ? program->providers.count : 0;
	struct provider *items =
		pool_take(pool, (entry->nr_libraries + nr_builtin) * sizeof(*items));

	if (!items)
		return -ENOMEM;
	entry->profile.providers = (struct item_list){ .items = items, .stride = sizeof(*items) };
	for (size_t i = 0; i < entry->nr_libraries; i++)
		add_provider(&entry->profile.providers, &entry->libraries[i]);
	if (nr_builtin)
		memcpy(items + entry->profile.providers.count, program->providers.items,
		       nr_builtin * sizeof(*items));
	entry->profile.providers.count += nr_builtin;
	return 0;
}

/* Those of CA bundles are not told: every program that verifies a certificate reads all of them. */
static size_t count_certificates(const struct content *content)
{
	return content->kind == FILE_KIND_ca_bundle ? 0 : content->certificates.count;
}

/* How many certificates and keys the files of ENTRY hold; findings: of its events, too. */
static void count_contents(const struct profile_entry *entry, size_t *ret_certificates,
			   size_t *ret_keys, size_t *ret_findings)
{
	*ret_certificates = 0;
	*ret_keys = 0;
	*ret_findings = entry->calls.findings.nr_items + entry->findings.nr_items;
	for (size_t i = 0; i < entry->nr_files; i++) {
		const struct content *content = entry->files[i].content;

		if (!content)
			continue;
		*ret_certificates += count_certificates(content);
		*ret_keys += content->keys.count;
		*ret_findings += content->findings.count;
	}
}

/* Enters what FILE contains, for which there is room. */
static void add_content(struct profile *profile, const struct profile_file *file)
{
	const struct content *content = file->content;
	struct snapshot_certificate *certificates = (void *)profile->certificates.items;
	struct snapshot_key *keys = (void *)profile->keys.items;
	struct finding *findings = (void *)profile->findings.items;

	for (size_t i = 0; i < count_certificates(content); i++)
		certificates[profile->certificates.count++] = (struct snapshot_certificate){
			.certificate = ((const struct certificate *)content->certificates.items)[i],
			.file = file->path,
		};
	for (size_t i = 0; i < content->keys.count; i++)
		keys[profile->keys.count++] = (struct snapshot_key){
			.key = ((const struct key *)content->keys.items)[i],
			.file = file->path,
		};
	for (size_t i = 0; i < content->findings.count; i++) {
		findings[profile->findings.count] =
			((const struct finding *)content->findings.items)[i];
		findings[profile->findings.count++].file = file->path;
	}
}

/* Enters FINDINGS, for which there is room. */
static void add_findings(struct profile *profile, const struct profile_findings *findings)
{
	struct finding *items = (void *)profile->findings.items;

	for (size_t i = 0; i < findings->nr_items; i++)
		items[profile->findings.count++] = findings->items[i];
}

/* As finding_compare(), also for findings that are not about a file; last by evidence. */
static int compare_findings(const void *left, const void *right)
{
	struct finding a = *(const struct finding *)left;
	struct finding b = *(const struct finding *)right;
	int order;

	a.file = a.file ? a.file : "";
	b.file = b.file ? b.file : "";
	order = finding_compare(&a, &b);
	return order ? order : strcmp(a.evidence ? a.evidence : "", b.evidence ? b.evidence : "");
}

/* Certificates, keys and findings of all files of ENTRY, findings of its events. 0 or -ENOMEM. */
static int make_contents(struct pool *pool, struct profile_entry *entry)
{
	struct profile *profile = &entry->profile;
	size_t nr_certificates;
	size_t nr_keys;
	size_t nr_findings;

	count_contents(entry, &nr_certificates, &nr_keys, &nr_findings);
	profile->certificates = (struct item_list){
		.items = pool_take(pool, nr_certificates * sizeof(struct snapshot_certificate)),
		.stride = sizeof(struct snapshot_certificate),
	};
	profile->keys = (struct item_list){
		.items = pool_take(pool, nr_keys * sizeof(struct snapshot_key)),
		.stride = sizeof(struct snapshot_key),
	};
	profile->findings = (struct item_list){
		.items = pool_take(pool, nr_findings * sizeof(struct finding)),
		.stride = sizeof(struct finding),
	};
	if (!profile->certificates.items || !profile->keys.items || !profile->findings.items)
		return -ENOMEM;
	for (size_t i = 0; i < entry->nr_files; i++)
		if (entry->files[i].content)
			add_content(profile, &entry->files[i]);
	add_findings(profile, &entry->calls.findings);
	add_findings(profile, &entry->findings);
	qsort((void *)profile->findings.items, profile->findings.count, sizeof(struct finding),
	      compare_findings);
	return 0;
}

static int compare_libraries(const void *left, const void *right)
{
	return strcmp(((const struct profile_library *)left)->path,
		      ((const struct profile_library *)right)->path);
}

static int compare_files(const void *left, const void *right)
{
	return strcmp(((const struct profile_file *)left)->path,
		      ((const struct profile_file *)right)->path);
}

/* The processes of profile NUMBER, in the order in which they came. */
static int make_members(struct profiles *profiles, size_t number)
{
	struct profile *profile = &profiles->entries[number]->profile;
	struct profile_member *items;
	size_t n = 0;

	for (size_t i = 0; i < profiles->nr_members; i++)
		n += profiles->members[i].profile == number;
	items = pool_take(&profiles->pool, n * sizeof(*items));
	if (!items)
		return -ENOMEM;
	profile->members = (struct item_list){ .items = items, .stride = sizeof(*items) };
	for (size_t i = 0; i < profiles->nr_members; i++)
		if (profiles->members[i].profile == number)
			items[profile->members.count++] = profiles->members[i];
	profile->has_members = profiles->follows;
	profile->statistics.processes = n;
	return 0;
}

/* Whether process PID had a library mapped whose calls were not seen yet. */
static bool is_late(const struct coverage *coverage, uint32_t pid)
{
	const struct coverage_late *late = coverage->late.items;

	for (size_t i = 0; i < coverage->late.count; i++)
		if (late[i].pid == pid)
			return true;
	return coverage->late.truncated;
}

/* Whether calls may be missing of which it matters that they were not made. */
static bool has_lost_calls(const struct coverage *coverage)
{
	const struct coverage_lapse *lapses = coverage->lapses.items;

	for (size_t i = 0; i < coverage->sources.count; i++)
		if (coverage->source[i].lost.ring_full || coverage->source[i].lost.left_at_exit)
			return true;
	for (size_t i = 0; i < coverage->lapses.count; i++)
		if (profile_calls_heeds(lapses[i].function))
			return true;
	return coverage->lapses.truncated;
}

/* What the calls in profile NUMBER tell. Returns 0 or -ENOMEM. */
static int make_calls(struct profiles *profiles, size_t number, const struct coverage *coverage)
{
	struct profile_entry *entry = profiles->entries[number];
	struct profile_calls *calls = &entry->calls;
	bool has_lost = coverage && has_lost_calls(coverage);
	int err;

	for (size_t i = 0; i < profiles->nr_members; i++) {
		const struct profile_member *member = &profiles->members[i];

		if (member->profile != number)
			continue;
		profile_calls_judge(calls, &member->image);
		/* Its children have what it set, too. */
		has_lost |= member->image.is_whole && coverage && is_late(coverage, member->pid);
	}
	err = profile_calls_finish(calls, &profiles->pool, has_lost);
	entry->profile.api_calls = (struct item_list){
		.items = calls->functions.items,
		.count = calls->functions.nr_items,
		.stride = sizeof(struct profile_function),
		.truncated = calls->functions.nr_refused > 0,
	};
	entry->profile.algorithms = (struct item_list){
		.items = calls->algorithms.items,
		.count = calls->algorithms.nr_items,
		.stride = sizeof(struct profile_algorithm),
		.truncated = calls->algorithms.nr_refused > 0,
	};
	return err;
}

/* The handshakes of ENTRY, and connections of which none was seen. Returns 0 or -ENOMEM. */
static int make_sessions(struct pool *pool, struct profile_entry *entry)
{
	struct profile *profile = &entry->profile;
	int err = profile_sessions_list(&entry->tls, &entry->connections, PROFILE_PROTOCOL_tls,
					pool, &profile->tls_sessions);

	return err ? err
		   : profile_sessions_list(&entry->ssh, &entry->connections, PROFILE_PROTOCOL_ssh,
					   pool, &profile->ssh_sessions);
}

/* The counts that can be checked against the lists. */
static void count(struct profile_entry *entry)
{
	struct profile_statistics *statistics = &entry->profile.statistics;

	statistics->libraries_loaded = entry->nr_libraries;
	statistics->files_accessed = entry->nr_files;
	statistics->file_accesses = 0;
	statistics->failed_accesses = 0;
	statistics->api_calls_made = entry->calls.nr_calls;
	statistics->tls_handshakes = entry->tls.nr_handshakes;
	statistics->ssh_handshakes = entry->ssh.nr_handshakes;
	statistics->connections_before = profile_connections_count(&entry->connections);
	for (size_t i = 0; i < entry->nr_files; i++) {
		statistics->file_accesses += entry->files[i].access_count;
		statistics->failed_accesses += entry->files[i].failures;
	}
}

/*
 * Puts profile NUMBER into its final shape: everything sorted, so that two runs can be compared.
 * Returns 0 or -ENOMEM.
 */
static int make_profile(struct profiles *profiles, size_t number,
			const struct profile_heading *heading, uint64_t duration_ms)
{
	struct profile_entry *entry = profiles->entries[number];
	struct profile *profile = &entry->profile;
	int err;

	if (entry->nr_libraries)
		qsort(entry->libraries, entry->nr_libraries, sizeof(entry->libraries[0]),
		      compare_libraries);
	if (entry->nr_files)
		qsort(entry->files, entry->nr_files, sizeof(entry->files[0]), compare_files);
	profile->heading = *heading;
	profile->duration_ms = duration_ms;
	profile->libraries = (struct item_list){ entry->libraries, entry->nr_libraries,
						 sizeof(entry->libraries[0]), false };
	profile->files =
		(struct item_list){ entry->files, entry->nr_files, sizeof(entry->files[0]), false };
	profile->programs = (struct item_list){ entry->programs, entry->nr_programs,
						sizeof(entry->programs[0]), false };
	err = make_providers(&profiles->pool, entry);
	if (!err)
		err = make_calls(profiles, number, heading->coverage);
	if (!err)
		err = make_contents(&profiles->pool, entry);
	if (!err)
		err = make_sessions(&profiles->pool, entry);
	if (!err)
		err = make_members(profiles, number);
	count(entry);
	return err;
}

/* Adds up: what several profiles have in common counts in each. */
static void add_up(struct profile_statistics *sum, const struct profile_statistics *one)
{
	sum->total_events += one->total_events;
	sum->libraries_loaded += one->libraries_loaded;
	sum->files_accessed += one->files_accessed;
	sum->file_accesses += one->file_accesses;
	sum->failed_accesses += one->failed_accesses;
	sum->api_calls_made += one->api_calls_made;
	sum->tls_handshakes += one->tls_handshakes;
	sum->ssh_handshakes += one->ssh_handshakes;
	sum->connections_before += one->connections_before;
	sum->processes += one->processes;
	sum->programs_executed += one->programs_executed;
}

int profiles_document(struct profiles *profiles, const struct profile_heading *heading,
		      uint64_t duration_ms, struct profile_document *ret)
{
	struct profile *items = pool_take(&profiles->pool, profiles->nr_entries * sizeof(*items));

	if (!items)
		return -ENOMEM;
	*ret = (struct profile_document){ .heading = *heading };
	ret->profiles = (struct item_list){ .items = items, .stride = sizeof(*items) };
	for (size_t i = 0; i < profiles->nr_entries; i++) {
		int err = make_profile(profiles, i, heading, duration_ms);

		if (err)
			return err;
		items[ret->profiles.count++] = profiles->entries[i]->profile;
		add_up(&ret->summary, &profiles->entries[i]->profile.statistics);
	}
	return 0;
}

size_t profile_count_findings(const struct profile_document *document, uint32_t severity)
{
	const struct profile *profiles = document->profiles.items;
	size_t n = 0;

	for (size_t i = 0; i < document->profiles.count; i++) {
		const struct finding *findings = profiles[i].findings.items;

		for (size_t j = 0; j < profiles[i].findings.count; j++)
			n += findings[j].severity >= severity;
	}
	return n;
}
