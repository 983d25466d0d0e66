/* SPDX-License-Identifier: MIT */
#include "priv/parser.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/log.h"
#include "priv/privileges.h"
#include "priv/sandbox.h"

int parser_confine(pid_t parent)
{
	int err = privileges_leave();

	if (err)
		return err;
	/* Not before: becoming another user undoes it (prctl(2)). */
	if (prctl(PR_SET_PDEATHSIG, (unsigned long)SIGKILL) < 0)
		return -errno;
	if (getppid() != parent)
		return -ESRCH;
	if (prctl(PR_GET_SECCOMP) < 0 && errno == EINVAL) {
		log_warn("this kernel has no system call filters: files are read without one");
		return 0;
	}
	return sandbox_enter_parser();
}
