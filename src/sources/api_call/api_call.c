/* SPDX-License-Identifier: MIT */
#include "sources/api_call/api_call.h"

#include <string.h>

#include "catalogue/libraries.h"
#include "sources/api_call/call.h"
#include "sources/source.h"

EMBED_OBJECT(api_call);

enum {
	SLOT_CALL = SLOT_OWN,
};

#define AT(member)   offsetof(struct api_call_event, member)
#define PART(member) offsetof(struct api_call_argument, member)

static const struct api_call_event *event_of(const struct record *record)
{
	return (const void *)record->bytes;
}

const struct api_call *api_call_of(const struct record *record)
{
	return record->slots[SLOT_CALL].obj;
}

static void set_text(struct value *value, const char *text)
{
	value->str.bytes = text;
	value->str.size = strlen(text);
	value->present = true;
}

static void get_argument_name(const struct record *record, const struct field *field,
			      struct value *ret)
{
	const struct api_call_argument *argument = (const void *)record->bytes;

	(void)field;
	set_text(ret, argument->name);
}

static void get_argument(const struct record *record, const struct field *field, struct value *ret)
{
	const struct api_call_argument *argument = (const void *)record->bytes;

	(void)field;
	ret->str.bytes = argument->text;
	ret->str.size = argument->size;
	ret->present = true;
}

/* clang-format off */
static const struct field argument_table[] = {
	{ NAMED("name"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_argument_name,
	  .text = TEXT_BARE, .help = "what the argument is" },
	{ NAMED("value"), .type = FIELD_STR, .class = CLASS_TEXT, .get = get_argument,
	  .help = "its value" },
};
/* clang-format on */

static const struct fields argument_fields = FIELDS(argument_table);

static void get_function(const struct record *record, const struct field *field, struct value *ret)
{
	const struct api_call *call = api_call_of(record);

	(void)field;
	if (call)
		set_text(ret, call->function->name);
}

static void get_library(const struct record *record, const struct field *field, struct value *ret)
{
	const struct api_call *call = api_call_of(record);

	(void)field;
	if (call)
		set_text(ret, call->library);
}

static void get_family(const struct record *record, const struct field *field, struct value *ret)
{
	const struct api_call *call = api_call_of(record);

	(void)field;
	ret->present = call && call->family != LIBRARY_FAMILY_none;
	ret->u = call ? call->family : 0;
}

static void get_kind(const struct record *record, const struct field *field, struct value *ret)
{
	const struct api_call *call = api_call_of(record);

	(void)field;
	ret->present = call != NULL;
	ret->u = call ? call->function->kind : 0;
}

static void get_algorithm(const struct record *record, const struct field *field, struct value *ret)
{
	const struct api_call *call = api_call_of(record);

	(void)field;
	ret->present = call && call->name;
	if (!ret->present)
		return;
	ret->str.bytes = call->name;
	ret->str.size = call->name_size;
}

static void get_some(const struct item_list *list, struct value *ret)
{
	ret->present = list->count > 0;
	ret->list.items = list->items;
	ret->list.count = list->count;
	ret->list.stride = list->stride;
	ret->list.truncated = list->truncated;
}

static void get_arguments(const struct record *record, const struct field *field, struct value *ret)
{
	const struct api_call *call = api_call_of(record);

	(void)field;
	if (call)
		get_some(&call->arguments, ret);
}

static void get_findings(const struct record *record, const struct field *field, struct value *ret)
{
	const struct api_call *call = api_call_of(record);

	(void)field;
	if (call)
		get_some(&call->findings, ret);
}

static void get_result(const struct record *record, const struct field *field, struct value *ret)
{
	const struct api_call *call = api_call_of(record);

	(void)field;
	ret->present = call && call->has_result;
	ret->s = call ? call->result : 0;
}

static void get_count(const struct record *record, const struct field *field, struct value *ret)
{
	(void)field;
	ret->present = event_of(record)->marks & API_COUNTED;
	ret->u = event_of(record)->count;
}

static void get_truncated(const struct record *record, const struct field *field, struct value *ret)
{
	(void)field;
	ret->present = event_of(record)->marks & API_CUT;
	ret->b = true;
}

static void get_unreadable(const struct record *record, const struct field *field,
			   struct value *ret)
{
	(void)field;
	ret->present = event_of(record)->marks & API_FAULT;
	ret->b = true;
}

/* clang-format off */
static const struct field api_call_fields[] = {
	{ NAMED("function_name"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_function,
	  .text = TEXT_BARE, .help = "the function that was called" },
	{ NAMED("library"), .type = FIELD_STR, .class = CLASS_PATH, .role = ROLE_LIBRARY,
	  .get = get_library, .text = TEXT_HIDDEN,
	  .help = "the file it is in, as a process names it; kernel for the kernel's own" },
	{ NAMED("family"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .role = ROLE_FAMILY,
	  .get = get_family, .codes = &library_family_codes, .text = TEXT_BARE,
	  .help = "the project it belongs to" },
	{ NAMED("kind"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .get = get_kind,
	  .codes = &api_kind_codes, .text = TEXT_HIDDEN, .help = "what the call is for" },
	{ NAMED("algorithm"), .type = FIELD_STR, .class = CLASS_TEXT, .get = get_algorithm,
	  .text = TEXT_BARE, .help = "the algorithm that is used, one spelling for all libraries" },
	{ NAMED("arguments"), .type = FIELD_MAP, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_arguments, .sub = &argument_fields, .text = TEXT_BARE,
	  .help = "settings among its arguments, never keys, passwords or data" },
	{ NAMED("result"), .type = FIELD_S64, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_result, .help = "what it returned; of a pointer 1, or 0 when it was NULL" },
	{ NAMED("count"), .type = FIELD_U64, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_count, .help = "so many calls: counted in the kernel (--api all)" },
	{ NAMED("truncated"), .type = FIELD_BOOL, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_truncated, .help = "an argument was longer" },
	{ NAMED("unreadable"), .type = FIELD_BOOL, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_unreadable, .help = "an argument could not be read" },
	{ NAMED("findings"), .type = FIELD_LIST, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_findings, .sub = &finding_fields,
	  .help = "what somebody should look at" },
};
/* clang-format on */

int api_call_resolve(struct record *record, const struct api_function *function,
		     const char *library, uint32_t family, bool is_server)
{
	struct api_call *call = (void *)arena_take(record->arena, sizeof(*call));

	if (!call)
		return STAGE_MALFORMED;
	*call = (struct api_call){ .function = function, .library = library, .family = family };
	api_call_read(record, call, is_server);
	record->slots[SLOT_CALL].present = true;
	record->slots[SLOT_CALL].obj = call;
	return STAGE_NEXT;
}

void api_call_hide_hosts(struct record *record)
{
	static const char hidden[] = "***";
	/* It is in the record's arena. */
	struct api_call *call = (struct api_call *)api_call_of(record);

	for (size_t i = 0; call && i < call->arguments.count; i++) {
		struct api_call_argument *argument = &call->argument[i];

		if (strcmp(argument->name, "host name") != 0 || !argument->size)
			continue;
		argument->text = hidden;
		argument->size = sizeof(hidden) - 1;
	}
}

static const size_t api_call_tails[] = { AT(texts[0]), AT(texts[1]), AT(texts[2]), AT(method) };

static const struct source_program api_call_programs[] = {
	{ .name = "kernel_bind", .use = PROGRAM_OPTIONAL },
	{ .name = "kernel_setsockopt", .use = PROGRAM_OPTIONAL },
};

static const struct source_hook api_call_hooks[] = {
	{ .name = "uprobe",
	  .programs = api_call_programs,
	  .nr_programs = ARRAY_SIZE(api_call_programs) },
};

const struct source api_call_source = {
	.name = "api_call",
	.help = "a function of a crypto library was called",
	.is_on_demand = true,
	.fields = FIELDS(api_call_fields),
	.min_size = sizeof(struct api_call_event),
	.tails = api_call_tails,
	.nr_tails = ARRAY_SIZE(api_call_tails),
	.object = api_call_object,
	.object_end = api_call_object_end,
	.hooks = api_call_hooks,
	.nr_hooks = ARRAY_SIZE(api_call_hooks),
};
