/* SPDX-License-Identifier: MIT */
/* What must hold for every field of every table, so that a new source cannot get it wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "catalogue/libraries.h"
#include "inventory/libs.h"
#include "inventory/profile.h"
#include "inventory/snapshot.h"
#include "pipeline/coverage.h"
#include "sources/source.h"

#define DEPTH_MAX 4
#define HELP_MAX  100

typedef void getter(const struct record *, const struct field *, struct value *);

/* One table in its place: below SOURCE (NULL: a document), DEPTH tables deep. */
struct place {
	const struct source *source;
	const struct fields *table;
	unsigned int depth;
};

typedef void check(const struct place *place, const struct field *field);

static unsigned int nr_checked;

static void walk(const struct place *place, check *check_field)
{
	const struct place base = { place->source, place->table->base, place->depth };

	if (base.table)
		walk(&base, check_field);
	for (size_t i = 0; i < place->table->nr_fields; i++) {
		const struct field *field = &place->table->fields[i];
		const struct place below = { place->source, field->sub, place->depth + 1 };

		print_message("%s: %s\n", place->source ? place->source->name : "document",
			      field->name);
		check_field(place, field);
		nr_checked++;
		if (field->sub)
			walk(&below, check_field);
	}
}

/* Every field there is: heads, sources, documents, and what is nested in them. */
static void check_all(check *check_field)
{
	const struct place documents[] = {
		{ NULL, &start_fields, 1 },    { NULL, &coverage_fields, 1 },
		{ NULL, &snapshot_fields, 1 }, { NULL, &libs_fields, 1 },
		{ NULL, &profile_fields, 1 },  { NULL, &profiles_fields, 1 },
	};

	nr_checked = 0;
	for (size_t i = 0; i < NR_SOURCES; i++) {
		const struct place head = { sources[i], &event_head_fields, 1 };
		const struct place own = { sources[i], &sources[i]->fields, 1 };

		walk(&head, check_field);
		walk(&own, check_field);
	}
	for (size_t i = 0; i < ARRAY_SIZE(documents); i++)
		walk(&documents[i], check_field);
	/* as many as were there when this was written */
	assert_true(nr_checked >= 100);
}

static void check_class(const struct place *place, const struct field *field)
{
	(void)place;
	assert_true(field->class > CLASS_NONE && field->class <= CLASS_PEER);
	/* Command lines may hold secrets. */
	if (field->type == FIELD_CMDLINE || strcmp(field->name, "argv") == 0 ||
	    strcmp(field->name, "options") == 0)
		assert_int_equal(field->class, CLASS_ARGS);
	/* Redaction works on strings. */
	if (field->type != FIELD_STR && field->type != FIELD_STRV && field->type != FIELD_CMDLINE)
		assert_int_equal(field->class, CLASS_PUBLIC);
	if (field->role == ROLE_FILE || field->role == ROLE_LIBRARY)
		assert_int_equal(field->class, CLASS_PATH);
}

static void test_every_field_has_a_class_that_fits(void **state)
{
	(void)state;
	check_all(check_class);
}

static void check_help(const struct place *place, const struct field *field)
{
	size_t size;

	(void)place;
	assert_non_null(field->help);
	size = strlen(field->help);
	assert_true(size > 0 && size <= HELP_MAX);
	assert_true(*field->help >= 'a' && *field->help <= 'z');
	assert_null(strchr(".!?:;, ", field->help[size - 1]));
	assert_null(strchr(field->help, '\n'));
	assert_null(strstr(field->help, "  "));
}

static void test_every_field_has_a_help_in_house_style(void **state)
{
	(void)state;
	check_all(check_help);
}

static void check_name(const struct place *place, const struct field *field)
{
	const char *name = field->name;

	(void)place;
	assert_non_null(name);
	assert_true(*name >= 'a' && *name <= 'z');
	assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(name));
	assert_null(strstr(name, "__"));
	assert_int_not_equal(name[strlen(name) - 1], '_');

	/* what the JSON writer copies is the name too, quoted */
	assert_int_equal(field->json_key_size, strlen(name) + 3);
	assert_int_equal(field->json_key[0], '"');
	assert_memory_equal(field->json_key + 1, name, strlen(name));
	assert_string_equal(field->json_key + 1 + strlen(name), "\":");
}

static void test_every_name_is_snake_case(void **state)
{
	(void)state;
	check_all(check_name);
}

static void check_unique(const struct place *place, const struct field *field)
{
	unsigned int count = 0;

	for (size_t i = 0; i < place->table->nr_fields; i++)
		count += strcmp(place->table->fields[i].name, field->name) == 0;
	if (place->depth == 1 && place->source && place->table != &event_head_fields)
		for (size_t i = 0; i < event_head_fields.nr_fields; i++)
			count += strcmp(event_head_fields.fields[i].name, field->name) == 0;
	assert_int_equal(count, 1);
}

static void test_names_of_an_event_are_unique(void **state)
{
	(void)state;
	check_all(check_unique);
}

static bool ends_with(const char *name, const char *end)
{
	size_t size = strlen(name);
	size_t end_size = strlen(end);

	return size >= end_size && strcmp(name + size - end_size, end) == 0;
}

/* The unit is in the name, and a name with a unit is a number of it. */
static void check_unit(const struct place *place, const struct field *field)
{
	static const char *const units[] = { "_ns", "_us", "_ms", "_seconds", "_bytes" };
	static const char *const measures[] = { "duration", "size", "elapsed",
						"latency",  "age",  "uptime" };
	bool has_unit = false;

	(void)place;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		has_unit = has_unit || ends_with(field->name, units[i]);
	if (has_unit)
		assert_true(field->type == FIELD_U64 || field->type == FIELD_S64 ||
			    field->type == FIELD_ID64);
	/* Nanoseconds since boot or the epoch pass 2^53 after 104 days. */
	if (ends_with(field->name, "_time_ns"))
		assert_int_equal(field->type, FIELD_ID64);
	for (size_t i = 0; i < sizeof(measures) / sizeof(measures[0]); i++)
		if (strncmp(field->name, measures[i], strlen(measures[i])) == 0)
			assert_true(has_unit);
	/* A point in time is printed as one. */
	if (ends_with(field->name, "timestamp") || ends_with(field->name, "_at"))
		assert_int_equal(field->type, FIELD_TIME);
}

static void test_units_are_in_names(void **state)
{
	(void)state;
	check_all(check_unit);
}

static void check_needs(const struct place *place, const struct field *field)
{
	(void)place;
	assert_non_null(field->get);
	assert_true(field->type <= FIELD_MAP);
	assert_int_equal(field->format != NULL, field->type == FIELD_FLAGS);
	assert_int_equal(field->codes != NULL,
			 field->type == FIELD_CODE || field->type == FIELD_CODEV);
	assert_int_equal(field->sub != NULL, field->type == FIELD_OBJ ||
						     field->type == FIELD_LIST ||
						     field->type == FIELD_MAP);
	if (field->text == TEXT_NONZERO)
		assert_true(field->type == FIELD_U64 || field->type == FIELD_BOOL);
	assert_true(place->depth <= DEPTH_MAX);
}

/* A string, and always one value or an object: the schema says neither null nor that it may lack.
 */
static void check_map(const struct place *place, const struct field *field)
{
	const struct fields *sub = field->sub;

	(void)place;
	if (field->type != FIELD_MAP)
		return;
	assert_null(sub->base);
	assert_true(sub->nr_fields >= 2);
	assert_int_equal(sub->fields[0].type, FIELD_STR);
	if (sub->nr_fields == 2)
		assert_int_equal(sub->fields[1].presence, ALWAYS);
	if (field->presence == ALWAYS)
		assert_ptr_equal(field->get, get_list);
}

static void test_every_map_has_keys_and_what_belongs_to_them(void **state)
{
	(void)state;
	check_all(check_map);
}

static void test_every_field_has_what_its_type_needs(void **state)
{
	(void)state;
	check_all(check_needs);
}

/* Types that a getter of pipeline/field.h gives, and bytes it reads at field.at. */
static const struct {
	getter *get;
	uint32_t types;
	size_t size;
} getters[] = {
#define TYPE(type) (1U << FIELD_##type)
#define NUMBER	   (TYPE(U64) | TYPE(ID64) | TYPE(TIME) | TYPE(FLAGS) | TYPE(CODE))
	{ get_u8, NUMBER, 1 },
	{ get_u16, NUMBER, 2 },
	{ get_u32, NUMBER, 4 },
	{ get_u64, NUMBER, 8 },
	{ get_s32, TYPE(S64), 4 },
	{ get_bool, TYPE(BOOL), sizeof(bool) },
	{ get_tail, TYPE(STR) | TYPE(STRV) | TYPE(CMDLINE), sizeof(struct tail) },
	{ get_comm, TYPE(STR), COMM_SIZE },
	{ get_text, TYPE(STR), sizeof(char *) },
	{ get_dev, TYPE(STR), 8 },
	{ get_list, TYPE(LIST) | TYPE(MAP), sizeof(struct item_list) },
	{ get_embedded, TYPE(OBJ), 1 },
	{ get_pointer, TYPE(OBJ), sizeof(void *) },
#undef NUMBER
#undef TYPE
};

static void check_getter(const struct place *place, const struct field *field)
{
	for (size_t i = 0; i < sizeof(getters) / sizeof(getters[0]); i++) {
		if (field->get != getters[i].get)
			continue;
		assert_true(getters[i].types & 1U << field->type);
		/* decode promises no more than the fixed part */
		if (place->source && place->depth == 1)
			assert_true(field->at + getters[i].size <= place->source->min_size);
	}
	if (field->get == get_slot)
		assert_true(place->source && field->at < NR_SLOTS);
	/* Below the first table there is neither arena nor slot: pipeline/record.h. */
	if (place->depth > 1) {
		assert_ptr_not_equal(field->get, get_slot);
		assert_ptr_not_equal(field->get, get_dev);
		assert_ptr_not_equal(field->get, get_tail);
	}
}

static void test_getters_fit_types_and_sizes(void **state)
{
	(void)state;
	check_all(check_getter);
}

/* One that is not listed would be read without having been checked. */
static void check_tail(const struct place *place, const struct field *field)
{
	bool is_listed = false;

	if (field->get != get_tail)
		return;
	assert_non_null(place->source);
	for (size_t i = 0; i < place->source->nr_tails; i++)
		is_listed = is_listed || place->source->tails[i] == field->at;
	assert_true(is_listed);
}

static void test_every_tail_is_checked_by_decode(void **state)
{
	(void)state;
	check_all(check_tail);
	for (size_t i = 0; i < NR_SOURCES; i++)
		for (size_t j = 0; j < sources[i]->nr_tails; j++) {
			assert_true(sources[i]->tails[j] >= sizeof(struct event_hdr));
			assert_true(sources[i]->tails[j] + sizeof(struct tail) <=
				    sources[i]->min_size);
		}
}

/* Filters compare strings, and the numbers of projects. */
static void check_role(const struct place *place, const struct field *field)
{
	if (field->role == ROLE_NONE)
		return;
	assert_true(field->role <= ROLE_FAMILY);
	if (field->role == ROLE_FAMILY) {
		assert_int_equal(field->type, FIELD_CODE);
		assert_ptr_equal(field->codes, &library_family_codes);
	} else {
		assert_true(field->type == FIELD_STR ||
			    (field->type == FIELD_STRV && field->role == ROLE_LIBRARY));
	}
	assert_int_equal(place->depth, 1);
	assert_non_null(place->source);
}

static void test_roles_are_strings_or_families_of_events(void **state)
{
	(void)state;
	check_all(check_role);
}

static void test_every_source_is_described(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_SOURCES; i++) {
		const struct source *source = sources[i];

		assert_non_null(source);
		assert_true(source->nr_hooks > 0);
		assert_true(source->help[0] >= 'a' && source->help[0] <= 'z');
		assert_int_not_equal(source->help[strlen(source->help) - 1], '.');
		assert_null(strchr(source->help, '\n'));
		assert_true(source->fields.nr_fields > 0);
		assert_true(source->min_size >= sizeof(struct event_hdr));
		assert_int_equal(source->min_size % 8, 0);
	}
}

static void test_sources_are_found_by_name_and_id(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_SOURCES; i++) {
		const char *name = sources[i]->name;

		assert_ptr_equal(source_find(name, strlen(name)), sources[i]);
		assert_int_equal(source_id(sources[i]), i);
		assert_null(source_find(name, strlen(name) - 1));
	}
	assert_null(source_find("", 0));
	assert_null(source_find("file_opens", 10));
	assert_null(source_find("FILE_OPEN", 9));
	assert_int_equal(source_id(NULL), NR_SOURCES);
}

/* Ids are on the wire and in recordings: these may never change. */
static void test_ids_stay_what_they_were(void **state)
{
	(void)state;
	assert_int_equal(SOURCE_process_fork, 0);
	assert_int_equal(SOURCE_process_exec, 1);
	assert_int_equal(SOURCE_process_exit, 2);
	assert_int_equal(SOURCE_file_open, 3);
	assert_int_equal(SOURCE_lib_load, 4);
	assert_int_equal(SOURCE_api_call, 5);
	assert_true(NR_SOURCES <= NR_SOURCES_MAX);
}

static bool has_required(const struct source_hook *hook)
{
	bool has = false;

	for (size_t i = 0; i < hook->nr_programs; i++) {
		assert_non_null(hook->programs[i].name);
		has = has || hook->programs[i].use == PROGRAM_REQUIRED;
	}
	return has;
}

static void test_programs_come_with_their_object(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_SOURCES; i++) {
		const struct source *source = sources[i];

		if (!source->object) {
			assert_int_equal(source->nr_hooks, 1);
			assert_int_equal(source->hooks[0].nr_programs, 0);
			continue;
		}
		/* an ELF file, and one that libbpf can read in place */
		assert_true(source->object_end - source->object > 64);
		assert_memory_equal(source->object, "\177ELF", 4);
		assert_int_equal((uintptr_t)source->object % 8, 0);
		/* One that is on demand has its programs elsewhere (trace/uprobes.h). */
		for (size_t j = 0; j < source->nr_hooks; j++)
			assert_true(has_required(&source->hooks[j]) || source->is_on_demand);
	}
}

static void test_hooks_are_found_by_name_and_by_kind(void **state)
{
	const struct source *source = &file_open_source;

	(void)state;
	for (size_t i = 0; i < NR_SOURCES; i++)
		for (size_t j = 0; j < sources[i]->nr_hooks; j++)
			assert_ptr_equal(source_hook_find(sources[i], sources[i]->hooks[j].name),
					 &sources[i]->hooks[j]);
	assert_string_equal(source_hook_find(source, "tp")->name, "tp/syscalls/sys_exit_openat");
	assert_string_equal(source_hook_find(source, "kretprobe")->name,
			    "kretprobe/do_sys_openat2");
	assert_null(source_hook_find(source, ""));
	assert_null(source_hook_find(source, "t"));
	assert_null(source_hook_find(source, "tp/"));
	assert_null(source_hook_find(source, "tp/syscalls/sys_exit_openat2"));
}

static void test_names_of_hooks_are_cut_where_there_is_no_room(void **state)
{
	char text[256];

	(void)state;
	assert_string_equal(source_hook_names(&process_exit_source, text, sizeof(text)),
			    "    tp_btf/sched_process_exit");
	assert_non_null(strstr(source_hook_names(&file_open_source, text, sizeof(text)),
			       "\n    fexit/do_sys_openat2\n    tp/syscalls/sys_exit_openat\n"));
	assert_true(strlen(text) < sizeof(text) - 1);
	assert_string_equal(source_hook_names(&process_exit_source, text, 8), "    tp_");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_field_has_a_class_that_fits),
		cmocka_unit_test(test_every_field_has_a_help_in_house_style),
		cmocka_unit_test(test_every_name_is_snake_case),
		cmocka_unit_test(test_names_of_an_event_are_unique),
		cmocka_unit_test(test_units_are_in_names),
		cmocka_unit_test(test_every_field_has_what_its_type_needs),
		cmocka_unit_test(test_every_map_has_keys_and_what_belongs_to_them),
		cmocka_unit_test(test_getters_fit_types_and_sizes),
		cmocka_unit_test(test_every_tail_is_checked_by_decode),
		cmocka_unit_test(test_roles_are_strings_or_families_of_events),
		cmocka_unit_test(test_every_source_is_described),
		cmocka_unit_test(test_sources_are_found_by_name_and_id),
		cmocka_unit_test(test_ids_stay_what_they_were),
		cmocka_unit_test(test_programs_come_with_their_object),
		cmocka_unit_test(test_hooks_are_found_by_name_and_by_kind),
		cmocka_unit_test(test_names_of_hooks_are_cut_where_there_is_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
