/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cbpf.h"

#define LABELS_MAX (2 * BPF_MAXINSNS)
#define LABEL_SIZE 16

struct label {
	char name[LABEL_SIZE];
	size_t at;
};

/* A filter on its way; jumps name their labels until all of these are known. */
struct assembly {
	const char *text;
	struct sock_filter *code;
	size_t nr;
	struct label labels[LABELS_MAX];
	size_t nr_labels;
	char jumps[BPF_MAXINSNS][2][LABEL_SIZE];
};

static void __attribute__((noreturn)) refuse(const char *why, const char *text)
{
	fprintf(stderr, "cbpf_assemble: %s: %.40s\n", why, text);
	abort();
}

/* White space and comments. */
static void skip(struct assembly *assembly)
{
	for (;;) {
		assembly->text += strspn(assembly->text, " \t\n");
		if (strncmp(assembly->text, "/*", 2) != 0)
			return;
		assembly->text = strstr(assembly->text, "*/");
		if (!assembly->text)
			refuse("a comment without an end", "");
		assembly->text += 2;
	}
}

static bool take(struct assembly *assembly, const char *token)
{
	size_t size = strlen(token);

	skip(assembly);
	if (strncmp(assembly->text, token, size) != 0)
		return false;
	assembly->text += size;
	return true;
}

static void take_word(struct assembly *assembly, char ret[static LABEL_SIZE])
{
	size_t size = 0;

	skip(assembly);
	while (isalnum((unsigned char)assembly->text[size]) || assembly->text[size] == '_')
		size++;
	if (size == 0 || size >= LABEL_SIZE)
		refuse("no word", assembly->text);
	memcpy(ret, assembly->text, size);
	ret[size] = '\0';
	assembly->text += size;
}

static uint32_t take_number(struct assembly *assembly)
{
	char *end;
	unsigned long value;

	skip(assembly);
	value = strtoul(assembly->text, &end, 0);
	if (end == assembly->text || value > UINT32_MAX)
		refuse("no number", assembly->text);
	assembly->text = end;
	return (uint32_t)value;
}

static void add(struct assembly *assembly, uint16_t code, uint32_t k)
{
	if (assembly->nr == BPF_MAXINSNS)
		refuse("too long", assembly->text);
	assembly->code[assembly->nr++] = (struct sock_filter){ .code = code, .k = k };
}

static void take_jump(struct assembly *assembly, uint16_t op)
{
	size_t at = assembly->nr;

	if (!take(assembly, "#"))
		refuse("no constant", assembly->text);
	add(assembly, BPF_JMP | op | BPF_K, take_number(assembly));
	for (size_t i = 0; i < 2 && take(assembly, ","); i++)
		take_word(assembly, assembly->jumps[at][i]);
}

static void take_instruction(struct assembly *assembly)
{
	char word[LABEL_SIZE];

	take_word(assembly, word);
	if (take(assembly, ":")) {
		struct label *label = &assembly->labels[assembly->nr_labels++];

		memcpy(label->name, word, sizeof(word));
		label->at = assembly->nr;
	} else if (strcmp(word, "ld") == 0) {
		if (!take(assembly, "["))
			refuse("no address", assembly->text);
		add(assembly, BPF_LD | BPF_W | BPF_ABS, take_number(assembly));
		if (!take(assembly, "]"))
			refuse("no end of an address", assembly->text);
	} else if (strcmp(word, "ret") == 0) {
		if (!take(assembly, "#"))
			refuse("no constant", assembly->text);
		add(assembly, BPF_RET | BPF_K, take_number(assembly));
	} else if (strcmp(word, "ja") == 0) {
		size_t at = assembly->nr;

		add(assembly, BPF_JMP | BPF_JA, 0);
		take_word(assembly, assembly->jumps[at][0]);
	} else if (strcmp(word, "jeq") == 0) {
		take_jump(assembly, BPF_JEQ);
	} else if (strcmp(word, "jge") == 0) {
		take_jump(assembly, BPF_JGE);
	} else {
		refuse("no instruction", word);
	}
}

static size_t distance_to(const struct assembly *assembly, size_t from, const char *name)
{
	if (!*name)
		return 0;
	for (size_t i = 0; i < assembly->nr_labels; i++)
		if (strcmp(assembly->labels[i].name, name) == 0 && assembly->labels[i].at > from)
			return assembly->labels[i].at - from - 1;
	refuse("a jump to a label that does not follow", name);
}

static void resolve(struct assembly *assembly)
{
	for (size_t i = 0; i < assembly->nr; i++) {
		struct sock_filter *insn = &assembly->code[i];
		size_t jt, jf;

		if (BPF_CLASS(insn->code) != BPF_JMP)
			continue;
		jt = distance_to(assembly, i, assembly->jumps[i][0]);
		jf = distance_to(assembly, i, assembly->jumps[i][1]);
		if (BPF_OP(insn->code) == BPF_JA) {
			insn->k = (uint32_t)jt;
			continue;
		}
		if (jt > UINT8_MAX || jf > UINT8_MAX)
			refuse("a jump that is too long", assembly->jumps[i][0]);
		insn->jt = (uint8_t)jt;
		insn->jf = (uint8_t)jf;
	}
}

size_t cbpf_assemble(const char *text, struct sock_filter ret[static BPF_MAXINSNS])
{
	struct assembly *assembly = calloc(1, sizeof(*assembly));
	size_t nr;

	if (!assembly)
		abort();
	assembly->text = text;
	assembly->code = ret;
	for (skip(assembly); *assembly->text; skip(assembly))
		take_instruction(assembly);
	resolve(assembly);
	nr = assembly->nr;
	free(assembly);
	return nr;
}
