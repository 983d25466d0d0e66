/* SPDX-License-Identifier: MIT */
#include "inspect/gobuild.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/bytes.h"

/*
 * debug/buildinfo: 14 bytes of magic, the size of a pointer, flags; then pointers to two strings of
 * Go, or, since Go 1.18, the strings themselves behind 32 bytes. Aligned to 16.
 */
static const char magic[] = "\xff Go buildinf:";
#define MAGIC_SIZE  14
#define HEADER_SIZE 32
#define HEADER_STEP 16
#define FLAG_BIG    1
#define FLAG_INLINE 2
/* Where there is no section for it, it is near the beginning of the data. */
#define SEARCHED_MAX (64U << 10)
/* cmd/go/internal/modload infoStart and infoEnd, around the modules. */
#define FRAME_SIZE ((size_t)16)

static const char *const wanted_modules[] = {
#define GO_MODULE(path) path,
#include "inspect/gobuild.def"
};

static const char *const wanted_settings[] = {
#define GO_SETTING(key) key,
#include "inspect/gobuild.def"
};

/* The build information in SIZE bytes at OFFSET. */
static bool find_header(const struct elf *elf, uint64_t offset, uint64_t size, uint64_t *ret)
{
	for (uint64_t at = 0; at + HEADER_SIZE <= size && at < SEARCHED_MAX; at += HEADER_STEP) {
		const uint8_t *bytes = window_get(elf->file, offset + at, MAGIC_SIZE);

		if (!bytes)
			return false;
		if (!memcmp(bytes, magic, MAGIC_SIZE)) {
			*ret = offset + at;
			return true;
		}
	}
	return false;
}

static bool locate(const struct elf *elf, uint64_t *ret)
{
	const struct elf_section *section = elf_section(elf, ".go.buildinfo");

	if (section)
		return find_header(elf, section->offset, section->size, ret);
	for (size_t i = 0; i < elf->nr_segments && !elf->nr_sections; i++)
		if (elf->segments[i].type == PT_LOAD && (elf->segments[i].flags & PF_W) &&
		    find_header(elf, elf->segments[i].offset, elf->segments[i].size, ret))
			return true;
	return false;
}

/* Part of the file. */
struct part {
	uint64_t offset, size;
};

/* A string of Go: its address and its size, at ADDRESS. */
static bool part_of_pointer(const struct elf *elf, uint64_t address, struct part *ret)
{
	uint64_t offset, left;
	size_t word = elf_word(elf);
	const uint8_t *header;

	if (!elf_find(elf, address, &offset, &left) || left < 2 * word)
		return false;
	header = window_get(elf->file, offset, 2 * word);
	if (!header)
		return false;

	uint64_t target = elf_number(elf, header, word);

	ret->size = elf_number(elf, header + word, word);
	return elf_find(elf, target, &ret->offset, &left) && ret->size <= left;
}

/* encoding/binary: 7 bits a byte, the lowest first, the last byte below 128. */
static bool part_of_varint(const struct elf *elf, uint64_t offset, struct part *ret)
{
	uint64_t size = 0;

	for (unsigned int i = 0; i < 9; i++) {
		const uint8_t *byte = window_get(elf->file, offset + i, 1);

		if (!byte)
			return false;
		size |= (uint64_t)(*byte & 0x7f) << 7 * i;
		if (*byte < 0x80) {
			*ret = (struct part){ .offset = offset + i + 1, .size = size };
			return true;
		}
	}
	return false;
}

static bool find_parts(const struct elf *elf, uint64_t at, struct part *version,
		       struct part *modules)
{
	const uint8_t *header = window_get(elf->file, at, HEADER_SIZE);

	if (!header)
		return false;
	if (header[MAGIC_SIZE + 1] & FLAG_INLINE) {
		if (!part_of_varint(elf, at + HEADER_SIZE, version))
			return false;
		if (version->size >= GOBUILD_VERSION_MAX ||
		    !part_of_varint(elf, version->offset + version->size, modules))
			modules->size = 0;
		return true;
	}

	size_t word = elf_word(elf);

	if (header[MAGIC_SIZE] != word ||
	    (header[MAGIC_SIZE + 1] & FLAG_BIG) != (elf->is_big_endian ? FLAG_BIG : 0))
		return false;

	uint64_t version_at = elf_number(elf, header + 16, word);
	uint64_t modules_at = elf_number(elf, header + 16 + word, word);

	if (!part_of_pointer(elf, modules_at, modules))
		modules->size = 0;
	return part_of_pointer(elf, version_at, version);
}

/* Copies the modules without their frame. */
static int read_modules(const struct elf *elf, const struct part *part, struct gobuild *go)
{
	size_t size = (size_t)part->size;

	if (part->size <= 2 * FRAME_SIZE || part->size > GOBUILD_MODULES_MAX ||
	    part->offset > elf->file->size || part->size > elf->file->size - part->offset)
		return 0;
	go->modules = malloc(size);
	if (!go->modules)
		return -ENOMEM;
	for (size_t at = 0; at < size;) {
		size_t step = size - at < WINDOW_SIZE ? size - at : WINDOW_SIZE;
		const void *bytes = window_get(elf->file, part->offset + at, step);

		if (!bytes)
			return 0;
		memcpy(go->modules + at, bytes, step);
		at += step;
	}
	if (go->modules[size - FRAME_SIZE - 1] != '\n')
		return 0;
	go->modules_size = size - 2 * FRAME_SIZE;
	memmove(go->modules, go->modules + FRAME_SIZE, go->modules_size);
	return 0;
}

int gobuild_read(const struct elf *elf, struct gobuild *ret)
{
	struct part version = { 0 }, modules = { 0 };
	uint64_t at;

	*ret = (struct gobuild){ 0 };
	if (!locate(elf, &at) || !find_parts(elf, at, &version, &modules) || !version.size ||
	    version.size >= sizeof(ret->version))
		return -ENOENT;

	const void *bytes = window_get(elf->file, version.offset, (size_t)version.size);

	if (!bytes)
		return -ENOENT;
	memcpy(ret->version, bytes, (size_t)version.size);
	return read_modules(elf, &modules, ret);
}

void gobuild_free(struct gobuild *go)
{
	free(go->modules);
	*go = (struct gobuild){ 0 };
}

/*
 * Names of functions begin with their package and follow a NUL (src/debug/gosym/pclntab.go,
 * funcnametab).
 */
#define NEEDLE(text)                                                                               \
	{                                                                                          \
		.bytes = (text), .size = sizeof(text) - 1                                          \
	}
static const struct needle package_needles[] = {
	NEEDLE("\0crypto/"),
	NEEDLE("\0golang.org/x/crypto/"),
	NEEDLE("\0github.com/cloudflare/circl/"),
};

static bool is_package_byte(uint8_t byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '/' ||
	       byte == '_' || byte == '-';
}

/*
 * These are in programs that do no cryptography: comparing and random bytes for names of files, and
 * tables of names. What is internal comes with a package that is not.
 */
static bool is_telling(const char *package, size_t size)
{
	static const char *const others[] = { "crypto/internal", "crypto/rand", "crypto/subtle",
					      "crypto/fips140" };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (bytes_begin(package, size, others[i]))
			return false;
	return size && package[size - 1] != '/' && !memmem(package, size, "/internal/", 10);
}

/* "crypto/tls/conn.go" is in the same table's neighbour. */
static bool is_file(const uint8_t *dot, size_t size)
{
	return (size >= 4 && !memcmp(dot, ".go", 4)) || (size >= 3 && !memcmp(dot, ".s", 3));
}

static void take_package(void *ctx, size_t which, const struct hit *hit)
{
	struct gobuild *go = ctx;
	const char *package = (const char *)hit->bytes + hit->at + 1;
	const uint8_t *end = hit->bytes + hit->size, *byte = (const uint8_t *)package;

	byte += package_needles[which].size - 1;
	while (byte < end && is_package_byte(*byte))
		byte++;
	/* "crypto/tls.(*Conn).Handshake", "golang.org/x/crypto/ssh.Dial", but not source files. */
	if (byte == end || *byte != '.' || is_file(byte, (size_t)(end - byte)))
		return;

	size_t size = (size_t)(byte - (const uint8_t *)package);

	/* The same again, of which there are thousands, or no end of different ones. */
	if (size >= sizeof(go->last) || bytes_equal(package, size, go->last) ||
	    go->nr_changes == GOBUILD_CHANGES_MAX)
		return;
	memcpy(go->last, package, size);
	go->last[size] = '\0';
	go->nr_changes++;
	if (is_telling(package, size))
		texts_add(&go->packages, package, size);
}

struct needle_group gobuild_group(struct gobuild *go)
{
	return (struct needle_group){ package_needles, ARRAY_SIZE(package_needles), take_package,
				      go };
}

/* A field of a line of the modules, up to the next tab. */
struct word {
	const char *bytes;
	size_t size;
};

static struct word word_take(struct word *line)
{
	const char *tab = memchr(line->bytes, '\t', line->size);
	struct word word = { line->bytes, tab ? (size_t)(tab - line->bytes) : line->size };
	size_t taken = tab ? word.size + 1 : word.size;

	line->bytes += taken;
	line->size -= taken;
	return word;
}

static bool is_wanted_module(const struct word *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(wanted_modules); i++) {
		const char *wanted = wanted_modules[i];
		size_t size = strlen(wanted);

		if (bytes_equal(path->bytes, path->size, wanted) ||
		    (wanted[size - 1] == '/' && bytes_begin(path->bytes, path->size, wanted)))
			return true;
	}
	return false;
}

/* "golang.org/x/crypto v0.31.0" */
static void tell_module(struct word line, struct draft *draft)
{
	struct word path = word_take(&line), version = word_take(&line);
	char text[128];

	if (!is_wanted_module(&path) || path.size + version.size + 1 > sizeof(text))
		return;
	memcpy(text, path.bytes, path.size);
	text[path.size] = ' ';
	if (version.size)
		memcpy(text + path.size + 1, version.bytes, version.size);
	texts_add(&draft->modules, text, path.size + (version.size ? 1 + version.size : 0));
}

static void tell_setting(const struct word *line, struct draft *draft)
{
	for (size_t i = 0; i < ARRAY_SIZE(wanted_settings); i++) {
		size_t size = strlen(wanted_settings[i]);

		if (bytes_begin(line->bytes, line->size, wanted_settings[i]) &&
		    line->size > size + 1 && line->bytes[size] == '=')
			texts_add(&draft->settings, line->bytes, line->size);
	}
}

static void tell_lines(const struct gobuild *go, struct draft *draft)
{
	struct word left = { go->modules, go->modules_size };

	while (left.size) {
		const char *end = memchr(left.bytes, '\n', left.size);
		struct word line = { left.bytes, end ? (size_t)(end - left.bytes) : left.size };
		size_t taken = end ? line.size + 1 : line.size;
		struct word kind = word_take(&line);

		if (bytes_equal(kind.bytes, kind.size, "build"))
			tell_setting(&line, draft);
		else if (bytes_equal(kind.bytes, kind.size, "dep") ||
			 bytes_equal(kind.bytes, kind.size, "mod") ||
			 bytes_equal(kind.bytes, kind.size, "=>"))
			tell_module(line, draft);
		left.bytes += taken;
		left.size -= taken;
	}
}

void gobuild_tell(const struct gobuild *go, struct providers *providers)
{
	struct draft *draft;
	const char *version = go->version;

	if (!go->packages.size)
		return;
	draft = providers_add(providers, "go", LINKAGE_static, CONFIDENCE_high, "buildinfo");
	if (!draft)
		return;
	/* "go1.24.2", "go1.19.8 X:boringcrypto", "devel go1.25-1a2b3c" */
	if (!strncmp(version, "go", 2))
		draft_version(draft, version + 2, strcspn(version + 2, " "));
	else
		draft_version(draft, version, strlen(version));
	for (size_t at = 0; at < go->packages.size; at += strlen(go->packages.bytes + at) + 1)
		texts_add(&draft->evidence, go->packages.bytes + at,
			  strlen(go->packages.bytes + at));
	tell_lines(go, draft);
}
