/* SPDX-License-Identifier: MIT */
#include "trace/cpu_rings.h"

#include <errno.h>

#include "pipeline/clock.h"
#include "trace/mapping.h"
#include "trace/reduced.h"
#include "trace/reduced_rings.h"

/* In the broker. */
static int open_ring(void *ctx, uint32_t kind, uint32_t cpu, struct broker_ring *ret)
{
	const struct session *session = ctx;

	if (cpu >= CPUS_MAX)
		return -EINVAL;
	if (kind == BROKER_RING_MAPPINGS && session->mappings)
		return mappings_reopen(session->mappings, cpu, ret);
	if (kind == BROKER_RING_RECORDS && session->reduced)
		return reduced_rings_reopen(reduced_rings(session->reduced), cpu, ret);
	return -ENOSYS;
}

void cpu_rings_offer(struct session *session, struct broker_config *config)
{
	if (!session->mappings && !session->reduced)
		return;
	config->open_ring = open_ring;
	config->ring_ctx = session;
}

void cpu_rings_leave(struct session *session)
{
	if (session->mappings)
		mappings_leave(session->mappings);
	if (session->reduced)
		reduced_rings_leave(reduced_rings(session->reduced));
}

/* Lets go of the rings of SET. */
static void retire(struct session *session, const struct cpu_set_bits *set)
{
	for (uint32_t cpu = 0; cpu < CPUS_MAX; cpu++) {
		if (!cpus_has(set, cpu))
			continue;
		if (session->mappings)
			mappings_retire(session->mappings, cpu);
		if (session->reduced)
			reduced_rings_retire(reduced_rings(session->reduced), cpu);
	}
}

static int request_mappings(struct session *session, struct broker *broker, uint32_t cpu)
{
	struct broker_ring ring;
	int fd;

	if (!session->mappings || mappings_has(session->mappings, cpu))
		return 0;
	fd = broker_open_ring(broker, BROKER_RING_MAPPINGS, cpu, &ring);
	return fd < 0 ? fd : mappings_add(session->mappings, cpu, fd, &ring);
}

static int request_records(struct session *session, struct broker *broker, uint32_t cpu)
{
	struct reduced_rings *rings = session->reduced ? reduced_rings(session->reduced) : NULL;
	struct broker_ring ring;
	int fd;

	if (!rings || reduced_rings_has(rings, cpu))
		return 0;
	fd = broker_open_ring(broker, BROKER_RING_RECORDS, cpu, &ring);
	return fd < 0 ? fd : reduced_rings_add(rings, cpu, fd, &ring);
}

/* Asks for all that CPU needs. Returns 0 or a negative errno. */
static int request(struct session *session, struct broker *broker, uint32_t cpu)
{
	int err = request_records(session, broker, cpu);

	return err ? err : request_mappings(session, broker, cpu);
}

/* Adds those whose rings tell nothing any more to *RET. */
static void find_silent(const struct session *session, struct cpu_set_bits *ret)
{
	if (session->mappings)
		mappings_find_silent(session->mappings, ret);
	if (session->reduced)
		reduced_rings_find_silent(reduced_rings(session->reduced), ret);
}

/* Asks for rings for all that wait; *RET_OPENED are those that have one now. Returns 0 or the last
 * thing that went wrong. */
static int request_all(struct session *session, struct broker *broker,
		       struct cpu_set_bits *ret_opened)
{
	const struct cpu_set_bits *waiting = &session->cpus.waiting;
	int last_err = 0;

	*ret_opened = (struct cpu_set_bits){ 0 };
	for (uint32_t cpu = 0; cpu < CPUS_MAX; cpu++) {
		int err = cpus_has(waiting, cpu) ? request(session, broker, cpu) : -ENOENT;

		if (!err)
			ret_opened->words[cpu / 64] |= 1ULL << (cpu % 64);
		else if (err != -ENOENT)
			last_err = err;
	}
	return last_err;
}

/* Serves those that wait; of WAITED it is known that they do. */
static void serve(struct session *session, struct broker *broker, const struct cpu_set_bits *waited,
		  struct cpu_rings_news *ret)
{
	struct cpus *cpus = &session->cpus;
	struct cpu_set_bits set;

	ret->err = request_all(session, broker, &set);
	cpus_served(cpus, &set, boot_clock_now());
	cpus_print(&set, ret->opened);
	for (size_t i = 0; i < CPUS_MAX / 64; i++)
		set.words[i] = cpus->waiting.words[i] & ~waited->words[i];
	cpus_print(&set, ret->failed);
}

bool cpu_rings_look(struct session *session, struct broker *broker, uint64_t now_ns,
		    struct cpu_rings_news *ret)
{
	struct cpus *cpus = &session->cpus;
	struct cpu_set_bits waited = cpus->waiting;
	struct cpu_set_bits silent = { 0 };
	struct cpus_news news;

	*ret = (struct cpu_rings_news){ .err = 0 };
	if (!session->mappings && !session->reduced)
		return false;
	if (!cpus_look(cpus, now_ns, &news))
		return false;
	if (news.was_suspended) {
		find_silent(session, &silent);
		cpus_silence(cpus, &silent, &news.gone);
	}
	retire(session, &news.gone);
	cpus_print(&news.gone, ret->gone);
	if (broker && cpus->waiting_ns)
		serve(session, broker, &waited, ret);
	return true;
}
