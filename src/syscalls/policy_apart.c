/* SPDX-License-Identifier: MIT */
#include "syscalls/policy_apart.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/leaks.h"
#include "lib/utf8.h"
#include "priv/parser.h"
#include "syscalls/policy_flat.h"

/* What the child leaves, in memory that both share: it is anything. */
struct answer {
	int32_t err; /* of reading it; 0: POLICY is there */
	int32_t is_there;
	char what[POLICY_WHAT_SIZE];
	struct policy_flat policy;
};

static int say(char what[static POLICY_WHAT_SIZE], int err, const char *why)
{
	snprintf(what, POLICY_WHAT_SIZE, "%s", why);
	return err;
}

static int parse(int fd, pid_t parent, struct answer *answer)
{
	struct policy *policy = NULL;
	int err = parser_confine(parent);

	if (err) {
		snprintf(answer->what, sizeof(answer->what),
			 "the process that reads it cannot give up its rights: %s", strerror(-err));
		return err;
	}
	err = policy_read(fd, &policy, answer->what);
	if (err)
		return err;
	err = policy_flatten(policy, &answer->policy);
	policy_free(policy);
	return err ? say(answer->what, err, "a text in it is longer than any that was recorded")
		   : 0;
}

static void __attribute__((noreturn)) child_main(int fd, pid_t parent, struct answer *answer)
{
	answer->err = parse(fd, parent, answer);
	answer->is_there = 1;
	leaks_check();
	_exit(0);
}

/* Has a child fill ANSWER. Returns 0, or a negative errno with why not in WHAT. */
static int ask(int fd, struct answer *answer, char what[static POLICY_WHAT_SIZE])
{
	pid_t parent = getpid();
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		child_main(fd, parent, answer);
	if (pid < 0)
		return say(what, -errno, "no process can be made that reads it");
	/* Where children end unseen, as SIGCHLD is ignored, it has ended when this fails. */
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			break;
	if (WIFSIGNALED(status)) {
		snprintf(what, POLICY_WHAT_SIZE, "the process that reads it was ended: %s",
			 strsignal(WTERMSIG(status)));
		return -ECHILD;
	}
	return status ? say(what, -ECHILD, "the process that reads it failed") : 0;
}

/* What ANSWER, which nobody changes any more, says. */
static int take(struct answer *answer, struct policy **ret, char what[static POLICY_WHAT_SIZE])
{
	int err = answer->err;

	if (!answer->is_there)
		return say(what, -ECHILD, "the process that reads it failed");
	if (err) {
		text_escape(what, POLICY_WHAT_SIZE, answer->what,
			    strnlen(answer->what, sizeof(answer->what)));
		return err < 0 ? err : -EBADMSG;
	}
	err = policy_unflatten(&answer->policy, ret);
	return err ? say(what, err, err == -ENOMEM ? strerror(ENOMEM) : "it cannot be made use of")
		   : 0;
}

int policy_read_apart(int fd, struct policy **ret, char ret_what[static POLICY_WHAT_SIZE])
{
	_cleanup_(cleanup_free) struct answer *copy = NULL;
	struct answer *answer;
	int err;

	if (fd < 0)
		return policy_read(fd, ret, ret_what);
	answer = mmap(NULL, sizeof(*answer), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	copy = malloc(sizeof(*copy));
	if (answer == MAP_FAILED || !copy) {
		if (answer != MAP_FAILED)
			munmap(answer, sizeof(*answer));
		close(fd);
		return say(ret_what, -ENOMEM, strerror(ENOMEM));
	}
	err = ask(fd, answer, ret_what);
	close(fd);
	/* Nobody is left that could change it; and if there were. */
	memcpy(copy, answer, sizeof(*copy));
	munmap(answer, sizeof(*answer));
	return err ? err : take(copy, ret, ret_what);
}
