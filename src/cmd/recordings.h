/* SPDX-License-Identifier: MIT */
#ifndef CMD_RECORDINGS_H
#define CMD_RECORDINGS_H

/* The recordings that commands are given: reading them, and what goes wrong with that. */

#include <stdbool.h>
#include <stddef.h>

#include "cmd/options.h"
#include "lib/output.h"
#include "syscalls/recording.h"

/* Reads the recording in file I. Returns 0 or an exit status, having said what is wrong. */
int recordings_read(const struct options *options, size_t i, struct recording **ret);

/*
 * Reads and merges all of options->files, of which there have to be MIN, 1 or more. Returns as
 * recordings_read(); EXIT_USAGE where there are too few.
 */
int recordings_merge(const struct options *options, const char *command, size_t min,
		     struct recording **ret);

/* Whether --format is json, text by default. Returns 0 or EXIT_USAGE, having said so. */
int recordings_format(const struct options *options, bool *ret_is_json);

/* Opens where --output says. Returns 0 or an exit status, having said why. */
int recordings_open(const struct options *options, struct output *ret);

/*
 * Ends OUTPUT: where STATUS is 0 or EXIT_DIFFERENT after writing SIZE bytes of TEXT, in
 * one piece. Returns STATUS, or another exit status, having said why.
 */
int recordings_end(const struct options *options, struct output *output, const char *text,
		   size_t size, int status);

#endif /* CMD_RECORDINGS_H */
