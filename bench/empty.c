/* SPDX-License-Identifier: MIT */
/*
 * Holds programs that do nothing on tracepoints until it is told to stop: the floor that
 * any tracer with the same hooks pays.
 *
 *	empty sys_exit_openat [sys_enter_openat ...]
 *	empty others	prints how many BPF programs for tracing are loaded
 *
 * Prints "attached" when all of them are. A program is two instructions, so none is compiled.
 * The tracepoints are found by a tracefs of our own that is mounted nowhere (fsopen(2)), since
 * a machine may have none mounted and the bench leaves the machine as it is.
 *
 * "others" is asked while no tracer of the bench runs: what is there then slows down everything
 * that is measured "without a tracer".
 */
#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

#define MAX_HOOKS 8

/* A descriptor of the root of tracefs. */
static int tracefs_open(void)
{
	int fs = (int)syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC);
	int dir;

	if (fs < 0)
		die("cannot open tracefs", errno);
	if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0)
		die("cannot create a tracefs", errno);
	dir = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	if (dir < 0)
		die("cannot mount tracefs for ourselves", errno);
	close(fs);
	return dir;
}

static uint64_t tracepoint_id(int tracefs, const char *name)
{
	char path[128], text[32];
	ssize_t size;
	int fd;

	snprintf(path, sizeof(path), "events/syscalls/%s/id", name);
	fd = openat(tracefs, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(path, errno);
	size = read(fd, text, sizeof(text) - 1);
	if (size <= 0)
		die(path, size < 0 ? errno : ENODATA);
	close(fd);
	text[size] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return number_parse(text, UINT32_MAX);
}

/* A program that returns 0 at once. */
static int program_load(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_TRACEPOINT, "bench_empty", "Dual MIT/GPL", insns,
			       sizeof(insns) / sizeof(insns[0]), NULL);

	if (fd < 0)
		die("cannot load an empty program", -fd);
	return fd;
}

/* One perf event is enough: the program then runs on every CPU. */
static void program_attach(int program, uint64_t id)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = id,
		.sample_period = 1,
		.wakeup_events = 1,
	};
	int event = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);

	if (event < 0)
		die("cannot open the tracepoint", errno);
	if (ioctl(event, PERF_EVENT_IOC_SET_BPF, program) != 0)
		die("cannot attach to the tracepoint", errno);
	if (ioctl(event, PERF_EVENT_IOC_ENABLE, 0) != 0)
		die("cannot enable the tracepoint", errno);
}

static bool is_tracing(uint32_t type)
{
	return type == BPF_PROG_TYPE_TRACEPOINT || type == BPF_PROG_TYPE_RAW_TRACEPOINT ||
	       type == BPF_PROG_TYPE_TRACING || type == BPF_PROG_TYPE_KPROBE;
}

static int others_print(void)
{
	unsigned int nr_tracing = 0;
	uint32_t id = 0;

	while (bpf_prog_get_next_id(id, &id) == 0) {
		struct bpf_prog_info info = { 0 };
		uint32_t size = sizeof(info);
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd < 0)
			continue; /* gone since */
		if (bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && is_tracing(info.type))
			nr_tracing++;
		close(fd);
	}
	printf("%u\n", nr_tracing);
	return 0;
}

int main(int argc, char **argv)
{
	sigset_t stop;
	int tracefs, sig;

	if (argc < 2 || argc > MAX_HOOKS + 1)
		die("usage: empty TRACEPOINT...", EINVAL);
	if (strcmp(argv[1], "others") == 0)
		return others_print();
	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop, NULL);

	tracefs = tracefs_open();
	for (int i = 1; i < argc; i++)
		program_attach(program_load(), tracepoint_id(tracefs, argv[i]));
	close(tracefs);
	puts("attached");
	fflush(stdout);
	sigwait(&stop, &sig);
	return 0;
}
