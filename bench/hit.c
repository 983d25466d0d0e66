/* SPDX-License-Identifier: MIT */
/*
 * What it costs a program to pass a probe of api_call:
 *
 *	hit CPU TURNS	"KIND NS EMPTY_NS" a line: of one call of a function with a probe of that
 *			kind, and of a twin of it, where a program stands that does nothing
 *
 * The functions are twins in this program, some with a probe of the tool's own BPF programs, some
 * with an empty one, all at the same time. They are called in blocks, each kind in turn and many
 * times, and the lower quartile of a kind's blocks counts: what the machine does meanwhile meets
 * all of them. The records are taken out of the ring between the blocks and thrown away.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <link.h>
#include <linux/bpf.h>
#include <unistd.h>

#include "bench.h"
#include "control.h"
#include "proc/processes.h"
#include "sources/api_call/api_call.h"
#include "trace/session.h"
#include "trace/uprobes.h"

#define CALLS_PER_BLOCK 100
#define BLOCKS_PER_TURN 4
#define MAX_TURNS	1000
#define RING_SIZE	(1U << 20)
#define CODE_SIZE	64
#define UPROBE_MULTI	48 /* include/uapi/linux/bpf.h since Linux 6.6: enum bpf_attach_type */

/*
 * 32 times the same function, CODE_SIZE bytes apart. Its first instruction is one that the kernel
 * executes elsewhere, in a single step; the one at CHEAP_AT is one that it emulates.
 */
#if defined(__x86_64__)
#define CHEAP_AT 4
#define CODE	 "endbr64\n push %rbp\n pop %rbp\n ret\n"
#elif defined(__aarch64__)
#define CHEAP_AT 4
#define CODE	 "add x0, x0, #0\n b 1f\n 1: ret\n"
#else
#error "which instructions does the kernel emulate here?"
#endif
#define NR_CODE 32

__asm__(".text\n .balign 64\n .globl bench_code\n bench_code:\n"
	".rept 32\n .balign 64\n" CODE ".endr\n .balign 64\n");

extern const char bench_code[];

/* Whose calls a session selects. */
enum selection {
	SELECTION_ALL,
	SELECTION_NAME,	 /* by a name, which is this program's */
	SELECTION_OTHER, /* by another name */
	NR_SELECTIONS
};

/* Where the probe is. */
enum spot {
	SPOT_CHEAP,
	SPOT_ENTRY,
	SPOT_RETURN, /* a second one at the return */
};

struct kind {
	const char *name;
	enum selection selection;
	enum spot spot;
	uint64_t cookie;
};

#define NUMBER ((uint64_t)API_WIRE_number << API_COOKIE_ARGUMENTS)
#define STRING ((uint64_t)(API_WIRE_name | 1 << 4) << API_COOKIE_ARGUMENTS)
#define METHOD ((uint64_t)API_WIRE_int_at << API_COOKIE_ARGUMENTS)

/* The first argument of a call is 0, the second TEXT. */
static const char text[] = "AES-256-GCM";

static const struct kind kinds[] = {
	{ "told", SELECTION_ALL, SPOT_CHEAP, NUMBER },
	{ "text", SELECTION_ALL, SPOT_CHEAP, STRING },
	{ "named", SELECTION_NAME, SPOT_CHEAP, NUMBER },
	{ "skipped", SELECTION_ALL, SPOT_CHEAP, METHOD | API_COOKIE_REQUIRED },
	{ "counted", SELECTION_ALL, SPOT_CHEAP, API_COOKIE_COUNT },
	{ "other", SELECTION_OTHER, SPOT_CHEAP, NUMBER },
	{ "entry", SELECTION_ALL, SPOT_ENTRY, NUMBER },
	{ "return", SELECTION_ALL, SPOT_RETURN, NUMBER | API_COOKIE_RESULT },
	/* What an empty probe costs is known from their twins, for these from themselves. */
};

#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct target {
	struct session session;
	struct uprobes uprobes;
	struct uprobes empty;
	struct processes *processes;
};

static struct target targets[NR_SELECTIONS];
static uint64_t samples[2 * NR_KINDS][MAX_TURNS * BLOCKS_PER_TURN];

static int record_drop(void *ctx, void *bytes, size_t size)
{
	(void)ctx, (void)bytes, (void)size;
	return 0;
}

/* A program for uprobes that returns 0 at once. */
static int program_load(bool is_multi)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options);
	int fd;

	if (is_multi)
		options.expected_attach_type = (enum bpf_attach_type)UPROBE_MULTI;
	fd = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "bench_empty", "Dual MIT/GPL", insns,
			   sizeof(insns) / sizeof(insns[0]), &options);
	if (fd < 0)
		die("cannot load an empty program", -fd);
	return fd;
}

static void target_open(struct target *target, enum selection selection)
{
	static const char *const names[NR_SELECTIONS] = { "", "hit", "no such" };
	struct trace_config config = { .ring_size = RING_SIZE, .wanted = 1U << SOURCE_file_open };
	int err;

	if (selection != SELECTION_ALL) {
		config.select = SELECT_NAME;
		config.name_size = (uint32_t)strlen(names[selection]);
		memcpy(config.name, names[selection], config.name_size);
	}
	err = session_open(&target->session, &config, record_drop, NULL);
	if (!err)
		err = uprobes_load(&target->uprobes, &target->session);
	if (!err)
		err = processes_new(&target->processes, 65536, false);
	if (!err)
		err = session_start(&target->session, target->processes);
	if (err)
		die("cannot load the programs", -err);
	target->session.control->consumer = CONSUMER_BUSY;
	target->empty = target->uprobes;
	target->empty.enter = program_load(target->uprobes.is_multi);
	target->empty.leave = target->empty.enter;
}

/* Where in the file of this program ADDRESS is. */
struct search {
	uintptr_t address;
	uint64_t offset;
};

static int segment_find(struct dl_phdr_info *info, size_t size, void *ctx)
{
	struct search *search = ctx;

	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + segment->p_vaddr;

		if (segment->p_type == PT_LOAD && search->address - start < segment->p_filesz)
			search->offset = search->address - start + segment->p_offset;
	}
	return 1; /* the program itself comes first */
}

/* Attaches to function number NUMBER what KIND says, with the programs of UPROBES. */
static void kind_attach(struct uprobes *uprobes, const struct kind *kind, size_t number)
{
	struct search search = { .address = (uintptr_t)bench_code + CODE_SIZE * number };
	uint64_t cookie = kind->cookie | number;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	uint32_t nr_failed;
	int err;

	dl_iterate_phdr(segment_find, &search);

	const struct broker_probe probes[] = {
		{ .offset = search.offset + (kind->spot == SPOT_CHEAP ? CHEAP_AT : 0),
		  .cookie = cookie },
		{ .offset = search.offset, .cookie = cookie, .is_return = 1 },
	};

	uprobes->slots[number].limit = UINT32_MAX;
	err = uprobes_attach(uprobes, fd, probes, kind->spot == SPOT_RETURN ? 2 : 1, &nr_failed);
	if (err < 0 || nr_failed)
		die("cannot attach", err < 0 ? -err : EINVAL);
	close(fd);
}

/* The time of a block of calls of function number NUMBER, ns. */
static uint64_t block_run(size_t number)
{
	void (*function)(uint64_t, const char *) =
		(void (*)(uint64_t, const char *))(uintptr_t)(bench_code + CODE_SIZE * number);
	uint64_t start_ns = clock_ns(CLOCK_MONOTONIC);

	for (size_t i = 0; i < CALLS_PER_BLOCK; i++)
		function(0, text);
	return clock_ns(CLOCK_MONOTONIC) - start_ns;
}

static void turn_run(uint64_t turn)
{
	for (size_t i = 0; i < 2 * NR_KINDS; i++) {
		for (size_t j = 0; j < BLOCKS_PER_TURN; j++)
			samples[i][turn * BLOCKS_PER_TURN + j] = block_run(i);
		ring_buffer__consume(targets[kinds[i / 2].selection].session.ring);
	}
}

/* Two functions a kind: the first with our programs, the second with empty ones. */
static void kinds_attach(void)
{
	_Static_assert(2 * NR_KINDS <= NR_CODE, "more functions are needed");

	for (size_t i = 0; i < NR_KINDS; i++) {
		struct target *target = &targets[kinds[i].selection];

		kind_attach(&target->uprobes, &kinds[i], 2 * i);
		kind_attach(&target->empty, &kinds[i], 2 * i + 1);
	}
}

/* Whether the programs did what their kind says: a kind that is left out is cheap indeed. */
static void kinds_check(uint64_t nr_turns)
{
	uint64_t calls = nr_turns * BLOCKS_PER_TURN * CALLS_PER_BLOCK;
	const uint64_t told[NR_SELECTIONS] = {
		[SELECTION_ALL] = 4 * calls,
		[SELECTION_NAME] = calls,
		[SELECTION_OTHER] = 0,
	};

	for (size_t i = 0; i < NR_SELECTIONS; i++) {
		struct source_counters counters;

		session_counters(&targets[i].session, SOURCE_api_call, &counters);
		if (counters.sent != told[i] || counters.ring_full) {
			fprintf(stderr, "bench: selection %zu: %llu records of %llu\n", i,
				(unsigned long long)counters.sent, (unsigned long long)told[i]);
			die("the probes did something else", EPROTO);
		}
	}
}

static int ns_compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

static double quartile(size_t number, uint64_t nr_turns)
{
	size_t nr = nr_turns * BLOCKS_PER_TURN;

	qsort(samples[number], nr, sizeof(samples[number][0]), ns_compare);
	return (double)samples[number][nr / 4] / CALLS_PER_BLOCK;
}

int main(int argc, char **argv)
{
	uint64_t nr_turns;

	if (argc != 3)
		die("usage: hit CPU TURNS", EINVAL);
	cpu_pin(argv[1]);
	nr_turns = number_parse(argv[2], MAX_TURNS);
	for (size_t i = 0; i < NR_SELECTIONS; i++)
		target_open(&targets[i], i);
	kinds_attach();
	for (uint64_t turn = 0; turn < nr_turns; turn++)
		turn_run(turn);
	kinds_check(nr_turns);
	for (size_t i = 0; i < NR_KINDS; i++)
		printf("%s %.1f %.1f\n", kinds[i].name, quartile(2 * i, nr_turns),
		       quartile(2 * i + 1, nr_turns));
	/* The end of the process lets go of everything. */
	return 0;
}
