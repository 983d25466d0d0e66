/* SPDX-License-Identifier: MIT */
/*
 * How late a tracer's lines are: reads its output from standard input while
 * `load stamp` opens names that tell when they were opened, and compares with the clock at
 * the moment the line was read.
 *
 *	latency			prints "EVENTS P50_MS P99_MS MAX_MS SKEW_US" at the end of input
 *
 * It thus needs no timestamp of the tracer's. Where a line has one ("timestamp":"...Z"),
 * SKEW is the median of how far it is from the opening, else "-".
 */
#include <limits.h>
#include <unistd.h>

#include "bench.h"

#define STAMP	     "/stamp"
#define STAMP_DIGITS 19
#define TIMESTAMP    "\"timestamp\":\""
#define MAX_EVENTS   (1U << 20)
#define MAX_LINE     65536

struct figures {
	uint32_t late_us[MAX_EVENTS];
	int32_t skew_us[MAX_EVENTS];
	size_t nr_late;
	size_t nr_skew;
};

/* The time in the name that was opened, ns since 1970; 0 where the line has none. */
static uint64_t stamp_find(const char *line)
{
	const char *at = strstr(line, STAMP);
	uint64_t stamp_ns = 0;

	if (at == NULL)
		return 0;
	at += strlen(STAMP);
	for (int i = 0; i < STAMP_DIGITS; i++) {
		if (at[i] < '0' || at[i] > '9')
			return 0;
		stamp_ns = stamp_ns * 10 + (uint64_t)(at[i] - '0');
	}
	return stamp_ns;
}

/* The tracer's own time of the event, us since 1970; 0 where the line has none. */
static int64_t timestamp_find(const char *line)
{
	const char *at = strstr(line, TIMESTAMP);
	unsigned int us;
	struct tm tm = { 0 };

	if (at == NULL)
		return 0;
	if (sscanf(at + strlen(TIMESTAMP), "%d-%d-%dT%d:%d:%d.%6uZ", &tm.tm_year, &tm.tm_mon,
		   &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &us) != 7)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	return (int64_t)timegm(&tm) * 1000000 + us;
}

static void line_take(struct figures *figures, const char *line, uint64_t read_ns)
{
	uint64_t opened_ns = stamp_find(line);
	int64_t own_us;

	if (opened_ns == 0 || figures->nr_late == MAX_EVENTS)
		return;
	figures->late_us[figures->nr_late++] =
		read_ns > opened_ns ? (uint32_t)((read_ns - opened_ns) / 1000) : 0;
	own_us = timestamp_find(line);
	if (own_us != 0)
		figures->skew_us[figures->nr_skew++] =
			(int32_t)(own_us - (int64_t)(opened_ns / 1000));
}

/* Takes the complete lines in @text, which ends at @size; returns the bytes they are. */
static size_t lines_take(struct figures *figures, char *text, size_t size, uint64_t read_ns)
{
	size_t taken = 0;
	char *end;

	while ((end = memchr(text + taken, '\n', size - taken)) != NULL) {
		*end = '\0';
		line_take(figures, text + taken, read_ns);
		taken = (size_t)(end - text) + 1;
	}
	return taken;
}

static void input_read(struct figures *figures)
{
	static char text[MAX_LINE];
	size_t size = 0;
	ssize_t nr_read;

	while ((nr_read = read(STDIN_FILENO, text + size, sizeof(text) - size)) != 0) {
		size_t taken;

		if (nr_read < 0 && errno == EINTR)
			continue;
		if (nr_read < 0)
			die("cannot read", errno);
		size += (size_t)nr_read;
		taken = lines_take(figures, text, size, clock_ns(CLOCK_REALTIME));
		if (taken == 0 && size == sizeof(text))
			taken = size; /* no line is that long: not one of ours */
		size -= taken;
		memmove(text, text + taken, size);
	}
}

static int u32_compare(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return (a > b) - (a < b);
}

static int s32_compare(const void *left, const void *right)
{
	int32_t a = *(const int32_t *)left, b = *(const int32_t *)right;

	return (a > b) - (a < b);
}

int main(void)
{
	static struct figures figures;
	size_t nr_late;

	input_read(&figures);
	nr_late = figures.nr_late;
	if (nr_late == 0)
		die("no line told a time", ENODATA);
	qsort(figures.late_us, nr_late, sizeof(figures.late_us[0]), u32_compare);
	qsort(figures.skew_us, figures.nr_skew, sizeof(figures.skew_us[0]), s32_compare);
	printf("%zu %.2f %.2f %.2f ", nr_late, figures.late_us[nr_late / 2] / 1000.0,
	       figures.late_us[nr_late - 1 - nr_late / 100] / 1000.0,
	       figures.late_us[nr_late - 1] / 1000.0);
	if (figures.nr_skew > 0)
		printf("%d\n", figures.skew_us[figures.nr_skew / 2]);
	else
		puts("-");
	return 0;
}
