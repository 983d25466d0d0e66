/* SPDX-License-Identifier: MIT */
#ifndef SOURCES_SOURCE_H
#define SOURCES_SOURCE_H

/*
 * The contract of an event source. A source is a folder below sources/ and one line in sources.def:
 *
 *   NAME.h      its wire struct, shared with BPF
 *   NAME.bpf.c  its BPF programs (none where the kernel has a better way, as for lib_load)
 *   NAME.c      its field table, its hooks and, last in the file, its descriptor
 *
 * No other file knows it. docs/adding-a-source.md walks through one.
 */

#include <stdbool.h>
#include <stddef.h>

#include "lib/array.h"
#include "pipeline/field.h"
#include "pipeline/record.h"

struct processes;

/* What the absence of a program means. */
enum program_use {
	PROGRAM_REQUIRED,
	PROGRAM_OPTIONAL, /* the kernel may lack its hook: the others carry on */
};

struct source_program {
	const char *name; /* function in NAME.bpf.c */
	const char *hook; /* NULL: what its section names */
	enum program_use use;
	/* "system/name" of the tracepoint of a tp_btf program that not all kernels have. */
	const char *event;
};

/* One of the ways in which a source can see what happens; each tells the same. */
struct source_hook {
	const char *name; /* for --hook and coverage; as a rule the first program's section */
	const struct source_program *programs;
	size_t nr_programs;
	/*
	 * Its programs or, on the kernels that have it, those of other sources can be preempted
	 * in the middle: they must not put records together in the same memory. The kernel keeps
	 * one program from running twice on a CPU.
	 */
	bool is_preempted;
	const char *needs; /* a file without which it is not worth trying; NULL: none */
	bool sees_compat;  /* 32-bit system calls, too: nothing has to be attached late for them */
};

struct source {
	const char *name;  /* of the folder and of the event */
	const char *help;  /* one line, for people */
	bool is_internal;  /* reported only when asked for by name */
	bool is_on_demand; /* reported only when asked for, or with what is: it costs more */
	bool is_basic;	   /* loaded also when it is not reported: all need what it tells */
	uint32_t serves;   /* likewise, when one of these is reported: a bit for each source */
	struct fields fields;
	size_t min_size; /* bytes of the fixed part; shorter records are malformed */
	/* Offsets of the struct tail members, checked against the record's size by decode. */
	const size_t *tails;
	size_t nr_tails;

	/* The compiled BPF object; NULL pointers for a source without one. */
	const unsigned char *object;
	const unsigned char *object_end;
	/* At least one; the first that this kernel takes is used (trace/hook.h). */
	const struct source_hook *hooks;
	size_t nr_hooks;

	/*
	 * Checks the record beyond min_size and the tails, and fills the source's slots. May be
	 * NULL. Returns enum stage_result.
	 */
	int (*decode)(struct record *record);
	/*
	 * Changes the process table by RECORD, before it is enriched. May be NULL. Returns
	 * enum stage_result.
	 */
	int (*apply)(struct processes *processes, struct record *record);
};

/*
 * Embeds NAME.bpf.o, found in the build's include path, as NAME_object and NAME_object_end. Unlike
 * a generated header this needs no tool but the assembler. Hidden, so that their addresses are not
 * taken from the GOT: for labels of the same file clang 14 for arm64 names their section there and
 * an addend, and lld 14 adds that to the address of the section's entry in the GOT.
 */
#define EMBED_OBJECT(name)                                                                         \
	__asm__(".pushsection .rodata\n.balign 8\n" #name "_object:\n.incbin \"" #name             \
		".bpf.o\"\n" #name "_object_end:\n.popsection\n");                                 \
	extern const unsigned char name##_object[] __attribute__((visibility("hidden")));          \
	extern const unsigned char name##_object_end[] __attribute__((visibility("hidden")))

/* The size of an embedded object from BEGIN to END, which are not one array to the compiler. */
static inline size_t object_size(const unsigned char *begin, const unsigned char *end)
{
	return (size_t)((uintptr_t)end - (uintptr_t)begin);
}

enum source_id {
#define SOURCE(id, name) SOURCE_##name = id,
#include "sources.def"
#undef SOURCE
	NR_SOURCES
};

#define SOURCE(id, name) extern const struct source name##_source;
#include "sources.def"
#undef SOURCE

/* All sources by id. */
extern const struct source *const sources[NR_SOURCES];

/* The fields that every event begins with. */
extern const struct fields event_head_fields;

/* The source called NAME (SIZE bytes), or NULL. */
const struct source *source_find(const char *name, size_t size);

/*
 * The hook of SOURCE called NAME, or the first whose name is NAME up to its first slash ("tp").
 * NULL when there is none.
 */
const struct source_hook *source_hook_find(const struct source *source, const char *name);

/* Writes the names of SOURCE's hooks to TEXT, SIZE bytes, as many as fit: indented, one a line. */
const char *source_hook_names(const struct source *source, char *text, size_t size);

/* The id of SOURCE. */
enum source_id source_id(const struct source *source);

#endif /* SOURCES_SOURCE_H */
