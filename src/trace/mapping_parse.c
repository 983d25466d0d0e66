/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>

#include "trace/mapping.h"

/* The layouts of include/uapi/linux/perf_event.h for the sample types chosen in mapping.c,
 * event_open(). */
struct sample_id {
	uint32_t pid, tid;
	uint64_t time;
	uint32_t cpu, reserved;
	uint64_t identifier; /* of the event */
};

struct mmap2_record {
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t addr, len, pgoff;
	union {
		struct {
			uint32_t maj, min;
			uint64_t ino, ino_generation;
		};
		struct {
			uint8_t build_id_size, reserved1;
			uint16_t reserved2;
			uint8_t build_id[MAPPING_BUILD_ID_MAX];
		};
	};
	uint32_t prot, flags;
	/* char filename[], padded to 8; struct sample_id */
};

struct lost_record {
	struct perf_event_header header;
	uint64_t id;
	uint64_t lost;
};

static int mmap2_parse(const void *bytes, size_t size, uint64_t build_id_event, struct mapping *ret)
{
	struct mmap2_record record;
	struct sample_id id;

	if (size < sizeof(record) + sizeof(id) + 1)
		return -EBADMSG;
	memcpy(&record, bytes, sizeof(record));
	memcpy(&id, (const uint8_t *)bytes + size - sizeof(id), sizeof(id));

	const char *path = (const char *)bytes + sizeof(record);
	size_t room = size - sizeof(record) - sizeof(id);
	size_t path_size = strnlen(path, room);

	if (path_size == room || path_size > MAPPING_PATH_MAX)
		return -EBADMSG;

	/*
	 * The flag alone does not tell: perf_event_mmap_output() sets it in a header that all
	 * events share and leaves it set for those that follow (seen in 6.18).
	 */
	bool has_build_id = build_id_event && id.identifier == build_id_event;

	if (has_build_id && !(record.header.misc & PERF_RECORD_MISC_MMAP_BUILD_ID))
		return MAPPING_OTHER;
	if (has_build_id && record.build_id_size > sizeof(ret->build_id))
		return -EBADMSG;
	*ret = (struct mapping){
		.ts_ns = id.time,
		.pid = record.pid,
		.tid = record.tid,
		.addr = record.addr,
		.path = path,
		.path_size = path_size,
	};
	if (has_build_id) {
		memcpy(ret->build_id, record.build_id, sizeof(ret->build_id));
		ret->build_id_size = record.build_id_size;
		return MAPPING_BUILD_ID;
	}
	ret->inode = record.ino;
	ret->dev_major = record.maj;
	ret->dev_minor = record.min;
	return MAPPING_FILE;
}

int mapping_parse(const void *bytes, size_t size, uint64_t build_id_event, struct mapping *ret,
		  uint64_t *ret_lost)
{
	struct perf_event_header header;
	struct lost_record lost;

	if (size < sizeof(header))
		return -EBADMSG;
	memcpy(&header, bytes, sizeof(header));
	if (header.size != size)
		return -EBADMSG;
	switch (header.type) {
	case PERF_RECORD_MMAP2:
		return mmap2_parse(bytes, size, build_id_event, ret);
	case PERF_RECORD_LOST:
		if (size < sizeof(lost))
			return -EBADMSG;
		memcpy(&lost, bytes, sizeof(lost));
		*ret_lost = lost.lost;
		return MAPPING_LOST;
	default:
		return MAPPING_OTHER;
	}
}
