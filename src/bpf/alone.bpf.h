/* SPDX-License-Identifier: MIT */
#ifndef ALONE_BPF_H
#define ALONE_BPF_H

/*
 * Of a function that is none of a file the verifier looks at the body once, not once for each way
 * to each call: programs for packets are too large for Linux before 6.2 otherwise, and a loop that
 * may end anywhere takes what follows it as often. Its arguments are the context, numbers, and
 * memory that may be missing for all the verifier knows.
 */
#define VERIFIED_ALONE __attribute__((noinline))

#endif /* ALONE_BPF_H */
