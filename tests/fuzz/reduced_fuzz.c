/* SPDX-License-Identifier: MIT */
/*
 * src/trace/raw.c and reduced_life.c: raw records of the kernel, of any bytes, become records whose
 * tails lie within them, or nothing; every record is sent, rejected or malformed.
 *
 * The input is a sequence of records, each behind two bytes of its size, whose own sizes are
 * mended, as otherwise nearly all would be refused. What /proc tells is the input's last bytes.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/decode.h"
#include "trace/raw.h"
#include "trace/reduced_life.h"

static const uint8_t *told;
static size_t told_size;

static void check(int condition)
{
	if (!condition)
		abort();
}

static ssize_t ask_text(void *ctx, uint32_t pid, enum broker_text kind, char *out, size_t size)
{
	size_t n = told_size < size ? told_size : size;

	(void)ctx;
	(void)kind;
	if (pid % 3 == 0)
		return -ENOENT;
	if (n)
		memcpy(out, told, n);
	return (ssize_t)n;
}

static int ask_look(void *ctx, uint32_t pid, int fd, struct broker_link *ret)
{
	size_t n = told_size < BROKER_PATH_MAX ? told_size : BROKER_PATH_MAX;

	(void)ctx;
	(void)fd;
	if (pid % 5 == 0)
		return -ENOENT;
	*ret = (struct broker_link){ .inode = 1, .is_deleted = pid & 1 };
	ret->path[0] = '/';
	if (n > 1)
		memcpy(ret->path + 1, told, n - 1);
	return 0;
}

static int sink(void *ctx, const void *bytes, size_t size)
{
	static struct arena arena;
	struct record record;
	uint64_t *count = ctx;

	/* Of a size that was allocated, so that a sanitizer sees its end. */
	void *copy = malloc(size);

	memcpy(copy, bytes, size);
	arena.used = 0;
	check(record_decode(&record, &arena, copy, size) != STAGE_MALFORMED ||
	      ((const struct event_hdr *)copy)->source == SOURCE_file_open);
	free(copy);
	++*count;
	return 0;
}

/* Makes the sizes in the record of SIZE bytes agree with it. */
static void mend(uint8_t *record, size_t size)
{
	struct raw_head head;
	size_t at = 0;
	uint32_t text;

	if (size < sizeof(head))
		return;
	memcpy(&head, record, sizeof(head));
	head.type %= NR_RAW_TYPES;
	head.size = (uint32_t)size;
	head.tgid %= 16;
	head.tid %= 16;
	memcpy(record, &head, sizeof(head));
	if (head.type == RAW_ARGS)
		at = offsetof(struct raw_args, args_size);
	else if (head.type == RAW_EXEC)
		at = offsetof(struct raw_exec, name_size);
	else if (head.type == RAW_OPEN)
		at = offsetof(struct raw_open, name_size);
	text = (uint32_t)(size - (head.type == RAW_ARGS	  ? sizeof(struct raw_args)
				  : head.type == RAW_EXEC ? sizeof(struct raw_exec)
							  : sizeof(struct raw_open)));
	if (at && at + sizeof(text) <= size) {
		memcpy(record + at, &text, sizeof(text));
		record[size - 1] = '\0';
	}
}

static void take(struct life *life, const uint8_t *bytes, size_t size, int is_mended,
		 uint64_t *count)
{
	uint8_t *record = malloc(size);

	if (size)
		memcpy(record, bytes, size);
	if (is_mended)
		mend(record, size);
	check(life_take(life, record, size, 1, sink, count) == 0);
	free(record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct life_ask ask = { .text = ask_text, .look = ask_look };
	const struct trace_config config = {
		.resolve = 1, .select = size & 1 ? SELECT_NAME : 0, .name_size = 1, .name = "a"
	};
	uint64_t count = 0;
	uint64_t sent = 0;
	struct life *life;

	told = data;
	told_size = size;
	check(life_new(&life, &config) == 0);
	life_set_ask(life, &ask);
	while (size >= 2) {
		size_t n = (size_t)data[0] | (size_t)(data[1] & 0x3f) << 8;
		int is_mended = !(data[1] & 0x80);

		data += 2;
		size -= 2;
		if (n > size)
			n = size;
		take(life, data, n, is_mended, &count);
		data += n;
		size -= n;
		life_expire(life);
	}
	for (size_t i = 0; i < NR_SOURCES; i++)
		sent += life_counts(life, (enum source_id)i)->sent;
	check(sent == count);
	life_free(life);
	return 0;
}
