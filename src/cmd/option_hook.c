/* SPDX-License-Identifier: MIT */
/* --hook: where the kernel is asked for the events of a source. */
#include "cmd/options.h"

#include <stdio.h>
#include <string.h>

#include "sources/source.h"

static const char *parse_hook(struct options *options, const char *value)
{
	static char wrong[512];
	char names[256];
	size_t size = strcspn(value, "=");
	const struct source *source = source_find(value, size);
	const struct source_hook *hook;

	if (!value[size])
		return "not SOURCE=HOOK, such as file_open=tp";
	if (!source)
		return "not an event before the '='; `crypto-tracer schema` lists them";
	hook = source_hook_find(source, value + size + 1);
	if (!hook) {
		snprintf(wrong, sizeof(wrong), "not a hook of %s\n\nIts hooks:\n%s", source->name,
			 source_hook_names(source, names, sizeof(names)));
		return wrong;
	}
	options->hooks[source_id(source)] = hook;
	return NULL;
}

/* clang-format off */
static const struct option hook_list[] = {
	{ .name = "hook", .arg = "SOURCE=HOOK", .parse = parse_hook,
	  .help = "see the events of SOURCE at HOOK and nowhere else,\n"
		  "such as file_open=tp; by default at the first hook\n"
		  "that the kernel takes. May be repeated" },
};
/* clang-format on */

const struct option_table hook_options = OPTION_TABLE(hook_list, "How it is traced");
