/* SPDX-License-Identifier: MIT */
#include "lib/memory.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#define BUFFER_SIZE (64U << 10)

void memory_trim(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

int memory_text_begin(struct memory_text *text)
{
	*text = (struct memory_text){ 0 };
	text->out = open_memstream(&text->bytes, &text->size);
	return text->out ? 0 : -ENOMEM;
}

int memory_text_end(struct memory_text *text, int err, char **ret, size_t *ret_size)
{
	/* an error that was met on the way need not be met again by what is left to write */
	if (ferror(text->out) && !err)
		err = -ENOMEM;
	if (fclose(text->out) && !err)
		err = -ENOMEM;
	/* glibc says nothing where it has no memory to end the text with (libio/memstream.c). */
	if (!text->bytes && !err)
		err = -ENOMEM;
	if (err) {
		free(text->bytes);
		return err;
	}
	*ret = text->bytes;
	*ret_size = text->size;
	return 0;
}

static int add(void *ctx, const char *bytes, size_t size)
{
	return output_write(ctx, bytes, size);
}

int memory_json_begin(struct memory_json *memory, enum json_style style)
{
	*memory = (struct memory_json){ .buffer = malloc(BUFFER_SIZE) };
	if (!memory->buffer)
		return -ENOMEM;
	output_memory(&memory->output, &memory->text);
	json_init(&memory->json, memory->buffer, BUFFER_SIZE, style, add, &memory->output);
	return 0;
}

int memory_json_end(struct memory_json *memory, int err, char **ret, size_t *ret_size)
{
	if (!err)
		err = json_flush(&memory->json);
	free(memory->buffer);
	if (err) {
		free(memory->text.bytes);
		return err;
	}
	*ret = memory->text.bytes;
	*ret_size = memory->text.size;
	return 0;
}
