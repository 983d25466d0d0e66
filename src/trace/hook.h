/* SPDX-License-Identifier: MIT */
#ifndef TRACE_HOOK_H
#define TRACE_HOOK_H

/*
 * Hooks of sources: which one this kernel takes is found out by loading and attaching them, in the
 * order in which the source lists them. What was tried before the one that is used leaves nothing
 * behind and is no error.
 */

#include "trace/session.h"

/*
 * Loads the programs that SOURCE has at HOOK around the maps of SESSION; with IS_REDUCED without
 * those it can do without. Returns 0 or a negative errno; the caller closes *RET.
 */
int hook_load(struct session *session, const struct source *source, const struct source_hook *hook,
	      bool is_reduced, struct bpf_object **ret);

/*
 * Loads and attaches SOURCE at the first hook that works, or at the one that SESSION forces. Fills
 * STATE. Returns 0 or a negative errno: what the last one said.
 */
int hook_open(struct session *session, const struct source *source, struct source_state *state);

/* Says in STATE, unless it is said already, that WHAT failed with ERR, a negative errno. */
void hook_set_reason(struct source_state *state, const char *what, int err);

/* Lets go of the links that STATE has; twice is safe. */
void hook_detach(struct source_state *state);

/* Detaches and unloads what STATE has; twice is safe. */
void hook_close(struct source_state *state);

#endif /* TRACE_HOOK_H */
