/* SPDX-License-Identifier: MIT */
#include "syscalls/patch_policy.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <string.h>

#include "syscalls/patch_stub.h"

/* arch/x86/entry/syscalls/syscall_64.tbl; names of this machine need not be those. */
#define NR_execve   59U
#define NR_prctl    157U
#define NR_seccomp  317U
#define NR_execveat 322U

/* The lower half of the first argument; both calls look at no more of it. */
#define OPERATION offsetof(struct seccomp_data, args)

static bool allows(const struct policy *policy, size_t phase, uint32_t nr)
{
	return policy_allows(policy, phase, SYSCALL_ARCH_x86_64, nr);
}

/* Whether the copy may come to be executed in PHASE. */
static bool executes(const struct policy *policy, size_t phase)
{
	return allows(policy, phase, NR_execve) || allows(policy, phase, NR_execveat);
}

/* Whether a filter may be installed in PHASE. */
static bool installs(const struct policy *policy, size_t phase)
{
	return phase + 1 < policy->nr_phases || executes(policy, phase);
}

struct program {
	struct sock_filter list[PATCH_POLICY_MAX];
	unsigned int nr;
};

static void add(struct program *program, struct sock_filter instruction)
{
	program->list[program->nr++] = instruction;
}

static void add_load(struct program *program, size_t offset)
{
	add(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned int)offset));
}

/* Goes over the next SKIPPED instructions unless what was loaded is VALUE. */
static void add_unless(struct program *program, unsigned int value, unsigned int skipped)
{
	add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0,
						  (unsigned char)skipped));
}

/* Returns VERDICT where what was loaded is VALUE. */
static void add_case(struct program *program, unsigned int value, unsigned int verdict)
{
	add_unless(program, value, 1);
	add(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, verdict));
}

/*
 * What is asked of seccomp(2). Two threads may come to the last point at once, and the second one
 * be too late to install its filter: that is an error, whatever else forbidden calls are.
 */
static void add_seccomp(struct program *program, const struct policy *policy, size_t phase)
{
	add_load(program, OPERATION);
	if (policy->nr_phases > 1)
		add_case(program, PATCH_STUB_QUESTION,
			 SECCOMP_RET_ERRNO | (PATCH_STUB_ANSWER + (unsigned int)phase));
	if (!allows(policy, phase, NR_seccomp))
		add_case(program, SECCOMP_SET_MODE_FILTER,
			 installs(policy, phase) ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | EPERM);
}

static void add_prctl(struct program *program, const struct policy *policy, size_t phase)
{
	add_load(program, OPERATION);
	if (executes(policy, phase) && !allows(policy, phase, NR_prctl))
		add_case(program, PR_SET_NO_NEW_PRIVS, SECCOMP_RET_ALLOW);
}

/* What comes before the policy's own filter; that begins anew, whatever was loaded. */
static void make_front(const struct policy *policy, size_t phase, struct program *ret)
{
	struct program seccomp = { .nr = 0 }, prctl = { .nr = 0 };

	*ret = (struct program){ .nr = 0 };
	if (policy->nr_phases == 1 && !executes(policy, phase))
		return;
	add_seccomp(&seccomp, policy, phase);
	add_prctl(&prctl, policy, phase);
	add_load(ret, offsetof(struct seccomp_data, arch));
	add_unless(ret, AUDIT_ARCH_X86_64, seccomp.nr + prctl.nr + 4);
	add_load(ret, offsetof(struct seccomp_data, nr));
	add_unless(ret, NR_seccomp, seccomp.nr + 1);
	for (unsigned int i = 0; i < seccomp.nr; i++)
		add(ret, seccomp.list[i]);
	add(ret, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, prctl.nr + 1));
	add_unless(ret, NR_prctl, prctl.nr);
	for (unsigned int i = 0; i < prctl.nr; i++)
		add(ret, prctl.list[i]);
}

int patch_policy_filter(const struct policy *policy, size_t phase, int action,
			struct sock_filter ret[static FILTER_MAX])
{
	const struct filter_config config = { .action = action };
	struct program front;
	int nr = filter_compile(policy, phase, &config, ret);

	if (nr < 0)
		return nr;
	make_front(policy, phase, &front);
	if ((size_t)nr + front.nr > FILTER_MAX)
		return -E2BIG;
	memmove(ret + front.nr, ret, (size_t)nr * sizeof(*ret));
	memcpy(ret, front.list, front.nr * sizeof(*ret));
	return nr + (int)front.nr;
}

bool patch_policy_narrow(struct policy *policy)
{
	struct policy_phase *first = &policy->phases[0];

	if (!allows(policy, 0, NR_execve) ||
	    policy_set_has(&first->seen, SYSCALL_ARCH_x86_64, NR_execve) ||
	    (policy->nr_phases > 1 && allows(policy, 1, NR_execve)))
		return false;
	first->allowed.words[SYSCALL_ARCH_x86_64][NR_execve / 64] &=
		~(UINT64_C(1) << NR_execve % 64);
	return true;
}

void patch_policy_note(const struct policy *policy, struct policy_notes *notes)
{
	if (policy->nr_phases > 1 && !allows(policy, policy->nr_phases - 2, NR_seccomp))
		policy_note(notes, "phases before the last one also allow seccomp(2), so that the "
				   "copy can install the next filter");
	if (executes(policy, 0) && !(allows(policy, 0, NR_seccomp) && allows(policy, 0, NR_prctl)))
		policy_note(notes, "phases that allow execve(2) also allow seccomp(2) and "
				   "prctl(PR_SET_NO_NEW_PRIVS), so that the copy can execute "
				   "itself");
}
