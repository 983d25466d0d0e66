/* SPDX-License-Identifier: MIT */
#include "syscalls/phrases.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "lib/columns.h"
#include "syscalls/numbers.h"

const char *phrase_call(char ret[static PHRASE_SIZE], uint32_t arch, uint32_t nr)
{
	const char *name = syscall_name((enum syscall_arch)arch, nr);
	const char *of = syscall_arch_name((enum syscall_arch)arch);
	bool is_native = arch == (uint32_t)syscall_arch_native();

	if (name)
		snprintf(ret, PHRASE_SIZE, "%s%s%s", is_native ? "" : of, is_native ? "" : " ",
			 name);
	else
		snprintf(ret, PHRASE_SIZE, "%s number %" PRIu32, of, nr);
	return ret;
}

const char *phrase_time(char ret[static PHRASE_SIZE], uint64_t ns)
{
	static const struct {
		uint64_t ns;
		const char *name;
	} units[] = { { UINT64_C(1000000000), "s" }, { 1000000, "ms" }, { 1000, "us" } };

	snprintf(ret, PHRASE_SIZE, "%" PRIu64 " ns", ns);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (ns < units[i].ns)
			continue;
		snprintf(ret, PHRASE_SIZE, "%" PRIu64 ".%" PRIu64 " %s", ns / units[i].ns,
			 ns % units[i].ns / (units[i].ns / 10), units[i].name);
		break;
	}
	return ret;
}

void phrase_print(FILE *out, const char *lead, const char *text)
{
	size_t margin = strlen(lead), column = margin;

	fputs(lead, out);
	while (*text) {
		size_t size = strcspn(text, " ");
		size_t width = columns_count(text, size);

		if (column > margin && column + 1 + width > PHRASE_WIDTH) {
			fprintf(out, "\n%*s", (int)margin, "");
			column = margin;
		} else if (column > margin) {
			fputc(' ', out);
			column++;
		}
		column += columns_print(out, text, size, PHRASE_WIDTH - margin, COLUMNS_CUT_MIDDLE);
		text += size;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}
