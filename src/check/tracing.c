/* SPDX-License-Identifier: MIT */
#include "check/tracing.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <unistd.h>

#include "check/content.h"
#include "check/verdict.h"
#include "inventory/iterate.h"
#include "lib/cleanup.h"
#include "priv/sandbox.h"
#include "tap/tap.h"
#include "trace/calls.h"
#include "trace/libbpf_log.h"

/* Processes that are remembered: as many as by default. */
#define PROCESSES_MAX 32768

/* The run that is tried. What was never opened is safe to close. */
struct tracing {
	struct check *check;
	struct session session;
	struct calls calls;
	struct processes *processes;
	struct broker broker;
	struct check_content content;
	int program;	 /* descriptor of this program */
	bool is_open;	 /* the session */
	int open_err;	 /* of session_open() */
	int start_err;	 /* of session_start() */
	int sandbox_err; /* of what gives up rights */
	int iterate_err;
	int probe_err;
};

static bool is_refusal(int err)
{
	return err == -EPERM || err == -EACCES;
}

/*
 * A place for a probe: in this program, never called. Not empty, so that it is no other function's
 * too.
 */
static int __attribute__((noinline, used)) never_called(int number)
{
	__asm__ volatile("" : "+r"(number));
	return number + 1;
}

/* Where in its file the first loaded object, the program, has the address in *CTX. */
static int find_offset(struct dl_phdr_info *info, size_t size, void *ctx)
{
	uint64_t *at = ctx;

	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];
		uint64_t begin = info->dlpi_addr + part->p_vaddr;

		if (part->p_type != PT_LOAD || *at < begin || *at >= begin + part->p_filesz)
			continue;
		*at = *at - begin + part->p_offset;
		return 1;
	}
	return -1;
}

static int ignore_record(void *ctx, void *bytes, size_t size)
{
	(void)ctx;
	(void)bytes;
	(void)size;
	return 0;
}

/* Whether a run would not even begin: all that traces takes these. */
static bool is_refused(const struct privileges_trial *trial)
{
	return trial->bpf || is_refusal(trial->perf) || is_refusal(trial->tracefs);
}

static void open_session(struct tracing *tracing, const struct trace_config *config)
{
	tracing->open_err = session_open(&tracing->session, config, ignore_record, NULL);
	tracing->is_open = !tracing->open_err;
	if (tracing->is_open && config->wanted & 1U << SOURCE_api_call)
		calls_open(&tracing->calls, &tracing->session);
}

/* As a run does, so that what the broker attaches is attached by it here, too. */
static int start_broker(struct tracing *tracing)
{
	struct broker_config config = { .command = tracing->program };

	if (tracing->is_open)
		calls_offer(&tracing->calls, &config);
	return broker_start(&tracing->broker, &config);
}

static void start_session(struct tracing *tracing)
{
	int err = processes_new(&tracing->processes, PROCESSES_MAX, false);

	if (!err)
		err = session_start(&tracing->session, tracing->processes);
	tracing->start_err = err;
	session_stop(&tracing->session);
}

/* Gives up all rights, as a run does. Returns 0 or a negative errno. */
static int confine(struct tracing *tracing)
{
	int err = privileges_drop(NULL, 0);

	if (!err)
		err = sandbox_enter_reader();
	return err ? err : broker_wait(&tracing->broker);
}

/* Has a function of this program probed, of which only the broker can tell whether it works. */
static int try_probe(struct tracing *tracing)
{
	static const struct broker_file file = { .kind = BROKER_FILE_COMMAND };
	struct broker_probe probe = { .offset = (uintptr_t)never_called };
	uint32_t nr_failed = 0;
	int set;

	if (dl_iterate_phdr(find_offset, &probe.offset) != 1)
		return -ENOEXEC;
	set = broker_probe(&tracing->broker, &file, &probe, 1, &nr_failed);
	if (set >= 0)
		broker_unprobe(&tracing->broker, (uint32_t)set);
	return set < 0 ? set : nr_failed ? -EOPNOTSUPP : 0;
}

static void run(struct tracing *tracing, const struct trace_config *config)
{
	const struct check_host *host = &tracing->check->host;
	struct iterate iterate;

	libbpf_log_start();
	check_content_begin(&tracing->content);
	tracing->iterate_err = iterate_open(&iterate, -1);
	iterate_close(&iterate);
	if (config->wanted && !is_refused(&host->trial))
		open_session(tracing, config);
	tracing->sandbox_err = start_broker(tracing);
	if (tracing->is_open)
		start_session(tracing);
	if (!tracing->sandbox_err)
		tracing->sandbox_err = confine(tracing);
	if (tracing->sandbox_err)
		return;
	if (tracing->is_open && tracing->calls.uprobes.object)
		tracing->probe_err = try_probe(tracing);
	check_content_end(tracing->check, &tracing->content, &tracing->broker);
}

static void close_all(struct tracing *tracing)
{
	session_detach(&tracing->session);
	broker_stop(&tracing->broker);
	calls_close(&tracing->calls);
	session_close(&tracing->session);
	processes_free(tracing->processes);
	close_fd(&tracing->program);
}

/* Nothing traces: the rights that all of it takes, of SOURCE or of what takes several. */
static void judge_refused(struct check *check, struct check_verdict *verdict, uint64_t takes)
{
	const struct privileges_trial *trial = &check->host.trial;
	const char *call = "reading the tracing file system";
	int err = trial->tracefs;

	if (is_refusal(trial->tracefs) && check->host.has_tracefs)
		takes |= CHECK_CAP(CAP_DAC_READ_SEARCH);
	if (is_refusal(trial->perf)) {
		takes |= CHECK_CAP(CAP_PERFMON);
		call = "perf_event_open(2)";
		err = trial->perf;
	}
	if (trial->bpf) {
		takes |= CHECK_CAP(CAP_BPF);
		call = "bpf(2)";
		err = trial->bpf;
	}
	if ((trial->bpf == -ENOSYS || trial->bpf == -EINVAL) && !check->host.has_filter) {
		verdict_add(verdict, CHECK_UNAVAILABLE, CHECK_KERNEL,
			    "the kernel lacks the bpf(2) system call or its ring buffer",
			    verdict_kernel_remedy(false), NULL);
		return;
	}
	if (is_refusal(trial->tracefs) && !check->host.has_tracefs &&
	    !check->host.has_user_namespace) {
		check->host.missing |= verdict_lacking(&check->host, CHECK_CAP(CAP_SYS_ADMIN));
		verdict_add(verdict, CHECK_UNAVAILABLE, CHECK_PRIVILEGES,
			    "the tracing file system is not mounted, and to mount it takes "
			    "CAP_SYS_ADMIN",
			    "mount it", "sudo mount -t tracefs tracefs /sys/kernel/tracing");
		if (!takes)
			return;
	}
	verdict_refused(verdict, CHECK_UNAVAILABLE, &check->host, takes, call, err);
}

/* The capabilities of a source that all sources do not need. */
static uint64_t takes_more(enum source_id source)
{
	return source == SOURCE_tap || tap_makes(source) ? CHECK_CAP(CAP_NET_ADMIN) : 0;
}

/* What gives up rights, and could not, does nothing. */
static void judge_confined(struct check_verdict *verdict)
{
	verdict_add(verdict, CHECK_UNAVAILABLE, CHECK_PRIVILEGES, "rights cannot be given up",
		    "see 'sandbox'", NULL);
}

/* A run failed as a whole: says why in VERDICT. Returns false when it did not. */
static bool judge_run(const struct tracing *tracing, struct check_verdict *verdict, uint64_t takes)
{
	struct check_host *host = &tracing->check->host;
	int err = tracing->sandbox_err;
	char why[128];

	if (is_refused(&host->trial)) {
		judge_refused(tracing->check, verdict, takes);
		return true;
	}
	if (err) {
		judge_confined(verdict);
		return true;
	}
	err = tracing->open_err ? tracing->open_err : tracing->start_err;
	if (!err)
		return false;
	if (is_refusal(err)) {
		takes |= CHECK_CAP(CAP_BPF) | CHECK_CAP(CAP_PERFMON);
		verdict_refused(verdict, CHECK_UNAVAILABLE, host, takes, "loading programs", err);
		return true;
	}
	if (err == -ENOENT && check_content_lacks_proc(&tracing->content, verdict))
		return true;
	snprintf(why, sizeof(why), "%s: %s",
		 tracing->open_err ? "loading programs" : "the iterator over tasks",
		 libbpf_log_strerror(err));
	verdict_add(verdict, CHECK_UNAVAILABLE, CHECK_KERNEL, why,
		    verdict_kernel_remedy(!host->has_btf),
		    "crypto-tracer monitor --verbose --duration 1");
	return true;
}

static void judge_cgroup(struct check *check, struct check_verdict *verdict)
{
	char why[128];

	snprintf(why, sizeof(why), "there is no cgroup2 to attach to: %s", check->host.cgroup2);
	if (is_refusal(check->host.cgroup)) {
		check->host.missing |= verdict_lacking(&check->host, CHECK_CAP(CAP_SYS_ADMIN));
		verdict_add(verdict, CHECK_UNAVAILABLE, CHECK_PRIVILEGES, why,
			    "run it as root, which can mount it for itself, or mount it",
			    "sudo mkdir -p /sys/fs/cgroup/unified && "
			    "sudo mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified");
		return;
	}
	verdict_add(verdict, CHECK_UNAVAILABLE, CHECK_KERNEL, why,
		    "use a kernel built with CONFIG_CGROUPS=y and CONFIG_CGROUP_BPF=y", NULL);
}

/* By what SOURCE is seen here, or would be. */
static const char *hook_of(const struct tracing *tracing, enum source_id source)
{
	const char *name = session_hook(&tracing->session, tap_makes(source) ? SOURCE_tap : source);

	return name ? name : sources[source]->hooks[0].name;
}

/* Why the hook of a source is not in place, or not all of it. */
static void judge_hook(struct tracing *tracing, enum source_id source,
		       const struct source_state *state, struct check_verdict *verdict)
{
	struct check *check = tracing->check;
	enum check_status status = state->is_attached ? CHECK_LIMITED : CHECK_UNAVAILABLE;
	uint64_t takes = takes_more(source);
	bool is_tap = takes;

	if (is_tap && check->host.cgroup)
		judge_cgroup(check, verdict);
	if (is_refusal(state->err) && (!is_tap || verdict_lacking(&check->host, takes)))
		verdict_refused(verdict, status, &check->host,
				takes | CHECK_CAP(CAP_BPF) | CHECK_CAP(CAP_PERFMON),
				hook_of(tracing, source), state->err);
	else if (!verdict->why[0])
		verdict_add(verdict, status, CHECK_KERNEL,
			    state->reason[0] ? state->reason : "nobody knows why",
			    status == CHECK_LIMITED ? NULL
						    : verdict_kernel_remedy(!check->host.has_btf),
			    NULL);
}

static void judge_calls(const struct tracing *tracing, struct check_verdict *verdict)
{
	int err = tracing->probe_err;
	char why[96];

	if (!err)
		return;
	if (is_refusal(err)) {
		verdict_refused(verdict, CHECK_UNAVAILABLE, &tracing->check->host,
				CHECK_CAP(CAP_PERFMON) | CHECK_CAP(CAP_SYS_ADMIN),
				"attaching a uprobe", err);
		return;
	}
	snprintf(why, sizeof(why), "attaching a uprobe: %s", strerror(-err));
	verdict_add(verdict, CHECK_UNAVAILABLE, CHECK_KERNEL, why,
		    "use a kernel built with CONFIG_UPROBES=y and CONFIG_BPF_EVENTS=y", NULL);
}

/* What programs for old kernels tell is less (docs/requirements.md). */
static void judge_reduced(const struct tracing *tracing, struct check_verdict *verdict)
{
	const struct check_host *host = &tracing->check->host;

	if (!tracing->session.reduced)
		return;
	verdict_add(verdict, CHECK_LIMITED, CHECK_KERNEL,
		    host->has_btf ? "by programs for old kernels, partly by /proc"
				  : "by programs for old kernels, partly by /proc: there is no "
				    "type information (/sys/kernel/btf/vmlinux)",
		    verdict_kernel_remedy(!host->has_btf), NULL);
}

/* What is attached and yet does not see everything. */
static void judge_reach(const struct tracing *tracing, enum source_id source,
			struct check_verdict *verdict)
{
	judge_reduced(tracing, verdict);
	if (takes_more(source) && !tracing->session.sees_all_cgroups)
		verdict_add(verdict, CHECK_LIMITED, CHECK_ENVIRONMENT,
			    "only sockets of its own control group namespace are seen",
			    "run it on the host, or in the host's cgroup namespace (docker run "
			    "--cgroupns=host)",
			    NULL);
}

static void judge_source(struct tracing *tracing, enum source_id source)
{
	struct check_feature *feature = &tracing->check->all[source];
	struct source_state *state =
		&tracing->session.states[tap_makes(source) ? SOURCE_tap : source];
	bool is_calls = source == SOURCE_api_call && tracing->calls.uprobes.object;

	if (judge_run(tracing, &feature->verdict, takes_more(source)))
		return;
	state->is_attached |= is_calls && !tracing->probe_err;
	if (state->is_attached || is_calls)
		verdict_works(&feature->verdict);
	if (is_calls)
		judge_calls(tracing, &feature->verdict);
	if (state->reason[0] || (!state->is_attached && !is_calls))
		judge_hook(tracing, source, state, &feature->verdict);
	if (state->is_attached)
		judge_reach(tracing, source, &feature->verdict);
	if (feature->verdict.status != CHECK_UNAVAILABLE)
		feature->hook = is_calls && tracing->calls.uprobes.is_multi
					? "uprobe_multi"
					: hook_of(tracing, source);
}

/* What takes several sources: all but those on demand, or all. */
static void judge_command(struct tracing *tracing, struct check_feature *feature, bool with_calls)
{
	struct check *check = tracing->check;
	char why[CHECK_WHY_SIZE] = "not all events:";
	size_t used = strlen(why), from = used;
	enum check_cause cause = CHECK_NOTHING;

	if (judge_run(tracing, &feature->verdict, CHECK_CAP(CAP_NET_ADMIN)))
		return;
	verdict_works(&feature->verdict);
	for (size_t i = 0; i < NR_SOURCES && used < sizeof(why); i++) {
		const struct check_verdict *verdict = &check->all[i].verdict;

		if (sources[i]->is_internal || (sources[i]->is_on_demand && !with_calls) ||
		    verdict->status == CHECK_WORKS)
			continue;
		used += (size_t)snprintf(why + used, sizeof(why) - used, " %s", sources[i]->name);
		cause = cause == CHECK_PRIVILEGES ? cause : verdict->cause;
	}
	if (used > from)
		verdict_add(&feature->verdict, CHECK_LIMITED, cause, why, "see there", NULL);
	if (check->host.has_pid_namespace)
		verdict_add(&feature->verdict, CHECK_LIMITED, CHECK_ENVIRONMENT,
			    "in a pid namespace --pid and COMMAND do not work, and events have the "
			    "host's pids",
			    "run it on the host, or with the host's pids (docker run --pid=host, "
			    "hostPID: true)",
			    NULL);
}

static void judge_snapshot(const struct tracing *tracing)
{
	struct check *check = tracing->check;
	struct check_feature *feature = &check->all[CHECK_FEATURE_snapshot];
	struct check_verdict *verdict = &feature->verdict;
	const struct check_verdict *content = &check->all[CHECK_FEATURE_content].verdict;
	int err = tracing->iterate_err;
	char why[128];

	if (tracing->sandbox_err) {
		judge_confined(verdict);
		return;
	}
	verdict_works(verdict);
	feature->hook = err ? "/proc" : "BPF iterators";
	if (is_refusal(err)) {
		verdict_refused(verdict, CHECK_LIMITED, &check->host,
				CHECK_CAP(CAP_BPF) | CHECK_CAP(CAP_PERFMON), "bpf(2)", err);
	} else if (err) {
		snprintf(why, sizeof(why),
			 "BPF iterators: %s; /proc is slower and tells less of "
			 "sockets",
			 libbpf_log_strerror(err));
		verdict_add(verdict, CHECK_LIMITED, CHECK_KERNEL, why,
			    verdict_kernel_remedy(!check->host.has_btf), NULL);
	}
	if (content->status == CHECK_WORKS)
		return;
	verdict->lacking |= content->lacking;
	verdict_add(verdict, CHECK_LIMITED, content->cause, content->why, content->remedy,
		    content->command);
}

static void judge_sandbox(struct tracing *tracing)
{
	struct check_feature *feature = &tracing->check->all[CHECK_FEATURE_sandbox];
	struct check_host *host = &tracing->check->host;
	int err = tracing->sandbox_err;
	uint64_t takes = host->uid == 0 ? CHECK_CAP(CAP_SETUID) | CHECK_CAP(CAP_SETGID) : 0;
	char why[128];

	if (!err) {
		verdict_works(&feature->verdict);
		feature->hook = "seccomp(2)";
		return;
	}
	if (host->has_user_namespace) {
		verdict_add(&feature->verdict, CHECK_UNAVAILABLE, CHECK_PRIVILEGES,
			    "the user namespace does not let root become nobody",
			    "map more than one user into it (/etc/subuid), or run it as another "
			    "user than root",
			    NULL);
		return;
	}
	if (is_refusal(err) || err == -EPIPE) {
		verdict_refused(&feature->verdict, CHECK_UNAVAILABLE, host, takes,
				"becoming another user", err);
		return;
	}
	snprintf(why, sizeof(why), "rights cannot be given up: %s", strerror(-err));
	verdict_add(&feature->verdict, CHECK_UNAVAILABLE, CHECK_KERNEL, why,
		    "use a kernel built with CONFIG_SECCOMP_FILTER=y", NULL);
}

void check_tracing(struct check *check, const struct trace_config *config)
{
	static struct tracing tracing;

	tracing = (struct tracing){
		.check = check,
		.broker = { .fd = -1 },
		.session = { .places = { -ENOENT, -ENOENT } },
		.program = open("/proc/self/exe", O_RDONLY | O_CLOEXEC),
	};
	run(&tracing, config);
	for (size_t i = 0; i < NR_SOURCES; i++)
		judge_source(&tracing, (enum source_id)i);
	judge_command(&tracing, &check->all[CHECK_FEATURE_monitor], false);
	judge_command(&tracing, &check->all[CHECK_FEATURE_profile], true);
	if (tracing.sandbox_err)
		judge_confined(&check->all[CHECK_FEATURE_content].verdict);
	judge_snapshot(&tracing);
	judge_sandbox(&tracing);
	close_all(&tracing);
}

void check_host_crypto(struct check *check, const struct host_crypto *host)
{
	struct check_feature *feature = &check->all[CHECK_FEATURE_host_crypto];
	const char *text = host->not_seen;

	verdict_works(&feature->verdict);
	feature->hook = "/proc, /sys, netlink";
	for (size_t at = 0; at < host->not_seen_size; at += strlen(text + at) + 1) {
		verdict_add(&feature->verdict, CHECK_LIMITED, CHECK_ENVIRONMENT, text + at, NULL,
			    NULL);
		if (strstr(text + at, "CAP_NET_ADMIN"))
			verdict_refused(&feature->verdict, CHECK_LIMITED, &check->host,
					CHECK_CAP(CAP_NET_ADMIN), "netlink", -EPERM);
	}
	if (feature->verdict.lacking)
		feature->verdict.cause = CHECK_PRIVILEGES;
}
