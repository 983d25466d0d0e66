/* SPDX-License-Identifier: MIT */
/*
 * Records of the ring on their whole way (pipeline/, sources/, sinks/): whatever they hold, each is
 * counted once, and what comes out is JSON by the judgement of json-c, one document a written
 * event, or for people one line, and one for each finding, that do nothing to a terminal.
 *
 * The input is a byte that chooses the scene, then records: a byte, two of size, the bytes. Bit 0
 * of the byte mends the head, as otherwise nearly all would be refused there; the source is in bits
 * 4 to 7.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/utf8.h"
#include "sources/tls_handshake/handshake.h"
#include "support/parsed.h"
#include "support/scene.h"

#define INPUT_MAX (256U << 10)

static void check(int condition)
{
	if (!condition)
		abort();
}

static void mend(uint8_t *bytes, size_t size, uint8_t how)
{
	struct event_hdr hdr;

	if (!(how & 1) || size < sizeof(hdr))
		return;
	memcpy(&hdr, bytes, sizeof(hdr));
	hdr.version = WIRE_VERSION;
	hdr.source = (how >> 4) % NR_SOURCES;
	hdr.size = (uint32_t)size;
	/* few processes, so that records are about the same ones */
	hdr.tgid %= 8;
	hdr.ppid %= 8;
	memcpy(bytes, &hdr, sizeof(hdr));
}

/* Takes all records. Returns how many there were. */
static uint64_t take_records(struct pipeline *pipeline, const uint8_t *data, size_t size)
{
	uint64_t nr_records = 0;

	while (size >= 3) {
		size_t record_size = data[1] | (size_t)data[2] << 8;
		uint8_t how = data[0];
		uint8_t *record;

		data += 3;
		size -= 3;
		if (record_size > size)
			record_size = size;
		/* a block of its own, so that a sanitizer sees its end */
		record = malloc(record_size);
		if (record_size)
			memcpy(record, data, record_size);
		mend(record, record_size, how);
		check(pipeline_record(pipeline, record, record_size) == 0);
		free(record);
		if (how & 2)
			processes_expire(pipeline->processes);
		nr_records++;
		data += record_size;
		size -= record_size;
	}
	return nr_records;
}

/* What belongs to the line before begins with two spaces. */
static void check_lines(const char *text, uint64_t nr_lines)
{
	size_t size = strlen(text);
	const char *line = text;

	for (size_t at = 0; at < size;) {
		uint32_t rune = 0;

		at += utf8_decode(text + at, size - at, &rune);
		check(rune != UTF8_INVALID && (rune == '\n' || !utf8_is_control(rune)));
		if (rune != '\n')
			continue;
		nr_lines -= strncmp(line, "  ", 2) != 0;
		line = text + at;
	}
	check(nr_lines == 0);
}

/* Reads every byte of the certificates of RECORD, as the tool does with what is written. */
static void read_certificates(void *ctx, struct record *record)
{
	static const struct content none;
	const uint8_t *der;
	size_t at = 0;
	size_t size;
	unsigned int sum = 0;

	(void)ctx;
	while (tls_handshake_certificate(record, &at, &der, &size))
		for (size_t i = 0; i < size; i++)
			sum += der[i];
	if (sum & 1)
		tls_handshake_set_content(record, &none);
}

static void check_text(const char *format, const char *text, uint64_t nr_written)
{
	if (strcmp(format, "text") == 0)
		check_lines(text, nr_written);
	else if (strcmp(format, "json-array") == 0)
		check(parsed_count(text, strlen(text)) == 1);
	else
		check(parsed_count(text, strlen(text)) == (int)nr_written);
	if (strcmp(format, "json-lines") == 0 || strcmp(format, "json-stream") == 0)
		check_lines(text, nr_written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct scene scene;
	const char *format;
	uint64_t nr_records;
	uint64_t nr_counted;

	if (size < 1 || size > INPUT_MAX)
		return 0;
	format = sinks[data[0] % NR_SINKS]->format;
	if (data[0] & 8)
		scene_open_selective(&scene, format);
	else
		scene_open(&scene, format, data[0] & 16);
	if (data[0] & 32) {
		scene.pipeline.filter.files[scene.pipeline.filter.nr_files++] = "*[a-m]*.p?m";
		scene.pipeline.filter.libraries[scene.pipeline.filter.nr_libraries++] = "ssl";
	}
	scene.pipeline.handlers[SOURCE_tls_handshake].handle = read_certificates;
	nr_records = take_records(&scene.pipeline, data + 1, size - 1);
	nr_counted = scene.pipeline.nr_unknown;
	for (size_t i = 0; i < NR_SOURCES; i++)
		nr_counted += fate_total(&scene.pipeline.fates[i]);
	check(nr_counted == nr_records);
	check_text(format, scene_end(&scene), scene.pipeline.nr_written);
	scene_close(&scene);
	return 0;
}
