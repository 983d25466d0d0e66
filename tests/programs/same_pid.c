/* SPDX-License-Identifier: MIT */
/*
 * Makes a process with the number PID, which nobody may have any more, that opens FILE. Status 77:
 * this kernel does not let us.
 *
 * usage: same_pid PID FILE
 */
#include "../support/trigger.h"

#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>

int main(int argc, char **argv)
{
	pid_t wanted;
	pid_t child;

	if (argc != 3)
		return 2;
	wanted = atoi(argv[1]);

	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&wanted,
		.set_tid_size = 1,
	};

	child = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (child < 0 && (errno == ENOSYS || errno == EPERM))
		return 77;
	must(child);
	if (child == 0) {
		close((int)must(open(argv[2], O_RDONLY)));
		_exit(0);
	}
	if (child != wanted)
		die("got pid %d", child);
	wait_good(child);
	return 0;
}
