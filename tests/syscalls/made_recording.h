/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SYSCALLS_MADE_RECORDING_H
#define TESTS_SYSCALLS_MADE_RECORDING_H

/*
 * Recordings made up for tests, and what they are as text. To be included after cmocka.h; a failure
 * fails the test.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "syscalls/recording.h"

#define MADE_UNUSED __attribute__((unused))

/* A new recording of /bin/prog without runs. */
static MADE_UNUSED struct recording *made_new(void)
{
	struct recording *recording = NULL;

	assert_int_equal(recording_new(&recording), 0);
	recording->engine = "bpf";
	recording->kernel = "6.1.0";
	recording->libc = "glibc 2.36";
	recording->exe = "/bin/prog";
	return recording;
}

/* Adds COUNT calls of the native number NR, ERRORS of them failed, to NODE. */
static MADE_UNUSED void made_call(struct recording *recording, int node, uint32_t nr,
				  uint64_t count, uint64_t errors)
{
	const struct recording_call call = {
		.nr = nr,
		.arch = SYSCALL_ARCH_x86_64,
		.count = count,
		.errors = errors,
		.first_seen_ns = 1000 * (uint64_t)nr,
	};

	assert_true(node >= 0);
	assert_int_equal(recording_add(recording, (uint32_t)node, &call), 0);
}

/* The root node of COMMAND. */
static MADE_UNUSED int made_root(struct recording *recording)
{
	int root =
		recording_node(recording, RECORDING_NONE, NODE_START_command, 0, "/bin/prog", NULL);

	assert_true(root >= 0);
	recording->nodes[root].nr_instances = 1;
	return root;
}

/* Run number ID, a second after the one before it, complete. */
static MADE_UNUSED struct recording_run made_run(unsigned int id)
{
	struct recording_run run = {
		.started_ns = UINT64_C(1795251600123456000) + id * UINT64_C(1000000000),
		.duration_ns = 12345678,
		.is_complete = true,
	};

	snprintf(run.id, sizeof(run.id), "%032x", id);
	return run;
}

/* Ends a recording of one run, number ID, in which the root called the NR numbers in NRS. */
static MADE_UNUSED struct recording *made_of_calls(unsigned int id, const uint32_t *nrs, size_t nr)
{
	struct recording *recording = made_new();
	const struct recording_run run = made_run(id);
	int root = made_root(recording);

	for (size_t i = 0; i < nr; i++)
		made_call(recording, root, nrs[i], 1, 0);
	assert_int_equal(recording_add_run(recording, &run, recording), 0);
	return recording;
}

#define MADE_OF(id, ...)                                                                           \
	made_of_calls(id, (const uint32_t[]){ __VA_ARGS__ },                                       \
		      sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

/* xorshift32: the same numbers everywhere. */
static MADE_UNUSED uint32_t made_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* One run of a program with two phases, threads and children; another one for each SEED. */
static MADE_UNUSED struct recording *made_random_run(uint32_t seed)
{
	static const char *const exes[] = { "/bin/prog", "/bin/sh", "/usr/bin/\xc3\xa9t\xc3\xa9" };
	static const char *const entries[] = { NULL, "/bin/prog+0x10", "/lib/libc.so+0x20" };
	struct recording *recording = made_new();
	struct recording_run run = made_run(seed);
	int root = made_root(recording);

	recording->phases[0].reason = seed % 3 ? "b" : "a";
	if (seed % 2)
		recording->kernel = "6.2.0";
	assert_int_equal(recording_add_phase(recording, "aeMain"), 1);
	recording->phases[1].nr_hits = made_random(&seed) % 9;
	made_call(recording, root, made_random(&seed) % 300, 1 + made_random(&seed) % 100, 0);
	for (int i = 0; i < 20; i++) {
		/* near the root, so that runs have nodes in common */
		uint32_t parent = made_random(&seed) % (uint32_t)recording->nr_nodes % 4;
		enum node_start start = 1 + made_random(&seed) % (NR_NODE_STARTS - 1);
		int node = recording_node(recording, parent, start, made_random(&seed) % 2,
					  exes[made_random(&seed) % 3],
					  entries[made_random(&seed) % 3]);

		assert_true(node >= 0);
		recording->nodes[node].nr_instances += made_random(&seed) % 5;
		for (int k = 0; k < 10; k++) {
			struct recording_call call = {
				.nr = made_random(&seed) % 40,
				.arch = made_random(&seed) % 8 ? SYSCALL_ARCH_x86_64
							       : SYSCALL_ARCH_i386,
				.count = 1 + made_random(&seed) % 1000,
				.first_seen_ns = made_random(&seed),
			};

			call.errors = made_random(&seed) % (call.count + 1);
			assert_int_equal(recording_add(recording, (uint32_t)node, &call), 0);
		}
	}
	run.lost = made_random(&seed) % 3;
	run.was_filtered = made_random(&seed) % 2;
	assert_int_equal(recording_add_run(recording, &run, recording), 0);
	return recording;
}

/* RECORDING as its file is, NUL-terminated, for the caller to free. */
static MADE_UNUSED char *made_text(const struct recording *recording)
{
	char *text = NULL, *copy;
	size_t size = 0;

	assert_int_equal(recording_render(recording, &text, &size), 0);
	copy = calloc(1, size + 1);
	assert_non_null(copy);
	memcpy(copy, text, size);
	free(text);
	return copy;
}

/* A recording from its text. */
static MADE_UNUSED struct recording *made_parsed(const char *text)
{
	struct recording *recording = NULL;
	const char *what = NULL;
	int err = recording_parse(text, strlen(text), &recording, &what);

	if (err)
		print_message("refused: %s\n", what ? what : "");
	assert_int_equal(err, 0);
	return recording;
}

#endif /* TESTS_SYSCALLS_MADE_RECORDING_H */
