/* SPDX-License-Identifier: MIT */
#include "lib/wrap.h"

#include <string.h>

void wrap_print(FILE *out, const struct wrap *how, const char *text)
{
	int room = WRAP_WIDTH - (int)strlen(how->end);
	int column = fprintf(out, "%*s%s", how->indent, "", how->lead);
	int used = 0; /* of words, in this line */

	text += strspn(text, " ");
	while (*text) {
		int size = (int)strcspn(text, " ");

		if (used && column + 1 + size > room) {
			column = fprintf(out, "%s\n%*s", how->end, how->hang, "");
			column -= (int)strlen(how->end) + 1;
			used = 0;
		}
		used += fprintf(out, "%s%.*s", used ? " " : "", size, text);
		column += size + (used > size);
		text += size;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}
