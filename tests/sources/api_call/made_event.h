/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SOURCES_API_CALL_MADE_EVENT_H
#define TESTS_SOURCES_API_CALL_MADE_EVENT_H

/*
 * Records of calls, made piece by piece as the kernel side makes them, and what they come to. Their
 * strings lie one behind the other without a NUL, and the last byte is the last of its page. For
 * tests of one program, after cmocka.h: has state.
 */

#include <stdio.h>
#include <string.h>

#include "catalogue/libraries.h"
#include "pipeline/decode.h"
#include "sources/api_call/api_call.h"
#include "sources/api_call/call.h"
#include "support/guard.h"
#include "support/raw.h"

#define MADE_LIBRARY "/usr/lib/libtest.so.1"

static struct raw raw;
static struct arena arena;
static struct record record;
static struct api_call_event *const event = (void *)raw.bytes;

static inline void event_begin(void)
{
	raw_begin(&raw, SOURCE_api_call);
	event->count = 1;
}

/* The argument in place I is a number. */
static inline void event_value(size_t i, uint64_t value)
{
	event->values[i] = value;
	event->marks |= API_VALUE(i);
}

/* The argument in place I is a string. */
static inline void event_text(size_t i, const char *text)
{
	raw_tail_text(&raw, offsetof(struct api_call_event, texts[i]), text);
}

static inline void event_method(const char *name)
{
	raw_tail_text(&raw, offsetof(struct api_call_event, method), name);
}

static inline void event_result(uint64_t result)
{
	event->result = result;
	event->marks |= API_HAS_RESULT;
}

/* The function of the catalogue with NAME. */
static inline const struct api_function *known(enum library_family family, const char *name)
{
	const struct api_function *function = api_find(family, name, strlen(name));

	if (!function)
		fail_msg("there is no '%s'", name);
	return function;
}

/* What the record is when a program that IS_SERVER calls FUNCTION; valid until the next call. */
static inline const struct api_call *resolve(const struct api_function *function, bool is_server)
{
	static const void *bytes;
	static size_t size;

	if (bytes)
		guard_free(bytes, size);
	raw_pad(&raw);
	size = raw.size;
	bytes = guard_copy(raw.bytes, size);
	assert_int_equal(record_decode(&record, &arena, bytes, size), STAGE_NEXT);
	assert_null(api_call_of(&record));
	assert_int_equal(
		api_call_resolve(&record, function, MADE_LIBRARY, function->family, is_server),
		STAGE_NEXT);
	return api_call_of(&record);
}

static inline const struct api_call *resolved(const struct api_function *function)
{
	return resolve(function, false);
}

/* Bytes that are not terminated, as a string; valid until the fourth call from now. */
static inline const char *text_of(const char *bytes, size_t size)
{
	static char texts[4][1024];
	static unsigned int next;
	char *text = texts[next++ % 4];

	assert_true(size < sizeof(texts[0]));
	if (size)
		memcpy(text, bytes, size);
	text[size] = '\0';
	return text;
}

/* Argument I is called NAME and is TEXT. */
static inline void check_argument(const struct api_call *call, size_t i, const char *name,
				  const char *text)
{
	assert_true(i < call->arguments.count);
	assert_ptr_equal(call->arguments.items, call->argument);
	assert_int_equal(call->arguments.stride, sizeof(call->argument[0]));
	assert_string_equal(call->argument[i].name, name);
	assert_string_equal(text_of(call->argument[i].text, call->argument[i].size), text);
}

/* The only one. */
static inline void check_only_argument(const struct api_call *call, const char *name,
				       const char *text)
{
	assert_int_equal(call->arguments.count, 1);
	check_argument(call, 0, name, text);
}

/* The algorithms, in their order, up to the first NULL of NAMES; the call has the first's name. */
static inline void check_algorithms(const struct api_call *call, const char *const *names)
{
	size_t nr = 0;

	for (; names[nr]; nr++) {
		assert_true(nr < call->nr_algorithms);
		assert_string_equal(call->algorithms[nr]->name, names[nr]);
	}
	assert_int_equal(call->nr_algorithms, nr);
	if (nr)
		assert_string_equal(text_of(call->name, call->name_size), names[0]);
	else
		assert_null(call->name);
}

#endif /* TESTS_SOURCES_API_CALL_MADE_EVENT_H */
