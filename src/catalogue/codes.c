/* SPDX-License-Identifier: MIT */
#include "catalogue/codes.h"

/* Not fcntl.h: that one is the C library's and has O_LARGEFILE as 0. */
#include <asm/fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/array.h"

static const struct code_entry errno_entries[] = {
#define ERRNO(number, symbol) { number, #symbol, NULL },
#include "catalogue/errno.def"
#undef ERRNO
};

static const struct code_entry signal_entries[] = {
#define SIGNAL(number, symbol) { number, #symbol, NULL },
#include "catalogue/signal.def"
#undef SIGNAL
};

/* Not a table of codes: in the order of printing, what includes another flag before that flag. */
static const struct code_entry open_flags[] = {
#define OPEN_FLAG(symbol) { symbol, #symbol, NULL },
#include "catalogue/open_flags.def"
#undef OPEN_FLAG
};

const struct code_table errno_codes = { "errno", errno_entries, ARRAY_SIZE(errno_entries) };
const struct code_table signal_codes = { "signal", signal_entries, ARRAY_SIZE(signal_entries) };

const char *code_name(const struct code_table *table, uint64_t code)
{
	size_t low = 0, high = table->nr_entries;

	/* Most tables count up from 0. */
	if (code < high && table->entries[code].code == code)
		return table->entries[code].name;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct code_entry *entry = &table->entries[middle];

		if (entry->code == code)
			return entry->name;
		if (entry->code < code)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* signal(7): the C library keeps the first two of the kernel's real-time signals, 32 to 64. */
#define RT_FIRST 34
#define RT_LAST	 64

const char *signal_name(int sig, char buf[static 16])
{
	const char *name = sig > 0 ? code_name(&signal_codes, (uint64_t)sig) : NULL;

	if (name)
		return name;
	if (sig == RT_FIRST)
		return "SIGRTMIN";
	if (sig > RT_FIRST && sig <= RT_LAST)
		snprintf(buf, 16, "SIGRTMIN+%d", sig - RT_FIRST);
	else
		snprintf(buf, 16, "SIG%d", sig);
	return buf;
}

/* Text that is cut at CAP but counted to its end. */
struct text {
	char *out;
	size_t cap;
	size_t size;
};

static void text_add(struct text *text, const char *piece)
{
	size_t size = strlen(piece);

	if (text->size < text->cap) {
		size_t room = text->cap - text->size - 1;
		size_t taken = size < room ? size : room;

		memcpy(text->out + text->size, piece, taken);
		text->out[text->size + taken] = '\0';
	}
	text->size += size;
}

static void text_add_flag(struct text *text, const char *name)
{
	if (text->size)
		text_add(text, "|");
	text_add(text, name);
}

size_t open_flags_format(uint64_t flags, char *out, size_t cap)
{
	struct text text = { out, cap, 0 };
	uint64_t left = flags;

	for (size_t i = 0; i < ARRAY_SIZE(open_flags); i++) {
		const struct code_entry *flag = &open_flags[i];
		/* O_RDONLY is 0: it is what the absence of the other modes before it means. */
		bool is_set = flag->code ? (left & flag->code) == flag->code : !text.size;

		if (is_set)
			text_add_flag(&text, flag->name);
		if (is_set)
			left &= ~flag->code;
	}
	if (left) {
		char number[2 + 16 + 1];

		snprintf(number, sizeof(number), "0x%" PRIx64, left);
		text_add_flag(&text, number);
	}
	return text.size;
}
