/* SPDX-License-Identifier: MIT */
/*
 * Records of calls (sources/api_call/): whatever they hold, and whatever function of the catalogue
 * they are of, they are read within their bounds, no more is told than there is room for, nothing
 * of a URI but its scheme, and what comes out is JSON by the judgement of json-c.
 *
 * The first byte of the input: bit 0 for a function that is made of the next FUNCTION_SIZE bytes,
 * else it is one of the catalogue that the next three bytes choose; bit 1 for a server, bit 2 for
 * the format, bit 3 for redaction, bit 4 for strings that lie in the record. Then the record, whose
 * head is mended.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue/libraries.h"
#include "sources/api_call/api_call.h"
#include "sources/api_call/call.h"
#include "support/parsed.h"
#include "support/scene.h"

#define INPUT_MAX     4096
#define FUNCTION_SIZE 16
#define FIXED	      sizeof(struct api_call_event)

static const struct api_function *function;
static bool is_server;

static void check(int condition)
{
	if (!condition)
		abort();
}

/* A function of the catalogue. */
static const struct api_function *choose(const uint8_t *data)
{
	size_t nr, number = data[1] | (size_t)data[2] << 8;
	const struct api_function *functions = api_functions(data[0], &nr);

	return nr ? &functions[number % nr] : api_kernel_function((uint32_t)number % 8);
}

/* One that the catalogue might have: every reader, with every kind of name and table. */
static const struct api_function *make(const uint8_t *data)
{
	static const char *const names[][API_ARGUMENTS_MAX] = {
		{ "a", "b", "c" },
		{ "bits", "cipher id", "hash" },
		{ "cipher id", "bits", "x" },
		{ "options", "flags", "version" },
		{ "version", "minor version", "" },
	};
	static const char *const algorithms[] = { NULL, "RSA", "HMAC", "GCM", "AES", "EC", "quux" };
	static struct api_function made;

	made = (struct api_function){
		.name = "made",
		.kind = data[0] % (API_KIND_internal + 1),
		.result = data[1] % (API_RESULT_pointer + 1),
		.algorithm = algorithms[data[2] % (sizeof(algorithms) / sizeof(algorithms[0]))],
		.finding = { .kind = data[3] % (API_FINDING_key_log + 1),
			     .of = data[4] & 0x80 ? API_OF_RESULT : data[4] % API_ARGUMENTS_MAX,
			     .test = data[5] % (API_TEST_without + 1),
			     .limit = (int8_t)data[6] },
	};
	for (size_t i = 0; i < API_ARGUMENTS_MAX; i++)
		made.arguments[i] = (struct api_argument){
			.reader = data[8 + 2 * i] % (API_READ_kernel_name + 1),
			.index = (uint8_t)i,
			.codes = data[9 + 2 * i] % NR_ALGORITHM_CODES,
			.name = names[data[7] % (sizeof(names) / sizeof(names[0]))][i],
		};
	return &made;
}

/* Puts TAIL between the fixed part and SIZE. */
static void mend_tail(struct tail *tail, size_t size)
{
	size_t room = size - FIXED;

	tail->off = (uint16_t)(FIXED + (room ? tail->off % room : 0));
	tail->size = (uint16_t)(tail->size % (size - tail->off + 1));
}

static void mend(uint8_t *bytes, size_t size, bool has_strings)
{
	struct api_call_event event;

	memcpy(&event, bytes, sizeof(event));
	event.hdr.version = WIRE_VERSION;
	event.hdr.source = SOURCE_api_call;
	event.hdr.size = (uint32_t)size;
	for (size_t i = 0; has_strings && i < API_VALUES_MAX; i++)
		mend_tail(&event.texts[i], size);
	if (has_strings)
		mend_tail(&event.method, size);
	memcpy(bytes, &event, sizeof(event));
}

/* The text of ARGUMENT, which READER has read, has all its bytes, and none of a URI's secrets. */
static void check_argument(const struct api_call_argument *argument, unsigned int reader)
{
	unsigned int sum = 0;

	check(argument->name != NULL);
	for (size_t i = 0; i < argument->size; i++)
		sum += (uint8_t)argument->text[i];
	check(sum <= 255 * argument->size);
	if (reader == API_READ_path)
		check(api_path_kept(argument->text, argument->size) == argument->size);
}

static void check_call(const struct record *record)
{
	const struct api_call *call = api_call_of(record);
	const struct api_call_event *event = (const void *)record->bytes;

	check(call->function == function && call->count == event->count);
	check(call->arguments.count <= API_ARGUMENTS_MAX);
	check(call->findings.count <= API_CALL_FINDINGS_MAX);
	check(call->nr_algorithms <= API_CALL_ALGORITHMS_MAX);
	check(!call->nr_algorithms || call->name_size > 0);
	check(!(event->marks & API_COUNTED) || call->findings.count == 0);
	for (size_t i = 0; i < call->arguments.count; i++) {
		/* which argument it is of is known where there is only one that tells one */
		bool is_alone = function->arguments[1].reader == API_READ_none;

		check_argument(&call->argument[i],
			       is_alone ? function->arguments[0].reader : API_READ_none);
	}
	for (size_t i = 0; i < call->nr_algorithms; i++)
		for (size_t k = 0; k < i; k++)
			check(call->algorithms[i] != call->algorithms[k]);
	for (size_t i = 0; i < call->findings.count; i++)
		check(call->finding[i].rule && call->finding[i].why && call->finding[i].evidence);
}

static int resolve(void *ctx, struct record *record)
{
	int result = api_call_resolve(record, function, ctx, LIBRARY_FAMILY_openssl, is_server);

	check(result == STAGE_NEXT);
	check_call(record);
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char library[] = "/home/alice/libcrypto.so.3";
	static struct scene scene;
	size_t skipped = size && data[0] & 1 ? 1 + FUNCTION_SIZE : 4;
	const char *text;
	uint8_t *record;

	if (size < skipped + FIXED || size > INPUT_MAX)
		return 0;
	function = data[0] & 1 ? make(data + 1) : choose(data + 1);
	if (!function)
		return 0;
	is_server = data[0] & 2;
	/* a block of its own, so that a sanitizer sees its end */
	record = malloc(size - skipped);
	memcpy(record, data + skipped, size - skipped);
	mend(record, size - skipped, data[0] & 16);
	scene_open(&scene, data[0] & 4 ? "text" : "json-lines", data[0] & 8);
	scene.pipeline.handlers[SOURCE_api_call] =
		(struct pipeline_handler){ .resolve = resolve, .resolve_ctx = library };
	check(pipeline_record(&scene.pipeline, record, size - skipped) == 0);
	text = scene_end(&scene);
	if (!(data[0] & 4))
		check(parsed_count(text, strlen(text)) == (int)scene.pipeline.nr_written);
	check(fate_total(&scene.pipeline.fates[SOURCE_api_call]) == 1);
	check(!(data[0] & 16) || scene.pipeline.nr_written == 1);
	scene_close(&scene);
	free(record);
	return 0;
}
