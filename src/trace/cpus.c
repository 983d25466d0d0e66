/* SPDX-License-Identifier: MIT */
#include "trace/cpus.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "pipeline/clock.h"

#define ONLINE	      "/sys/devices/system/cpu/online"
#define LOOK_EVERY_NS 1000000000ULL
/* Less is what reading two clocks takes, one after the other. */
#define SUSPENDED_MIN_NS 1000000ULL
#define TEXT_SIZE	 4096 /* a page, which is what sysfs gives at most */
#define NR_WORDS	 (CPUS_MAX / 64)

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
			       .suspended_ns = boot_clock_suspended() };
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

void cpus_compare(struct cpus *cpus, const char *text, size_t size)
{
	struct cpu_set_bits online;

	if (cpus_parse(text, size, &online))
		return;
	for (size_t i = 0; i < NR_WORDS; i++) {
		cpus->late.words[i] |= online.words[i] & ~cpus->ringed.words[i];
		/* Gone: it has a ring, which is told nothing any more. */
		cpus->ringed.words[i] &= online.words[i];
	}
}

bool cpus_look(struct cpus *cpus, uint64_t now_ns)
{
	uint64_t before_ns = cpus->suspended_ns;
	char text[TEXT_SIZE];

	if (cpus->fd < 0 || now_ns < cpus->due_ns)
		return false;
	cpus->due_ns = now_ns + LOOK_EVERY_NS;
	cpus_compare(cpus, text, read_online(cpus, text));
	cpus->suspended_ns = boot_clock_suspended();
	return cpus->suspended_ns > before_ns + SUSPENDED_MIN_NS;
}

void cpus_silence(struct cpus *cpus, const struct cpu_set_bits *silent)
{
	for (size_t i = 0; i < NR_WORDS; i++) {
		cpus->late.words[i] |= silent->words[i];
		cpus->ringed.words[i] &= ~silent->words[i];
	}
}

size_t cpus_nr_late(const struct cpus *cpus)
{
	size_t nr = 0;

	for (size_t i = 0; i < NR_WORDS; i++)
		nr += (size_t)__builtin_popcountll(cpus->late.words[i]);
	return nr;
}
