/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_GOBUILD_H
#define INSPECT_GOBUILD_H

/*
 * What a Go program says of itself: the linker leaves the version of Go, the modules and the build
 * settings in the file (package debug/buildinfo of Go), and for stack traces the names of all
 * functions, stripped or not. Those tell which packages of crypto are inside: a program that uses
 * none is no provider of any. A struct gobuild owns its text until gobuild_free().
 */

#include "inspect/elf.h"
#include "inspect/providers.h"
#include "inspect/search.h"

/* "go1.24.2"; private builds append what they were built with. */
#define GOBUILD_VERSION_MAX 256
/* Kubernetes' programs have some 30 KiB. */
#define GOBUILD_MODULES_MAX (1U << 20)
#define GOBUILD_PACKAGE_MAX 96
/* Packages that are looked at; real programs have some hundred. */
#define GOBUILD_CHANGES_MAX (1U << 15)

struct gobuild {
	char version[GOBUILD_VERSION_MAX]; /* "go1.24.2" */
	char *modules; /* lines of `go version -m`, not terminated, may be NULL */
	size_t modules_size;
	struct texts packages; /* "crypto/tls", "golang.org/x/crypto/ssh" */
	/* Of the last one that was found: functions are in the order of their packages. */
	char last[GOBUILD_PACKAGE_MAX];
	uint32_t nr_changes; /* how often it was another one than before */
};

/* Reads the build information. Returns 0, -ENOENT when ELF is no Go program, or -ENOMEM. */
int gobuild_read(const struct elf *elf, struct gobuild *ret);
void gobuild_free(struct gobuild *go);

/* What finds the packages, in read-only data. GO is borrowed and filled. */
struct needle_group gobuild_group(struct gobuild *go);

/* Adds the provider "go" when there are packages of crypto. */
void gobuild_tell(const struct gobuild *go, struct providers *providers);

#endif /* INSPECT_GOBUILD_H */
