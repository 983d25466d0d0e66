/* SPDX-License-Identifier: MIT */
#include "syscalls/patch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifdef __x86_64__

#include "syscalls/patch_layout.h"
#include "syscalls/patch_stub.h"

/* What room without instructions is filled with: int3. */
#define CODE_FILL 0xcc

static void put_number(uint8_t *behind, uint32_t number)
{
	memcpy(behind - sizeof(number), &number, sizeof(number));
}

/* The distance in front of LABEL, of the stub BEGIN that is AT, to TARGET. */
static int put_target(const struct patch_layout *layout, uint8_t *tail, size_t at,
		      const uint8_t *begin, const uint8_t *label, uint64_t target)
{
	size_t field = at + patch_label(begin, label) - 4;

	return patch_put_distance(tail + field, patch_layout_address(layout, field), target);
}

static int write_entry(const struct patch_elf *elf, const struct patch_plan *plan,
		       const struct patch_layout *layout, uint8_t *tail)
{
	const uint8_t *stub = patch_stub_entry;
	size_t at = layout->code;

	memcpy(tail + at, stub, patch_label(stub, patch_stub_entry_end));
	put_number(tail + at + patch_label(stub, patch_stub_entry_nr),
		   (uint32_t)plan->phases[0].nr);
	if (put_target(layout, tail, at, stub, patch_stub_entry_filter,
		       patch_layout_address(layout, layout->filters[0])) ||
	    put_target(layout, tail, at, stub, patch_stub_entry_jump, elf->header.e_entry))
		return -ERANGE;
	return layout->lock ? put_target(layout, tail, at, stub, patch_stub_advance_lock,
					 patch_layout_address(layout, layout->lock))
			    : 0;
}

/* The stub of a phase, and the jump to it in the program's own code, HEAD. */
static int write_point(const struct patch_elf *elf, const struct patch_plan *plan,
		       const struct patch_layout *layout, size_t phase, uint8_t *head,
		       uint8_t *tail)
{
	const struct patch_site *site = &layout->sites[phase];
	const uint8_t *stub = patch_stub_point;
	size_t at = layout->points[phase], size = patch_label(stub, patch_stub_point_end);
	size_t advance = layout->code + patch_label(patch_stub_entry, patch_stub_advance);

	memcpy(tail + at, stub, size);
	put_number(tail + at + patch_label(stub, patch_stub_point_phase), (uint32_t)phase);
	put_number(tail + at + patch_label(stub, patch_stub_point_nr),
		   (uint32_t)plan->phases[phase].nr);
	if (put_target(layout, tail, at, stub, patch_stub_point_filter,
		       patch_layout_address(layout, layout->filters[phase])) ||
	    put_target(layout, tail, at, stub, patch_stub_point_call,
		       patch_layout_address(layout, advance)) ||
	    patch_site_move(elf, site, patch_layout_address(layout, at + size), tail + at + size) <
		    0)
		return -ERANGE;
	head[site->offset] = 0xe9;
	memset(head + site->offset + PATCH_JUMP_SIZE, CODE_FILL, site->size - PATCH_JUMP_SIZE);
	return patch_put_distance(head + site->offset + 1, site->address + 1,
				  patch_layout_address(layout, at));
}

static void write_header(const struct patch_elf *elf, const struct patch_layout *layout,
			 const struct patch_image *image)
{
	Elf64_Ehdr header = elf->header;

	if (layout->table_size)
		patch_sections_write(elf, layout->sections, layout->nr_sections,
				     layout->offset + layout->table, image->tail + layout->table,
				     &header);
	header.e_entry = patch_layout_address(layout, layout->code);
	header.e_phoff = layout->offset;
	header.e_phnum = (Elf64_Half)layout->nr_segments;
	memcpy(image->head, &header, sizeof(header));
}

static int write_image(const struct patch_elf *elf, const struct patch_plan *plan,
		       const struct patch_layout *layout, const struct patch_image *image)
{
	const struct patch_part *code = &layout->parts[1];
	int err;

	memcpy(image->head, elf->bytes, elf->size);
	patch_layout_write(elf, plan, layout, image->tail);
	for (size_t i = 0; i < plan->nr_phases; i++)
		memcpy(image->tail + layout->filters[i], plan->phases[i].filter,
		       plan->phases[i].nr * sizeof(struct sock_filter));
	memset(image->tail + code->begin, CODE_FILL, code->end - code->begin);
	err = write_entry(elf, plan, layout, image->tail);
	for (size_t i = 1; !err && i < plan->nr_phases; i++)
		err = write_point(elf, plan, layout, i, image->head, image->tail);
	write_header(elf, layout, image);
	return err;
}

int patch_make(const uint8_t *bytes, size_t size, const struct patch_plan *plan,
	       struct patch_image *ret, char ret_what[static PATCH_WHAT_SIZE])
{
	struct patch_image image = { .head_size = size };
	struct patch_layout layout;
	struct patch_elf elf;
	int err = patch_elf_read(&elf, bytes, size, ret_what);

	if (!err && elf.has_note)
		err = patch_refuse(ret_what, "is patched already: patch the original");
	if (!err)
		err = patch_layout_make(&elf, plan, &layout, ret_what);
	if (err)
		return err;
	image.tail_offset = layout.offset;
	image.tail_size = layout.size;
	image.head = malloc(size);
	image.tail = calloc(1, layout.size);
	if (!image.head || !image.tail)
		err = -ENOMEM;
	else if (write_image(&elf, plan, &layout, &image))
		err = patch_refuse(ret_what, "is too large: its parts are over 2 GiB apart");
	if (err)
		patch_image_free(&image);
	else
		*ret = image;
	return err;
}

#else /* stubs are for x86-64, and so are the programs that run here with them */

int patch_make(const uint8_t *bytes, size_t size, const struct patch_plan *plan,
	       struct patch_image *ret, char ret_what[static PATCH_WHAT_SIZE])
{
	struct patch_elf elf;
	int err = patch_elf_read(&elf, bytes, size, ret_what);

	(void)plan;
	(void)ret;
	return err ? err : patch_refuse(ret_what, "can only be patched on x86-64");
}

#endif

void patch_image_free(struct patch_image *image)
{
	free(image->head);
	free(image->tail);
	*image = (struct patch_image){ 0 };
}
