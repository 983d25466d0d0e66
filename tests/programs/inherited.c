/* SPDX-License-Identifier: MIT */
/*
 * Prints what a program inherits from the one that started it, a line each, so that two ways of
 * starting it can be compared.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

/* Lines of /proc/self/status that tell rights and signals. */
static void print_status(void)
{
	static const char *const wanted[] = { "Uid:",	 "Gid:",    "Groups:",	     "SigPnd:",
					      "SigBlk:", "SigIgn:", "SigCgt:",	     "CapInh:",
					      "CapPrm:", "CapEff:", "CapBnd:",	     "CapAmb:",
					      "NoNew",	 "Seccomp", "Cpus_allowed:", "Umask:" };
	char line[4096];
	FILE *file = fopen("/proc/self/status", "re");

	while (file && fgets(line, sizeof(line), file))
		for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
			if (strncmp(line, wanted[i], strlen(wanted[i])) == 0)
				fputs(line, stdout);
	if (file)
		fclose(file);
}

static void print_limits(void)
{
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		struct rlimit limit;

		if (getrlimit((__rlimit_resource_t)i, &limit) == 0)
			printf("limit %d %llx %llx\n", i, (unsigned long long)limit.rlim_cur,
			       (unsigned long long)limit.rlim_max);
	}
}

static void print_descriptor(int fd)
{
	char path[64];
	char target[4096];
	ssize_t size;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	size = readlink(path, target, sizeof(target) - 1);
	target[size < 0 ? 0 : size] = '\0';
	printf("fd %d %s flags %x %x\n", fd, target, fcntl(fd, F_GETFD), fcntl(fd, F_GETFL));
}

static void print_descriptors(void)
{
	for (int fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			print_descriptor(fd);
}

int main(void)
{
	char cwd[4096];

	/* First, before stdio opens anything. */
	print_descriptors();
	print_status();
	print_limits();
	printf("nice %d scheduler %d\n", getpriority(PRIO_PROCESS, 0), sched_getscheduler(0));
	int deathsig = 0;

	prctl(PR_GET_PDEATHSIG, &deathsig);
	printf("dumpable %d death signal %d\n", prctl(PR_GET_DUMPABLE), deathsig);
	printf("group %d session %d\n", getpgrp(), getsid(0));
	printf("cwd %s\n", getcwd(cwd, sizeof(cwd)));
	for (char **variable = environ; *variable; variable++)
		printf("env %s\n", *variable);
	return 0;
}
