/* SPDX-License-Identifier: MIT */
#include "support/cbpf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void __attribute__((noreturn)) refuse(const char *why, size_t at)
{
	fprintf(stderr, "cbpf: instruction %zu: %s\n", at, why);
	abort();
}

/* One machine. */
struct machine {
	uint32_t a, x;
	uint64_t reads;
};

static void check(const struct sock_filter *filter, size_t nr)
{
	if (nr == 0 || nr > BPF_MAXINSNS)
		refuse("a filter has 1 to 4096 instructions", nr);
	if (BPF_CLASS(filter[nr - 1].code) != BPF_RET)
		refuse("the last one does not return", nr - 1);
	for (size_t i = 0; i < nr; i++) {
		const struct sock_filter *insn = &filter[i];

		if (insn->code == (BPF_LD | BPF_W | BPF_ABS) &&
		    (insn->k % 4 || insn->k >= sizeof(struct seccomp_data)))
			refuse("loads what is not there", i);
		if (BPF_CLASS(insn->code) != BPF_JMP)
			continue;
		if (BPF_OP(insn->code) == BPF_JA ? insn->k >= nr - i - 1
						 : insn->jt >= nr - i - 1 || insn->jf >= nr - i - 1)
			refuse("jumps out of the filter", i);
	}
}

static uint32_t compute(const struct sock_filter *insn, struct machine *machine, size_t at)
{
	uint32_t operand = BPF_SRC(insn->code) == BPF_X ? machine->x : insn->k;

	switch (BPF_OP(insn->code)) {
	case BPF_ADD:
		return machine->a + operand;
	case BPF_SUB:
		return machine->a - operand;
	case BPF_AND:
		return machine->a & operand;
	case BPF_OR:
		return machine->a | operand;
	case BPF_XOR:
		return machine->a ^ operand;
	case BPF_LSH:
		return operand < 32 ? machine->a << operand : 0;
	case BPF_RSH:
		return operand < 32 ? machine->a >> operand : 0;
	}
	refuse("arithmetic that is not emulated", at);
}

/* How far the jump goes beyond the next instruction. */
static size_t distance(const struct sock_filter *insn, const struct machine *machine, size_t at)
{
	uint32_t operand = BPF_SRC(insn->code) == BPF_X ? machine->x : insn->k;
	bool is_true;

	switch (BPF_OP(insn->code)) {
	case BPF_JA:
		return insn->k;
	case BPF_JEQ:
		is_true = machine->a == operand;
		break;
	case BPF_JGT:
		is_true = machine->a > operand;
		break;
	case BPF_JGE:
		is_true = machine->a >= operand;
		break;
	case BPF_JSET:
		is_true = (machine->a & operand) != 0;
		break;
	default:
		refuse("a jump that is not emulated", at);
	}
	return is_true ? insn->jt : insn->jf;
}

static void load(const struct sock_filter *insn, const struct seccomp_data *data,
		 struct machine *machine, size_t at)
{
	switch (insn->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		memcpy(&machine->a, (const char *)data + insn->k, sizeof(machine->a));
		machine->reads |= UINT64_C(15) << insn->k;
		break;
	case BPF_LD | BPF_IMM:
		machine->a = insn->k;
		break;
	case BPF_LDX | BPF_IMM:
		machine->x = insn->k;
		break;
	default:
		refuse("a load that is not emulated", at);
	}
}

uint32_t cbpf_run(const struct sock_filter *filter, size_t nr, const struct seccomp_data *data,
		  uint64_t *ret_reads)
{
	struct machine machine = { 0 };
	size_t at = 0;

	check(filter, nr);
	for (;; at++) {
		const struct sock_filter *insn = &filter[at];

		switch (BPF_CLASS(insn->code)) {
		case BPF_LD:
		case BPF_LDX:
			load(insn, data, &machine, at);
			break;
		case BPF_ALU:
			machine.a = compute(insn, &machine, at);
			break;
		case BPF_JMP:
			at += distance(insn, &machine, at);
			break;
		case BPF_RET:
			if (ret_reads)
				*ret_reads = machine.reads;
			return BPF_RVAL(insn->code) == BPF_A ? machine.a : insn->k;
		default:
			refuse("an instruction that is not emulated", at);
		}
	}
}

bool cbpf_is_remembered(const struct sock_filter *filter, size_t nr, uint32_t arch, uint32_t number)
{
	const struct seccomp_data data = { .nr = (int)number, .arch = arch };
	struct machine machine = { 0 };

	check(filter, nr);
	for (size_t at = 0;; at++) {
		const struct sock_filter *insn = &filter[at];

		switch (insn->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (insn->k != offsetof(struct seccomp_data, nr) &&
			    insn->k != offsetof(struct seccomp_data, arch))
				return false;
			load(insn, &data, &machine, at);
			break;
		case BPF_JMP | BPF_JA:
		case BPF_JMP | BPF_JEQ | BPF_K:
		case BPF_JMP | BPF_JGE | BPF_K:
		case BPF_JMP | BPF_JGT | BPF_K:
		case BPF_JMP | BPF_JSET | BPF_K:
			at += distance(insn, &machine, at);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			machine.a &= insn->k;
			break;
		case BPF_RET | BPF_K:
			return insn->k == SECCOMP_RET_ALLOW;
		default:
			return false;
		}
	}
}
