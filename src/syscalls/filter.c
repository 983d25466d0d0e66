/* SPDX-License-Identifier: MIT */
#include "syscalls/filter.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "syscalls/policy_private.h"

/* Where seccomp(2) has what it looks at; the lower half of an argument comes first. */
#define AT_NR		  offsetof(struct seccomp_data, nr)
#define AT_ARCH		  offsetof(struct seccomp_data, arch)
#define AT_LOW(argument)  (offsetof(struct seccomp_data, args) + sizeof(uint64_t) * (argument))
#define AT_HIGH(argument) (AT_LOW(argument) + sizeof(uint32_t))
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the halves are the other way round");

/* Jumps have 8 bits; what is further is reached over a BPF_JA. */
#define JUMP_MAX 255

/* How the numbers from FROM to that of the next range are answered. */
struct range {
	uint32_t from;
	uint32_t answer; /* SECCOMP_RET_*; 0xffffffff: by the rules of a call */
	uint32_t nr;	 /* that call */
	enum syscall_arch arch;
};

#define ANSWER_RULES UINT32_MAX

/* Both ABIs of x86_64 change at each number, and a range at each end. */
#define RANGES_MAX (2 * SYSCALLS_MAX + 4)

/* log2 of RANGES_MAX, and one for each level that waits. */
#define DEPTH_MAX 16

/* A program on its way. What is too much sticks. */
struct build {
	const struct policy *policy;
	size_t phase;
	const struct filter_config *config;
	enum policy_action action;
	struct sock_filter *code;
	size_t nr;
	bool is_full;
	struct range ranges[RANGES_MAX];
	size_t nr_ranges;
};

static void emit(struct build *build, uint16_t code, uint32_t k, size_t jt, size_t jf)
{
	if (build->nr == FILTER_MAX || jt > JUMP_MAX || jf > JUMP_MAX) {
		build->is_full = true;
		return;
	}
	build->code[build->nr++] =
		(struct sock_filter){ .code = code, .jt = (uint8_t)jt, .jf = (uint8_t)jf, .k = k };
}

static void emit_load(struct build *build, size_t at)
{
	emit(build, BPF_LD | BPF_W | BPF_ABS, (uint32_t)at, 0, 0);
}

static void emit_return(struct build *build, uint32_t answer)
{
	emit(build, BPF_RET | BPF_K, answer, 0, 0);
}

/* Makes the jump at AT, if one was emitted, lead to what comes next. */
static void land(struct build *build, size_t at)
{
	size_t distance = build->nr - at - 1;

	if (build->is_full)
		return;
	if (BPF_OP(build->code[at].code) == BPF_JA)
		build->code[at].k = (uint32_t)distance;
	else
		build->code[at].jt = (uint8_t)distance;
}

static uint32_t refusal(const struct build *build, enum syscall_arch arch, uint32_t nr)
{
	if (!build->config->tells_all && build->action != POLICY_LOG &&
	    policy_falls_back(build->policy, arch, nr))
		return SECCOMP_RET_ERRNO | ENOSYS;
	switch (build->action) {
	case POLICY_KILL:
		return SECCOMP_RET_KILL_PROCESS;
	case POLICY_LOG:
		return SECCOMP_RET_LOG;
	case POLICY_NOTIFY:
		return SECCOMP_RET_USER_NOTIF;
	default:
		return SECCOMP_RET_ERRNO | (uint32_t)-policy_refusal(build->policy, arch, nr);
	}
}

static uint32_t foreign(const struct build *build)
{
	return build->config->tells_all ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_KILL_PROCESS;
}

static bool is_call(enum syscall_arch arch, uint32_t nr, const char *name)
{
	const char *known = syscall_name(arch, nr);

	return known && strcmp(known, name) == 0;
}

/* What becomes of call NR. */
static uint32_t answer_to(const struct build *build, enum syscall_arch arch, uint32_t nr)
{
	const struct policy *policy = build->policy;

	if (build->config->installs_itself && build->phase + 1 < policy->nr_phases &&
	    arch == policy->native && is_call(arch, nr, "seccomp"))
		return SECCOMP_RET_ALLOW;
	if (build->config->tells_all &&
	    (is_call(arch, nr, "execve") || is_call(arch, nr, "execveat")))
		return SECCOMP_RET_USER_NOTIF;
	if (!policy_allows(policy, build->phase, arch, nr))
		return refusal(build, arch, nr);
	return policy_has_rule(policy, arch, nr) ? ANSWER_RULES : SECCOMP_RET_ALLOW;
}

static void add_range(struct build *build, const struct range *range)
{
	const struct range *last = &build->ranges[build->nr_ranges - (build->nr_ranges > 0)];

	if (build->nr_ranges > 0 && last->answer == range->answer && range->answer != ANSWER_RULES)
		return;
	if (build->nr_ranges == RANGES_MAX)
		build->is_full = true;
	else
		build->ranges[build->nr_ranges++] = *range;
}

/* Adds the ranges of all numbers of ARCH, which begin with BIT. */
static void add_ranges(struct build *build, enum syscall_arch arch, uint32_t bit)
{
	for (uint32_t nr = 0; nr < SYSCALLS_MAX; nr++)
		add_range(build, &(struct range){ .from = nr | bit,
						  .answer = answer_to(build, arch, nr),
						  .nr = nr,
						  .arch = arch });
	add_range(build, &(struct range){ .from = SYSCALLS_MAX | bit,
					  .answer = refusal(build, arch, SYSCALLS_MAX),
					  .nr = SYSCALLS_MAX,
					  .arch = arch });
}

/* The ranges of all numbers that calls of the audit architecture of ARCH have. */
static void make_ranges(struct build *build, enum syscall_arch arch)
{
	bool has_x32 = build->policy->has_arch[SYSCALL_ARCH_x32];

	build->nr_ranges = 0;
	if (arch != SYSCALL_ARCH_x86_64) {
		add_ranges(build, arch, 0);
		return;
	}
	add_ranges(build, SYSCALL_ARCH_x86_64, 0);
	if (has_x32)
		add_ranges(build, SYSCALL_ARCH_x32, SYSCALL_X32_BIT);
	else
		add_range(build,
			  &(struct range){ .from = SYSCALL_X32_BIT, .answer = foreign(build) });
	/* a tracer makes it -1 to have no call made: see ptrace(2), PTRACE_SYSCALL */
	add_range(build, &(struct range){ .from = UINT32_MAX,
					  .answer = refusal(build, arch, SYSCALLS_MAX) });
}

/* The values of one upper half, from AT on, and how many there are. */
static size_t group_at(const struct policy_rule *rule, size_t at)
{
	size_t nr = 1;

	while (at + nr < rule->nr_values && rule->values[at + nr] >> 32 == rule->values[at] >> 32)
		nr++;
	return nr;
}

/* Goes on behind itself where RULE holds, else answers. */
static void emit_rule(struct build *build, const struct policy_rule *rule, uint32_t answer)
{
	size_t matches[POLICY_VALUES_MAX];
	size_t nr_matches = 0;

	for (size_t at = 0; at < rule->nr_values;) {
		size_t nr = group_at(rule, at);

		emit_load(build, AT_HIGH(rule->argument));
		emit(build, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(rule->values[at] >> 32), 0,
		     nr + 1);
		emit_load(build, AT_LOW(rule->argument));
		for (size_t end = at + nr; at < end; at++) {
			matches[nr_matches++] = build->nr;
			emit(build, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)rule->values[at], 0, 0);
		}
	}
	emit_return(build, answer);
	for (size_t i = 0; i < nr_matches; i++)
		land(build, matches[i]);
}

static void emit_answer(struct build *build, const struct range *range)
{
	const struct policy *policy = build->policy;

	if (range->answer != ANSWER_RULES) {
		emit_return(build, range->answer);
		return;
	}
	for (size_t i = 0; i < policy->nr_rules; i++)
		if (policy->rules[i].arch == range->arch && policy->rules[i].nr == range->nr)
			emit_rule(build, &policy->rules[i], refusal(build, range->arch, range->nr));
	emit_return(build, SECCOMP_RET_ALLOW);
}

/* How many instructions the tree of the ranges from FIRST to END has at most. */
static size_t bound(const struct build *build, size_t first, size_t end)
{
	const struct policy *policy = build->policy;
	size_t nr = 2 * (end - first - 1);

	for (size_t i = first; i < end; i++) {
		nr++;
		for (size_t k = 0; build->ranges[i].answer == ANSWER_RULES && k < policy->nr_rules;
		     k++)
			if (policy->rules[k].arch == build->ranges[i].arch &&
			    policy->rules[k].nr == build->ranges[i].nr)
				nr += 4 * (size_t)policy->rules[k].nr_values + 1;
	}
	return nr;
}

/* Ranges that are still to be emitted, and the jump that leads to them. */
struct waiting {
	size_t first, end, jump;
	bool has_jump;
};

/*
 * A binary tree, smaller numbers first: each level compares once. What waits is at most one half of
 * each level.
 */
static void emit_tree(struct build *build)
{
	struct waiting stack[DEPTH_MAX];
	size_t nr = 0;

	stack[nr++] = (struct waiting){ .end = build->nr_ranges };
	while (nr > 0 && !build->is_full) {
		struct waiting part = stack[--nr];
		size_t middle = part.first + (part.end - part.first) / 2;
		bool is_far;

		if (part.has_jump)
			land(build, part.jump);
		if (part.end - part.first == 1) {
			emit_answer(build, &build->ranges[part.first]);
			continue;
		}
		is_far = bound(build, part.first, middle) > JUMP_MAX;
		emit(build, BPF_JMP | BPF_JGE | BPF_K, build->ranges[middle].from, 0, is_far);
		if (is_far)
			emit(build, BPF_JMP | BPF_JA, 0, 0, 0);
		stack[nr++] = (struct waiting){
			.first = middle, .end = part.end, .jump = build->nr - 1, .has_jump = true
		};
		stack[nr++] = (struct waiting){ .first = part.first, .end = middle };
	}
}

/* The calls of ARCH, for those that have its number among the architectures. */
static void emit_arch(struct build *build, enum syscall_arch arch)
{
	size_t jump;

	/* over the jump to what is not this one */
	emit(build, BPF_JMP | BPF_JEQ | BPF_K, syscall_arch_audit(arch), 1, 0);
	jump = build->nr;
	emit(build, BPF_JMP | BPF_JA, 0, 0, 0);
	emit_load(build, AT_NR);
	make_ranges(build, arch);
	emit_tree(build);
	land(build, jump);
}

int filter_compile(const struct policy *policy, size_t phase, const struct filter_config *config,
		   struct sock_filter ret[static FILTER_MAX])
{
	/* the one of this machine first: the others are for few calls */
	const enum syscall_arch arches[] = { policy->native, SYSCALL_ARCH_x86_64, SYSCALL_ARCH_i386,
					     SYSCALL_ARCH_arm64 };
	_cleanup_(cleanup_free) struct build *build = calloc(1, sizeof(*build));

	if (!build)
		return -ENOMEM;
	build->policy = policy;
	build->phase = phase;
	build->config = config;
	build->action = config->action < 0 ? policy->action : (enum policy_action)config->action;
	build->code = ret;
	if (config->tells_all)
		build->action = POLICY_NOTIFY;
	emit_load(build, AT_ARCH);
	for (size_t i = 0; i < sizeof(arches) / sizeof(arches[0]); i++)
		if (i == 0 || (policy->has_arch[arches[i]] && arches[i] != policy->native))
			emit_arch(build, arches[i]);
	emit_return(build, foreign(build));
	return build->is_full ? -E2BIG : (int)build->nr;
}

int filter_install(const struct sock_filter *filter, size_t nr, unsigned int flags)
{
	struct sock_fprog program = {
		.len = (unsigned short)nr,
		/* it is only read */
		.filter = (struct sock_filter *)filter,
	};
	long result;

	if (nr == 0 || nr > FILTER_MAX)
		return -EINVAL;
	result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	if (result < 0)
		return errno == ESRCH ? -EBUSY : -errno;
	/* with TSYNC it is the id of the thread that could not follow */
	if (result > 0 && !(flags & SECCOMP_FILTER_FLAG_NEW_LISTENER))
		return -EBUSY;
	return (int)result;
}
