/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/clock.h"
#include "proc/text.h"
#include "syscalls/notify_private.h"

#define STATUS_SIZE 4096 /* of /proc/TID/status, as far as it is needed */
#define PATH_SIZE   64

/* A call as policies know it. */
struct call {
	enum syscall_arch arch; /* NR_SYSCALL_ARCHES: none that is known */
	uint32_t nr;
};

int answers_begin(struct answers *answers, const struct notify_config *config, uint64_t now_ns)
{
	struct seccomp_notif_sizes sizes;

	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
		return -errno;
	answers->config = config;
	answers->began_ns = now_ns;
	answers->call_size = sizes.seccomp_notif > sizeof(*answers->call) ? sizes.seccomp_notif
									  : sizeof(*answers->call);
	answers->response_size = sizes.seccomp_notif_resp > sizeof(*answers->response)
					 ? sizes.seccomp_notif_resp
					 : sizeof(*answers->response);
	answers->call = calloc(1, answers->call_size);
	answers->response = calloc(1, answers->response_size);
	return answers->call && answers->response ? 0 : -ENOMEM;
}

void answers_end(struct answers *answers)
{
	free(answers->call);
	free(answers->response);
}

static struct call call_of(const struct seccomp_data *data)
{
	struct call call = { .nr = (uint32_t)data->nr };
	int arch = syscall_arch_of(data->arch, &call.nr);

	call.arch = arch < 0 ? NR_SYSCALL_ARCHES : (enum syscall_arch)arch;
	return call;
}

/* Reads the name of thread TID and the number of its process. Returns 0 or -ESRCH. */
static int read_status(pid_t tid, char name[static REFUSAL_NAME_SIZE], pid_t *ret_pid)
{
	char text[STATUS_SIZE];
	const char *line;

	if (proc_text(tid, "status", text, sizeof(text)) <= 0)
		return -ESRCH;
	/* a newline in a name is escaped */
	if (sscanf(text, "Name:\t%15[^\n]", name) != 1)
		name[0] = '\0';
	line = strstr(text, "\nTgid:\t");
	*ret_pid = line ? (pid_t)strtol(line + strlen("\nTgid:\t"), NULL, 10) : tid;
	return 0;
}

static void read_exe(struct answers *answers, pid_t tid)
{
	char path[PATH_SIZE];
	ssize_t size;

	snprintf(path, sizeof(path), "/proc/%d/exe", tid);
	size = readlink(path, answers->exe, sizeof(answers->exe) - 1);
	answers->exe[size > 0 ? size : 0] = '\0';
}

static uint32_t phase_of(const struct answers *answers, pid_t pid)
{
	const struct notify_config *config = answers->config;

	return config->phase ? config->phase(config->ctx, pid) : 0;
}

static struct answers_known *known_at(struct answers *answers, pid_t tid, uint64_t address,
				      uint32_t nr)
{
	uint64_t hash = ((uint64_t)(uint32_t)tid * 31 + nr) * 0x9e3779b97f4a7c15 + address;

	return &answers->known[(hash ^ hash >> 32) % ANSWERS_KNOWN];
}

/* Everything there is to know about a refused call, while who made it stands still. */
static void describe(struct answers *answers, const struct call *call, pid_t pid)
{
	const struct seccomp_notif *told = answers->call;
	struct refusal *refusal = &answers->refusal;

	where_is((pid_t)told->pid, told->data.instruction_pointer, &answers->where);
	read_exe(answers, (pid_t)told->pid);
	refusal->exe = answers->exe[0] ? answers->exe : NULL;
	refusal->pid = pid;
	refusal->audit = told->data.arch;
	refusal->arch = call->arch;
	refusal->nr = call->nr;
	refusal->file = answers->where.file[0] ? answers->where.file : NULL;
	refusal->offset = answers->where.offset;
	refusal->symbol = answers->where.symbol[0] ? answers->where.symbol : NULL;
	refusal->into = answers->where.into;
	refusal->count = 1;
	refusal->first_ns = clock_ns(CLOCK_MONOTONIC) - answers->began_ns;
}

/* Whether the policy allows the call in PHASE; in *RET_BY_ARGUMENT, whether it would with others.
 */
static bool is_allowed(const struct policy *policy, uint32_t phase, const struct call *call,
		       const struct seccomp_data *data, bool *ret_by_argument)
{
	uint64_t args[6];

	*ret_by_argument = false;
	if (call->arch == NR_SYSCALL_ARCHES || !policy_allows(policy, phase, call->arch, call->nr))
		return false;
	memcpy(args, data->args, sizeof(args));
	*ret_by_argument = !policy_rules_hold(policy, call->arch, call->nr, args);
	return !*ret_by_argument;
}

static int error_for(const struct policy *policy, const struct call *call)
{
	/* what would kill is answered like a call that is not there, so that the run goes on */
	if (call->arch == NR_SYSCALL_ARCHES || !policy->has_arch[call->arch])
		return -ENOSYS;
	return policy_refusal(policy, call->arch, call->nr);
}

static bool is_execution(const struct call *call)
{
	const char *name =
		call->arch < NR_SYSCALL_ARCHES ? syscall_name(call->arch, call->nr) : NULL;

	return name && (strcmp(name, "execve") == 0 || strcmp(name, "execveat") == 0);
}

static bool is_same(const struct answers_known *known, const struct seccomp_notif *told)
{
	return known->tid == (pid_t)told->pid && known->address == told->data.instruction_pointer &&
	       known->audit == told->data.arch && known->nr == (uint32_t)told->data.nr;
}

/* Begins the refusal with who made the call and in which phase. Returns 0 or -ESRCH. */
static int find_maker(struct answers *answers, const struct answers_known *known, pid_t *ret_pid)
{
	struct refusal *refusal = &answers->refusal;

	*refusal = (struct refusal){ 0 };
	if (known)
		*ret_pid = known->pid;
	else if (read_status((pid_t)answers->call->pid, refusal->process, ret_pid))
		return -ESRCH;
	refusal->phase = phase_of(answers, *ret_pid);
	return 0;
}

static bool is_let_through(const struct policy *policy, const struct call *call)
{
	return policy->action == POLICY_LOG && call->arch < NR_SYSCALL_ARCHES &&
	       policy->has_arch[call->arch];
}

void answer_find(struct answers *answers, int listener, struct answer *ret)
{
	const struct seccomp_notif *told = answers->call;
	const struct policy *policy = answers->config->policy;
	const struct call call = call_of(&told->data);
	struct refusal *refusal = &answers->refusal;
	struct answers_known *known = known_at(
		answers, (pid_t)told->pid, told->data.instruction_pointer, (uint32_t)told->data.nr);
	bool is_known;
	pid_t pid;

	/* addresses will be another program's */
	if (is_execution(&call))
		memset(answers->known, 0, sizeof(answers->known));
	is_known = is_same(known, told);
	ret->kind = ANSWER_GONE;
	if (find_maker(answers, is_known ? known : NULL, &pid))
		return;
	ret->kind = ANSWER_ALLOWED;
	if (is_allowed(policy, refusal->phase, &call, &told->data, &refusal->by_argument))
		return;
	ret->kind = is_let_through(policy, &call) ? ANSWER_LOGGED : ANSWER_REFUSED;
	ret->error = error_for(policy, &call);
	ret->known = known;
	ret->is_new = !is_known || known->phase != refusal->phase ||
		      known->by_argument != refusal->by_argument;
	if (!ret->is_new)
		return;
	if (is_known)
		read_status((pid_t)told->pid, refusal->process, &pid);
	refusal->error = ret->kind == ANSWER_REFUSED ? -ret->error : 0;
	describe(answers, &call, pid);
	/* another thread may have its number by now, and that is what was read */
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &told->id) < 0)
		ret->kind = ANSWER_GONE;
}

void answer_count(struct answers *answers, struct answer *answer)
{
	const struct seccomp_notif *told = answers->call;
	int place;

	if (answer->kind != ANSWER_REFUSED && answer->kind != ANSWER_LOGGED)
		return;
	if (!answer->is_new) {
		refusals_again(answers->config->refusals, answer->known->place);
		return;
	}
	place = refusals_add(answers->config->refusals, &answers->refusal);
	if (place < 0)
		return;
	*answer->known = (struct answers_known){
		.tid = (pid_t)told->pid,
		.pid = answers->refusal.pid,
		.address = told->data.instruction_pointer,
		.audit = told->data.arch,
		.nr = (uint32_t)told->data.nr,
		.phase = answers->refusal.phase,
		.by_argument = answers->refusal.by_argument,
		.place = (size_t)place,
	};
}
