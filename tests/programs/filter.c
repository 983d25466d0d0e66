/* SPDX-License-Identifier: MIT */
/*
 * Prints the system calls that another process may still make, from its own seccomp filters as the
 * kernel holds them: "openat arguments", a line each, "always" where no argument matters. Calls of
 * other ABIs (32-bit, x32) stand behind that: "i386:open always". `filter PID`, as root.
 *
 * What a filter answers to a call is found by following both branches wherever it looks at an
 * argument (Documentation/networking/filter.rst, seccomp(2)); of several filters the strictest
 * answer holds. Status 77: this kernel does not show filters (CONFIG_CHECKPOINT_RESTORE), or not
 * here, where this process has a filter itself (kernel/seccomp.c, seccomp_get_filter()).
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#define NUMBERS		1024 /* more than there are calls */
#define FILTERS_MAX	16

#define AUDIT_ARCH_THIS AUDIT_ARCH_X86_64
#if defined(__aarch64__)
#undef AUDIT_ARCH_THIS
#define AUDIT_ARCH_THIS AUDIT_ARCH_AARCH64
#endif
#define X32_BIT 0x40000000U

struct abi {
	const char *prefix;
	uint32_t arch;
	uint32_t bit;
};

static const struct abi abis[] = {
	{ "", AUDIT_ARCH_THIS, 0 },
#if defined(__x86_64__)
	{ "i386:", AUDIT_ARCH_I386, 0 },
	{ "x32:", AUDIT_ARCH_X86_64, X32_BIT },
#elif defined(__aarch64__)
	{ "arm:", AUDIT_ARCH_ARM, 0 },
#endif
};

/* Names of this machine's calls, from the C library's list of numbers. */
static const char *const names[NUMBERS] = {
#define SYSCALL(number, name) [number] = #name,
#if defined(__x86_64__)
#include "../../src/syscalls/syscalls_x86_64.def"
#elif defined(__aarch64__)
#include "../../src/syscalls/syscalls_arm64.def"
#endif
#undef SYSCALL
};

struct program {
	struct sock_filter insns[BPF_MAXINSNS];
	size_t nr;
};

static struct program filters[FILTERS_MAX];
static size_t nr_filters;

/* Where a walk is: the accumulator is known but for the bytes of an argument. */
struct walk {
	const struct program *program;
	uint32_t arch;
	uint32_t number;
	bool may_allow;
	bool may_refuse;
};

struct state {
	size_t at;
	uint32_t a;
	bool is_known;
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void not_read(const struct sock_filter *insn)
{
	fprintf(stderr, "an instruction that this does not know: %#x\n", insn->code);
	exit(1);
}

/* Whether a jump is taken: 1, 0, or -1, either. */
static int compare(const struct sock_filter *insn, const struct state *state)
{
	if (!state->is_known)
		return -1;
	switch (insn->code) {
	case BPF_JMP | BPF_JEQ | BPF_K:
		return state->a == insn->k;
	case BPF_JMP | BPF_JGT | BPF_K:
		return state->a > insn->k;
	case BPF_JMP | BPF_JGE | BPF_K:
		return state->a >= insn->k;
	case BPF_JMP | BPF_JSET | BPF_K:
		return (state->a & insn->k) != 0;
	default:
		not_read(insn);
		return -1;
	}
}

static void load(const struct walk *walk, const struct sock_filter *insn, struct state *state)
{
	state->is_known = true;
	if (insn->k == offsetof(struct seccomp_data, nr))
		state->a = walk->number;
	else if (insn->k == offsetof(struct seccomp_data, arch))
		state->a = walk->arch;
	else
		state->is_known = false;
}

static void answer(struct walk *walk, uint32_t action)
{
	action &= SECCOMP_RET_ACTION_FULL;
	if (action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG)
		walk->may_allow = true;
	else
		walk->may_refuse = true;
}

/* Filters have no loops: every walk ends. */
static void walk_from(struct walk *walk, struct state state)
{
	while (state.at < walk->program->nr) {
		const struct sock_filter *insn = &walk->program->insns[state.at++];
		int is_taken;

		if (insn->code == (BPF_RET | BPF_K)) {
			answer(walk, insn->k);
			return;
		}
		if (insn->code == (BPF_LD | BPF_W | BPF_ABS)) {
			load(walk, insn, &state);
			continue;
		}
		if (insn->code == (BPF_ALU | BPF_AND | BPF_K)) {
			state.a &= insn->k;
			continue;
		}
		if (insn->code == (BPF_JMP | BPF_JA)) {
			state.at += insn->k;
			continue;
		}
		is_taken = compare(insn, &state);
		if (is_taken != 0) {
			struct state taken = state;

			taken.at += insn->jt;
			walk_from(walk, taken);
		}
		if (is_taken == 1)
			return;
		state.at += insn->jf;
	}
	fprintf(stderr, "a filter that runs over its end\n");
	exit(1);
}

/* NULL: it is refused by one of the filters whatever its arguments. */
static const char *judge(uint32_t arch, uint32_t number)
{
	bool is_always = true;

	for (size_t i = 0; i < nr_filters; i++) {
		struct walk walk = { .program = &filters[i], .arch = arch, .number = number };

		walk_from(&walk, (struct state){ .is_known = true });
		if (!walk.may_allow)
			return NULL;
		is_always &= !walk.may_refuse;
	}
	return is_always ? "always" : "arguments";
}

static void print_all(const struct abi *abi)
{
	for (uint32_t i = 0; i < NUMBERS; i++) {
		const char *verdict = judge(abi->arch, i | abi->bit);

		if (!verdict)
			continue;
		if (!*abi->prefix && names[i])
			printf("%s %s\n", names[i], verdict);
		else
			printf("%s%u %s\n", abi->prefix, i, verdict);
	}
}

static void read_filters(pid_t pid)
{
	long nr;

	for (nr_filters = 0; nr_filters < FILTERS_MAX; nr_filters++) {
		struct program *program = &filters[nr_filters];

		nr = ptrace(PTRACE_SECCOMP_GET_FILTER, pid, (void *)nr_filters, program->insns);
		if (nr < 0)
			break;
		program->nr = (size_t)nr;
	}
	if (nr_filters == 0 || errno != ENOENT) {
		int err = errno;

		perror("PTRACE_SECCOMP_GET_FILTER");
		exit(err == EIO || err == EACCES ? 77 : 1);
	}
}

int main(int argc, char **argv)
{
	pid_t pid;
	int status;

	if (argc != 2)
		return 2;
	pid = atoi(argv[1]);
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0)
		fail("PTRACE_SEIZE");
	if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0)
		fail("PTRACE_INTERRUPT");
	if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
		fail("waitpid");
	read_filters(pid);
	if (ptrace(PTRACE_DETACH, pid, NULL, NULL) < 0)
		fail("PTRACE_DETACH");
	for (size_t i = 0; i < sizeof(abis) / sizeof(abis[0]); i++)
		print_all(&abis[i]);
	return 0;
}
