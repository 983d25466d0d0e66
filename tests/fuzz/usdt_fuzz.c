/* SPDX-License-Identifier: MIT */
/*
 * src/inspect/usdt.h: whatever notes a file has, what is told of its static probes is within
 * bounds, and asking for fewer tells the same ones.
 */
#include <stdlib.h>
#include <string.h>

#include "inspect/usdt.h"

#define INPUT_MAX (256U << 10)
#define SITES_MAX 64

static void check(int condition)
{
	if (!condition)
		abort();
}

static void check_argument(const struct usdt_argument *argument)
{
	int size = abs(argument->size);

	check(argument->where <= USDT_MEMORY);
	check(argument->place % 8 == 0 && argument->place <= 248);
	check(argument->where == USDT_NOWHERE ? !size && !argument->number && !argument->place
					      : size == 1 || size == 2 || size == 4 || size == 8);
}

static void check_site(const struct usdt_site *site)
{
	check(strnlen(site->name, sizeof(site->name)) < sizeof(site->name));
	for (size_t i = 0; i < USDT_ARGUMENTS_MAX; i++)
		check_argument(&site->arguments[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct usdt_site sites[SITES_MAX], fewer[SITES_MAX / 2];
	struct window window;
	struct elf elf;
	size_t nr;

	if (size > INPUT_MAX)
		return 0;
	window_memory(&window, data, size);
	if (elf_open(&elf, &window) == 0) {
		nr = usdt_sites(&elf, "crypto_auditing", sites, SITES_MAX);
		check(nr <= SITES_MAX);
		for (size_t i = 0; i < nr; i++)
			check_site(&sites[i]);
		if (nr > SITES_MAX / 2)
			nr = SITES_MAX / 2;
		check(usdt_sites(&elf, "crypto_auditing", fewer, SITES_MAX / 2) == nr);
		check(memcmp(sites, fewer, nr * sizeof(fewer[0])) == 0);
	}
	window_close(&window);
	return 0;
}
