/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_PATCH_STUB_H
#define SYSCALLS_PATCH_STUB_H

/*
 * The machine code that is added to a patched program (patch_stub.S), as bytes of this one, where
 * it is for x86-64. Included by the assembler too.
 *
 * Which phase a process is in nobody but the kernel knows for certain: memory is shared with the
 * children of vfork(2), which are processes of their own, and copied by a fork(2) while another
 * thread is at it. So the filters answer for themselves. Each one that belongs to a program with
 * several phases makes seccomp(PATCH_STUB_QUESTION) fail with PATCH_STUB_ANSWER and its phase
 * instead of an errno; of several filters that do so the newest is heard (seccomp(2)).
 */

/* No operation of seccomp(2), which has a handful of them, and what the kernel never returns. */
#define PATCH_STUB_QUESTION 0x63747068
#define PATCH_STUB_ANSWER   4000

#ifndef __ASSEMBLER__

#include <stdint.h>

#define PATCH_STUB_LABEL(name) extern const uint8_t name[] __attribute__((visibility("hidden")))

/* Where a patched program begins, with what the points use, up to _end. */
PATCH_STUB_LABEL(patch_stub_entry);
PATCH_STUB_LABEL(patch_stub_entry_filter); /* distance to the filter of phase 0 */
PATCH_STUB_LABEL(patch_stub_entry_nr);	   /* number of its instructions */
PATCH_STUB_LABEL(patch_stub_entry_jump);   /* distance to the program's own entry */
PATCH_STUB_LABEL(patch_stub_advance);
PATCH_STUB_LABEL(patch_stub_advance_lock); /* distance to 4 bytes of memory, 0 in the file */
PATCH_STUB_LABEL(patch_stub_entry_end);

/* For each point, up to _end. */
PATCH_STUB_LABEL(patch_stub_point);
PATCH_STUB_LABEL(patch_stub_point_phase);  /* the number of the phase */
PATCH_STUB_LABEL(patch_stub_point_filter); /* distance to its filter */
PATCH_STUB_LABEL(patch_stub_point_nr);	   /* number of its instructions */
PATCH_STUB_LABEL(patch_stub_point_call);   /* distance to patch_stub_advance */
PATCH_STUB_LABEL(patch_stub_point_end);

#undef PATCH_STUB_LABEL

#endif /* __ASSEMBLER__ */

#endif /* SYSCALLS_PATCH_STUB_H */
