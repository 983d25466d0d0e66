/* SPDX-License-Identifier: MIT */
#include "trace/raw.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static const size_t fixed_sizes[NR_RAW_TYPES] = {
	[RAW_FORK] = sizeof(struct raw_fork), [RAW_RENAME] = sizeof(struct raw_rename),
	[RAW_ARGS] = sizeof(struct raw_args), [RAW_EXEC] = sizeof(struct raw_exec),
	[RAW_EXIT] = sizeof(struct raw_exit), [RAW_OPEN] = sizeof(struct raw_open),
	[RAW_MOVE] = sizeof(struct raw_move),
};

/* The bytes that RAW says follow its fixed part; its types without text say 0. */
static size_t text_size(const struct raw *raw)
{
	switch (raw->head.type) {
	case RAW_ARGS:
		return raw->args.args_size;
	case RAW_EXEC:
		return raw->exec.name_size;
	case RAW_OPEN:
		return raw->open.name_size;
	default:
		return 0;
	}
}

/* Names and arguments end with a NUL, or are missing. */
static bool text_is_whole(const struct raw *raw)
{
	const char *end = raw->text + raw->text_size;

	if (!raw->text_size)
		return raw->head.type != RAW_OPEN;
	if (end[-1] != '\0')
		return false;
	return raw->head.type == RAW_ARGS || memchr(raw->text, '\0', raw->text_size) == end - 1;
}

int raw_parse(const void *bytes, size_t size, struct raw *ret)
{
	struct raw raw;
	size_t fixed;

	if (size < sizeof(raw.head))
		return -EBADMSG;
	memset(&raw, 0, sizeof(raw));
	memcpy(&raw.head, bytes, sizeof(raw.head));
	if (raw.head.type >= NR_RAW_TYPES || raw.head.size > size)
		return -EBADMSG;
	fixed = fixed_sizes[raw.head.type];
	if (raw.head.size < fixed)
		return -EBADMSG;
	memcpy(&raw.fork, bytes, fixed);
	raw.text = (const char *)bytes + fixed;
	raw.text_size = text_size(&raw);
	if (raw.text_size != raw.head.size - fixed || !text_is_whole(&raw))
		return -EBADMSG;
	if (raw.head.type != RAW_ARGS && raw.text_size)
		raw.text_size--;
	*ret = raw;
	return 0;
}
