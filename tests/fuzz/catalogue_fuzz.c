/* SPDX-License-Identifier: MIT */
/*
 * src/catalogue/: names of files and libraries are read within their bounds, files are recognised
 * in any case and below any directory, a library also when it is gone, and every class has names.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue/files.h"
#include "catalogue/libraries.h"

#define INPUT_MAX 8192

static const char mark[] = " (deleted)";

static void check(int condition)
{
	if (!condition)
		abort();
}

/* Copies of exactly their size, so that a sanitizer sees their ends. */
static char *join(const char *before, const char *bytes, size_t size, const char *behind)
{
	size_t before_size = strlen(before), behind_size = strlen(behind);
	char *joined = malloc(before_size + size + behind_size);

	memcpy(joined, before, before_size);
	memcpy(joined + before_size, bytes, size);
	memcpy(joined + before_size + size, behind, behind_size);
	return joined;
}

static const struct file_class *classify(const char *before, const char *bytes, size_t size)
{
	char *path = join(before, bytes, size, "");
	const struct file_class *class = file_classify(path, strlen(before) + size);

	free(path);
	return class;
}

static void check_file(const char *bytes, size_t size)
{
	const struct file_class *class = classify("", bytes, size);
	char *other_case = join("", bytes, size, "");

	if (class) {
		check(code_name(&file_type_codes, class->type) != NULL);
		check(code_name(&file_kind_codes, class->kind) != NULL);
	}
	for (size_t i = 0; i < size; i++)
		if ((other_case[i] | 0x20) >= 'a' && (other_case[i] | 0x20) <= 'z')
			other_case[i] ^= 0x20;
	check(file_classify(other_case, size) == class);
	free(other_case);
	if (size > 0) {
		check(classify("/", bytes, size) == class);
		check(classify("/no/such/directory/", bytes, size) == class);
	}
}

static void check_library(const char *bytes, size_t size)
{
	char *path = join("", bytes, size, "");
	char *gone = join("", bytes, size, mark);
	const struct library_class *class = library_classify(path, size);
	const char *slash = memrchr(path, '/', size);
	size_t base = slash ? (size_t)(slash + 1 - path) : 0;

	if (class) {
		const char *name = code_name(&library_family_codes, class->family);

		check(name && library_matches(path, size, class->family, name));
	}
	if (size > 0 && !memmem(bytes, size, mark, sizeof(mark) - 1)) {
		check(library_classify(gone, size + sizeof(mark) - 1) == class);
		/* every end of its name means it */
		char *pattern = malloc(size + 1);

		memcpy(pattern, bytes, size);
		pattern[size] = '\0';
		check(library_matches(path, size, LIBRARY_FAMILY_none, pattern + base));
		check(library_matches(gone, size + sizeof(mark) - 1, LIBRARY_FAMILY_none,
				      pattern + base + (size - base) / 2));
		free(pattern);
	}
	free(gone);
	free(path);
}

static void check_codes(const char *bytes, size_t size)
{
	static char whole[OPEN_FLAGS_TEXT_MAX];
	char name[16], cut[8];
	uint64_t code = 0;
	size_t text_size;

	memcpy(&code, bytes, size < sizeof(code) ? size : sizeof(code));
	text_size = open_flags_format(code, whole, sizeof(whole));
	check(text_size < sizeof(whole) && text_size == strlen(whole));
	check(open_flags_format(code, cut, sizeof(cut)) == text_size);
	check(strncmp(cut, whole, sizeof(cut) - 1) == 0 && strlen(cut) < sizeof(cut));
	check(strlen(signal_name((int)code, name)) > 0);
	code_name(&errno_codes, code);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > INPUT_MAX)
		return 0;
	check_file((const char *)data, size);
	check_library((const char *)data, size);
	check_codes((const char *)data, size);
	return 0;
}
