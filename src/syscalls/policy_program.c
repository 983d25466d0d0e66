/* SPDX-License-Identifier: MIT */
/* Whether a program is the one that a policy was made for. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "inspect/elf.h"
#include "lib/sha256.h"
#include "syscalls/policy_private.h"

/* What may be read of a file for its tables. */
#define TABLES_MAX (16U << 20)

static int build_id_is(int fd, const char *build_id)
{
	char found[ELF_BUILD_ID_TEXT];
	struct window window;
	struct stat st;
	struct elf elf;
	bool is_same;
	int err;

	if (fstat(fd, &st) < 0)
		return -errno;
	err = window_open(&window, fd, (uint64_t)st.st_size, TABLES_MAX);
	if (err)
		return err;
	is_same = elf_open(&elf, &window) == 0 && elf_build_id(&elf, found) &&
		  strcmp(found, build_id) == 0;
	window_close(&window);
	return is_same;
}

int policy_is_of(const struct policy *policy, int fd)
{
	char digest[SHA256_TEXT];
	int err;

	if (!policy->exe_sha256)
		return policy->build_id ? build_id_is(fd, policy->build_id) : -ENODATA;
	err = sha256_file(fd, digest);
	return err ? err : strcmp(digest, policy->exe_sha256) == 0;
}
