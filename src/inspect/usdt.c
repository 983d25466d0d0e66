/* SPDX-License-Identifier: MIT */
#include "inspect/usdt.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NOTE_TYPE 3
#define NOTE_NAME "stapsdt"
#define NOTE_HEAD 20 /* three numbers and the name */
#define SECTION	  ".note.stapsdt"
/* What is beside the code that a tool may have moved after the notes were made (prelink). */
#define BASE ".stapsdt.base"

/* Notes that are looked at, and the most bytes of the description of one. */
#define NOTES_MAX	8192
#define DESCRIPTION_MAX 512

/* A register by one of the names that parts of it have, and where struct pt_regs has it. */
struct named_register {
	const char *names[4];
	uint16_t place;
};

/* arch/x86/include/uapi/asm/ptrace.h, struct pt_regs of x86-64 */
static const struct named_register registers_x86[] = {
	{ { "r15", "r15d", "r15w", "r15b" }, 0 },  { { "r14", "r14d", "r14w", "r14b" }, 8 },
	{ { "r13", "r13d", "r13w", "r13b" }, 16 }, { { "r12", "r12d", "r12w", "r12b" }, 24 },
	{ { "rbp", "ebp", "bp", "bpl" }, 32 },	   { { "rbx", "ebx", "bx", "bl" }, 40 },
	{ { "r11", "r11d", "r11w", "r11b" }, 48 }, { { "r10", "r10d", "r10w", "r10b" }, 56 },
	{ { "r9", "r9d", "r9w", "r9b" }, 64 },	   { { "r8", "r8d", "r8w", "r8b" }, 72 },
	{ { "rax", "eax", "ax", "al" }, 80 },	   { { "rcx", "ecx", "cx", "cl" }, 88 },
	{ { "rdx", "edx", "dx", "dl" }, 96 },	   { { "rsi", "esi", "si", "sil" }, 104 },
	{ { "rdi", "edi", "di", "dil" }, 112 },	   { { "rsp", "esp", "sp", "spl" }, 152 },
};

/* One argument's text, as far as it is read. */
struct text {
	const char *at;
	const char *end;
};

static bool take(struct text *text, char byte)
{
	if (text->at == text->end || *text->at != byte)
		return false;
	text->at++;
	return true;
}

/* A decimal number that fits. */
static bool take_number(struct text *text, int32_t *ret)
{
	bool is_negative = take(text, '-');
	const char *begin = text->at;
	int64_t number = 0;

	while (text->at < text->end && *text->at >= '0' && *text->at <= '9' && number <= INT32_MAX)
		number = number * 10 + (*text->at++ - '0');
	if (text->at == begin || number > INT32_MAX)
		return false;
	*ret = (int32_t)(is_negative ? -number : number);
	return true;
}

/* Letters and digits. */
static size_t take_word(struct text *text, const char **ret)
{
	const char *begin = text->at;

	while (text->at < text->end &&
	       ((*text->at >= 'a' && *text->at <= 'z') || (*text->at >= '0' && *text->at <= '9')))
		text->at++;
	*ret = begin;
	return (size_t)(text->at - begin);
}

static bool is_word(const char *word, size_t size, const char *name)
{
	return strlen(name) == size && memcmp(word, name, size) == 0;
}

static bool take_register_x86(struct text *text, uint16_t *ret)
{
	const char *word;
	size_t size;

	if (!take(text, '%'))
		return false;
	size = take_word(text, &word);
	for (size_t i = 0; i < sizeof(registers_x86) / sizeof(registers_x86[0]); i++)
		for (size_t j = 0; j < 4; j++)
			if (is_word(word, size, registers_x86[i].names[j])) {
				*ret = registers_x86[i].place;
				return true;
			}
	return false;
}

/* arch/arm64/include/uapi/asm/ptrace.h, struct user_pt_regs: 31 registers, then sp. */
static bool take_register_arm64(struct text *text, uint16_t *ret)
{
	const char *word;
	size_t size = take_word(text, &word);
	struct text rest = { word + 1, word + size };
	int32_t number;

	if (is_word(word, size, "sp")) {
		*ret = 31 * 8;
		return true;
	}
	if (size < 2 || (word[0] != 'x' && word[0] != 'w') || !take_number(&rest, &number) ||
	    rest.at != rest.end || number < 0 || number > 30)
		return false;
	*ret = (uint16_t)(number * 8);
	return true;
}

/* $5, %rax, (%rax), -16(%rbp). Not what has a symbol or an index in it. */
static bool read_x86(struct text *text, struct usdt_argument *argument)
{
	if (take(text, '$')) {
		argument->where = USDT_NUMBER;
		return take_number(text, &argument->number);
	}
	if (take_register_x86(text, &argument->place)) {
		argument->where = USDT_REGISTER;
		return true;
	}
	if (text->at < text->end && *text->at != '(' && !take_number(text, &argument->number))
		return false;
	argument->where = USDT_MEMORY;
	return take(text, '(') && take_register_x86(text, &argument->place) && take(text, ')');
}

/* 5, x0, [x0], [sp, 16]. */
static bool read_arm64(struct text *text, struct usdt_argument *argument)
{
	if (!take(text, '[')) {
		bool is_number = text->at < text->end && (*text->at == '-' || *text->at < ':');

		argument->where = is_number ? USDT_NUMBER : USDT_REGISTER;
		return is_number ? take_number(text, &argument->number)
				 : take_register_arm64(text, &argument->place);
	}
	argument->where = USDT_MEMORY;
	if (!take_register_arm64(text, &argument->place))
		return false;
	if (take(text, ',')) {
		take(text, ' ');
		if (!take_number(text, &argument->number))
			return false;
	}
	return take(text, ']');
}

/* "8@%rdi": reads one argument; what is not understood is nowhere. */
static struct usdt_argument read_argument(struct text *text, bool is_arm64)
{
	struct usdt_argument argument = { 0 };
	int32_t size;

	if (!take_number(text, &size) || !take(text, '@') ||
	    (abs(size) != 1 && abs(size) != 2 && abs(size) != 4 && abs(size) != 8) ||
	    !(is_arm64 ? read_arm64(text, &argument) : read_x86(text, &argument)) ||
	    text->at != text->end)
		return (struct usdt_argument){ 0 };
	argument.size = (int8_t)size;
	return argument;
}

/* The end of the argument that begins at AT: a blank, but for those in brackets. */
static const char *end_of_argument(const char *at, const char *end)
{
	bool is_inside = false;

	for (; at < end && (*at != ' ' || is_inside); at++) {
		if (*at == '[' || *at == ']')
			is_inside = *at == '[';
	}
	return at;
}

static void read_arguments(const char *at, const char *end, bool is_arm64,
			   struct usdt_argument *ret)
{
	for (size_t i = 0; i < USDT_ARGUMENTS_MAX && at < end; i++) {
		struct text text = { at, end_of_argument(at, end) };

		at = text.end < end ? text.end + 1 : end;
		ret[i] = read_argument(&text, is_arm64);
	}
}

/* Where the code of ADDRESS is; BASE is what that of BASE was when the note was made. */
static bool place_of(const struct elf *elf, uint64_t address, uint64_t base, uint64_t *ret)
{
	const struct elf_section *section = elf_section(elf, BASE);

	if (section && base)
		address += section->address - base;
	return elf_find(elf, address, ret, NULL);
}

/* Reads the description of a note. Returns false when it is none of PROVIDER's. */
static bool read_site(const struct elf *elf, const uint8_t *bytes, size_t size, bool is_arm64,
		      const char *provider, struct usdt_site *ret)
{
	size_t word = elf_word(elf);
	const char *text = (const char *)bytes + 3 * word;
	const char *end = (const char *)bytes + size;
	uint64_t base, semaphore;
	const char *name;
	const char *arguments;

	if (size <= 3 * word || end[-1] || strcmp(text, provider) != 0)
		return false;
	name = text + strlen(text) + 1;
	if (name >= end || strlen(name) >= USDT_NAME_MAX)
		return false;
	arguments = name + strlen(name) + 1;
	*ret = (struct usdt_site){ 0 };
	memcpy(ret->name, name, strlen(name));
	base = elf_number(elf, bytes + word, word);
	semaphore = elf_number(elf, bytes + 2 * word, word);
	if (!place_of(elf, elf_number(elf, bytes, word), base, &ret->offset) ||
	    (semaphore && !place_of(elf, semaphore, base, &ret->semaphore)))
		return false;
	if (arguments < end)
		read_arguments(arguments, arguments + strlen(arguments), is_arm64, ret->arguments);
	return true;
}

static uint64_t aligned(uint64_t size)
{
	return (size + 3) & ~3ULL;
}

/*
 * The description of the note *AT bytes into SECTION, and in *RET_SIZE its size, 0 where it is no
 * probe's; NULL behind the last one. Moves *AT behind the note.
 */
static const uint8_t *next_note(const struct elf *elf, const struct elf_section *section,
				uint64_t *at, size_t *ret_size)
{
	const uint8_t *note = *at <= section->size && section->size - *at >= NOTE_HEAD
				      ? window_get(elf->file, section->offset + *at, NOTE_HEAD)
				      : NULL;
	uint64_t name_size, size;
	bool is_probe;

	if (!note)
		return NULL;
	name_size = elf_number(elf, note, 4);
	size = elf_number(elf, note + 4, 4);
	is_probe = name_size == sizeof(NOTE_NAME) && elf_number(elf, note + 8, 4) == NOTE_TYPE &&
		   memcmp(note + 12, NOTE_NAME, sizeof(NOTE_NAME)) == 0;
	*at += 12 + aligned(name_size);
	is_probe = is_probe && size <= DESCRIPTION_MAX && size <= section->size - *at;
	if (is_probe && size)
		note = window_get(elf->file, section->offset + *at, size);
	*ret_size = is_probe ? size : 0;
	*at += aligned(size);
	return note;
}

size_t usdt_sites(const struct elf *elf, const char *provider, struct usdt_site *ret, size_t max)
{
	const struct elf_section *section = elf_section(elf, SECTION);
	const uint8_t *machine = window_get(elf->file, offsetof(Elf64_Ehdr, e_machine), 2);
	uint64_t number = machine ? elf_number(elf, machine, 2) : EM_NONE;
	uint64_t at = 0;
	size_t nr = 0;

	if (!section || !elf->is_64 || (number != EM_X86_64 && number != EM_AARCH64))
		return 0;
	for (size_t i = 0; i < NOTES_MAX && nr < max; i++) {
		size_t size = 0;
		const uint8_t *note = next_note(elf, section, &at, &size);

		if (!note)
			break;
		nr += read_site(elf, note, size, number == EM_AARCH64, provider, &ret[nr]);
	}
	return nr;
}
