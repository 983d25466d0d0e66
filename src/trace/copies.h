/* SPDX-License-Identifier: MIT */
#ifndef TRACE_COPIES_H
#define TRACE_COPIES_H

/*
 * Every copy of a crypto library that may be mapped: a program can have done its work three
 * milliseconds after it maps one, so that probes are there before. At start these are the libraries
 * of the dynamic linker's cache and directories in each root directory (containers and chroots have
 * their own), and what the processes have mapped from elsewhere.
 */

#include "priv/broker.h"
#include "proc/processes.h"
#include "trace/probes.h"
#include "trace/session.h"

/* Probes the libraries in the roots of SESSION, and those and the programs of PROCESSES. */
void copies_probe(struct probes *probes, struct broker *broker, const struct session *session,
		  const struct processes *processes);

/* Probes the libraries that process PID has mapped. */
void copies_probe_mapped(struct probes *probes, struct broker *broker, uint32_t pid);

/* Probes the program of process PID unless it is known. Returns it, or NULL. */
const struct probed_file *copies_probe_program(struct probes *probes, struct broker *broker,
					       uint32_t pid);

#endif /* TRACE_COPIES_H */
