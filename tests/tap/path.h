/* SPDX-License-Identifier: MIT */
#ifndef TESTS_TAP_PATH_H
#define TESTS_TAP_PATH_H

/*
 * A path between two network namespaces of the test's own that loses packets, sends them twice,
 * has some overtake others and takes its time: two tun devices, and a thread that carries packets
 * from one to the other. All of it goes with the test. After traffic.h.
 */

#include <linux/if_tun.h>
#include <net/if.h>
#include <spawn.h>
#include <sys/ioctl.h>

#define PATH_QUEUE 4096
#define PATH_MTU   1500

/* What happens on the way, in percent of the packets. */
struct path_way {
	unsigned int lost;
	unsigned int doubled;
	unsigned int late; /* by DELAY_MS more */
	long delay_ms;
};

struct packet_on_way {
	int to;
	size_t size;
	uint64_t due_ns;
	uint8_t bytes[PATH_MTU];
};

struct path {
	int nets[2];
	int tuns[2];
	struct path_way way;
	pthread_t thread;
	bool is_ended;
	unsigned int seed;
	size_t nr_lost;
	size_t nr_late;
	size_t nr_doubled;
	size_t nr_waiting;
	struct packet_on_way *waiting;
};

static const char *const path_v4[2] = { "10.77.0.1", "10.77.0.2" };
static const char *const path_v6[2] = { "fd77::1", "fd77::2" };

static inline uint64_t path_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Writes VALUE to the sysctl PATH of this thread's namespace. Returns whether there is one. */
static inline bool sysctl_set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool is_set = fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value);

	if (fd >= 0)
		close(fd);
	return is_set;
}

/*
 * Has TCP try again every second in this thread's namespace, and not give up: by default it waits
 * twice as long after each packet lost, and one of some hundred connections over a path like this
 * ends (connect(2) with ETIMEDOUT after two minutes). Linux 6.15 and newer; some of it since 6.5.
 */
static inline void tcp_insist(void)
{
	static const char *const retries[] = {
		"/proc/sys/net/ipv4/tcp_syn_retries",
		"/proc/sys/net/ipv4/tcp_synack_retries",
		"/proc/sys/net/ipv4/tcp_retries2",
		"/proc/sys/net/ipv4/tcp_orphan_retries",
		"/proc/sys/net/ipv4/tcp_syn_linear_timeouts",
	};

	sysctl_set("/proc/sys/net/ipv4/tcp_rto_max_ms", "1000");
	for (size_t i = 0; i < sizeof(retries) / sizeof(retries[0]); i++)
		sysctl_set(retries[i], "60");
}

/* Brings up DEVICE of this thread's namespace, with an address of each kind, or none. */
static inline void device_up(const char *device, const char *v4, const char *v6)
{
	struct {
		struct in6_addr address;
		uint32_t prefix;
		int index;
	} six = { .prefix = 64 };
	struct ifreq request = { 0 };
	struct sockaddr_in *address = (struct sockaddr_in *)&request.ifr_addr;
	int fd = (int)must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	int fd6 = (int)must(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	memcpy(request.ifr_name, device, strlen(device));
	if (v4) {
		address->sin_family = AF_INET;
		inet_pton(AF_INET, v4, &address->sin_addr);
		must(ioctl(fd, SIOCSIFADDR, &request));
		inet_pton(AF_INET, "255.255.255.0", &address->sin_addr);
		must(ioctl(fd, SIOCSIFNETMASK, &request));
	}
	request.ifr_flags = IFF_UP | IFF_RUNNING;
	must(ioctl(fd, SIOCSIFFLAGS, &request));
	if (v6) {
		must(ioctl(fd, SIOCGIFINDEX, &request));
		six.index = request.ifr_ifindex;
		inet_pton(AF_INET6, v6, &six.address);
		must(ioctl(fd6, SIOCSIFADDR, &six));
	}
	close(fd);
	close(fd6);
}

/* A new network namespace with a loopback. Returns a descriptor of it. */
static inline int net_make(void)
{
	int net;

	net_enter(-1);
	must(unshare(CLONE_NEWNET));
	net = (int)must(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
	device_up("lo", NULL, NULL);
	net_enter(-1);
	return net;
}

/* Runs a program in NET. Returns whether it is there and ended well. */
static inline bool run_in(int net, const char *const argv[])
{
	extern char **environ;
	int status = -1;
	pid_t pid;
	int err;

	net_enter(net);
	err = posix_spawnp(&pid, argv[0], NULL, NULL, (char **)argv, environ);
	net_enter(-1);
	return !err && waitpid(pid, &status, 0) == pid && status == 0;
}

static inline bool path_chance(struct path *path, unsigned int percent)
{
	return (unsigned int)rand_r(&path->seed) % 100 < percent;
}

static inline void path_take(struct path *path, int from)
{
	struct packet_on_way *packet = &path->waiting[path->nr_waiting];
	ssize_t n = read(path->tuns[from], packet->bytes, sizeof(packet->bytes));

	if (n <= 0)
		return;
	if (path_chance(path, path->way.lost)) {
		path->nr_lost++;
		return;
	}
	packet->to = !from;
	packet->size = (size_t)n;
	packet->due_ns = path_now_ns() + (uint64_t)path->way.delay_ms * 1000000;
	if (path_chance(path, path->way.late)) {
		packet->due_ns += (uint64_t)(path->way.delay_ms + 3) * 1000000;
		path->nr_late++;
	}
	path->nr_waiting++;
	if (path_chance(path, path->way.doubled)) {
		packet[1] = *packet;
		path->nr_waiting++;
		path->nr_doubled++;
	}
}

/* Hands over what is due, in the order in which it was taken. */
static inline void path_hand_over(struct path *path)
{
	uint64_t now = path_now_ns();
	size_t nr_left = 0;

	for (size_t i = 0; i < path->nr_waiting; i++) {
		struct packet_on_way *packet = &path->waiting[i];

		if (packet->due_ns > now)
			path->waiting[nr_left++] = *packet;
		else
			must(write(path->tuns[packet->to], packet->bytes, packet->size));
	}
	path->nr_waiting = nr_left;
}

static inline void *path_thread(void *ctx)
{
	struct path *path = ctx;

	while (!__atomic_load_n(&path->is_ended, __ATOMIC_SEQ_CST)) {
		struct pollfd polls[2] = { { .fd = path->tuns[0], .events = POLLIN },
					   { .fd = path->tuns[1], .events = POLLIN } };

		poll(polls, 2, path->nr_waiting ? 1 : 10);
		for (int i = 0; i < 2; i++)
			if (polls[i].revents && path->nr_waiting + 2 < PATH_QUEUE)
				path_take(path, i);
		path_hand_over(path);
	}
	return NULL;
}

/* Whether this kernel has the devices. */
static inline bool path_can(void)
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* After tapped.h: skips where there is no tap, or no path. */
#define need_path()                                                                                \
	({                                                                                         \
		need_tap();                                                                        \
		if (!path_can()) {                                                                 \
			print_message("no tun devices\n");                                         \
			skip();                                                                    \
		}                                                                                  \
	})

static inline int tun_make(int net, int side)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI, .ifr_name = "path" };
	int fd;

	net_enter(net);
	fd = (int)must(open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
	must(ioctl(fd, TUNSETIFF, &request));
	device_up("path", path_v4[side], path_v6[side]);
	tcp_insist();
	net_enter(-1);
	return fd;
}

static inline void path_open(struct path *path, const struct path_way *way)
{
	*path = (struct path){ .way = *way, .seed = 1 };
	path->waiting = calloc(PATH_QUEUE, sizeof(*path->waiting));
	for (int i = 0; i < 2; i++) {
		path->nets[i] = net_make();
		path->tuns[i] = tun_make(path->nets[i], i);
	}
	must(-pthread_create(&path->thread, NULL, path_thread, path));
}

static inline void path_close(struct path *path)
{
	__atomic_store_n(&path->is_ended, true, __ATOMIC_SEQ_CST);
	pthread_join(path->thread, NULL);
	for (int i = 0; i < 2; i++) {
		close(path->tuns[i]);
		close(path->nets[i]);
	}
	free(path->waiting);
}

/* The way over PATH with IPv4, or IPv6. */
static inline struct route path_route(const struct path *path, bool is_v6)
{
	return (struct route){ { path->nets[SIDE_CLIENT], path->nets[SIDE_SERVER] },
			       is_v6 ? path_v6[SIDE_SERVER] : path_v4[SIDE_SERVER],
			       NULL };
}

#endif /* TESTS_TAP_PATH_H */
