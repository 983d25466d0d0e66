/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "syscalls/patch_site.h"
#include "patch_sample.h"

static struct patch_sample sample;
static struct patch_elf elf;
static char what[PATCH_WHAT_SIZE];

/* A function as bytes, where in it the point is, and what is to be said of it. */
struct place {
	const char *name;
	const char *bytes;
	size_t size;
	size_t at;	 /* of the point */
	size_t jump;	 /* where the jump comes */
	size_t replaced; /* bytes; 0: refused */
	const char *why; /* then */
};

/* clang-format off */
#define CODE(bytes) bytes, sizeof(bytes) - 1
#define ENDBR64 "\xf3\x0f\x1e\xfa"
#define RET6 "\xc3\xcc\xcc\xcc\xcc\xcc"
#define BRANCH "a branch leads behind it"
static const struct place places[] = {
	{ "pushes and a move", CODE("\x41\x54\x55\x53\x48\x89\xfb" RET6), 0, 0, 7, NULL },
	{ "behind endbr64", CODE(ENDBR64 "\x55\x48\x89\xe5\x53" RET6), 0, 4, 5, NULL },
	{ "of exactly five bytes", CODE("\xb8\x01\x00\x00\x00" RET6), 0, 0, 5, NULL },
	{ "in the middle", CODE("\x90\x90\x48\x89\xf8\x48\x89\xf8" RET6), 2, 2, 6, NULL },
	{ "memory relative to rip", CODE("\x8b\x05\x00\x10\x00\x00" RET6), 0, 0, 6, NULL },
	{ "jump if equal", CODE("\x48\x85\xff\x74\x03\x31\xc0\x90" RET6), 0, 0, 5, NULL },
	{ "loop to the entry", CODE("\x48\x89\xf8\x48\x01\xf8\x74\xf8" RET6), 0, 0, 6, NULL },

	{ "too short", CODE("\x31\xc0\x90"), 0, 0, 0, "no room" },
	{ "too short behind endbr64", CODE(ENDBR64 "\x31\xc0\x90"), 0, 0, 0, "no room" },
	{ "up to its return", CODE("\x48\x8b\x47\x08\xc3"), 0, 0, 5, NULL },
	{ "too short to return", CODE("\x31\xc0\xc3"), 0, 0, 0, "no room" },
	{ "call in the way", CODE("\x90\xe8\x00\x01\x00\x00" RET6), 0, 0, 0, "elsewhere" },
	{ "loop in the way", CODE("\x90\xe2\x10\x90\x90\x90\x90" RET6), 0, 0, 0, "elsewhere" },
	{ "unknown code before", CODE("\x06\x90\x90\x90\x90\x90\x90" RET6), 1, 0, 0, "not known" },
	{ "unknown code there", CODE("\x90\x06\x90\x90\x90\x90\x90" RET6), 0, 0, 0, "not known" },
	{ "unknown code behind", CODE("\x90\x90\x90\x90\x90\x06" RET6), 0, 0, 0, "not known" },
	{ "within an instruction", CODE("\xb8\x01\x00\x00\x00" RET6 RET6), 2, 0, 0, "begins" },
	{ "near branch into it", CODE("\x48\x89\xf8\x48\x01\xf8\x74\xfb" RET6), 0, 0, 0, BRANCH },
	{ "far branch into it", CODE("\x48\x89\xf8\x48\x01\xf8\x0f\x84\xf7\xff\xff\xff" RET6),
	  0, 0, 0, BRANCH },
	{ "branch forward into it", CODE("\x74\x03\x48\x89\xf8\x48\x01\xf8" RET6), 2, 0, 0, BRANCH },
	{ "endbr64 in it", CODE("\x90" ENDBR64 "\x90\x90" RET6), 0, 0, 0, BRANCH },
};
/* clang-format on */

static uint32_t begin_with(const void *bytes, size_t size, uint64_t base)
{
	uint32_t at;

	patch_sample_begin(&sample, base);
	at = sample_function(&sample, bytes, size);
	patch_sample_end(&sample);
	memset(what, 0, sizeof(what));
	return at;
}

static void read_sample(void)
{
	if (patch_elf_read(&elf, sample.bytes, sizeof(sample.bytes), what))
		fail_msg("%s", what);
}

static void test_places_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const struct place *place = &places[i];
		uint32_t at = begin_with(place->bytes, place->size, 0x400000);
		struct patch_site site = { 0 };
		int err;

		read_sample();
		err = patch_site_find(&elf, at + place->at, &site, what);
		if (!place->replaced) {
			if (err != -EOPNOTSUPP || !strstr(what, place->why))
				fail_msg("%s: %d, '%s'", place->name, err, what);
			continue;
		}
		if (err)
			fail_msg("%s: '%s'", place->name, what);
		assert_int_equal(site.offset, at + place->jump);
		assert_int_equal(site.address, 0x400000 + at + place->jump);
		if (site.size != place->replaced)
			fail_msg("%s: %zu bytes", place->name, site.size);
	}
}

/* Seven bytes of which the first three are an instruction. */
static const uint8_t plain[] = { 0x48, 0x89, 0xf8, 0x48, 0x83, 0xc0, 0x01, 0xc3 };

static void must_refuse(uint64_t offset, const char *why)
{
	struct patch_site site;

	read_sample();
	assert_int_equal(patch_site_find(&elf, offset, &site, what), -EOPNOTSUPP);
	if (!strstr(what, why))
		fail_msg("'%s' is not about '%s'", what, why);
}

static void test_only_code_has_places(void **state)
{
	uint32_t at = begin_with(plain, sizeof(plain), 0);

	(void)state;
	must_refuse(SAMPLE_DATA, "executable code");
	must_refuse(UINT64_MAX, "executable code");
	must_refuse(SAMPLE_SECTIONS, "executable code");
	must_refuse(at + 0x100, "where its function ends");
	sample_dynamic(&sample, 1, DT_FLAGS, DF_TEXTREL);
	must_refuse(at, "changes when it is loaded");
	sample_dynamic(&sample, 1, DT_TEXTREL, 0);
	must_refuse(at, "changes when it is loaded");
}

static void test_pointers_and_names_are_looked_for(void **state)
{
	uint32_t at = begin_with(plain, sizeof(plain), 0);
	struct patch_site site;

	(void)state;
	read_sample();
	sample_put(&sample, SAMPLE_WORDS, at, 8); /* to the function: as it should be */
	assert_int_equal(patch_site_find(&elf, at, &site, what), 0);
	sample_put(&sample, SAMPLE_WORDS, at + 3, 8);
	must_refuse(at, BRANCH);
	sample_put(&sample, SAMPLE_WORDS, at + 7, 8); /* behind it */
	assert_int_equal(patch_site_find(&elf, at, &site, what), 0);
	sample_symbol(&sample, 2, STT_NOTYPE, at + 3, 0);
	must_refuse(at, BRANCH);
	sample_symbol(&sample, 2, STT_FUNC, at, sizeof(plain));
	sample_header(&sample)->e_entry = at + 3;
	must_refuse(at, BRANCH);
	sample_header(&sample)->e_entry = at;
	read_sample();
	assert_int_equal(patch_site_find(&elf, at, &site, what), 0);
}

static void test_branches_of_other_functions_are_seen(void **state)
{
	uint8_t other[] = { 0x90, 0xe9, 0, 0, 0, 0, 0xc3 };
	struct patch_site site;
	int32_t distance;
	uint32_t at, from;

	(void)state;
	for (int behind = 0; behind <= 3; behind += 3) {
		patch_sample_begin(&sample, 0);
		at = sample_function(&sample, plain, sizeof(plain));
		from = SAMPLE_CODE + (uint32_t)sample.code_size;
		distance = (int32_t)(at + (uint32_t)behind) - (int32_t)(from + 6);
		memcpy(other + 2, &distance, 4);
		sample_function(&sample, other, sizeof(other));
		patch_sample_end(&sample);
		read_sample();
		assert_int_equal(patch_site_find(&elf, at, &site, what), behind ? -EOPNOTSUPP : 0);
	}
}

/* switch: lea table(%rip),%rdx; movslq (%rdx,%rax,4),%rax; add %rdx,%rax; jmp *%rax */
static void test_tables_of_jumps_are_followed(void **state)
{
	uint8_t code[] = {
		0x48, 0x89, 0xf8, 0x48, 0x83, 0xe0, 0x03, 0x48, 0x8d, 0x15, 0,	  0,	0,
		0,    0x48, 0x63, 0x04, 0x82, 0x48, 0x01, 0xd0, 0x3e, 0xff, 0xe0, 0x90, 0xc3,
	};
	int32_t distance = (int32_t)SAMPLE_RODATA - (SAMPLE_CODE + 14);
	uint32_t at;
	struct patch_site site;

	(void)state;
	memcpy(code + 10, &distance, 4);
	at = begin_with(code, sizeof(code), 0);
	sample_put(&sample, SAMPLE_RODATA, at + 24 - SAMPLE_RODATA, 4);
	sample_put(&sample, SAMPLE_RODATA + 4, at + 25 - SAMPLE_RODATA, 4);
	read_sample();
	assert_int_equal(patch_site_find(&elf, at, &site, what), 0);
	assert_int_equal(site.size, 7);
	sample_put(&sample, SAMPLE_RODATA + 4, at + 3 - SAMPLE_RODATA, 4);
	must_refuse(at, BRANCH);
	/* what is behind an entry that leads nowhere is no table any more */
	sample_put(&sample, SAMPLE_RODATA, 0x7fffffff, 4);
	assert_int_equal(patch_site_find(&elf, at, &site, what), 0);
}

static void test_handlers_of_exceptions_leave_the_entry(void **state)
{
	static const uint8_t code[] = { 0xf3, 0x0f, 0x1e, 0xfa, 0x48, 0x89, 0xf8, 0x48,
					0x83, 0xc0, 0x01, 0x48, 0x83, 0xc0, 0x02, 0xc3 };
	struct patch_site site;
	uint32_t at;

	(void)state;
	patch_sample_begin(&sample, 0);
	at = sample_function(&sample, code, sizeof(code));
	sample.functions[0].has_handlers = true;
	patch_sample_end(&sample);
	read_sample();
	assert_int_equal(patch_site_find(&elf, at, &site, what), 0);
	must_refuse(at + 7, "handles exceptions");
}

/* Moves the place at AT to TO and compares. */
static void must_move(uint32_t at, uint64_t to, const char *bytes, size_t size)
{
	uint8_t moved[PATCH_MOVED_MAX] = { 0 };
	struct patch_site site;
	int got;

	read_sample();
	assert_int_equal(patch_site_find(&elf, at, &site, what), 0);
	got = patch_site_move(&elf, &site, to, moved);
	assert_int_equal(got, size);
	assert_memory_equal(moved, bytes, size);
}

#define MUST_MOVE(at, to, bytes) must_move(at, to, bytes, sizeof(bytes) - 1)

static void test_instructions_move_with_what_they_refer_to(void **state)
{
	(void)state;
	/* From 1000 to 9000; the jump back is at 9007, from 900c to 1007. */
	MUST_MOVE(begin_with(plain, sizeof(plain), 0), 0x9000,
		  "\x48\x89\xf8\x48\x83\xc0\x01\xe9\xfb\x7f\xff\xff");
	/* cmpl $7,0x2000(%rip), an immediate behind the distance: it is 8000 further away. */
	MUST_MOVE(begin_with("\x83\x3d\x00\x20\x00\x00\x07\xc3", 8, 0), 0x9000,
		  "\x83\x3d\x00\xa0\xff\xff\x07\xe9\xfb\x7f\xff\xff");
	/* test %rdi,%rdi; je +3: gets 32 bits, from 9009 to 1008; back from 900e to 1005. */
	MUST_MOVE(begin_with("\x48\x85\xff\x74\x03\x31\xc0\x90\xc3", 9, 0), 0x9000,
		  "\x48\x85\xff\x0f\x84\xff\x7f\xff\xff\xe9\xf7\x7f\xff\xff");
	/* jmp +3; nop...: from 9005 to 1005; then the nops and back from 900d to 1005. */
	MUST_MOVE(begin_with("\xeb\x03\x90\x90\x90\xc3", 6, 0), 0x9000,
		  "\xe9\x00\x80\xff\xff\x90\x90\x90\xe9\xf8\x7f\xff\xff");
	/* jne with 32 bits */
	MUST_MOVE(begin_with("\x0f\x85\x04\x00\x00\x00\x90\x90\x90\x90\xc3", 11, 0), 0x9000,
		  "\x0f\x85\x04\x80\xff\xff\xe9\xfb\x7f\xff\xff");
}

static void test_what_is_too_far_is_told(void **state)
{
	uint8_t moved[PATCH_MOVED_MAX];
	struct patch_site site;
	uint32_t at = begin_with(plain, sizeof(plain), 0);

	(void)state;
	read_sample();
	assert_int_equal(patch_site_find(&elf, at, &site, what), 0);
	assert_int_equal(patch_site_move(&elf, &site, 0x90000000, moved), -ERANGE);
	assert_int_equal(patch_put_distance(moved, 0x1000, 0x1004 + (uint64_t)INT32_MAX), 0);
	assert_int_equal(patch_put_distance(moved, 0x1000, 0x1005 + (uint64_t)INT32_MAX), -ERANGE);
	assert_int_equal(patch_put_distance(moved, 0x90000000, 0), -ERANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places_are_judged),
		cmocka_unit_test(test_only_code_has_places),
		cmocka_unit_test(test_pointers_and_names_are_looked_for),
		cmocka_unit_test(test_branches_of_other_functions_are_seen),
		cmocka_unit_test(test_tables_of_jumps_are_followed),
		cmocka_unit_test(test_handlers_of_exceptions_leave_the_entry),
		cmocka_unit_test(test_instructions_move_with_what_they_refer_to),
		cmocka_unit_test(test_what_is_too_far_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
