/* SPDX-License-Identifier: MIT */
#include "cmd/values.h"

#include "cmd/options.h"
#include "inspect/finding.h"
#include "sources/source.h"
#include "syscalls/policy.h"

/* A function NAME that has these words. */
#define VALUES(name, ...)                                                                          \
	const char *name(size_t i)                                                                 \
	{                                                                                          \
		static const char *const words[] = { __VA_ARGS__ };                                \
                                                                                                   \
		return i < ARRAY_SIZE(words) ? words[i] : NULL;                                    \
	}

VALUES(values_api, "default", "all", "none")
VALUES(values_document_format, "json", "json-pretty", "summary")
VALUES(values_profile_format, "json", "json-pretty")
VALUES(values_check_format, "text", "json", "json-pretty")
VALUES(values_schema_format, "json", "markdown", "man")
VALUES(values_on_exit, "kill", "detach")
VALUES(values_report_format, "text", "json")
VALUES(values_engine, [OPTION_ENGINE_auto] = "auto", [OPTION_ENGINE_bpf] = "bpf",
       [OPTION_ENGINE_ptrace] = "ptrace")

const char *values_event(size_t i)
{
	return i < NR_SOURCES ? sources[i]->name : NULL;
}

const char *values_severity(size_t i)
{
	return i < severity_codes.nr_entries ? severity_codes.entries[i].name : NULL;
}

const char *values_stream_format(size_t i)
{
	return i < NR_SINKS ? sinks[i]->format : NULL;
}

const char *values_action(size_t i)
{
	return i < NR_POLICY_ACTIONS ? policy_action_name((enum policy_action)i) : NULL;
}

const char *values_policy_format(size_t i)
{
	const struct policy_format *format = policy_format_at(i);

	return format ? format->name : NULL;
}
