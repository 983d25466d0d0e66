/* SPDX-License-Identifier: MIT */
#ifndef LIB_CLOSE_ALL_H
#define LIB_CLOSE_ALL_H

/*
 * Closes every descriptor from FIRST on, eight at a time. For a process that ends, which would do
 * that one by one: to let go of a link of a BPF program the kernel waits until it runs nowhere any
 * more, 50 ms and more. Where /proc cannot be read, those up to 1,023.
 */
void close_all(int first);

#endif /* LIB_CLOSE_ALL_H */
