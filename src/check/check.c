/* SPDX-License-Identifier: MIT */
#include "check/check.h"

#include <string.h>

#include "check/host.h"
#include "check/verdict.h"

static const struct {
	const char *name;
	const char *help;
} more_features[] = {
#define FEATURE(name, help) { #name, help },
#include "check/features.def"
#undef FEATURE
};

const char *check_feature_name(size_t i)
{
	if (i >= NR_CHECK_FEATURES)
		return NULL;
	return i < NR_SOURCES ? sources[i]->name : more_features[i - NR_SOURCES].name;
}

void check_begin(struct check *check)
{
	for (size_t i = 0; i < NR_CHECK_FEATURES; i++) {
		struct check_feature *feature = &check->all[i];

		*feature = (struct check_feature){ .verdict.status = CHECK_UNAVAILABLE };
		feature->name =
			i < NR_SOURCES ? sources[i]->name : more_features[i - NR_SOURCES].name;
		feature->help =
			i < NR_SOURCES ? sources[i]->help : more_features[i - NR_SOURCES].help;
	}
}

struct check_feature *check_find(struct check *check, const char *name)
{
	for (size_t i = 0; i < NR_CHECK_FEATURES; i++)
		if (strcmp(check->all[i].name, name) == 0)
			return &check->all[i];
	return NULL;
}

bool check_is_event(const struct check_feature *feature)
{
	return source_find(feature->name, strlen(feature->name)) != NULL;
}

static bool is_named(const char *name, const char *const *names, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return nr == 0;
}

void check_end(struct check *check, const char *const *names, size_t nr)
{
	struct check_host *host = &check->host;
	uint64_t *counts[NR_CHECK_STATUSES] = {
		[CHECK_WORKS] = &check->summary.works,
		[CHECK_LIMITED] = &check->summary.limited,
		[CHECK_UNAVAILABLE] = &check->summary.unavailable,
	};

	check->features =
		(struct item_list){ .items = check->shown, .stride = sizeof(check->shown[0]) };
	check->summary = (struct check_summary){ 0 };
	for (size_t i = 0; i < NR_CHECK_FEATURES; i++) {
		if (!is_named(check->all[i].name, names, nr))
			continue;
		verdict_end(&check->all[i].verdict, host);
		check->shown[check->features.count++] = check->all[i];
		++*counts[check->all[i].verdict.status];
	}
	check_capability_names(host->effective, host->names[0], sizeof(host->names[0]),
			       &host->effective_names);
	check_capability_names(host->missing, host->names[1], sizeof(host->names[1]),
			       &host->missing_names);
}

bool check_has_cause(const struct check *check, enum check_cause cause)
{
	for (size_t i = 0; i < check->features.count; i++)
		if (check->shown[i].verdict.status != CHECK_WORKS &&
		    check->shown[i].verdict.cause == cause)
			return true;
	return false;
}

bool check_is_hopeless(const struct check *check)
{
	size_t nr_events = 0;

	for (size_t i = 0; i < check->features.count; i++) {
		const struct check_feature *feature = &check->shown[i];

		if (!check_is_event(feature))
			continue;
		if (feature->verdict.status != CHECK_UNAVAILABLE ||
		    feature->verdict.cause != CHECK_KERNEL)
			return false;
		nr_events++;
	}
	return nr_events > 0;
}
