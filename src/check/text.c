/* SPDX-License-Identifier: MIT */
/* The document for people: nothing in it needs colour to be understood. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>

#include "check/host.h"
#include "lib/cleanup.h"
#include "lib/memory.h"
#include "lib/table.h"
#include "lib/wrap.h"

struct page {
	FILE *out;
	bool has_color;
	int err;
};

static void title(const struct page *page, const char *text)
{
	fprintf(page->out, page->has_color ? "\n\033[1m%s\033[0m\n" : "\n%s\n", text);
}

static void say(const struct page *page, int indent, int hang, const char *text)
{
	const struct wrap how = { indent, hang, "", "" };

	wrap_print(page->out, &how, text);
}

static void cell(struct table *table, const char *text)
{
	table_cell(table, text ? text : "-", text ? strlen(text) : 1);
}

static void print_features(struct page *page, const struct check *check)
{
	static const struct table_column columns[] = {
		{ .title = "FEATURE" },
		{ .title = "STATUS" },
		{ .title = "BY", .can_shrink = true },
	};
	static const char *const colors[NR_CHECK_STATUSES] = { "32", "33", "31" };
	_cleanup_(cleanup_free) char *text = NULL;
	struct table *table;

	page->err = table_new(&table, columns, ARRAY_SIZE(columns));
	if (page->err)
		return;
	for (size_t i = 0; i < check->features.count; i++) {
		const struct check_feature *feature = &check->shown[i];

		table_row(table);
		table_color(table, colors[feature->verdict.status]);
		cell(table, feature->name);
		cell(table, code_name(&check_status_codes, feature->verdict.status));
		cell(table, feature->hook);
	}
	page->err = table_print(table, WRAP_WIDTH, 2, page->has_color, &text);
	table_free(table);
	if (page->err)
		return;
	title(page, "Features");
	fputs(text, page->out);
}

static bool is_same(const struct check_verdict *a, const struct check_verdict *b)
{
	return a->status == b->status && strcmp(a->why, b->why) == 0 &&
	       strcmp(a->remedy, b->remedy) == 0 && strcmp(a->command, b->command) == 0;
}

/* The names of the features that have the verdict of the I-th, which is the first to have it. */
static void name_features(const struct check *check, size_t i, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t j = i; j < check->features.count && used < size; j++)
		if (is_same(&check->shown[j].verdict, &check->shown[i].verdict))
			used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "",
						 check->shown[j].name);
}

static bool is_first(const struct check *check, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (is_same(&check->shown[j].verdict, &check->shown[i].verdict))
			return false;
	return true;
}

static void print_remedies(const struct page *page, const struct check *check)
{
	static const struct wrap why = { 4, 9, "why: ", "" };
	static const struct wrap remedy = { 4, 9, "do:  ", "" };
	static const struct wrap command = { 9, 11, "", " \\" };
	char names[1024];
	bool has_title = false;

	for (size_t i = 0; i < check->features.count; i++) {
		const struct check_verdict *verdict = &check->shown[i].verdict;

		if (verdict->status == CHECK_WORKS || !is_first(check, i))
			continue;
		if (!has_title)
			title(page, "Why not, and what to do");
		has_title = true;
		name_features(check, i, names, sizeof(names));
		say(page, 2, 4, names);
		wrap_print(page->out, &why, verdict->why);
		if (verdict->remedy[0])
			wrap_print(page->out, &remedy, verdict->remedy);
		if (verdict->command[0])
			wrap_print(page->out, &command, verdict->command);
	}
}

static void fact(const struct page *page, const char *name, const char *value)
{
	char line[1536];

	snprintf(line, sizeof(line), "%s: %s", name, value[0] ? value : "not known");
	say(page, 2, 4, line);
}

static void setting(const struct page *page, const char *name, int32_t value)
{
	char text[16] = "";

	if (value != CHECK_UNKNOWN)
		snprintf(text, sizeof(text), "%" PRId32, value);
	fact(page, name, text);
}

static void list_fact(const struct page *page, const char *name, const char *before,
		      const struct text_list *list)
{
	char text[1280] = "";
	size_t used = 0;

	for (size_t at = 0; at < list->size && used < sizeof(text);
	     at += strlen(list->bytes + at) + 1)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
					 used ? ", " : before, list->bytes + at);
	fact(page, name, used ? text : "none");
}

/* All that there are but a few is shorter than those. */
static void print_capabilities(const struct page *page, const struct check_host *host)
{
	uint64_t all = cap_max_bits() < 64 ? (1ULL << cap_max_bits()) - 1 : UINT64_MAX;
	uint64_t lacking = all & ~host->effective;
	struct text_list list;
	char names[1024];

	if (lacking == 0) {
		fact(page, "capabilities", "all");
	} else if (__builtin_popcountll(lacking) < __builtin_popcountll(host->effective)) {
		check_capability_names(lacking, names, sizeof(names), &list);
		list_fact(page, "capabilities", "all but ", &list);
	} else {
		list_fact(page, "capabilities", "", &host->effective_names);
	}
	list_fact(page, "missing capabilities", "", &host->missing_names);
}

static void print_host(const struct page *page, const struct check_host *host)
{
	static const char *const no_yes[] = { "no", "yes" };

	title(page, "Host");
	fact(page, "type information (BTF)", no_yes[host->has_btf]);
	fact(page, "tracefs", host->tracefs);
	fact(page, "cgroup2", host->cgroup2);
	fact(page, "/proc", host->proc);
	fact(page, "lockdown", host->lockdown);
	setting(page, "unprivileged_bpf_disabled", host->unprivileged_bpf_disabled);
	setting(page, "perf_event_paranoid", host->perf_event_paranoid);
	setting(page, "ptrace_scope", host->ptrace_scope);
	fact(page, "under a seccomp filter", no_yes[host->has_filter]);
	fact(page, "user namespace of its own", no_yes[host->has_user_namespace]);
	fact(page, "pid namespace of its own", no_yes[host->has_pid_namespace]);
	fact(page, "cgroup namespace of its own", no_yes[host->has_cgroup_namespace]);
	fact(page, "container", host->container ? host->container : "no");
	print_capabilities(page, host);
}

static void add_page(struct page *page, const struct check *check)
{
	char line[256];

	snprintf(line, sizeof(line), "crypto-tracer %s on Linux %s %s, uid %u", VERSION,
		 check->kernel, check->host.arch ? check->host.arch : "", check->host.uid);
	say(page, 0, 2, line);
	fprintf(page->out, "Works: %" PRIu64 "   Limited: %" PRIu64 "   Unavailable: %" PRIu64 "\n",
		check->summary.works, check->summary.limited, check->summary.unavailable);
	print_features(page, check);
	print_remedies(page, check);
	print_host(page, &check->host);
}

int check_text(const struct check *check, bool has_color, char **ret, size_t *ret_size)
{
	struct page page = { .has_color = has_color };
	struct memory_text text;

	if (memory_text_begin(&text))
		return -ENOMEM;
	page.out = text.out;
	add_page(&page, check);
	return memory_text_end(&text, page.err, ret, ret_size);
}
