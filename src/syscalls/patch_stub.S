/* SPDX-License-Identifier: MIT */
/*
 * What is added to a patched program, for x86-64; see patch_stub.h. It is copied as it is: it does
 * not depend on where it stands, has no relocations and refers to nothing but itself. What the tool
 * puts in are the four bytes in front of a label that patch_stub.h names: distances to other parts,
 * as instructions have them, and numbers.
 *
 * It may come anywhere in the program, so it keeps all registers, the flags, and the 128 bytes below
 * the stack pointer that functions use without moving it (psABI x86-64, 3.2.2). Vector registers it
 * does not use, and system calls keep them; they change rax, rcx and r11 only.
 */
#ifdef __x86_64__

#include <asm/unistd_64.h>

#include "syscalls/patch_stub.h"

/* linux/prctl.h, linux/seccomp.h, signal.h, unistd.h; these have C in them */
#define PR_SET_NO_NEW_PRIVS	  38
#define SECCOMP_SET_MODE_FILTER	  1
#define SECCOMP_FILTER_FLAG_TSYNC 1
#define SIGKILL			  9
#define STDERR			  2

/* As the shell tells a process that was killed by SIGSYS. */
#define STATUS			  159

#define RED_ZONE		  128

/* Some tenths of a second: installing a filter takes a millisecond, to get a CPU for it longer. */
#define WAITS			  1048576

	/* A label that C sees. */
	.macro	label name
	.globl	\name
	.hidden	\name
\name:
	.endm

	.section .rodata.patch_stub, "a", @progbits
	.balign	16

/*
 * Where the loader goes once it has loaded everything. On the stack are the arguments, in rdx the
 * function to call at exit. The library's constructors have run, and may have made threads.
 */
label patch_stub_entry
	endbr64
	pushfq
	push	%rax
	push	%rcx
	push	%rdx
	push	%rsi
	push	%rdi
	push	%r8
	push	%r10
	push	%r11
	mov	$PR_SET_NO_NEW_PRIVS, %edi
	mov	$1, %esi
	xor	%edx, %edx
	xor	%r10d, %r10d
	xor	%r8d, %r8d
	mov	$__NR_prctl, %eax
	syscall
	test	%rax, %rax
	jnz	die
	lea	0(%rip), %rsi
label patch_stub_entry_filter
	mov	$0, %edi
label patch_stub_entry_nr
	call	install
	test	%rax, %rax
	jnz	die
	pop	%r11
	pop	%r10
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rdx
	pop	%rcx
	pop	%rax
	popfq
	.byte	0xe9 /* jmp, to where the program began before */
	.long	0
label patch_stub_entry_jump

/*
 * Installs the filter of EDI instructions at RSI in all threads. In rax: 0, a negative errno, or
 * the number of a thread that has a filter of its own. Changes rcx, rdx, rsi, rdi, r11.
 */
install:
	push	%rsi /* struct sock_fprog: the filter */
	push	%rdi /* and before it, in 16 bits, its length */
	mov	$SECCOMP_SET_MODE_FILTER, %edi
	mov	$SECCOMP_FILTER_FLAG_TSYNC, %esi
	mov	%rsp, %rdx
	mov	$__NR_seccomp, %eax
	syscall
	lea	16(%rsp), %rsp
	ret

/*
 * In eax the phase that this process is in, as its newest filter answers; negative where none of
 * ours is. Changes rcx, rdx, rsi, rdi, r11.
 */
ask:
	mov	$PATCH_STUB_QUESTION, %edi
	xor	%esi, %esi
	xor	%edx, %edx
	mov	$__NR_seccomp, %eax
	syscall
	neg	%eax
	sub	$PATCH_STUB_ANSWER, %eax
	ret

/*
 * Sees that the process is in phase EDX, whose filter are the EDI instructions at RSI. Changes rdx,
 * rsi, rdi and the flags.
 *
 * What counts is what the kernel answers. The lock only keeps threads that come here together from
 * installing the same filter several times, which would change nothing: who has waited long goes
 * on without it. It may be the copy of one whose owner is in another process, since fork(2).
 *
 * A thread may also come too late to install the filter, because another one's forbids that, and
 * finds, when it asks again, that the phase has begun.
 */
label patch_stub_advance
	push	%rax
	push	%rcx
	push	%r11
	push	%rbx
	push	%rbp
	push	%r12
	push	%rsi
	push	%rdi
	mov	%edx, %ebx
	call	ask
	cmp	%ebx, %eax
	jge	4f
	lea	0(%rip), %rbp
label patch_stub_advance_lock
	mov	$WAITS, %r12d
1:	mov	$1, %eax
	xchg	%eax, (%rbp)
	test	%eax, %eax
	jz	2f
	pause
	call	ask
	cmp	%ebx, %eax
	jge	4f
	dec	%r12d
	jnz	1b
2:	call	ask
	cmp	%ebx, %eax
	jge	3f
	mov	(%rsp), %rdi
	mov	8(%rsp), %rsi
	call	install
	test	%rax, %rax
	jz	3f
	mov	%rax, %r12
	call	ask
	cmp	%ebx, %eax
	mov	%r12, %rax
	jl	die
3:	movl	$0, (%rbp)
4:	pop	%rdi
	pop	%rsi
	pop	%r12
	pop	%rbp
	pop	%rbx
	pop	%r11
	pop	%rcx
	pop	%rax
	ret

/*
 * Ends the process: it must not go on without its filter. In rax is what installing it returned.
 * Whatever of this is forbidden by an earlier filter, exit_group is not.
 */
die:
	mov	%rax, %rbx
	lea	failed(%rip), %rsi
	mov	$failed_size, %edx
	test	%rax, %rax
	js	1f
	lea	thread(%rip), %rsi
	mov	$thread_size, %edx
1:	mov	$STDERR, %edi
	mov	$__NR_write, %eax
	syscall
	mov	%rbx, %rax
	test	%rax, %rax
	jns	2f
	neg	%rax
2:	sub	$32, %rsp /* room for a number of 64 bits */
	lea	31(%rsp), %rsi
	movb	$'\n', (%rsi)
	mov	$10, %ecx
3:	xor	%edx, %edx
	div	%rcx
	add	$'0', %dl
	dec	%rsi
	mov	%dl, (%rsi)
	test	%rax, %rax
	jnz	3b
	lea	32(%rsp), %rdx
	sub	%rsi, %rdx
	mov	$STDERR, %edi
	mov	$__NR_write, %eax
	syscall
	mov	$__NR_getpid, %eax
	syscall
	mov	%eax, %edi
	mov	$SIGKILL, %esi
	mov	$__NR_kill, %eax
	syscall
4:	mov	$STATUS, %edi
	mov	$__NR_exit_group, %eax
	syscall
	ud2
	jmp	4b

failed:
	.ascii	"crypto-tracer: the system call filter cannot be installed, this program ends: "
	.ascii	"error "
	.set	failed_size, . - failed
thread:
	.ascii	"crypto-tracer: the system call filter cannot be installed, this program ends: "
	.ascii	"there is another one in thread "
	.set	thread_size, . - thread
label patch_stub_entry_end

/*
 * Where a phase begins: what a jump in the program leads to. The tool writes the instructions that
 * the jump replaced, and a jump back, behind it.
 */
	.balign	16
label patch_stub_point
	lea	-RED_ZONE(%rsp), %rsp
	pushfq
	push	%rdx
	push	%rsi
	push	%rdi
	mov	$0, %edx
label patch_stub_point_phase
	lea	0(%rip), %rsi
label patch_stub_point_filter
	mov	$0, %edi
label patch_stub_point_nr
	.byte	0xe8 /* call patch_stub_advance */
	.long	0
label patch_stub_point_call
	pop	%rdi
	pop	%rsi
	pop	%rdx
	popfq
	lea	RED_ZONE(%rsp), %rsp
label patch_stub_point_end

#endif /* __x86_64__ */

	.section .note.GNU-stack, "", @progbits
