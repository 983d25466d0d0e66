/* SPDX-License-Identifier: MIT */
#ifndef CMD_OPENER_H
#define CMD_OPENER_H

/*
 * Two processes for a command that reads what others may have written: recordings, policies,
 * programs. The one that the user started keeps the user's rights, opens what the command line
 * names, by its place there, and parses nothing. Its child gives up all rights, asks for these
 * files, parses them and writes the result. What a bug in a parser is worth then: the files that
 * were given, and a wrong result.
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/options.h"
#include "lib/output.h"

/* Verbs from here on are the command's own. */
#define OPENER_VERB_OWN 16

struct opener_request {
	uint32_t verb;
	uint32_t number;
	char path[PATH_MAX]; /* NUL-terminated */
};

#define OPENER_BYTES_MAX (PATH_MAX + 1024)

/* With a descriptor where there is one. */
struct opener_answer {
	int32_t err;
	uint32_t reserved;
	uint8_t bytes[OPENER_BYTES_MAX]; /* as the verb has it */
};

/*
 * What a command has beyond the common verbs, called in the first process. Returns 0 or a negative
 * errno; a descriptor in *RET_FD is taken over.
 */
typedef int opener_serve(void *ctx, const struct opener_request *request,
			 struct opener_answer *answer, int *ret_fd);

/*
 * Splits this process in two. SERVE, with CTX, may be NULL. Returns true in the child, which has no
 * rights any more; false in the first process when the child has ended, with its exit status, 128 +
 * signal, in *RET_STATUS: also, having said why, where there is no child.
 */
bool opener_enter(const struct options *options, opener_serve *serve, void *ctx, int *ret_status);

/* Whether this is such a child. */
bool opener_has_entered(void);

/*
 * In the child: has VERB served, for NUMBER or PATH (NULL: none). ANSWER is filled in; a descriptor
 * in *RET_FD is the caller's, -1: none came; NULL: none is wanted. Returns 0 or a negative errno;
 * -EPIPE: nobody is there.
 */
int opener_ask(uint32_t verb, uint32_t number, const char *path, struct opener_answer *answer,
	       int *ret_fd);

/*
 * File number I of the command line, the policy of --policy, each open for reading. In a process
 * that is no such child they open it themselves. They return a descriptor, the caller's, or a
 * negative errno.
 */
int opener_file(const struct options *options, size_t i);
int opener_policy(const struct options *options);

/* As output_open() for --output, likewise. */
int opener_output(const struct options *options, struct output *ret);

#endif /* CMD_OPENER_H */
