/* SPDX-License-Identifier: MIT */
/*
 * What it takes to attach the probes of api_call to libraries, and to let go of them:
 *
 *	probes MAX FILE...	"NR_PROBES ATTACH_MS DETACH_MS": of the first MAX functions in each
 *FILE, a crypto library, one set a file, let go of all together
 *
 * The time to attach includes looking for the places, as the worker does.
 */
#include <bpf/bpf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "catalogue/libraries.h"
#include "lib/close_all.h"
#include "lib/window.h"
#include "trace/plan.h"
#include "trace/uprobes.h"

static struct session session;
static struct uprobes uprobes;

static int record_drop(void *ctx, void *bytes, size_t size)
{
	(void)ctx, (void)bytes, (void)size;
	return 0;
}

/* The first MAX places in the library behind FD, which is called PATH. Returns how many. */
static size_t places_find(int fd, const char *path, size_t max, struct planned *ret)
{
	const struct library_class *class = library_classify(path, strlen(path));
	enum library_family family = class ? class->family : LIBRARY_FAMILY_none;
	struct window window;
	struct stat st;
	struct elf elf;
	size_t nr_refused;
	int nr;

	if (!class || fstat(fd, &st) < 0 ||
	    window_open(&window, fd, (uint64_t)st.st_size, (uint64_t)st.st_size * 2))
		die(path, EINVAL);
	nr = elf_open(&elf, &window);
	if (!nr)
		nr = plan_make(&elf, &family, API_GROUP_default, ret, &nr_refused);
	window_close(&window);
	if (nr <= 0)
		die(path, nr ? -nr : ENOENT);
	return (size_t)nr < max ? (size_t)nr : max;
}

static size_t file_attach(const char *path, size_t max)
{
	static struct planned planned[PLAN_MAX];
	static struct broker_probe probes[2 * PLAN_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t nr_functions;
	size_t nr = 0;
	uint32_t nr_failed;
	int err;

	if (fd < 0)
		die(path, errno);
	nr_functions = places_find(fd, path, max, planned);
	for (size_t i = 0; i < nr_functions; i++) {
		uint64_t cookie = planned[i].cookie | i;

		probes[nr++] = (struct broker_probe){ planned[i].offset, cookie, 0, 0 };
		if (planned[i].has_return)
			probes[nr++] = (struct broker_probe){ planned[i].entry, cookie, 1, 0 };
	}
	err = uprobes_attach(&uprobes, fd, probes, nr, &nr_failed);
	if (err < 0 || nr_failed)
		die(path, err < 0 ? -err : EINVAL);
	close(fd);
	return nr_functions;
}

int main(int argc, char **argv)
{
	const struct trace_config config = { .ring_size = 1U << 20 };
	uint64_t begin_ns;
	uint64_t end_ns;
	size_t nr = 0;
	size_t max;

	if (argc < 3)
		die("usage: probes MAX FILE...", EINVAL);
	max = number_parse(argv[1], PLAN_MAX);
	if (session_open(&session, &config, record_drop, NULL) || uprobes_load(&uprobes, &session))
		die("cannot load the programs", EIO);
	begin_ns = clock_ns(CLOCK_MONOTONIC);
	for (int i = 2; i < argc; i++)
		nr += file_attach(argv[i], max);
	end_ns = clock_ns(CLOCK_MONOTONIC);
	printf("%zu %.2f ", nr, (double)(end_ns - begin_ns) / NS_PER_MS);
	begin_ns = clock_ns(CLOCK_MONOTONIC);
	/* As the broker lets go of them when it ends. */
	close_all(STDERR_FILENO + 1);
	printf("%.1f\n", (double)(clock_ns(CLOCK_MONOTONIC) - begin_ns) / NS_PER_MS);
	return 0;
}
