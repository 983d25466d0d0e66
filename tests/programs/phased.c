/* SPDX-License-Identifier: MIT */
/*
 * A program with functions where phases can begin, which tells under how many filters it is.
 *
 * usage: phased registers    what a point changes that it must not, or "kept"
 *        phased threads N    N threads go through a point at once: their numbers of filters
 *        phased fork         before a point; a child behind it; its child; the parent; behind it
 *        phased vfork        the same with vfork(2), which shares memory
 *        phased again        before, behind, again, behind the second point, again
 *        phased back         behind the second point; behind the first one after it
 *        phased exec N       executes itself N times, then tells
 *        phased own          a thread installs a filter of its own, then a point
 *        phased rename       whether rename(2) works before and behind a point
 */
#include "../support/trigger.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* Phases begin here. */
void first_point(void);
void second_point(void);

__attribute__((noinline)) void first_point(void)
{
	static volatile int hits;

	hits++;
}

__attribute__((noinline)) void second_point(void)
{
	static volatile int hits;

	hits += 2;
}

static int filters(void)
{
	FILE *file = fopen("/proc/thread-self/status", "re");
	char text[256];
	int nr = -1;

	if (!file)
		die("/proc/thread-self/status");
	while (fgets(text, sizeof(text), file))
		sscanf(text, "Seccomp_filters: %d", &nr);
	fclose(file);
	return nr;
}

static void tell(const char *what)
{
	printf("%s %d\n", what, filters());
	fflush(stdout);
}

#ifdef __x86_64__

#define NR_REGISTERS 15
#define NR_RED	     16
#define FLAGS	     0xcd5U /* all of arithmetic, and the direction */

/* As registers_run() found them behind the point: registers, the red zone, flags. */
uint64_t registers_out[NR_REGISTERS + NR_RED + 1];
uint64_t registers_vectors[32], registers_vectors_out[32];
void registers_run(void);

__asm__(".text\n"
	".globl registers_run\n"
	".type registers_run, @function\n"
	"registers_run:\n"
	".irp reg, rbx, rbp, r12, r13, r14, r15\n"
	"	push %\\reg\n"
	".endr\n"
	".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
	"	movups registers_vectors + 16 * \\n (%rip), %xmm\\n\n"
	".endr\n"
	"	pushq $0xcd5\n"
	"	popfq\n"
	".set value, 0\n"
	".irp reg, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15\n"
	"	.set value, value + 0x0101010101010101\n"
	"	movabs $value, %\\reg\n"
	".endr\n"
	".irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16\n"
	"	movq $0x1000 + \\n, -8 * \\n (%rsp)\n"
	".endr\n"
	".globl registers_point\n"
	".type registers_point, @function\n"
	"registers_point:\n"
	"	.fill 6, 1, 0x90\n"
	".set at, 0\n"
	".irp reg, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15\n"
	"	mov %\\reg, registers_out + at (%rip)\n"
	"	.set at, at + 8\n"
	".endr\n"
	".irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16\n"
	"	mov -8 * \\n (%rsp), %rax\n"
	"	mov %rax, registers_out + at (%rip)\n"
	"	.set at, at + 8\n"
	".endr\n"
	"	pushfq\n"
	"	popq registers_out + at (%rip)\n"
	"	cld\n"
	".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
	"	movups %xmm\\n, registers_vectors_out + 16 * \\n (%rip)\n"
	".endr\n"
	".irp reg, r15, r14, r13, r12, rbp, rbx\n"
	"	pop %\\reg\n"
	".endr\n"
	"	ret\n"
	".size registers_run, . - registers_run\n");

static int registers(void)
{
	for (size_t i = 0; i < 32; i++)
		registers_vectors[i] = 0x0123456789abcdefU * (i + 1);
	registers_run();
	for (size_t i = 0; i < NR_REGISTERS; i++)
		if (registers_out[i] != 0x0101010101010101U * (i + 1))
			printf("register %zu: %016jx\n", i, (uintmax_t)registers_out[i]);
	for (size_t i = 0; i < NR_RED; i++)
		if (registers_out[NR_REGISTERS + i] != 0x1001 + i)
			printf("red zone %zu: %016jx\n", i,
			       (uintmax_t)registers_out[NR_REGISTERS + i]);
	if ((registers_out[NR_REGISTERS + NR_RED] & FLAGS) != FLAGS)
		printf("flags: %jx\n", (uintmax_t)registers_out[NR_REGISTERS + NR_RED]);
	if (memcmp(registers_vectors, registers_vectors_out, sizeof(registers_vectors)) != 0)
		printf("vector registers\n");
	tell("kept");
	return 0;
}

#else

static int registers(void)
{
	return 77;
}

#endif

static pthread_barrier_t barrier;

static void *run_thread(void *result)
{
	pthread_barrier_wait(&barrier);
	first_point();
	pthread_barrier_wait(&barrier);
	*(int *)result = filters();
	return NULL;
}

static int threads(int nr)
{
	pthread_t thread[64];
	int result[64];

	if (nr < 1 || nr > 64)
		return 2;
	pthread_barrier_init(&barrier, NULL, (unsigned int)nr);
	for (int i = 0; i < nr; i++)
		if (pthread_create(&thread[i], NULL, run_thread, &result[i]))
			die("pthread_create");
	for (int i = 0; i < nr; i++) {
		pthread_join(thread[i], NULL);
		printf("%d\n", result[i]);
	}
	return 0;
}

static int with_fork(void)
{
	pid_t child;

	tell("before");
	child = must(fork());
	if (child == 0) {
		first_point();
		tell("child");
		child = must(fork());
		if (child == 0) {
			first_point();
			tell("grandchild");
			_exit(0);
		}
		wait_good(child);
		_exit(0);
	}
	wait_good(child);
	tell("parent");
	first_point();
	tell("behind");
	return 0;
}

static int with_vfork(void)
{
	int status;
	pid_t child;

	tell("before");
	child = vfork();
	if (child == 0) {
		first_point();
		_exit(filters());
	}
	must(waitpid(child, &status, 0));
	printf("child %d\n", WEXITSTATUS(status));
	tell("parent");
	first_point();
	tell("behind");
	return 0;
}

static int again(void)
{
	tell("before");
	first_point();
	tell("behind");
	first_point();
	tell("again");
	second_point();
	tell("second");
	second_point();
	first_point();
	tell("again");
	return 0;
}

static int back(void)
{
	second_point();
	tell("second");
	first_point();
	tell("first");
	return 0;
}

static int with_exec(int nr)
{
	char number[16];

	if (nr == 0) {
		tell("executed");
		return 0;
	}
	snprintf(number, sizeof(number), "%d", nr - 1);
	execl("/proc/self/exe", "phased", "exec", number, (char *)NULL);
	die("exec");
}

static void *install_own(void *unused)
{
	struct sock_filter allow = BPF_STMT(BPF_RET, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { .len = 1, .filter = &allow };

	must((int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
	pthread_barrier_wait(&barrier);
	pause();
	return unused;
}

static int own(void)
{
	pthread_t thread;

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	pthread_barrier_init(&barrier, NULL, 2);
	if (pthread_create(&thread, NULL, install_own, NULL))
		die("pthread_create");
	pthread_barrier_wait(&barrier);
	tell("before");
	first_point();
	tell("unfiltered");
	return 0;
}

static int with_rename(void)
{
	printf("before %s\n", rename("/nowhere/a", "/nowhere/b") < 0 ? strerror(errno) : "done");
	first_point();
	printf("behind %s\n", rename("/nowhere/a", "/nowhere/b") < 0 ? strerror(errno) : "done");
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(void);
	} acts[] = {
		{ "registers", registers }, { "fork", with_fork }, { "vfork", with_vfork },
		{ "again", again },	    { "back", back },	   { "own", own },
		{ "rename", with_rename },
	};

	if (argc == 3 && !strcmp(argv[1], "threads"))
		return threads(atoi(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "exec"))
		return with_exec(atoi(argv[2]));
	for (size_t i = 0; argc == 2 && i < sizeof(acts) / sizeof(acts[0]); i++)
		if (!strcmp(argv[1], acts[i].name))
			return acts[i].run();
	return 2;
}
