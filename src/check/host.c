/* SPDX-License-Identifier: MIT */
#include "check/host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "trace/cgroup.h"
#include "trace/tracefs.h"

/* Inodes of the first namespaces: PROC_*_INIT_INO, include/linux/proc_ns.h. */
#define FIRST_USER_NAMESPACE   0xEFFFFFFDU
#define FIRST_PID_NAMESPACE    0xEFFFFFFCU
#define FIRST_CGROUP_NAMESPACE 0xEFFFFFFBU

/* The first line of PATH, without its end; empty where it cannot be read. */
static void read_line(const char *path, char *text, size_t size)
{
	_cleanup_(cleanup_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = fd < 0 ? 0 : read(fd, text, size - 1);

	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

static int32_t read_setting(const char *path)
{
	char text[32];

	read_line(path, text, sizeof(text));
	return text[0] ? (int32_t)strtol(text, NULL, 10) : CHECK_UNKNOWN;
}

/* "none [integrity] confidentiality": the one in force. */
static void read_lockdown(char *ret, size_t size)
{
	char text[64];
	char *from;

	read_line("/sys/kernel/security/lockdown", text, sizeof(text));
	from = strchr(text, '[');
	if (!from || !strchr(from, ']'))
		return;
	from++;
	from[strcspn(from, "]")] = '\0';
	snprintf(ret, size, "%s", from);
}

static bool is_own_namespace(const char *name, ino_t first)
{
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	return stat(path, &st) == 0 && st.st_ino != first;
}

/* Where a file system is that is mounted at one of two PLACES, or can only be had as FD, or not. */
static void tell_place(const char *const places[2], long magic, int err, char *ret, size_t size)
{
	struct statfs fs;

	for (size_t i = 0; i < 2; i++)
		if (statfs(places[i], &fs) == 0 && fs.f_type == magic) {
			snprintf(ret, size, "%s%s", places[i], err ? ", but not to be read" : "");
			return;
		}
	snprintf(ret, size, "not mounted%s%s", err ? ": " : ", a private mount works",
		 err ? strerror(-err) : "");
}

static void try_tracefs(struct check_host *host)
{
	static const char *const places[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };

	host->has_tracefs = tracefs_is_mounted();
	tell_place(places, TRACEFS_MAGIC, host->trial.tracefs, host->tracefs,
		   sizeof(host->tracefs));
}

static void try_cgroup(struct check_host *host)
{
	static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	_cleanup_(cleanup_fd) int fd = cgroup_open();

	host->cgroup = fd < 0 ? fd : 0;
	tell_place(places, CGROUP2_SUPER_MAGIC, host->cgroup, host->cgroup2, sizeof(host->cgroup2));
}

/* Whether all processes are in /proc: others can be hidden, or be in another namespace. */
static void try_proc(struct check_host *host)
{
	_cleanup_(cleanup_fd) int fd = open("/proc/1/status", O_RDONLY | O_CLOEXEC);
	struct statfs fs;
	const char *told = "all processes";
	bool is_mounted = statfs("/proc", &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;

	host->hides_processes = is_mounted && fd < 0;
	if (!is_mounted)
		told = "not mounted";
	else if (host->hides_processes)
		told = "processes of others are hidden (hidepid)";
	else if (host->has_pid_namespace)
		told = "processes of this pid namespace only";
	snprintf(host->proc, sizeof(host->proc), "%s", told);
}

static void read_capabilities(struct check_host *host)
{
	cap_t caps = cap_get_proc();

	for (int cap = 0; caps && cap < 64; cap++) {
		cap_flag_value_t is_set;

		if (cap_get_flag(caps, cap, CAP_EFFECTIVE, &is_set) == 0 && is_set == CAP_SET)
			host->effective |= 1ULL << cap;
	}
	cap_free(caps);
}

/* What a container manager says of itself, in the variable that systemd made the custom. */
static const char *known_manager(const char *text)
{
	static const char *const names[] = {
		"docker",	   "podman", "lxc", "systemd-nspawn",
		"container-other", "oci",    "wsl", "proot",
	};

	for (size_t i = 0; text && i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(text, names[i], strlen(names[i])) == 0)
			return names[i];
	return NULL;
}

/* Who made the container that this is. What anybody could write is only compared. */
static const char *find_container(const struct check_host *host)
{
	char text[64];
	const char *name;

	if (getenv("KUBERNETES_SERVICE_HOST"))
		return "kubernetes";
	if (access("/.dockerenv", F_OK) == 0)
		return "docker";
	if (access("/run/.containerenv", F_OK) == 0)
		return "podman";
	read_line("/run/systemd/container", text, sizeof(text));
	name = known_manager(text);
	if (!name)
		name = known_manager(getenv("container"));
	if (name)
		return name;
	return host->has_pid_namespace || host->has_user_namespace || host->has_cgroup_namespace
		       ? "unknown"
		       : NULL;
}

static const char *name_arch(void)
{
	static struct utsname names;

	return uname(&names) == 0 ? names.machine : NULL;
}

void check_host_read(struct check_host *host)
{
	host->arch = name_arch();
	host->uid = getuid();
	host->has_btf = access("/sys/kernel/btf/vmlinux", R_OK) == 0;
	host->unprivileged_bpf_disabled =
		read_setting("/proc/sys/kernel/unprivileged_bpf_disabled");
	host->perf_event_paranoid = read_setting("/proc/sys/kernel/perf_event_paranoid");
	host->ptrace_scope = read_setting("/proc/sys/kernel/yama/ptrace_scope");
	read_lockdown(host->lockdown, sizeof(host->lockdown));
	host->has_filter = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2;
	host->has_user_namespace = is_own_namespace("user", FIRST_USER_NAMESPACE);
	host->has_pid_namespace = is_own_namespace("pid", FIRST_PID_NAMESPACE);
	host->has_cgroup_namespace = is_own_namespace("cgroup", FIRST_CGROUP_NAMESPACE);
	host->container = find_container(host);
	read_capabilities(host);
	privileges_try(&host->trial);
	try_tracefs(host);
	try_cgroup(host);
	try_proc(host);
}

void check_capability_names(uint64_t capabilities, char *text, size_t size, struct text_list *ret)
{
	*ret = (struct text_list){ .bytes = text };
	for (int cap = 0; cap < 64; cap++) {
		char *name = capabilities & 1ULL << cap ? cap_to_name(cap) : NULL;
		size_t room = name ? strlen(name) + 1 : 0;

		if (name && room <= size - ret->size) {
			memcpy(text + ret->size, name, room);
			ret->size += room;
		}
		cap_free(name);
	}
}
