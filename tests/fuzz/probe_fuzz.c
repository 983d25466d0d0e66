/* SPDX-License-Identifier: MIT */
/*
 * src/inspect/probe.h: whatever a library's file holds, the place of a probe is in the file, not
 * before the function's entry and not far behind it, and the same however it is asked for.
 *
 * The first byte of the input says what the rest is: the code of a function for x86-64 (0), for
 * arm64 (1), or a file.
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

static void check_x86(const uint8_t *code, size_t size)
{
	uint32_t skipped;

	if (!probe_x86_place(code, size, &skipped))
		return;
	check(skipped <= PROBE_DISTANCE_MAX && skipped < size);

	const uint8_t *place = code + skipped;
	uint8_t opcode = place[place[0] == 0x41 || place[0] == 0x0f];

	/* push, jcc, nop, call, jmp */
	check((opcode & 0xf8) == 0x50 || opcode >> 4 == 7 || opcode >> 4 == 8 || opcode == 0x90 ||
	      opcode == 0xe8 || opcode == 0xe9 || opcode == 0xeb);
	check(opcode != 0xe8 || skipped == 0);
}

static void check_arm64(const uint8_t *code, size_t size)
{
	uint32_t skipped;

	if (probe_arm64_place(code, size, &skipped))
		check(skipped <= PROBE_DISTANCE_MAX && skipped < size && skipped % 4 == 0);
}

static void check_file(const uint8_t *bytes, size_t size)
{
	static const char *const names[] = { "SSL_new",	   "SSL_free", "my_SSL_new",
					     "EVP_sha256", "SSL_new",  "" };
	enum {
		NR = sizeof(names) / sizeof(names[0])
	};
	static struct elf elf;
	struct window window;
	struct probe_place places[NR], alone;
	int errs[NR];

	window_memory(&window, bytes, size);
	if (elf_open(&elf, &window) || probe_places(&elf, names, NR, places, errs))
		return;
	check(errs[0] == errs[4]);
	for (size_t i = 0; i < NR; i++) {
		uint64_t entry;

		check(errs[i] == 0 || errs[i] == -ENOENT || errs[i] == -EOPNOTSUPP);
		check(probe_entry(&elf, names[i], &entry) == errs[i]);
		check(probe_place(&elf, names[i], &alone) == errs[i]);
		if (errs[i])
			continue;
		check(alone.offset == places[i].offset && alone.is_cheap == places[i].is_cheap);
		check(entry + places[i].skipped == places[i].offset && places[i].offset < size);
		check(places[i].skipped <= PROBE_DISTANCE_MAX);
		check(places[i].is_cheap || !places[i].skipped);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > INPUT_MAX)
		return 0;
	if (data[0] == 0)
		check_x86(data + 1, size - 1);
	else if (data[0] == 1)
		check_arm64(data + 1, size - 1);
	else
		check_file(data + 1, size - 1);
	return 0;
}
