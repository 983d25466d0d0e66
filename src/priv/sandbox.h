/* SPDX-License-Identifier: MIT */
#ifndef PRIV_SANDBOX_H
#define PRIV_SANDBOX_H

/*
 * The system calls that are left after start-up, as a seccomp filter. Anything else fails with
 * EPERM. Needs no_new_privs (privileges_drop()).
 */

/* For the process that reads records and writes the output. Returns 0 or a negative errno. */
int sandbox_enter_reader(void);

/* For the one that opens files for it (priv/broker.h). Returns 0 or a negative errno. */
int sandbox_enter_broker(void);

#endif /* PRIV_SANDBOX_H */
