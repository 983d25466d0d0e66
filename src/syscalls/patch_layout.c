/* SPDX-License-Identifier: MIT */
#include "syscalls/patch_layout.h"

#ifdef __x86_64__

#include <string.h>

#include "syscalls/patch_stub.h"

/* A distance of 32 bits has to reach from any instruction to any other. */
#define SPAN_MAX 0x7fff0000U
/* As the assembler aligns the stubs. */
#define STUB_ALIGN 16U

/* The note that says that a program is patched. */
struct note {
	Elf64_Nhdr head;
	char name[(sizeof(PATCH_NOTE_NAME) + 3) & ~3U];
	uint32_t version;
	uint32_t nr_phases;
	uint32_t entry, entry_high; /* of the original */
};

_Static_assert(sizeof(struct note) == 12 + 16 + 16, "a note has words of 4 bytes and no gaps");

static uint64_t round_up(uint64_t number, uint64_t unit)
{
	return (number + unit - 1) / unit * unit;
}

uint64_t patch_layout_address(const struct patch_layout *layout, size_t at)
{
	return layout->base + layout->offset + at;
}

static int refuse_phase(const struct patch_plan *plan, size_t phase, const char *why,
			char ret_what[static PATCH_WHAT_SIZE])
{
	return patch_refuse(ret_what, "has no place where phase %zu, '%s', can begin: %s", phase,
			    plan->phases[phase].name, why);
}

/* Where the points are; no two of them in the same bytes. */
static int find_sites(const struct patch_elf *elf, const struct patch_plan *plan,
		      struct patch_layout *layout, char ret_what[static PATCH_WHAT_SIZE])
{
	for (size_t i = 1; i < plan->nr_phases; i++) {
		struct patch_site *site = &layout->sites[i];
		char why[PATCH_WHAT_SIZE];

		if (patch_site_find(elf, plan->phases[i].offset, site, why))
			return refuse_phase(plan, i, why, ret_what);
		for (size_t j = 1; j < i; j++) {
			const struct patch_site *other = &layout->sites[j];

			if (site->address < other->address + other->size &&
			    other->address < site->address + site->size)
				return refuse_phase(plan, i, "another phase begins there",
						    ret_what);
		}
	}
	return 0;
}

/* A part from BEGIN to END. Returns where the next one can begin. */
static size_t add_part(struct patch_layout *layout, uint32_t flags, size_t begin, size_t end)
{
	layout->parts[layout->nr_parts++] = (struct patch_part){ flags, begin, end };
	return round_up(end, PATCH_PAGE);
}

/* To be read: program headers, note, filters. Returns where it ends. */
static size_t lay_out_data(const struct patch_plan *plan, struct patch_layout *layout)
{
	size_t at = layout->nr_segments * sizeof(Elf64_Phdr);

	layout->note = at;
	layout->note_size = sizeof(struct note);
	at += sizeof(struct note);
	for (size_t i = 0; i < plan->nr_phases; i++) {
		at = round_up(at, sizeof(struct sock_filter));
		layout->filters[i] = at;
		at += plan->phases[i].nr * sizeof(struct sock_filter);
	}
	return at;
}

/* To be executed, from AT on. Returns where it ends. */
static size_t lay_out_code(const struct patch_plan *plan, struct patch_layout *layout, size_t at)
{
	layout->code = at;
	at += patch_label(patch_stub_entry, patch_stub_entry_end);
	for (size_t i = 1; i < plan->nr_phases; i++) {
		layout->points[i] = round_up(at, STUB_ALIGN);
		at = layout->points[i] + patch_label(patch_stub_point, patch_stub_point_end) +
		     PATCH_MOVED_MAX;
	}
	/* The last page is filled, so that it holds nothing but what is meant. */
	return round_up(at, PATCH_PAGE);
}

static void add_section(struct patch_layout *layout, const char *name, size_t begin, size_t end,
			struct patch_section form)
{
	form.name = name;
	form.flags |= SHF_ALLOC;
	form.offset = layout->offset + begin;
	form.address = patch_layout_address(layout, begin);
	form.size = end - begin;
	layout->sections[layout->nr_sections++] = form;
}

static void add_sections(struct patch_layout *layout)
{
	const struct patch_part *parts = layout->parts;

	add_section(layout, ".note.crypto-tracer", layout->note, layout->note + layout->note_size,
		    (struct patch_section){ .type = SHT_NOTE, .align = 4 });
	add_section(layout, ".crypto-tracer.filters", layout->filters[0], parts[0].end,
		    (struct patch_section){ .type = SHT_PROGBITS, .align = 8 });
	add_section(layout, ".crypto-tracer.text", parts[1].begin, parts[1].end,
		    (struct patch_section){
			    .type = SHT_PROGBITS, .align = STUB_ALIGN, .flags = SHF_EXECINSTR });
	if (layout->lock)
		add_section(layout, ".crypto-tracer.data", parts[2].begin, parts[2].end,
			    (struct patch_section){
				    .type = SHT_PROGBITS, .align = 8, .flags = SHF_WRITE });
}

/*
 * First the file as it is, then as much as is in memory only: no segment may begin before the
 * others have ended.
 */
static void find_room(const struct patch_elf *elf, struct patch_layout *layout)
{
	const Elf64_Phdr *first = &elf->segments[elf->first_load];
	uint64_t behind;

	layout->base = first->p_vaddr - first->p_offset;
	behind = round_up(elf->load_end, PATCH_PAGE) - layout->base;
	layout->offset = round_up(elf->size, PATCH_PAGE);
	if (behind > layout->offset)
		layout->offset = behind;
}

int patch_layout_make(const struct patch_elf *elf, const struct patch_plan *plan,
		      struct patch_layout *ret, char ret_what[static PATCH_WHAT_SIZE])
{
	bool has_lock = plan->nr_phases > 1;
	int err;
	size_t at;

	*ret = (struct patch_layout){
		/* data and code, and the note */
		.nr_segments =
			elf->nr_segments + (has_lock ? PATCH_ADDED_MAX : PATCH_ADDED_MAX - 1),
	};
	err = find_sites(elf, plan, ret, ret_what);
	if (err)
		return err;
	find_room(elf, ret);
	at = add_part(ret, PF_R, 0, lay_out_data(plan, ret));
	at = add_part(ret, PF_R | PF_X, at, lay_out_code(plan, ret, at));
	if (has_lock) {
		ret->lock = at;
		at = add_part(ret, PF_R | PF_W, at, at + sizeof(uint64_t));
	}
	add_sections(ret);
	ret->table = at;
	ret->table_size = patch_sections_size(elf, ret->sections, ret->nr_sections);
	/* Without it the file still has to hold the last part. */
	ret->size = at + ret->table_size;
	if (patch_layout_address(ret, ret->size) - elf->segments[elf->first_load].p_vaddr >
	    SPAN_MAX)
		return patch_refuse(ret_what, "is too large: over 2 GiB in memory");
	return 0;
}

static Elf64_Phdr segment_of(const struct patch_layout *layout, uint32_t type, uint32_t flags,
			     size_t begin, size_t end)
{
	uint64_t address = patch_layout_address(layout, begin);

	return (Elf64_Phdr){
		.p_type = type,
		.p_flags = flags,
		.p_offset = layout->offset + begin,
		.p_vaddr = address,
		.p_paddr = address,
		.p_filesz = end - begin,
		.p_memsz = end - begin,
		.p_align = type == PT_LOAD ? PATCH_PAGE : sizeof(uint32_t),
	};
}

/* The old program headers with the new ones: segments that are loaded stay in order. */
static void write_segments(const struct patch_elf *elf, const struct patch_layout *layout,
			   uint8_t *tail)
{
	Elf64_Phdr segments[PATCH_SEGMENTS_MAX + PATCH_ADDED_MAX];
	size_t size = layout->nr_segments * sizeof(Elf64_Phdr), nr = 0;

	for (size_t i = 0; i < elf->nr_segments; i++) {
		Elf64_Phdr segment = elf->segments[i];

		if (segment.p_type == PT_PHDR) {
			segment.p_offset = layout->offset;
			segment.p_vaddr = segment.p_paddr = patch_layout_address(layout, 0);
			segment.p_filesz = segment.p_memsz = size;
		}
		segments[nr++] = segment;
		for (size_t k = 0; i == elf->last_load && k < layout->nr_parts; k++)
			segments[nr++] = segment_of(layout, PT_LOAD, layout->parts[k].flags,
						    layout->parts[k].begin, layout->parts[k].end);
	}
	segments[nr++] =
		segment_of(layout, PT_NOTE, PF_R, layout->note, layout->note + layout->note_size);
	memcpy(tail, segments, size);
}

void patch_layout_write(const struct patch_elf *elf, const struct patch_plan *plan,
			const struct patch_layout *layout, uint8_t *tail)
{
	const struct note note = {
		.head = {
			.n_namesz = sizeof(PATCH_NOTE_NAME),
			.n_descsz = sizeof(note) - offsetof(struct note, version),
			.n_type = PATCH_NOTE_TYPE,
		},
		.name = PATCH_NOTE_NAME,
		.version = 1,
		.nr_phases = (uint32_t)plan->nr_phases,
		.entry = (uint32_t)elf->header.e_entry,
		.entry_high = (uint32_t)(elf->header.e_entry >> 32),
	};

	write_segments(elf, layout, tail);
	memcpy(tail + layout->note, &note, sizeof(note));
}

#endif /* __x86_64__ */
