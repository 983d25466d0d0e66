/* SPDX-License-Identifier: MIT */
#include "priv/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/log.h"
#include "trace/tracefs.h"

/* By convention of all distributions, where the passwd file does not say. */
#define NOBODY 65534

static int try_map(const union bpf_attr *attr)
{
	int fd = (int)syscall(SYS_bpf, BPF_MAP_CREATE, attr, sizeof(*attr));

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int try_bpf(void)
{
	/* A ring buffer is the cheapest thing that needs CAP_BPF. */
	const union bpf_attr ring = { .map_type = BPF_MAP_TYPE_RINGBUF, .max_entries = 4096 };
	/* What there was before Linux 5.8. */
	const union bpf_attr array = { .map_type = BPF_MAP_TYPE_PERF_EVENT_ARRAY,
				       .key_size = sizeof(uint32_t),
				       .value_size = sizeof(uint32_t),
				       .max_entries = 1 };
	int err = try_map(&ring);

	return err == -EINVAL || err == -E2BIG ? try_map(&array) : err;
}

static int try_perf(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int try_tracefs(void)
{
	_cleanup_(cleanup_fd) int fd = tracefs_open();

	if (fd < 0)
		return fd;

	int id = tracefs_event_id(fd, "syscalls/sys_exit_openat");

	return id < 0 ? id : 0;
}

void privileges_try(struct privileges_trial *ret)
{
	ret->bpf = try_bpf();
	ret->perf = try_perf();
	ret->tracefs = try_tracefs();
}

unsigned int privileges_missing(void)
{
	struct privileges_trial trial;
	unsigned int missing = 0;

	privileges_try(&trial);
	if (trial.bpf == -ENOSYS || trial.bpf == -EINVAL)
		missing |= MISSING_SUPPORT;
	else if (trial.bpf)
		missing |= MISSING_BPF;
	if (trial.perf == -EACCES || trial.perf == -EPERM)
		missing |= MISSING_PERFMON;
	if (trial.tracefs == -EACCES || trial.tracefs == -EPERM)
		missing |= tracefs_is_mounted() ? MISSING_TRACEFS : MISSING_MOUNT;
	return missing;
}

/* Switches CAP_SYS_ADMIN on or off, which this process has to have. Returns 0 or a negative errno.
 */
static int switch_admin(cap_flag_value_t value)
{
	static const int admin[] = { CAP_SYS_ADMIN };
	cap_t caps = cap_get_proc();
	int err = 0;

	if (!caps || cap_set_flag(caps, CAP_EFFECTIVE, 1, admin, value) < 0 ||
	    cap_set_proc(caps) < 0)
		err = -errno;
	cap_free(caps);
	return err;
}

bool privileges_perf_takes_admin(void)
{
	int without;

	if (try_perf() || switch_admin(CAP_CLEAR))
		return false;
	without = try_perf();
	/* Where it was not on this fails, and it was not that which helped. */
	return !switch_admin(CAP_SET) && without;
}

static void log_capabilities(const char *when)
{
	cap_t caps = cap_get_proc();
	char *text = caps ? cap_to_text(caps, NULL) : NULL;

	log_debug("capabilities %s start-up: uid %u, %s", when, getuid(), text ? text : "unknown");
	cap_free(text);
	cap_free(caps);
}

/* In the file itself: getpwnam(3) would load modules, as root, and aborts where memory is short. */
static void find_nobody(uid_t *ret_uid, gid_t *ret_gid)
{
	_cleanup_(cleanup_file) FILE *file = fopen("/etc/passwd", "re");
	const struct passwd *entry;

	*ret_uid = NOBODY;
	*ret_gid = NOBODY;
	/* cppcheck-suppress fgetpwentCalled ; there is one thread, and musl has no other */
	while (file && (entry = fgetpwent(file))) {
		if (strcmp(entry->pw_name, "nobody") != 0)
			continue;
		*ret_uid = entry->pw_uid;
		*ret_gid = entry->pw_gid;
		return;
	}
}

static int become_nobody(void)
{
	uid_t uid;
	gid_t gid;

	find_nobody(&uid, &gid);

	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return -errno;
	return 0;
}

static int capabilities_set(const int *kept, size_t nr_kept)
{
	cap_t caps = cap_init();
	cap_t held = cap_get_proc();
	int err = caps && held ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < nr_kept; i++) {
		cap_flag_value_t is_held;

		/* What it never had it cannot keep; a kernel may not know a later one either. */
		if (cap_get_flag(held, kept[i], CAP_PERMITTED, &is_held) < 0 || is_held != CAP_SET)
			continue;
		if (cap_set_flag(caps, CAP_PERMITTED, 1, &kept[i], CAP_SET) < 0 ||
		    cap_set_flag(caps, CAP_EFFECTIVE, 1, &kept[i], CAP_SET) < 0)
			err = -errno;
	}
	if (!err && cap_set_proc(caps) < 0)
		err = -errno;
	cap_free(caps);
	cap_free(held);
	return err;
}

static int drop(const int *kept, size_t nr_kept, bool must_become)
{
	int err;

	log_capabilities("before");
	/* Fails without CAP_SETPCAP, where there is nothing to regain anyway. */
	for (int cap = 0; cap_get_bound(cap) >= 0; cap++)
		cap_drop_bound(cap);
	cap_reset_ambient();
	if (geteuid() == 0 || getuid() == 0) {
		if (nr_kept > 0 && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
			return -errno;
		err = become_nobody();
		if (err && must_become)
			return err;
	}
	err = capabilities_set(kept, nr_kept);
	if (err)
		return err;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	log_capabilities("after");
	return 0;
}

int privileges_drop(const int *kept, size_t nr_kept)
{
	return drop(kept, nr_kept, true);
}

int privileges_leave(void)
{
	return drop(NULL, 0, false);
}
