/* SPDX-License-Identifier: MIT */
#include "syscalls/notify.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "syscalls/filter.h"
#include "syscalls/notify_private.h"

/* linux/seccomp.h, Linux 5.19: once told of, a call is only given up by who is killed. */
#define FLAG_WAIT_KILLABLE_RECV (1UL << 5)

/* How often it is looked whether the child has its filter; then, whether all is over. */
#define LISTENER_MS 1
#define ROUND_MS    100

/* Told by the child without a call, which its filter might not allow. */
struct shared {
	uint8_t cookie[NOTIFY_COOKIE_SIZE]; /* who has this is no other program yet */
	atomic_int pid;
	atomic_int listener; /* of the child's descriptors; -1: none yet */
};

struct notify {
	struct notify_config config;
	struct sock_filter *filter;
	size_t nr_insns;
	struct shared *shared;
	int over;
	pthread_t thread;
	bool has_thread;
	atomic_bool must_stop;
	bool has_begun; /* COMMAND was executed */
	int err;
	struct answers answers;
};

/* The filter lets pass what all phases allow, and tells of everything else. */
static int compile(struct notify *notify)
{
	const struct filter_config config = { .action = POLICY_NOTIFY, .tells_all = true };
	const struct policy *policy = notify->config.policy;
	int nr;

	notify->filter = calloc(FILTER_MAX, sizeof(*notify->filter));
	if (!notify->filter)
		return -ENOMEM;
	nr = filter_compile(policy, policy->nr_phases - 1, &config, notify->filter);
	if (nr < 0)
		return nr;
	notify->nr_insns = (size_t)nr;
	return 0;
}

static int make_shared(struct notify *notify)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		return -errno;
	notify->shared = shared;
	atomic_init(&shared->pid, 0);
	atomic_init(&shared->listener, -1);
	if (getrandom(shared->cookie, sizeof(shared->cookie), 0) != sizeof(shared->cookie))
		return -EIO;
	return 0;
}

int notify_new(struct notify **ret, const struct notify_config *config)
{
	struct notify *notify = calloc(1, sizeof(*notify));
	int err;

	if (!notify)
		return -ENOMEM;
	notify->config = *config;
	notify->over = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = notify->over < 0 ? -errno : compile(notify);
	if (!err)
		err = make_shared(notify);
	if (err) {
		notify_free(notify);
		return err;
	}
	*ret = notify;
	return 0;
}

int notify_prepare(struct notify *notify)
{
	unsigned int flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
	int listener;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) < 0)
		return -errno;
	atomic_store(&notify->shared->pid, (int)getpid());
	listener =
		filter_install(notify->filter, notify->nr_insns, flags | FLAG_WAIT_KILLABLE_RECV);
	if (listener == -EINVAL)
		listener = filter_install(notify->filter, notify->nr_insns, flags);
	if (listener < 0)
		return listener;
	atomic_store(&notify->shared->listener, listener);
	return 0;
}

/*
 * Gets the listener out of the child, which waits in execve(2) or just before: nobody else would
 * answer. Returns a descriptor, -ECANCELED: it is to stop; or another negative errno.
 */
static int take_listener(struct notify *notify)
{
	_cleanup_(cleanup_fd) int pidfd = -1;
	int listener;

	while ((listener = atomic_load(&notify->shared->listener)) < 0) {
		if (atomic_load(&notify->must_stop))
			return -ECANCELED;
		poll(NULL, 0, LISTENER_MS);
	}
	pidfd = (int)syscall(SYS_pidfd_open, atomic_load(&notify->shared->pid), 0);
	if (pidfd < 0)
		return -errno;
	listener = (int)syscall(SYS_pidfd_getfd, pidfd, listener, 0);
	return listener < 0 ? -errno : listener;
}

/* Whether thread TID is still the child of this program that becomes COMMAND. */
static bool is_ours(struct notify *notify, pid_t tid)
{
	uint8_t cookie[NOTIFY_COOKIE_SIZE];
	struct iovec local = { cookie, sizeof(cookie) };
	struct iovec remote = { notify->shared->cookie, sizeof(cookie) };

	if (notify->has_begun)
		return false;
	if (tid == atomic_load(&notify->shared->pid) &&
	    process_vm_readv(tid, &local, 1, &remote, 1, 0) == sizeof(cookie) &&
	    memcmp(cookie, notify->shared->cookie, sizeof(cookie)) == 0)
		return true;
	notify->has_begun = true;
	return false;
}

/* Answers the next call. Returns 0, or a negative errno when there will be no other. */
static int serve_one(struct notify *notify, int listener)
{
	struct seccomp_notif *call = notify->answers.call;
	struct seccomp_notif_resp *response = notify->answers.response;
	struct answer answer = { .kind = ANSWER_ALLOWED };

	memset(call, 0, notify->answers.call_size);
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, call) < 0)
		/* ENOENT: who asked has been killed meanwhile */
		return errno == ENOENT || errno == EINTR || errno == EAGAIN ? 0 : -errno;
	if (!is_ours(notify, (pid_t)call->pid))
		answer_find(&notify->answers, listener, &answer);
	if (answer.kind == ANSWER_GONE)
		return 0;
	memset(response, 0, notify->answers.response_size);
	response->id = call->id;
	if (answer.kind == ANSWER_REFUSED)
		response->error = answer.error;
	else
		response->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	/* it fails when a signal took the call back, which is then made, and told of, again */
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, response) == 0)
		answer_count(&notify->answers, &answer);
	return 0;
}

static int serve(struct notify *notify)
{
	_cleanup_(cleanup_fd) int listener = take_listener(notify);

	if (listener < 0)
		return listener == -ECANCELED ? 0 : listener;
	while (!atomic_load(&notify->must_stop)) {
		struct pollfd one = { .fd = listener, .events = POLLIN };
		int err;

		if (poll(&one, 1, ROUND_MS) <= 0)
			continue;
		/* nobody is under the filter any more */
		if (one.revents & POLLHUP)
			return 0;
		err = serve_one(notify, listener);
		if (err)
			return err;
	}
	return 0;
}

static void *thread_main(void *ctx)
{
	struct notify *notify = ctx;

	notify->err = serve(notify);
	/* Nothing can make it wait, or fail: the first one fits. */
	eventfd_write(notify->over, 1);
	return NULL;
}

int notify_start(struct notify *notify)
{
	sigset_t all, before;
	int err = answers_begin(&notify->answers, &notify->config, clock_ns(CLOCK_MONOTONIC));

	if (err)
		return err;
	/* signals are the other threads' */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = -pthread_create(&notify->thread, NULL, thread_main, notify);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	notify->has_thread = err == 0;
	return err;
}

int notify_over(const struct notify *notify)
{
	return notify->over;
}

int notify_stop(struct notify *notify)
{
	atomic_store(&notify->must_stop, true);
	if (notify->has_thread)
		pthread_join(notify->thread, NULL);
	notify->has_thread = false;
	return notify->err;
}

void notify_free(struct notify *notify)
{
	if (!notify)
		return;
	notify_stop(notify);
	answers_end(&notify->answers);
	if (notify->over >= 0)
		close(notify->over);
	if (notify->shared)
		munmap(notify->shared, sizeof(*notify->shared));
	free(notify->filter);
	free(notify);
}
