/* SPDX-License-Identifier: MIT */
/*
 * The filter of one phase as the kernel takes it: struct sock_filter after struct sock_filter, in
 * the byte order of this machine, and nothing else, as `bwrap --seccomp` reads it.
 */
#include <errno.h>
#include <stdlib.h>

#include "syscalls/filter.h"

static int format_bpf_render(const struct policy *policy, size_t phase, struct policy_notes *notes,
			     char **ret, size_t *ret_size)
{
	const struct filter_config config = { .action = -1 };
	struct sock_filter *filter = calloc(FILTER_MAX, sizeof(*filter));
	int nr;

	(void)notes;
	if (!filter)
		return -ENOMEM;
	nr = filter_compile(policy, phase, &config, filter);
	if (nr < 0) {
		free(filter);
		return nr;
	}
	*ret = (char *)filter;
	*ret_size = (size_t)nr * sizeof(*filter);
	return 0;
}

const struct policy_format policy_format_bpf = {
	.name = "bpf",
	.help = "one phase as the bytes that seccomp(2) takes",
	.render = format_bpf_render,
};
