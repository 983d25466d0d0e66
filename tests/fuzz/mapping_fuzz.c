/* SPDX-License-Identifier: MIT */
/*
 * src/trace/mapping.c: a record of the perf ring is read within its bounds, a mapping is told whole
 * or not at all, and its path is a string inside the record.
 *
 * The input is the identifier of the event that gives build ids, 8 bytes, then the record. Its size
 * is mended in a second run, as otherwise nearly all would be refused there.
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "trace/mapping.h"

#define UNTOUCHED 0x5a

static void check(int condition)
{
	if (!condition)
		abort();
}

static void check_path(const struct mapping *mapping, const char *record, size_t size)
{
	check(mapping->path >= record && mapping->path_size <= MAPPING_PATH_MAX);
	check(mapping->path + mapping->path_size < record + size);
	check(strlen(mapping->path) == mapping->path_size);
}

static void check_parse(const char *record, size_t size, uint64_t build_id_event)
{
	struct mapping mapping;
	struct mapping untouched;
	uint64_t lost = UNTOUCHED;
	int kind;

	memset(&untouched, UNTOUCHED, sizeof(untouched));
	mapping = untouched;
	kind = mapping_parse(record, size, build_id_event, &mapping, &lost);
	switch (kind) {
	case MAPPING_FILE:
		check(mapping.build_id_size == 0);
		check_path(&mapping, record, size);
		break;
	case MAPPING_BUILD_ID:
		check(build_id_event != 0 && mapping.build_id_size <= MAPPING_BUILD_ID_MAX);
		check_path(&mapping, record, size);
		break;
	default:
		check(kind == -EBADMSG || kind == MAPPING_OTHER || kind == MAPPING_LOST);
		check(memcmp(&mapping, &untouched, sizeof(mapping)) == 0);
	}
	check(kind == MAPPING_LOST || lost == UNTOUCHED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct perf_event_header header;
	uint64_t build_id_event;
	char *record;

	if (size < sizeof(build_id_event) || size > UINT16_MAX)
		return 0;
	memcpy(&build_id_event, data, sizeof(build_id_event));
	data += sizeof(build_id_event);
	size -= sizeof(build_id_event);
	/* a block of its own, so that a sanitizer sees its end */
	record = malloc(size);
	if (size)
		memcpy(record, data, size);
	check_parse(record, size, build_id_event);
	if (size >= sizeof(header)) {
		memcpy(&header, record, sizeof(header));
		header.size = (uint16_t)size;
		memcpy(record, &header, sizeof(header));
		check_parse(record, size, build_id_event);
	}
	free(record);
	return 0;
}
