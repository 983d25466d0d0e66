/* SPDX-License-Identifier: MIT */
#include "support/verdicts.h"

#include <errno.h>
#include <linux/audit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cbpf.h"
#include "support/policies.h"
#include "syscalls/policy_private.h"

#define LAST_NUMBER 600

#define SHELL                                                                                      \
	"read write close lseek mmap mprotect munmap brk ioctl pread64 access socket connect "     \
	"statfs arch_prctl futex getdents64 set_tid_address exit_group openat newfstatat "         \
	"set_robust_list prlimit64 getrandom statx rseq execve"

static void __attribute__((noreturn)) fail(const char *what)
{
	fprintf(stderr, "verdicts: %s\n", what);
	abort();
}

/* Each second number, or each that a generator picks: the worst for ranges. */
static struct policy *scattered(unsigned int seed)
{
	struct policy *policy = policy_made("execve");
	uint32_t state = seed;

	for (uint32_t nr = 0; nr <= 450; nr++) {
		state = state * 1103515245 + 12345;
		/* what has no name is not said in all formats */
		if (policy_can_name(SYSCALL_ARCH_x86_64, nr) && (seed ? state >> 16 & 1 : nr % 2))
			policy_set_add(&policy->phases[0].allowed, SYSCALL_ARCH_x86_64, nr);
	}
	return policy;
}

static struct policy *with_action(struct policy *policy, enum policy_action action)
{
	policy_set_action(policy, action);
	return policy;
}

static struct policy *phased(void)
{
	const struct policy_config config = { .action = POLICY_ERRNO };
	struct recording *recording = recording_made("main first:epoll_wait");

	recording_did(recording, NODE_START_command, 0, SHELL " clone3 bind listen");
	recording_did(recording, NODE_START_phase, 1, "read openat fcntl epoll_ctl clone3");
	recording_did(recording, NODE_START_phase, 2, "epoll_wait read write accept4 close");
	recording_ran(recording, "00000000000000000000000000000002");
	return policy_made_of(recording, &config);
}

struct policy *verdicts_sample(size_t i)
{
	switch (i) {
	case 0:
		return policy_made(SHELL);
	case 1:
		return with_action(policy_made(SHELL), POLICY_KILL);
	case 2:
		return with_action(policy_made(SHELL), POLICY_LOG);
	case 3:
		return with_action(policy_made(SHELL), POLICY_NOTIFY);
	case 4:
		return policy_made("execve");
	case 5:
		return phased();
	case 6:
		return with_action(phased(), POLICY_KILL);
	case 7:
	case 8:
	case 9:
		return scattered((unsigned int)i - 7);
	case 10:
		return with_action(scattered(3), POLICY_KILL);
	default:
		return NULL;
	}
}

/* The answer as kinds of it are: which thread is killed says nothing of the verdict. */
static uint32_t kind_of(uint32_t answer)
{
	uint32_t action = answer & SECCOMP_RET_ACTION_FULL;

	if (action == SECCOMP_RET_KILL_THREAD || action == SECCOMP_RET_KILL_PROCESS)
		return SECCOMP_RET_KILL_PROCESS;
	return action == SECCOMP_RET_ERRNO ? answer : action;
}

static uint32_t expected(const struct policy *policy, size_t phase, enum verdicts_but but,
			 const struct seccomp_data *data)
{
	uint64_t args[6];
	uint32_t answer;

	memcpy(args, data->args, sizeof(args));
	answer = policy_answer(policy, phase, data->arch, (uint32_t)data->nr, args);
	if (answer == (SECCOMP_RET_ERRNO | ENOSYS) && but == VERDICTS_UNKNOWN_EPERM)
		return SECCOMP_RET_ERRNO | EPERM;
	if (answer == (SECCOMP_RET_ERRNO | ENOSYS) && but == VERDICTS_UNKNOWN_KILL)
		return SECCOMP_RET_KILL_PROCESS;
	return answer;
}

static void compare_one(const struct policy *policy, size_t phase, enum verdicts_but but,
			uint32_t (*answer)(const void *ctx, const struct seccomp_data *data),
			const void *ctx, const struct seccomp_data *data)
{
	uint32_t want = kind_of(expected(policy, phase, but, data));
	uint32_t got = kind_of(answer(ctx, data));

	if (want == got)
		return;
	fprintf(stderr, "verdicts: arch 0x%x, number 0x%x, phase %zu: 0x%x instead of 0x%x\n",
		data->arch, (unsigned int)data->nr, phase, got, want);
	abort();
}

size_t verdicts_compare(const struct policy *policy, size_t phase, enum verdicts_but but,
			uint32_t (*answer)(const void *ctx, const struct seccomp_data *data),
			const void *ctx)
{
	static const struct {
		uint32_t arch, bit;
	} abis[] = {
		{ AUDIT_ARCH_X86_64, 0 },
		{ AUDIT_ARCH_I386, 0 },
		{ AUDIT_ARCH_X86_64, SYSCALL_X32_BIT },
		{ AUDIT_ARCH_AARCH64, 0 },
	};
	static const uint32_t beyond[] = { 1022, 1023, 1024, 1025, 4095, 0x3fffffff };
	size_t nr_compared = 0;

	for (size_t i = 0; i < sizeof(abis) / sizeof(abis[0]); i++) {
		struct seccomp_data data = { .arch = abis[i].arch };

		for (uint32_t nr = 0; nr <= LAST_NUMBER; nr++, nr_compared++) {
			data.nr = (int)(nr | abis[i].bit);
			compare_one(policy, phase, but, answer, ctx, &data);
		}
		for (size_t k = 0; k < sizeof(beyond) / sizeof(beyond[0]); k++, nr_compared++) {
			data.nr = (int)(beyond[k] | abis[i].bit);
			compare_one(policy, phase, but, answer, ctx, &data);
		}
	}
	return nr_compared;
}

struct filter {
	const struct sock_filter *code;
	size_t nr;
};

static uint32_t answer_of_filter(const void *ctx, const struct seccomp_data *data)
{
	const struct filter *filter = ctx;

	return cbpf_run(filter->code, filter->nr, data, NULL);
}

size_t verdicts_compare_filter(const struct policy *policy, size_t phase, enum verdicts_but but,
			       const struct sock_filter *filter, size_t nr)
{
	const struct filter ctx = { filter, nr };

	return verdicts_compare(policy, phase, but, answer_of_filter, &ctx);
}

char *verdicts_render(const struct policy *policy, const char *format, size_t phase,
		      size_t *ret_size)
{
	struct policy_notes notes = { 0 };
	char *text, *terminated;
	size_t size;

	if (policy_format_find(format)->render(policy, phase, &notes, &text, &size))
		fail(format);
	policy_notes_free(&notes);
	terminated = realloc(text, size + 1);
	if (!terminated)
		fail("no memory");
	terminated[size] = '\0';
	if (ret_size)
		*ret_size = size;
	return terminated;
}
