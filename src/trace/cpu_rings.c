/* SPDX-License-Identifier: MIT */
#include "trace/cpu_rings.h"

#include <errno.h>

#include "pipeline/clock.h"
#include "trace/mapping.h"

/* In the broker. */
static int open_ring(void *ctx, uint32_t cpu, struct broker_ring *ret)
{
	const struct session *session = ctx;

	return mappings_reopen(session->mappings, cpu, ret);
}

void cpu_rings_offer(struct session *session, struct broker_config *config)
{
	if (!session->mappings || session->reduced)
		return;
	config->open_ring = open_ring;
	config->ring_ctx = session;
}

/* Lets go of the rings of SET. */
static void retire(struct session *session, const struct cpu_set_bits *set)
{
	for (uint32_t cpu = 0; session->mappings && cpu < CPUS_MAX; cpu++)
		if (cpus_has(set, cpu))
			mappings_retire(session->mappings, cpu);
}

static int request(struct session *session, struct broker *broker, uint32_t cpu)
{
	struct broker_ring ring;
	int fd = broker_open_ring(broker, cpu, &ring);

	return fd < 0 ? fd : mappings_add(session->mappings, cpu, fd, &ring);
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
	struct cpu_set_bits silent;
	struct cpus_news news;

	*ret = (struct cpu_rings_news){ .err = 0 };
	if (!session->mappings && !session->reduced)
		return false;
	if (!cpus_look(cpus, now_ns, &news))
		return false;
	if (news.was_suspended && session->mappings) {
		mappings_find_silent(session->mappings, &silent);
		cpus_silence(cpus, &silent, &news.gone);
	}
	retire(session, &news.gone);
	cpus_print(&news.gone, ret->gone);
	if (broker && cpus->waiting_ns)
		serve(session, broker, &waited, ret);
	return true;
}
