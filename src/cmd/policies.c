/* SPDX-License-Identifier: MIT */
#include "cmd/policies.h"

#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/opener.h"
#include "lib/log.h"
#include "syscalls/policy_apart.h"

/* It was not possible to VERB the policy. */
static int report(const struct options *options, const char *verb, const char *why,
		  const char *action)
{
	char quoted[LOG_QUOTE_SIZE];
	char what[LOG_QUOTE_SIZE + 64];

	snprintf(what, sizeof(what), "Cannot %s the policy '%s'", verb,
		 log_quote(quoted, options->syscalls.policy));
	error_report(what, why, action, NULL);
	return EXIT_ERROR;
}

int policies_read(const struct options *options, struct policy **ret)
{
	char what[POLICY_WHAT_SIZE];
	int fd = opener_policy(options);

	if (opener_has_entered() ? policy_read(fd, ret, what) : policy_read_apart(fd, ret, what))
		return report(options, "read", what,
			      "Solution: give a file that `crypto-tracer syscalls policy` wrote, "
			      "in the format json.");
	if (options->syscalls.action >= 0)
		policy_set_action(*ret, (enum policy_action)options->syscalls.action);
	return 0;
}

int policies_refuse(const struct options *options, const char *why, const char *action)
{
	return report(options, "use", why, action);
}
