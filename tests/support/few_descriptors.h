/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPPORT_FEW_DESCRIPTORS_H
#define TESTS_SUPPORT_FEW_DESCRIPTORS_H

/* For tests of what becomes of a process that can open no more. After cmocka.h. */

#include <sys/resource.h>
#include <unistd.h>

/* Leaves this process SPARE descriptors to open. Returns the limit to set again. */
static inline struct rlimit descriptors_leave(rlim_t spare)
{
	struct rlimit before, limit;
	int fd = dup(STDIN_FILENO);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = (struct rlimit){ (rlim_t)fd + spare, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	return before;
}

#endif /* TESTS_SUPPORT_FEW_DESCRIPTORS_H */
