/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_USDT_WHERE_H
#define INSPECT_USDT_WHERE_H

/* Where a static probe has an argument; also for BPF programs. */
enum usdt_where {
	USDT_NOWHERE,  /* there is no such argument, or it is told in a form that is not known */
	USDT_NUMBER,   /* it is the number itself */
	USDT_REGISTER, /* what is in the register */
	USDT_MEMORY,   /* what is at the address in the register plus the number */
};

#endif /* INSPECT_USDT_WHERE_H */
