/* SPDX-License-Identifier: MIT */
/*
 * The filter of one phase to be read, in the language of the kernel's tools/bpf/bpf_asm, which
 * makes it a filter again (Documentation/networking/filter.rst).
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/memory.h"
#include "syscalls/filter.h"
#include "syscalls/format.h"

/* What is known about a place in a filter from the instructions before it. */
struct text {
	FILE *out;
	bool is_target[FILTER_MAX + 1];
	enum syscall_arch arch; /* whose numbers are compared, by BPF_JGE alone */
	bool is_argument;	/* part of one is loaded */
};

static void mark_targets(struct text *text, const struct sock_filter *filter, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (BPF_CLASS(filter[i].code) != BPF_JMP)
			continue;
		if (BPF_OP(filter[i].code) == BPF_JA) {
			text->is_target[i + 1 + filter[i].k] = true;
			continue;
		}
		text->is_target[i + 1 + filter[i].jt] = true;
		if (filter[i].jf)
			text->is_target[i + 1 + filter[i].jf] = true;
	}
}

static void print_load(struct text *text, uint32_t at)
{
	fprintf(text->out, "ld [%u]", at);
	text->is_argument = at >= offsetof(struct seccomp_data, args);
	if (at == offsetof(struct seccomp_data, nr))
		fputs(" /* number */", text->out);
	else if (at == offsetof(struct seccomp_data, arch))
		fputs(" /* architecture */", text->out);
	else
		fprintf(text->out, " /* argument %zu, %s half */",
			(at - offsetof(struct seccomp_data, args)) / sizeof(uint64_t),
			(at - offsetof(struct seccomp_data, args)) % sizeof(uint64_t) ? "upper"
										      : "lower");
}

static void print_arch(struct text *text, uint32_t audit)
{
	for (size_t arch = 0; arch < NR_SYSCALL_ARCHES; arch++)
		if (arch != SYSCALL_ARCH_x32 &&
		    syscall_arch_audit((enum syscall_arch)arch) == audit) {
			text->arch = (enum syscall_arch)arch;
			fprintf(text->out, " /* %s */", syscall_arch_name(text->arch));
		}
}

static void print_number(const struct text *text, uint32_t nr)
{
	bool is_x32 = text->arch == SYSCALL_ARCH_x86_64 && nr & SYSCALL_X32_BIT;
	const char *name = syscall_name(is_x32 ? SYSCALL_ARCH_x32 : text->arch,
					is_x32 ? nr & ~SYSCALL_X32_BIT : nr);

	if (name)
		fprintf(text->out, " /* %s%s */", is_x32 ? "x32 " : "", name);
}

static void print_jump(struct text *text, const struct sock_filter *insn, size_t at)
{
	if (BPF_OP(insn->code) == BPF_JA) {
		fprintf(text->out, "ja l%zu", at + 1 + insn->k);
		return;
	}
	fprintf(text->out, "%s #0x%x, l%zu", BPF_OP(insn->code) == BPF_JEQ ? "jeq" : "jge", insn->k,
		at + 1 + insn->jt);
	if (insn->jf)
		fprintf(text->out, ", l%zu", at + 1 + insn->jf);
	if (BPF_OP(insn->code) == BPF_JGE)
		print_number(text, insn->k);
	else if (!text->is_argument)
		print_arch(text, insn->k);
}

static void print_return(struct text *text, uint32_t answer)
{
	const char *name = "";

	text->is_argument = false;
	switch (answer & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
		name = "allow";
		break;
	case SECCOMP_RET_KILL_PROCESS:
		name = "kill the process";
		break;
	case SECCOMP_RET_LOG:
		name = "log";
		break;
	case SECCOMP_RET_USER_NOTIF:
		name = "notify";
		break;
	case SECCOMP_RET_ERRNO:
		name = (answer & SECCOMP_RET_DATA) == EPERM ? "EPERM" : "ENOSYS";
		break;
	}
	fprintf(text->out, "ret #0x%x /* %s */", answer, name);
}

static void print_filter(struct text *text, const struct sock_filter *filter, size_t nr)
{
	mark_targets(text, filter, nr);
	for (size_t i = 0; i < nr; i++) {
		const struct sock_filter *insn = &filter[i];

		if (text->is_target[i])
			fprintf(text->out, "l%zu: ", i);
		else
			fputs("      ", text->out);
		if (BPF_CLASS(insn->code) == BPF_LD)
			print_load(text, insn->k);
		else if (BPF_CLASS(insn->code) == BPF_JMP)
			print_jump(text, insn, i);
		else
			print_return(text, insn->k);
		fputc('\n', text->out);
	}
}

static int format_bpf_text_render(const struct policy *policy, size_t phase,
				  struct policy_notes *notes, char **ret, size_t *ret_size)
{
	_cleanup_(cleanup_free) struct sock_filter *filter = calloc(FILTER_MAX, sizeof(*filter));
	_cleanup_(cleanup_free) struct text *text = calloc(1, sizeof(*text));
	const struct filter_config config = { .action = -1 };
	struct memory_text page;
	int nr;

	(void)notes;
	if (!filter || !text)
		return -ENOMEM;
	nr = filter_compile(policy, phase, &config, filter);
	if (nr < 0)
		return nr;
	if (memory_text_begin(&page))
		return -ENOMEM;
	fputs("/*\n", page.out);
	format_head(page.out, policy, phase, " * ");
	fputs(" */\n", page.out);
	text->out = page.out;
	print_filter(text, filter, (size_t)nr);
	return memory_text_end(&page, 0, ret, ret_size);
}

const struct policy_format policy_format_bpf_text = {
	.name = "bpf-text",
	.help = "one phase in words that bpf_asm makes a filter of again",
	.render = format_bpf_text_render,
};
