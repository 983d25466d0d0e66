/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "inspect/probe.h"
#include "support/guard.h"

/* A library made by hand. What is loaded is at its offset plus LOADED. */
#define LOADED	     0x10000U
#define DYNAMIC_AT   0x200U
#define HASH_AT	     0x300U
#define SYMBOLS_AT   0x400U
#define SYMBOLS_MAX  32U
#define STRINGS_AT   0x800U
#define STRINGS_SIZE 0x300U
#define VERSIONS_AT  0xb00U
#define DATA_AT	     0xc00U
#define CODE_AT	     0xd00U
#define LIBRARY_SIZE 0xe00U

#define DEFAULT	     2
#define HIDDEN	     (0x8000 | 3)

static struct library {
	uint8_t bytes[LIBRARY_SIZE];
	size_t nr_symbols, strings_size;
} library;

static struct window window;
static struct elf elf;

/* clang-format off */
static const uint8_t x86_code[] = {
	0xf3, 0x0f, 0x1e, 0xfa, 0x53, 0xc3, /* endbr64; push %rbx; ret */
	0x31, 0xff, 0x53, 0xc3,		    /* xor %edi,%edi; push %rbx; ret */
	0x55, 0xc3,			    /* push %rbp; ret */
};
/* clang-format on */

#define ALL_ARGUMENTS ((1U << PROBE_ARGUMENTS_MAX) - 1)
#define ENTRY_ONLY    (1U << PROBE_ARGUMENTS_MAX)

static void put(size_t at, uint64_t number, size_t size)
{
	for (size_t i = 0; i < size; i++)
		library.bytes[at + i] = (uint8_t)(number >> 8 * i);
}

static void put_segment(size_t index, Elf64_Phdr segment)
{
	memcpy(library.bytes + sizeof(Elf64_Ehdr) + index * sizeof(segment), &segment,
	       sizeof(segment));
}

static void put_dynamic(size_t index, uint64_t tag, uint64_t value)
{
	put(DYNAMIC_AT + 16 * index, tag, 8);
	put(DYNAMIC_AT + 16 * index + 8, value, 8);
}

static void library_begin(unsigned int machine, bool has_versions)
{
	Elf64_Ehdr header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT },
		.e_type = ET_DYN,
		.e_machine = (Elf64_Half)machine,
		.e_phoff = sizeof(header),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 4,
	};

	memset(&library, 0, sizeof(library));
	memcpy(library.bytes, &header, sizeof(header));
	put_segment(0, (Elf64_Phdr){ .p_type = PT_LOAD,
				     .p_flags = PF_R,
				     .p_vaddr = LOADED,
				     .p_filesz = CODE_AT });
	put_segment(1, (Elf64_Phdr){ .p_type = PT_LOAD,
				     .p_flags = PF_R | PF_X,
				     .p_offset = CODE_AT,
				     .p_vaddr = LOADED + CODE_AT,
				     .p_filesz = LIBRARY_SIZE - CODE_AT });
	put_segment(2, (Elf64_Phdr){ .p_type = PT_DYNAMIC,
				     .p_offset = DYNAMIC_AT,
				     .p_vaddr = LOADED + DYNAMIC_AT,
				     .p_filesz = HASH_AT - DYNAMIC_AT });
	put_segment(3, (Elf64_Phdr){ .p_type = PT_NULL });
	put_dynamic(0, DT_HASH, LOADED + HASH_AT);
	put_dynamic(1, DT_SYMTAB, LOADED + SYMBOLS_AT);
	put_dynamic(2, DT_STRTAB, LOADED + STRINGS_AT);
	put_dynamic(3, DT_STRSZ, STRINGS_SIZE);
	put_dynamic(4, has_versions ? DT_VERSYM : DT_DEBUG, LOADED + VERSIONS_AT);
	memcpy(library.bytes + CODE_AT, x86_code, sizeof(x86_code));
	library.nr_symbols = 1;
	library.strings_size = 1;
}

/* NAME may be that of a symbol before, or its end: linkers write a string once. */
static void library_add(const char *name, Elf64_Sym symbol, unsigned int version)
{
	const uint8_t *strings = library.bytes + STRINGS_AT;
	const uint8_t *at = memmem(strings, library.strings_size, name, strlen(name) + 1);

	assert_true(library.nr_symbols < SYMBOLS_MAX);
	assert_true(library.strings_size + strlen(name) < STRINGS_SIZE);
	symbol.st_name = (Elf64_Word)(at ? (size_t)(at - strings) : library.strings_size);
	if (!at) {
		memcpy(library.bytes + STRINGS_AT + library.strings_size, name, strlen(name) + 1);
		library.strings_size += strlen(name) + 1;
	}
	memcpy(library.bytes + SYMBOLS_AT + library.nr_symbols * sizeof(symbol), &symbol,
	       sizeof(symbol));
	put(VERSIONS_AT + 2 * library.nr_symbols, version, 2);
	put(HASH_AT + 4, ++library.nr_symbols, 4);
}

/* A function of SIZE bytes, AT bytes into the code. */
static Elf64_Sym function(size_t at, size_t size)
{
	return (Elf64_Sym){
		.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
		.st_shndx = 1,
		.st_value = LOADED + CODE_AT + at,
		.st_size = size,
	};
}

static void library_open(void)
{
	window_memory(&window, library.bytes, sizeof(library.bytes));
	assert_int_equal(elf_open(&elf, &window), 0);
}

static void make_usual(unsigned int machine)
{
	library_begin(machine, true);
	library_add("my_SSL_new", function(10, 2), DEFAULT);
	library_add("SSL_new", function(0, 6), DEFAULT);
	library_add("SSL_free", function(6, 4), DEFAULT);
	library_open();
}

static void check_place(const char *name, uint64_t entry, uint32_t skipped, bool is_cheap)
{
	const struct probe_want wants[] = { { name, ALL_ARGUMENTS }, { name, ENTRY_ONLY } };
	struct probe_place places[2];
	int errs[2];

	assert_int_equal(probe_places(&elf, wants, 2, places, errs), 0);
	assert_true(!errs[0] && !errs[1]);
	assert_int_equal(places[0].offset, entry + skipped);
	assert_int_equal(places[0].skipped, skipped);
	assert_int_equal(places[0].is_cheap, is_cheap);
	assert_true(skipped || (places[0].has_stack && !places[0].stack));
	assert_int_equal(places[1].offset, entry);
}

static void check_absent(const char *name, int err)
{
	struct probe_place place = { .offset = 1, .skipped = 2 };

	assert_int_equal(probe_place(&elf, name, 0, &place), err);
	assert_int_equal(probe_place(&elf, name, ENTRY_ONLY, &place), err);
	assert_int_equal(place.offset, 1);
	assert_int_equal(place.skipped, 2);
}

static void test_place_is_cheap_where_the_code_allows(void **state)
{
	(void)state;
	make_usual(EM_X86_64);
	check_place("SSL_new", CODE_AT, 4, true);
	check_place("my_SSL_new", CODE_AT + 10, 0, true);
	check_place("SSL_free", CODE_AT + 6, 0, false);
}

static void test_machine_decides_how_code_is_read(void **state)
{
	(void)state;
	make_usual(EM_RISCV);
	check_place("SSL_new", CODE_AT, 0, false);
	make_usual(EM_AARCH64);
	check_place("SSL_new", CODE_AT, 0, false);
	library_add("arm", function(0x20, 12), DEFAULT);
	put(CODE_AT + 0x20, 0xb4000040d503233f, 8); /* paciasp; cbz x0, 8; ret */
	put(CODE_AT + 0x28, 0xd65f03c0, 4);
	library_open();
	check_place("arm", CODE_AT + 0x20, 4, true);
}

static void test_what_is_no_exported_function_is_not_found(void **state)
{
	Elf64_Sym import = { .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC) };
	Elf64_Sym object = function(0, 6), local = object, absolute = object, data = object;
	Elf64_Sym outside = object, chosen = object;

	(void)state;
	object.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT);
	local.st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC);
	absolute.st_shndx = SHN_ABS;
	data.st_value = LOADED + DATA_AT;
	outside.st_value = LOADED + LIBRARY_SIZE;
	chosen.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_GNU_IFUNC);
	make_usual(EM_X86_64);
	library_add("import", import, DEFAULT);
	library_add("object", object, DEFAULT);
	library_add("local", local, DEFAULT);
	library_add("absolute", absolute, DEFAULT);
	library_add("data", data, DEFAULT);
	library_add("outside", outside, DEFAULT);
	library_add("chosen", chosen, DEFAULT);
	library_open();
	check_absent("import", -ENOENT);
	check_absent("object", -ENOENT);
	check_absent("local", -ENOENT);
	check_absent("absolute", -ENOENT);
	check_absent("data", -ENOENT);
	check_absent("outside", -ENOENT);
	check_absent("absent", -ENOENT);
	check_absent("", -ENOENT);
	check_absent("SSL_ne", -ENOENT);
	check_absent("SSL_newer", -ENOENT);
	check_absent("chosen", -EOPNOTSUPP);
}

static void test_function_that_is_not_seen_whole_is_probed_at_its_entry(void **state)
{
	Elf64_Sym untyped = function(0, 6);

	(void)state;
	untyped.st_info = ELF64_ST_INFO(STB_WEAK, STT_NOTYPE);
	make_usual(EM_X86_64);
	library_add("sizeless", function(0, 0), DEFAULT);
	library_add("behind_the_file", function(0, LIBRARY_SIZE - CODE_AT + 1), DEFAULT);
	library_add("to_the_end", function(0, LIBRARY_SIZE - CODE_AT), DEFAULT);
	library_add("large", function(0, PROBE_FUNCTION_MAX + 1), DEFAULT);
	library_add("huge", function(0, UINT64_MAX), DEFAULT);
	library_add("one", function(0, 1), DEFAULT);
	library_add("one_push", function(10, 1), DEFAULT);
	library_add("untyped", untyped, DEFAULT);
	memset(library.bytes + CODE_AT + 12, 0x90, LIBRARY_SIZE - CODE_AT - 12);
	library_open();
	check_place("sizeless", CODE_AT, 0, false);
	check_place("behind_the_file", CODE_AT, 0, false);
	check_place("to_the_end", CODE_AT, 4, true);
	check_place("large", CODE_AT, 0, false);
	check_place("huge", CODE_AT, 0, false);
	check_place("one", CODE_AT, 0, false);
	check_place("one_push", CODE_AT + 10, 0, true);
	check_place("untyped", CODE_AT, 4, true);
}

static void test_default_version_is_preferred(void **state)
{
	(void)state;
	for (int has_versions = 0; has_versions < 2; has_versions++) {
		library_begin(EM_X86_64, has_versions);
		library_add("both", function(6, 4), HIDDEN);
		library_add("both", function(0, 6), DEFAULT);
		library_add("first", function(0, 6), DEFAULT);
		library_add("first", function(6, 4), HIDDEN);
		library_add("old", function(10, 2), HIDDEN);
		library_add("old", function(6, 4), HIDDEN);
		library_open();
		check_place("both", has_versions ? CODE_AT : CODE_AT + 6, has_versions ? 4 : 0,
			    has_versions);
		check_place("first", CODE_AT, 4, true);
		check_place("old", CODE_AT + 10, 0, true);
	}
}

static void test_arguments_that_are_read_decide(void **state)
{
	struct probe_place place;

	(void)state;
	make_usual(EM_X86_64);
	/* xor %edi,%edi; push %rbx */
	for (unsigned int arguments = 0; arguments <= UINT8_MAX; arguments++) {
		bool is_cheap = !(arguments & 1) && arguments <= ALL_ARGUMENTS;

		assert_int_equal(probe_place(&elf, "SSL_free", (uint8_t)arguments, &place), 0);
		assert_int_equal(place.is_cheap, is_cheap);
		assert_int_equal(place.skipped, is_cheap ? 2 : 0);
		assert_int_equal(place.offset, CODE_AT + 6 + place.skipped);
	}

	const struct probe_want wants[] = { { "SSL_free", 1 },
					    { "SSL_free", 2 },
					    { "SSL_new", 1 } };
	struct probe_place places[3];
	int errs[3];

	assert_int_equal(probe_places(&elf, wants, 3, places, errs), 0);
	assert_false(places[0].is_cheap);
	assert_int_equal(places[1].skipped, 2);
	assert_int_equal(places[2].skipped, 4);
}

static void test_stack_is_told_with_the_place(void **state)
{
	static const struct {
		uint64_t code; /* 8 bytes, before a push of rbx and ret */
		uint32_t stack;
		bool has_stack;
	} functions[] = {
		{ 0x0876f68508ec8348, 8, true },  /* sub $8,%rsp; test %esi,%esi; jbe */
		{ 0x0876f685f0e48348, 0, false }, /* and $-16,%rsp; test %esi,%esi; jbe */
		{ 0x08eb18ec8348c031, 24, true }, /* xor %eax,%eax; sub $24,%rsp; jmp */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		struct probe_place place;

		library_begin(EM_X86_64, true);
		library_add("moves", function(0x20, 10), DEFAULT);
		put(CODE_AT + 0x20, functions[i].code, 8);
		put(CODE_AT + 0x28, 0xc353, 2);
		library_open();
		assert_int_equal(probe_place(&elf, "moves", 0, &place), 0);
		assert_true(place.is_cheap);
		assert_int_equal(place.skipped, 6);
		assert_int_equal(place.stack, functions[i].stack);
		assert_int_equal(place.has_stack, functions[i].has_stack);

		/* Of a function whose size is not known it is the entry. */
		library_begin(EM_X86_64, true);
		library_add("moves", function(0x20, 0), DEFAULT);
		put(CODE_AT + 0x20, functions[i].code, 8);
		library_open();
		check_place("moves", CODE_AT + 0x20, 0, false);
	}
}

/* Puts a note with one property where DATA_AT is and says so in the program header. */
static void put_property(unsigned int segment_type, uint32_t property, uint32_t value, size_t size)
{
	const uint32_t note[] = {
		4, 16, NT_GNU_PROPERTY_TYPE_0, 0x00554e47 /* "GNU" */, property, 4, value, 0,
	};

	memcpy(library.bytes + DATA_AT, note, sizeof(note));
	put_segment(3, (Elf64_Phdr){ .p_type = segment_type,
				     .p_offset = DATA_AT,
				     .p_vaddr = LOADED + DATA_AT,
				     .p_filesz = size });
	library_open();
}

static void make_caller(unsigned int machine)
{
	library_begin(machine, true);
	library_add("calls", function(0x20, 12), DEFAULT);
	if (machine == EM_X86_64)
		put(CODE_AT + 0x20, 0x1000e808ec8348, 8); /* sub $8,%rsp; call */
	else
		put(CODE_AT + 0x20, 0x94000100d503233f, 8); /* paciasp; bl */
	put(CODE_AT + 0x28, machine == EM_X86_64 ? 0xc300 : 0xd65f03c0, 4);
	library_open();
}

static void test_call_is_no_place_where_the_library_allows_shadow_stacks(void **state)
{
	static const struct {
		unsigned int machine;
		uint32_t property, bit;
	} machines[] = {
		{ EM_X86_64, GNU_PROPERTY_X86_FEATURE_1_AND, GNU_PROPERTY_X86_FEATURE_1_SHSTK },
		{ EM_AARCH64, GNU_PROPERTY_AARCH64_FEATURE_1_AND, 4 },
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		uint32_t property = machines[i].property, bit = machines[i].bit;

		make_caller(machines[i].machine);
		check_place("calls", CODE_AT + 0x20, 4, true);
		put_property(PT_GNU_PROPERTY, property, bit, 32);
		check_place("calls", CODE_AT + 0x20, 0, false);
		put_property(PT_NOTE, property, 0xff, 32);
		check_place("calls", CODE_AT + 0x20, 0, false);
		put_property(PT_NOTE, property, 0xffffffff & ~bit, 32);
		check_place("calls", CODE_AT + 0x20, 4, true);
		put_property(PT_NOTE, machines[!i].property, bit, 32);
		check_place("calls", CODE_AT + 0x20, 4, true);
		put_property(PT_NULL, property, bit, 32);
		check_place("calls", CODE_AT + 0x20, 4, true);
		/* Up to the value and without it. */
		put_property(PT_NOTE, property, bit, 28);
		check_place("calls", CODE_AT + 0x20, 0, false);
		put_property(PT_NOTE, property, bit, 27);
		check_place("calls", CODE_AT + 0x20, 4, true);
	}
}

static void test_notes_that_cannot_be_read_may_allow_shadow_stacks(void **state)
{
	(void)state;
	make_caller(EM_X86_64);
	put_property(PT_NOTE, 0, 0, LIBRARY_SIZE - DATA_AT);
	check_place("calls", CODE_AT + 0x20, 4, true);
	put_property(PT_NOTE, 0, 0, LIBRARY_SIZE - DATA_AT + 1);
	check_place("calls", CODE_AT + 0x20, 0, false);
	put_property(PT_NOTE, 0, 0, SIZE_MAX);
	check_place("calls", CODE_AT + 0x20, 0, false);
	put_property(PT_NULL, 0, 0, 0);
	check_place("calls", CODE_AT + 0x20, 4, true);
	elf.is_cut = true;
	check_place("calls", CODE_AT + 0x20, 0, false);
}

static void test_many_names_are_asked_for_at_once(void **state)
{
	static struct probe_want wants[PROBE_NAMES_MAX + 1];
	static struct probe_place places[PROBE_NAMES_MAX];
	static int errs[PROBE_NAMES_MAX];

	(void)state;
	make_usual(EM_X86_64);
	for (size_t i = 0; i <= PROBE_NAMES_MAX; i++)
		wants[i] = (struct probe_want){
			.name = i % 3 == 0   ? "SSL_new"
				: i % 3 == 1 ? "absent"
					     : "SSL_free",
			.arguments = ALL_ARGUMENTS,
		};
	errs[0] = 1;
	assert_int_equal(probe_places(&elf, wants, PROBE_NAMES_MAX + 1, places, errs), -E2BIG);
	assert_int_equal(errs[0], 1);
	assert_int_equal(probe_places(&elf, wants, 0, places, errs), 0);
	assert_int_equal(errs[0], 1);
	assert_int_equal(probe_places(&elf, wants, PROBE_NAMES_MAX, places, errs), 0);
	for (size_t i = 0; i < PROBE_NAMES_MAX; i++) {
		assert_int_equal(errs[i], i % 3 == 1 ? -ENOENT : 0);
		if (i % 3 == 0)
			assert_int_equal(places[i].offset, CODE_AT + 4);
		else if (i % 3 == 2)
			assert_int_equal(places[i].offset, CODE_AT + 6);
	}
}

static void test_bounds_of_tables_are_kept(void **state)
{
	(void)state;
	make_usual(EM_X86_64);
	put_dynamic(3, DT_STRSZ, 64U << 20);
	library_open();
	check_absent("SSL_new", -E2BIG);

	make_usual(EM_X86_64);
	put_dynamic(3, DT_STRSZ, 12); /* up to the end of the first name */
	library_open();
	check_place("my_SSL_new", CODE_AT + 10, 0, true);
	check_absent("SSL_free", -ENOENT);

	make_usual(EM_X86_64);
	put(HASH_AT + 4, 3, 4); /* without the last symbol */
	library_open();
	check_place("SSL_new", CODE_AT, 4, true);
	check_absent("SSL_free", -ENOENT);
}

/* Whatever the file says, what is told is in it. */
static void check_any(const uint8_t *bytes, size_t size)
{
	static const struct probe_want wants[] = { { "SSL_new", 1 },
						   { "SSL_free", 0 },
						   { "my_SSL_new", ALL_ARGUMENTS } };
	struct probe_place places[3];
	int errs[3];

	window_memory(&window, bytes, size);
	if (elf_open(&elf, &window) || probe_places(&elf, wants, 3, places, errs))
		return;
	for (size_t i = 0; i < 3; i++) {
		assert_true(errs[i] == 0 || errs[i] == -ENOENT || errs[i] == -EOPNOTSUPP);
		if (errs[i])
			continue;
		assert_true(places[i].offset < size);
		assert_true(places[i].skipped <= PROBE_DISTANCE_MAX);
		assert_true(places[i].is_cheap || !places[i].skipped);
	}
}

static void test_damaged_files_are_read_within_their_bounds(void **state)
{
	(void)state;
	make_usual(EM_X86_64);
	for (size_t size = 0; size < LIBRARY_SIZE; size++) {
		const void *cut = guard_copy(library.bytes, size);

		check_any(cut, size);
		guard_free(cut, size);
	}

	uint8_t *copy = guard_alloc(LIBRARY_SIZE);

	memcpy(copy, library.bytes, LIBRARY_SIZE);
	for (size_t bit = 0; bit < (CODE_AT + sizeof(x86_code)) * 8; bit++) {
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
		check_any(copy, LIBRARY_SIZE);
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	guard_free(copy, LIBRARY_SIZE);
}

/* What is loaded is the file's, but for the breakpoints (int3) of whoever traces this machine now.
 */
static void check_code(const uint8_t *bytes, const uint8_t *loaded, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (loaded[i] != 0xcc)
			assert_int_equal(loaded[i], bytes[i]);
}

/* The library that this program has loaded tells itself where its functions are. */
static void test_places_are_in_the_functions_of_a_real_library(void **state)
{
	static const struct probe_want wants[] = {
		{ "EVP_DigestInit_ex", 1 << 1 }, { "EVP_CIPHER_fetch", 1 << 1 | 1 << 2 },
		{ "EVP_PKEY_generate", 0 },	 { "OSSL_PROVIDER_load", 1 << 1 },
		{ "X509_verify_cert", 0 },	 { "PKCS12_parse", 0 },
		{ "EVP_Q_digest", 1 << 1 },	 { "RSA_new", 0 },
	};
	const size_t nr = sizeof(wants) / sizeof(wants[0]);
	struct probe_place places[sizeof(wants) / sizeof(wants[0])];
	int errs[sizeof(wants) / sizeof(wants[0])];
	struct stat status;
	Dl_info info;
	size_t nr_cheap = 0;

	(void)state;
	/* Makes the program load it. */
	assert_non_null(EVP_sha256());
	if (!dladdr(dlsym(RTLD_DEFAULT, wants[0].name), &info) ||
	    !strstr(info.dli_fname, "libcrypto"))
		skip();

	int fd = open(info.dli_fname, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &status), 0);
	assert_int_equal(window_open(&window, fd, (uint64_t)status.st_size, UINT64_MAX), 0);
	assert_int_equal(elf_open(&elf, &window), 0);
	assert_int_equal(probe_places(&elf, wants, nr, places, errs), 0);
	for (size_t i = 0; i < nr; i++) {
		const uint8_t *loaded = dlsym(RTLD_DEFAULT, wants[i].name);
		uint64_t offset;

		assert_non_null(loaded);
		assert_int_equal(errs[i], 0);
		assert_true(elf_find(&elf, (uint64_t)(loaded - (const uint8_t *)info.dli_fbase),
				     &offset, NULL));
		assert_int_equal(places[i].offset - places[i].skipped, offset);
		check_code(window_get(&window, offset, 16), loaded, 16);
		nr_cheap += places[i].is_cheap;
	}
	assert_true(nr_cheap > 0);
	window_close(&window);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_place_is_cheap_where_the_code_allows),
		cmocka_unit_test(test_machine_decides_how_code_is_read),
		cmocka_unit_test(test_what_is_no_exported_function_is_not_found),
		cmocka_unit_test(test_function_that_is_not_seen_whole_is_probed_at_its_entry),
		cmocka_unit_test(test_default_version_is_preferred),
		cmocka_unit_test(test_arguments_that_are_read_decide),
		cmocka_unit_test(test_stack_is_told_with_the_place),
		cmocka_unit_test(test_call_is_no_place_where_the_library_allows_shadow_stacks),
		cmocka_unit_test(test_notes_that_cannot_be_read_may_allow_shadow_stacks),
		cmocka_unit_test(test_many_names_are_asked_for_at_once),
		cmocka_unit_test(test_bounds_of_tables_are_kept),
		cmocka_unit_test(test_damaged_files_are_read_within_their_bounds),
		cmocka_unit_test(test_places_are_in_the_functions_of_a_real_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
