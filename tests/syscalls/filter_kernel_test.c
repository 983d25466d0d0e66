/* SPDX-License-Identifier: MIT */
/*
 * Filters in the kernel: a child installs one and makes calls. What is refused is not made, so any
 * number can be tried that the emulator says is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/audit.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/cbpf.h"
#include "support/policies.h"
#include "support/verdicts.h"
#include "syscalls/filter.h"

#define LAST_NUMBER 600
#define NOT_TRIED   INT32_MIN

/* What a child saw, where its parent can read it. */
struct seen {
	int installed;
	int results[LAST_NUMBER + 1]; /* 0 or more, or a negative errno */
};

static struct seen *seen;
static struct sock_filter filters[8][FILTER_MAX];
static size_t nr_insns[8];

static int map_seen(void **state)
{
	(void)state;
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return seen == MAP_FAILED;
}

/* Compiles the phases of POLICY, as its own action has it. */
static size_t compile(const struct policy *policy)
{
	const struct filter_config config = { .action = -1, .installs_itself = true };

	for (size_t i = 0; i < policy->nr_phases; i++) {
		int nr = filter_compile(policy, i, &config, filters[i]);

		assert_true(nr > 0);
		nr_insns[i] = (size_t)nr;
	}
	return policy->nr_phases;
}

static int install(size_t nr_filters, unsigned int flags)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) < 0)
		return -errno;
	for (size_t i = 0; i < nr_filters; i++) {
		int err = filter_install(filters[i], nr_insns[i], flags);

		if (err)
			return err;
	}
	return 0;
}

/* Runs ACT in a child under the first NR_FILTERS filters. Returns its status, as wait(2) has it. */
static int in_child(size_t nr_filters, void (*act)(const void *ctx), const void *ctx)
{
	int status;
	pid_t pid;

	seen->installed = NOT_TRIED;
	for (size_t i = 0; i <= LAST_NUMBER; i++)
		seen->results[i] = NOT_TRIED;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		seen->installed = install(nr_filters, 0);
		if (seen->installed == 0)
			act(ctx);
		syscall(SYS_exit_group, 0);
		__builtin_trap();
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(seen->installed, 0);
	return status;
}

static void try(uint32_t nr)
{
	long result = syscall((long)nr, -1L, -1L, -1L, -1L, -1L, -1L);

	seen->results[nr] = result < 0 ? -errno : 0;
}

/* Those that are allowed and do nothing. */
static bool is_harmless(uint32_t nr)
{
	return nr == SYS_getppid || nr == SYS_getuid || nr == SYS_close || nr == SYS_getpid ||
	       nr == SYS_gettid;
}

/*
 * uretprobe(2) and uprobe(2) pass by all filters (kernel/seccomp.c, Linux 6.14 and 6.18), and end
 * whoever is not at a probe.
 */
static bool is_unfiltered(uint32_t nr)
{
	return nr == 335 || nr == 336;
}

static void try_all(const void *ctx)
{
	const bool *is_allowed = ctx;

	for (uint32_t nr = 0; nr <= LAST_NUMBER; nr++)
		if ((!is_allowed[nr] || is_harmless(nr)) && !is_unfiltered(nr))
			try(nr);
}

/* Tries all numbers under the first NR_FILTERS phases of POLICY; the last one decides. */
static size_t check_all(const struct policy *policy, size_t nr_filters)
{
	static const uint64_t args[6] = { UINT64_MAX, UINT64_MAX, UINT64_MAX,
					  UINT64_MAX, UINT64_MAX, UINT64_MAX };
	bool is_allowed[LAST_NUMBER + 1];
	size_t nr_refused = 0;
	int status;

	for (uint32_t nr = 0; nr <= LAST_NUMBER; nr++) {
		struct seccomp_data data = { .nr = (int)nr, .arch = AUDIT_ARCH_X86_64 };
		uint32_t answer =
			cbpf_run(filters[nr_filters - 1], nr_insns[nr_filters - 1], &data, NULL);

		assert_int_equal(answer,
				 policy_answer(policy, nr_filters - 1, data.arch, nr, args));
		is_allowed[nr] = answer == SECCOMP_RET_ALLOW;
	}
	status = in_child(nr_filters, try_all, is_allowed);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	for (uint32_t nr = 0; nr <= LAST_NUMBER; nr++) {
		if (is_unfiltered(nr)) {
			assert_false(is_allowed[nr]);
		} else if (!is_allowed[nr]) {
			assert_int_equal(seen->results[nr],
					 policy_refusal(policy, SYSCALL_ARCH_x86_64, nr));
			nr_refused++;
		} else if (is_harmless(nr)) {
			assert_int_equal(seen->results[nr], nr == SYS_close ? -EBADF : 0);
		}
	}
	return nr_refused;
}

static void test_each_number_is_answered_as_emulated(void **state)
{
	struct policy *policy = policy_made("exit_group getppid getuid close");

	(void)state;
	compile(policy);
	/* what is refused is also the always-list's: 15 calls are allowed */
	assert_true(check_all(policy, 1) > LAST_NUMBER - 30);
	policy_free(policy);
}

static void test_stacked_phases_take_away(void **state)
{
	const struct policy_config config = { .action = POLICY_ERRNO, .is_exact = true };
	struct recording *recording = recording_made("a b c d");
	struct policy *policy;
	size_t nr_refused = 0;

	(void)state;
	recording_did(recording, NODE_START_command, 0, "exit_group getuid");
	recording_did(recording, NODE_START_phase, 1, "geteuid");
	recording_did(recording, NODE_START_phase, 2, "getgid");
	recording_did(recording, NODE_START_phase, 3, "getegid close");
	recording_did(recording, NODE_START_phase, 4, "getppid");
	recording_ran(recording, "0000000000000000000000000000000a");
	policy = policy_made_of(recording, &config);
	assert_int_equal(compile(policy), 5);
	for (size_t i = 1; i <= 5; i++) {
		size_t nr;

		/* seccomp(2), which the program needs for the next, is no call of the phase */
		if (i < 5)
			policy_set_add(&policy->phases[i - 1].allowed, SYSCALL_ARCH_x86_64,
				       SYS_seccomp);
		nr = check_all(policy, i);
		assert_true(nr > nr_refused);
		nr_refused = nr;
	}
	policy_free(policy);
}

static void call_ptrace(const void *ctx)
{
	(void)ctx;
	try(SYS_ptrace);
}

static void test_kill_ends_the_process(void **state)
{
	struct policy *policy = policy_made("exit_group");
	int status;

	(void)state;
	policy_set_action(policy, POLICY_KILL);
	compile(policy);
	status = in_child(1, call_ptrace, NULL);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
	assert_int_equal(seen->results[SYS_ptrace], NOT_TRIED);
	policy_free(policy);
}

static void *wait_for_ever(void *ctx)
{
	(void)ctx;
	for (;;)
		pause();
	return NULL;
}

static void *call_from_thread(void *ctx)
{
	call_ptrace(ctx);
	return NULL;
}

/* Killing one thread would leave the others waiting for it. */
static void act_threads(const void *ctx)
{
	pthread_t thread;

	(void)ctx;
	pthread_create(&thread, NULL, wait_for_ever, NULL);
	pthread_create(&thread, NULL, call_from_thread, NULL);
	pthread_join(thread, NULL);
}

static void test_kill_ends_all_threads(void **state)
{
	struct policy *policy = policy_made(
		"exit_group exit clone3 clone mmap mprotect munmap rt_sigprocmask rseq futex pause "
		"set_robust_list madvise rt_sigaction getrandom brk");
	int status;

	(void)state;
	policy_set_action(policy, POLICY_KILL);
	compile(policy);
	alarm(120);
	status = in_child(1, act_threads, NULL);
	alarm(0);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
	policy_free(policy);
}

static void test_log_lets_it_happen(void **state)
{
	struct policy *policy = policy_made("exit_group");
	int status;

	(void)state;
	policy_set_action(policy, POLICY_LOG);
	compile(policy);
	status = in_child(1, call_ptrace, NULL);
	assert_true(WIFEXITED(status));
	/* no such request */
	assert_true(seen->results[SYS_ptrace] == -ESRCH || seen->results[SYS_ptrace] == -EIO);
	policy_free(policy);
}

static void call_rules(const void *ctx)
{
	(void)ctx;
	seen->results[0] = syscall(SYS_getpriority, 0L, 0L) < 0 ? -errno : 0;
	seen->results[1] = syscall(SYS_getpriority, 1L, 0L) < 0 ? -errno : 0;
	seen->results[2] = syscall(SYS_getpriority, 0x100000000L, 0L) < 0 ? -errno : 0;
	seen->results[3] = syscall(SYS_getpriority, 77L, 0L) < 0 ? -errno : 0;
}

static void test_arguments_are_looked_at(void **state)
{
	struct policy *policy = policy_made("exit_group getpriority");
	char what[POLICY_WHAT_SIZE];

	(void)state;
	assert_int_equal(policy_add_rule(policy, "getpriority:0=0,77", what), 0);
	compile(policy);
	in_child(1, call_rules, NULL);
	assert_int_equal(seen->results[0], 0);
	assert_int_equal(seen->results[1], -EPERM);
	assert_int_equal(seen->results[2], -EPERM);
	/* allowed, and then wrong */
	assert_int_equal(seen->results[3], -EINVAL);
	policy_free(policy);
}

#ifdef __x86_64__
static void call_i386(const void *ctx)
{
	long result;

	/* getpid(2) of i386, writev(2) of x86_64 */
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(*(const long *)ctx) : "memory");
	seen->results[0] = result < 0 ? (int)result : 0;
}

static void call_x32(const void *ctx)
{
	long nr = *(const long *)ctx | (long)SYSCALL_X32_BIT;

	seen->results[0] = syscall(nr) < 0 ? -errno : 0;
}

static void test_other_abis_kill(void **state)
{
	struct policy *policy = policy_made("exit_group getpid writev");
	const long getpid_i386 = 20, getpid_x32 = SYS_getpid;
	int status;

	(void)state;
	compile(policy);
	status = in_child(1, call_i386, &getpid_i386);
	/* where the kernel has no i386 calls it is a fault */
	assert_true(WIFSIGNALED(status));
	assert_true(WTERMSIG(status) == SIGSYS || WTERMSIG(status) == SIGSEGV);
	status = in_child(1, call_x32, &getpid_x32);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
	policy_free(policy);
}

static void test_i386_calls_that_were_seen_pass(void **state)
{
	struct policy *policy = policy_made("exit_group i386:getpid");
	const long getpid_i386 = 20, execve_i386 = 11;
	int status;

	(void)state;
	compile(policy);
	status = in_child(1, call_i386, &getpid_i386);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV) {
		print_message("the kernel has no i386 calls\n");
		policy_free(policy);
		skip();
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(seen->results[0], 0);
	status = in_child(1, call_i386, &execve_i386);
	assert_true(WIFEXITED(status));
	assert_int_equal(seen->results[0], -EPERM);
	policy_free(policy);
}
#endif

static pthread_barrier_t barrier;

/* Has a filter of its own, which no other thread has. */
static void *diverge(void *ctx)
{
	const struct sock_filter allow[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };

	*(int *)ctx = filter_install(allow, 1, 0);
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	return NULL;
}

static void test_a_thread_with_its_own_filter_is_busy(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		const struct sock_filter allow[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
		int own = -1, err[2];
		pthread_t thread;

		prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L);
		pthread_barrier_init(&barrier, NULL, 2);
		pthread_create(&thread, NULL, diverge, &own);
		pthread_barrier_wait(&barrier);
		err[0] = filter_install(allow, 1, SECCOMP_FILTER_FLAG_TSYNC);
		err[1] = filter_install(
			allow, 1, SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH);
		pthread_barrier_wait(&barrier);
		pthread_join(thread, NULL);
		_exit(own == 0 && err[0] == -EBUSY && err[1] == -EBUSY ? 42 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
}

static void test_without_rights_or_no_new_privs_it_is_refused(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		const struct sock_filter allow[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };

		if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
			_exit(2);
		_exit(filter_install(allow, 1, 0) == -EACCES ? 42 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_number_is_answered_as_emulated),
		cmocka_unit_test(test_stacked_phases_take_away),
		cmocka_unit_test(test_kill_ends_the_process),
		cmocka_unit_test(test_kill_ends_all_threads),
		cmocka_unit_test(test_log_lets_it_happen),
		cmocka_unit_test(test_arguments_are_looked_at),
#ifdef __x86_64__
		cmocka_unit_test(test_other_abis_kill),
		cmocka_unit_test(test_i386_calls_that_were_seen_pass),
#endif
		cmocka_unit_test(test_a_thread_with_its_own_filter_is_busy),
		cmocka_unit_test(test_without_rights_or_no_new_privs_it_is_refused),
	};

	return cmocka_run_group_tests(tests, map_seen, NULL);
}
