/* SPDX-License-Identifier: MIT */
/*
 * src/inspect/probe.h: whatever a library's file holds, the place of a probe is in the file, not
 * before the function's entry and not far behind it, and the same however it is asked for. Of a
 * function, reading less or fewer shadow stacks take no place away.
 *
 * The first byte of the input says what the rest is: the code of a function for x86-64 (0), for
 * arm64 (1), or a file. In front of code is a byte with the arguments that are read, with the
 * highest bit for a shadow stack.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/probe.h"
#include "inspect/probe_code.h"

#define INPUT_MAX (256U << 10)

static void check(int condition)
{
	if (!condition)
		abort();
}

/* What either machine finds, in the code behind DATA[1]; -1: nothing. */
static int place_of(const uint8_t *data, size_t size, uint8_t reading)
{
	struct probe_code code = {
		.bytes = data + 2,
		.size = size - 2,
		.arguments = reading & ((1 << PROBE_ARGUMENTS_MAX) - 1),
		.has_shadow_stack = reading >> 7,
	};
	struct probe_spot spot;
	bool is_cheap =
		data[0] == 0 ? probe_x86_place(&code, &spot) : probe_arm64_place(&code, &spot);

	if (!is_cheap)
		return -1;
	check(spot.skipped <= PROBE_DISTANCE_MAX && spot.skipped < code.size);
	check(spot.has_stack || !spot.stack);
	check(spot.skipped || (spot.has_stack && !spot.stack));
	return (int)spot.skipped;
}

static void check_code(const uint8_t *data, size_t size)
{
	int skipped = place_of(data, size, data[1]);

	if (skipped < 0)
		return;
	check(place_of(data, size, 0) == skipped);

	const uint8_t *place = data + 2 + skipped;
	bool has_shadow_stack = data[1] >> 7;

	if (data[0] == 1) {
		check(skipped % 4 == 0);
		/* bl */
		check(place[3] >> 2 != 0x94 >> 2 || skipped == 0 || !has_shadow_stack);
		return;
	}

	uint8_t opcode = place[place[0] == 0x41 || place[0] == 0x0f];

	/* push, jcc, nop, call, jmp */
	check((opcode & 0xf8) == 0x50 || opcode >> 4 == 7 || opcode >> 4 == 8 || opcode == 0x90 ||
	      opcode == 0xe8 || opcode == 0xe9 || opcode == 0xeb);
	check(opcode != 0xe8 || skipped == 0 || !has_shadow_stack);
}

static void check_file(const uint8_t *bytes, size_t size)
{
	static const struct probe_want wants[] = {
		{ "SSL_new", 1 },    { "SSL_free", 0 }, { "my_SSL_new", 0x3f },
		{ "EVP_sha256", 2 }, { "SSL_new", 1 },	{ "", 0xff },
	};
	enum {
		NR = sizeof(wants) / sizeof(wants[0])
	};
	static struct elf elf;
	struct window window;
	struct probe_want at_entry[NR];
	struct probe_place places[NR], entries[NR], alone;
	int errs[NR], entry_errs[NR];

	window_memory(&window, bytes, size);
	if (elf_open(&elf, &window) || probe_places(&elf, wants, NR, places, errs))
		return;
	check(errs[0] == errs[4]);
	for (size_t i = 0; i < NR; i++)
		at_entry[i] = (struct probe_want){ wants[i].name, 1 << PROBE_ARGUMENTS_MAX };
	check(probe_places(&elf, at_entry, NR, entries, entry_errs) == 0);
	for (size_t i = 0; i < NR; i++) {
		check(errs[i] == 0 || errs[i] == -ENOENT || errs[i] == -EOPNOTSUPP);
		check(entry_errs[i] == errs[i]);
		check(probe_place(&elf, wants[i].name, wants[i].arguments, &alone) == errs[i]);
		if (errs[i])
			continue;
		check(alone.offset == places[i].offset && alone.is_cheap == places[i].is_cheap);
		check(entries[i].skipped == 0);
		check(entries[i].offset + places[i].skipped == places[i].offset);
		check(places[i].offset < size);
		check(places[i].skipped <= PROBE_DISTANCE_MAX);
		check(places[i].is_cheap || !places[i].skipped);
		check(places[i].skipped || (places[i].has_stack && !places[i].stack));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > INPUT_MAX)
		return 0;
	if (data[0] > 1)
		check_file(data + 1, size - 1);
	else if (size > 1)
		check_code(data, size);
	return 0;
}
