/* SPDX-License-Identifier: MIT */
#ifndef TESTS_PROTO_RECORDING_H
#define TESTS_PROTO_RECORDING_H

/*
 * Connections of real programs, recorded by a proxy between them: tests/proto/hellos/NAME.hex. Its
 * lines: '#' the two commands; '= KEY VALUE' what these programs themselves said of it, and tshark
 * of ja3; 'C' or 'S' and hexadecimal lines for each piece that the client or the server sent, in
 * order; 'E' the end.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <dirent.h>

#include "proto/flow.h"
#include "support/guard.h"

#define RECORDING_SIZE_MAX   (64U << 10)
#define RECORDING_PIECES_MAX 256
#define RECORDING_FACTS_MAX  32
#define RECORDING_DIR	     "tests/proto/hellos"

struct recording_piece {
	unsigned int from; /* enum flow_direction */
	size_t size;	   /* of the direction once it has come */
};

struct recording {
	uint8_t bytes[NR_FLOW_DIRECTIONS][RECORDING_SIZE_MAX];
	size_t size[NR_FLOW_DIRECTIONS];
	struct recording_piece pieces[RECORDING_PIECES_MAX];
	size_t nr_pieces;
	char facts[RECORDING_FACTS_MAX][2][64];
	size_t nr_facts;
	bool has_ended;
};

static inline void recording_add(struct recording *recording, const char *line)
{
	struct recording_piece *piece = &recording->pieces[recording->nr_pieces - 1];
	unsigned int byte;

	for (; sscanf(line, "%2x", &byte) == 1 && line[1] != '\n'; line += 2) {
		assert_true(recording->size[piece->from] < RECORDING_SIZE_MAX);
		recording->bytes[piece->from][recording->size[piece->from]++] = (uint8_t)byte;
		piece->size = recording->size[piece->from];
	}
}

static inline void recording_line(struct recording *recording, const char *line)
{
	switch (line[0]) {
	case '#':
		return;
	case '=':
		assert_true(recording->nr_facts < RECORDING_FACTS_MAX);
		assert_int_equal(sscanf(line, "= %63s %63s",
					recording->facts[recording->nr_facts][0],
					recording->facts[recording->nr_facts][1]),
				 2);
		recording->nr_facts++;
		return;
	case 'C':
	case 'S':
		assert_true(recording->nr_pieces < RECORDING_PIECES_MAX);
		recording->pieces[recording->nr_pieces++] = (struct recording_piece){
			.from = line[0] == 'C' ? FLOW_CLIENT : FLOW_SERVER,
		};
		return;
	case 'E':
		recording->has_ended = true;
		return;
	default:
		assert_true(recording->nr_pieces > 0);
		recording_add(recording, line);
	}
}

/* To be freed. */
static inline struct recording *recording_read(const char *name)
{
	struct recording *recording = calloc(1, sizeof(*recording));
	char path[512], line[256];
	FILE *file;

	assert_non_null(recording);
	snprintf(path, sizeof(path), RECORDING_DIR "/%s.hex", name);
	file = fopen(path, "r");
	if (!file)
		fail_msg("'%s' is not there: run tests at the root of the tree", path);
	while (fgets(line, sizeof(line), file))
		recording_line(recording, line);
	fclose(file);
	assert_true(recording->nr_pieces > 0);
	return recording;
}

/* What the programs said under KEY, or "". */
static inline const char *recording_fact(const struct recording *recording, const char *key)
{
	for (size_t i = 0; i < recording->nr_facts; i++)
		if (strcmp(recording->facts[i][0], key) == 0)
			return recording->facts[i][1];
	return "";
}

/* The flow of the first sizes, each direction ending at an unmapped page. */
static inline struct flow recording_flow(const struct recording *recording, size_t client_size,
					 size_t server_size)
{
	return (struct flow){ .from = {
				      { .bytes = guard_copy(recording->bytes[0], client_size),
					.size = client_size },
				      { .bytes = guard_copy(recording->bytes[1], server_size),
					.size = server_size },
			      } };
}

static inline void recording_flow_free(const struct flow *flow)
{
	for (size_t i = 0; i < NR_FLOW_DIRECTIONS; i++)
		guard_free(flow->from[i].bytes, flow->from[i].size);
}

/* Calls DO for each recording. Returns how many. */
static inline size_t recording_each(void (*each)(const char *name, struct recording *recording))
{
	DIR *dir = opendir(RECORDING_DIR);
	struct dirent *entry;
	size_t nr = 0;

	if (!dir)
		fail_msg("'%s' is not there: run tests at the root of the tree", RECORDING_DIR);
	while ((entry = readdir(dir))) {
		char *end = strstr(entry->d_name, ".hex");
		struct recording *recording;

		if (!end)
			continue;
		*end = '\0';
		recording = recording_read(entry->d_name);
		each(entry->d_name, recording);
		free(recording);
		nr++;
	}
	closedir(dir);
	return nr;
}

#endif /* TESTS_PROTO_RECORDING_H */
