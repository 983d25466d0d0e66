/* SPDX-License-Identifier: MIT */
#include "patch_sample.h"
#include "support/guard.h"
#include "syscalls/patch_sections.h"

static const struct patch_section added[] = {
	{ .name = ".one", .type = SHT_NOTE, .flags = SHF_ALLOC, .offset = 0x8000, .size = 3 },
	{ .name = ".two", .type = SHT_PROGBITS, .address = 0x9000, .align = 16 },
};

static struct patch_sample sample;
static struct patch_elf elf;

static int begin(void **state)
{
	(void)state;
	patch_sample_begin(&sample, 0);
	patch_sample_end(&sample);
	return 0;
}

static size_t size_of(void)
{
	char what[PATCH_WHAT_SIZE] = "";

	if (patch_elf_read(&elf, sample.bytes, sizeof(sample.bytes), what))
		fail_msg("%s", what);
	return patch_sections_size(&elf, added, 2);
}

static void test_headers_and_names_are_added(void **state)
{
	size_t size = size_of(), names_size = sample_section(&sample, 4)->sh_size;
	uint8_t *bytes = guard_alloc(size);
	Elf64_Ehdr header = elf.header;
	Elf64_Shdr sections[SAMPLE_NR_SECTIONS + 2];

	(void)state;
	assert_int_equal(size, ((names_size + 10 + 7) & ~7U) + sizeof(sections));
	patch_sections_write(&elf, added, 2, 0x7000, bytes, &header);
	assert_int_equal(header.e_shnum, SAMPLE_NR_SECTIONS + 2);
	assert_int_equal(header.e_shoff, 0x7000 + size - sizeof(sections));
	assert_int_equal(header.e_shstrndx, 4);
	memcpy(sections, bytes + size - sizeof(sections), sizeof(sections));
	assert_memory_equal(sections, sample_section(&sample, 0), 4 * sizeof(sections[0]));
	assert_int_equal(sections[4].sh_offset, 0x7000);
	assert_int_equal(sections[4].sh_size, names_size + 10);
	assert_string_equal((char *)bytes + sections[3].sh_name, ".text");
	assert_string_equal((char *)bytes + sections[5].sh_name, ".one");
	assert_int_equal(sections[5].sh_offset, 0x8000);
	assert_int_equal(sections[5].sh_type, SHT_NOTE);
	assert_string_equal((char *)bytes + sections[6].sh_name, ".two");
	assert_int_equal(sections[6].sh_addr, 0x9000);
	assert_int_equal(sections[6].sh_addralign, 16);
	guard_free(bytes, size);
}

static void test_what_has_no_names_or_no_room_is_left_alone(void **state)
{
	(void)state;
	sample_header(&sample)->e_shstrndx = SHN_UNDEF;
	assert_int_equal(size_of(), 0);
	sample_header(&sample)->e_shstrndx = SAMPLE_NR_SECTIONS;
	assert_int_equal(size_of(), 0);
	sample_header(&sample)->e_shstrndx = SHN_XINDEX;
	assert_int_equal(size_of(), 0);
	sample_header(&sample)->e_shstrndx = 3; /* .text */
	assert_int_equal(size_of(), 0);
	begin(state);
	/* names that are loaded would have to stay where they are */
	sample_section(&sample, 4)->sh_flags = SHF_ALLOC;
	assert_int_equal(size_of(), 0);
	begin(state);
	sample_section(&sample, 4)->sh_size = UINT64_MAX - 0x2000;
	assert_int_equal(size_of(), 0);
	begin(state);
	sample_header(&sample)->e_shnum = 0;
	sample_section(&sample, 0)->sh_size = SAMPLE_NR_SECTIONS;
	assert_int_equal(size_of(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_headers_and_names_are_added, begin),
		cmocka_unit_test_setup(test_what_has_no_names_or_no_room_is_left_alone, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
