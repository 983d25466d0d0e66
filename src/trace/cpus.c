/* SPDX-License-Identifier: MIT */
#include "trace/cpus.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "pipeline/clock.h"

#define ONLINE	      "/sys/devices/system/cpu/online"
#define LOOK_EVERY_NS 1000000000ULL
/* Less is what reading two clocks takes, one after the other. */
#define SUSPENDED_MIN_NS 1000000ULL
#define TEXT_SIZE	 4096 /* a page, which is what sysfs gives at most */
#define NR_WORDS	 (CPUS_MAX / 64)

/* Of a map of one value of 8 bytes, a lookup writes one for each (bpf_percpu_array_copy()). */
static int count_values(void)
{
	_cleanup_(cleanup_fd) int map = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "cpus",
						       sizeof(uint32_t), sizeof(uint64_t), 1, NULL);
	_cleanup_(cleanup_free) uint64_t *values = NULL;
	const uint32_t key = 0;
	int nr = 0;

	if (map < 0)
		return -errno;
	values = malloc(CPUS_MAX * sizeof(*values));
	if (!values)
		return -ENOMEM;
	memset(values, 0xff, CPUS_MAX * sizeof(*values));
	if (bpf_map_lookup_elem(map, &key, values))
		return -errno;
	while (nr < CPUS_MAX && values[nr] == 0)
		nr++;
	return nr;
}

int cpus_possible(void)
{
	int nr = libbpf_num_possible_cpus();

	return nr > 0 ? nr : count_values();
}

/* A number from *AT on, moved behind it. Returns it, or -EINVAL where there is none below MAX. */
static int read_number(const char **at, const char *end)
{
	int number = 0;
	const char *begin = *at;

	for (; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
		number = number * 10 + (**at - '0');
		if (number >= CPUS_MAX)
			return -EINVAL;
	}
	return *at > begin ? number : -EINVAL;
}

/* A number or two with '-' between them. Returns 0 or -EINVAL. */
static int read_range(const char **at, const char *end, int *ret_first, int *ret_last)
{
	*ret_first = *ret_last = read_number(at, end);
	if (*ret_first >= 0 && *at < end && **at == '-') {
		(*at)++;
		*ret_last = read_number(at, end);
	}
	return *ret_first < 0 || *ret_last < *ret_first ? -EINVAL : 0;
}

int cpus_parse(const char *text, size_t size, struct cpu_set_bits *ret)
{
	struct cpu_set_bits set = { 0 };
	const char *end = text + size;

	for (const char *at = text;; at++) {
		int first, last;

		if (read_range(&at, end, &first, &last))
			return -EINVAL;
		for (int cpu = first; cpu <= last; cpu++)
			set.words[cpu / 64] |= 1ULL << (cpu % 64);
		if (at == end || *at == '\n')
			break;
		if (*at != ',')
			return -EINVAL;
	}
	*ret = set;
	return 0;
}

/* Adds the CPUs from FIRST to LAST to OUT, of which *USED are. Returns false without room. */
static bool print_range(char out[static CPUS_TEXT_SIZE], size_t *used, unsigned int first,
			unsigned int last)
{
	static const char dots[] = ",...";
	size_t room = CPUS_TEXT_SIZE - *used;
	const char *comma = *used ? "," : "";
	int n = first == last ? snprintf(out + *used, room, "%s%u", comma, first)
			      : snprintf(out + *used, room, "%s%u-%u", comma, first, last);

	/* There is room for the dots always. */
	if (*used + (size_t)n + sizeof(dots) > CPUS_TEXT_SIZE) {
		memcpy(out + *used, dots, sizeof(dots));
		return false;
	}
	*used += (size_t)n;
	return true;
}

void cpus_print(const struct cpu_set_bits *set, char out[static CPUS_TEXT_SIZE])
{
	size_t used = 0;

	out[0] = '\0';
	for (unsigned int cpu = 0; cpu < CPUS_MAX; cpu++) {
		unsigned int first = cpu;

		if (!cpus_has(set, cpu))
			continue;
		while (cpus_has(set, cpu + 1))
			cpu++;
		if (!print_range(out, &used, first, cpu))
			return;
	}
}

size_t cpus_count(const struct cpu_set_bits *set)
{
	size_t nr = 0;

	for (size_t i = 0; i < NR_WORDS; i++)
		nr += (size_t)__builtin_popcountll(set->words[i]);
	return nr;
}

/* The list as it is now. Returns its size, 0 where it cannot be read. */
static size_t read_online(const struct cpus *cpus, char *text)
{
	ssize_t n = cpus->fd < 0 ? -1 : pread(cpus->fd, text, TEXT_SIZE, 0);

	return n > 0 ? (size_t)n : 0;
}

void cpus_open(struct cpus *cpus)
{
	char text[TEXT_SIZE];

	*cpus = (struct cpus){ .fd = open(ONLINE, O_RDONLY | O_CLOEXEC),
			       .looked_ns = boot_clock_now(),
			       .suspended_ns = boot_clock_suspended() };
	cpus->before_ns = cpus->looked_ns;
	/* Without it nothing is known to be missing. */
	if (cpus_parse(text, read_online(cpus, text), &cpus->ringed))
		cpus_close(cpus);
}

void cpus_close(struct cpus *cpus)
{
	if (cpus->fd > 0)
		close(cpus->fd);
	cpus->fd = -1;
}

static void add_set(struct cpu_set_bits *to, const struct cpu_set_bits *set)
{
	for (size_t i = 0; i < NR_WORDS; i++)
		to->words[i] |= set->words[i];
}

static void take_set(struct cpu_set_bits *from, const struct cpu_set_bits *set)
{
	for (size_t i = 0; i < NR_WORDS; i++)
		from->words[i] &= ~set->words[i];
}

/* Those of SET wait since SINCE_NS. */
static void add_waiting(struct cpus *cpus, const struct cpu_set_bits *set, uint64_t since_ns)
{
	if (!cpus_count(set))
		return;
	add_set(&cpus->waiting, set);
	cpus_print(&cpus->waiting, cpus->waiting_text);
	if (!cpus->waiting_ns)
		cpus->waiting_ns = since_ns;
}

/* The waiting of SET ends at NOW_NS. */
static void end_waiting(struct cpus *cpus, const struct cpu_set_bits *set, uint64_t now_ns)
{
	struct cpus_gap *gap;

	if (!cpus_count(set))
		return;
	gap = &cpus->gaps[cpus->nr_gaps < CPUS_GAPS_MAX ? cpus->nr_gaps++ : CPUS_GAPS_MAX - 1];
	if (!gap->nr)
		gap->from_ns = cpus->waiting_ns;
	gap->to_ns = now_ns;
	add_set(&gap->set, set);
	gap->nr = cpus_count(&gap->set);
	cpus_print(&gap->set, gap->text);
	take_set(&cpus->waiting, set);
	cpus_print(&cpus->waiting, cpus->waiting_text);
	if (!cpus_count(&cpus->waiting))
		cpus->waiting_ns = 0;
}

void cpus_compare(struct cpus *cpus, const char *text, size_t size, uint64_t now_ns,
		  struct cpu_set_bits *ret_gone)
{
	struct cpu_set_bits online, come, left;

	*ret_gone = (struct cpu_set_bits){ 0 };
	if (cpus_parse(text, size, &online))
		return;
	for (size_t i = 0; i < NR_WORDS; i++) {
		ret_gone->words[i] = cpus->ringed.words[i] & ~online.words[i];
		left.words[i] = cpus->waiting.words[i] & ~online.words[i];
		come.words[i] = online.words[i] & ~cpus->ringed.words[i] & ~cpus->waiting.words[i];
	}
	take_set(&cpus->ringed, ret_gone);
	end_waiting(cpus, &left, now_ns);
	add_waiting(cpus, &come, cpus->looked_ns);
	cpus->before_ns = cpus->looked_ns;
	cpus->looked_ns = now_ns;
}

bool cpus_look(struct cpus *cpus, uint64_t now_ns, struct cpus_news *ret)
{
	uint64_t before_ns = cpus->suspended_ns;
	char text[TEXT_SIZE];

	if (cpus->fd < 0 || now_ns < cpus->due_ns)
		return false;
	cpus->due_ns = now_ns + LOOK_EVERY_NS;
	cpus_compare(cpus, text, read_online(cpus, text), now_ns, &ret->gone);
	cpus->suspended_ns = boot_clock_suspended();
	ret->was_suspended = cpus->suspended_ns > before_ns + SUSPENDED_MIN_NS;
	return true;
}

void cpus_silence(struct cpus *cpus, const struct cpu_set_bits *silent,
		  struct cpu_set_bits *ret_gone)
{
	struct cpu_set_bits had;

	/* Not those that are gone by now. */
	for (size_t i = 0; i < NR_WORDS; i++)
		had.words[i] = silent->words[i] & cpus->ringed.words[i];
	take_set(&cpus->ringed, &had);
	add_waiting(cpus, &had, cpus->before_ns);
	add_set(ret_gone, &had);
}

void cpus_served(struct cpus *cpus, const struct cpu_set_bits *set, uint64_t now_ns)
{
	add_set(&cpus->ringed, set);
	end_waiting(cpus, set, now_ns);
}
