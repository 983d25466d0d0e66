/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proc/container.h"
#include "support/guard.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct containers *make(void)
{
	struct containers *containers;

	assert_int_equal(containers_new(&containers), 0);
	return containers;
}

/* The container of group NAME, read where the next byte is unmapped. */
static const struct container *intern(struct containers *containers, const char *name)
{
	size_t size = strlen(name);
	const void *bytes = guard_copy(name, size);
	const struct container *container = containers_intern(containers, bytes, size);

	guard_free(bytes, size);
	return container;
}

static void test_groups_of_engines_give_the_id(void **state)
{
	static const char *const names[] = {
		"docker-" ID ".scope",	       /* Docker, systemd driver */
		"libpod-" ID ".scope",	       /* Podman */
		"crio-" ID ".scope",	       /* CRI-O */
		"cri-containerd-" ID ".scope", /* containerd below Kubernetes */
		"libpod-" ID,		       /* these two with the cgroupfs driver */
		"crio-" ID,
		ID, /* the others with it */
	};
	struct containers *containers = make();

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct container *container = intern(containers, names[i]);

		assert_non_null(container);
		assert_string_equal(container->id, ID);
		assert_null(container->name);
	}
	containers_free(containers);
}

static void test_groups_with_names_give_the_name(void **state)
{
	static const char *const names[][2] = {
		{ "lxc.payload.web", "web" },
		{ "lxc.payload.a", "a" },
		{ "machine-debian\\x2d12.scope", "debian\\x2d12" },
		{ "systemd-nspawn@db.service", "db" },
	};
	struct containers *containers = make();

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct container *container = intern(containers, names[i][0]);

		assert_non_null(container);
		assert_string_equal(container->id, names[i][1]);
		assert_string_equal(container->name, names[i][1]);
	}
	containers_free(containers);
}

static void test_near_misses_are_no_containers(void **state)
{
	static const char *const names[] = {
		"/",
		"init.scope",
		"user.slice",
		"user-1000.slice",
		"session-3.scope",
		"docker.service",
		"docker-.scope",
		"docker-" ID,
		"docker-" ID ".scope.d",
		"docker-" ID ".slice",
		"Docker-" ID ".scope",
		"xdocker-" ID ".scope",
		"docker-x" ID ".scope",
		"docker-0123456789abcdef.scope",
		"docker-0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF.scope",
		"libpod-conmon-" ID ".scope",
		"libpod-conmon-" ID,
		"libpod-" ID "0",
		"libpod-",
		"crio-conmon-" ID ".scope",
		"lxc.payload.",
		"lxc.monitor.web",
		"lxc.payload",
		"machine-.scope",
		"machine.slice",
		"systemd-nspawn@.service",
		"systemd-nspawn@db.scope",
		"0123456789abcdef",
		ID "0",
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeg",
		"\xff\xfe",
	};
	struct containers *containers = make();

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_null(intern(containers, names[i]));
	containers_free(containers);
}

/* Whether the control group of TEXT, /proc/PID/cgroup, is told as NAME. NULL: none is told. */
static void assert_group(const char *text, const char *name)
{
	size_t size = strlen(text), name_size = 0;
	const char *bytes = guard_copy(text, size);
	const char *found = container_cgroup(bytes, size, &name_size);

	assert_int_equal(found != NULL, name != NULL);
	if (name) {
		assert_int_equal(name_size, strlen(name));
		assert_memory_equal(found, name, name_size);
	}
	guard_free(bytes, size);
}

static void test_container_of_a_group_is_the_innermost_around_it(void **state)
{
	(void)state;
	/* crun below a scope of systemd; a service of a systemd in a container, in a container. */
	assert_group("0::/machine.slice/libpod-" ID ".scope/container\n", "libpod-" ID ".scope");
	assert_group("0::/machine.slice/machine-a.scope/docker/" ID "/system.slice/b.service", ID);
	assert_group("0::/lxc.payload.a/init.scope\n", "lxc.payload.a");
	/* None: the innermost is told as ever. */
	assert_group("0::/user.slice/user-0.slice/session-1.scope\n", "session-1.scope");
	assert_group("0::/a//\n", "a");
	assert_group("0::/\n", NULL);
	assert_group("0::", NULL);
	assert_group("", NULL);
	/* cgroup1, alone and beside cgroup2. */
	assert_group("9:name=systemd:/x\n8:pids:/libpod_parent/libpod-" ID "\n7:cpu:/y\n0::/\n",
		     "libpod-" ID);
	assert_group("8:pids:/libpod_parent/libpod-" ID "/init\n0::/b", "b");
	assert_group("8:pids:/", NULL);
}

static void test_empty_and_cut_names_are_no_containers(void **state)
{
	static const char name[] = "docker-" ID ".scope";
	struct containers *containers = make();

	(void)state;
	for (size_t size = 0; size < sizeof(name) - 1; size++) {
		const void *bytes = guard_copy(name, size);

		assert_null(containers_intern(containers, bytes, size));
		guard_free(bytes, size);
	}
	containers_free(containers);
}

static void test_name_with_nul_is_no_container(void **state)
{
	static const char name[] = "lxc.payload.a\0b";
	struct containers *containers = make();

	(void)state;
	assert_null(containers_intern(containers, name, sizeof(name) - 1));
	containers_free(containers);
}

static void test_longest_name_is_taken_and_a_longer_one_is_not(void **state)
{
	char name[CONTAINER_NAME_MAX + 2] = "lxc.payload.";
	struct containers *containers = make();
	const struct container *container;

	(void)state;
	memset(name + 12, 'x', sizeof(name) - 13);
	name[sizeof(name) - 1] = '\0';
	assert_null(intern(containers, name));
	name[CONTAINER_NAME_MAX] = '\0';
	container = intern(containers, name);
	assert_non_null(container);
	assert_string_equal(container->name, name + 12);
	containers_free(containers);
}

static void test_same_name_is_the_same_container(void **state)
{
	struct containers *containers = make();
	const struct container *one = intern(containers, "lxc.payload.one");
	const struct container *two = intern(containers, "lxc.payload.two");

	(void)state;
	assert_ptr_not_equal(one, two);
	assert_ptr_equal(intern(containers, "lxc.payload.one"), one);
	assert_ptr_equal(intern(containers, "lxc.payload.two"), two);
	containers_free(containers);
}

static void test_number_of_containers_is_bounded(void **state)
{
	struct containers *containers = make();
	const struct container *first = NULL;
	char name[32];

	(void)state;
	for (unsigned int i = 0; i < CONTAINERS_MAX; i++) {
		const struct container *container;

		snprintf(name, sizeof(name), "lxc.payload.n%u", i);
		container = intern(containers, name);
		assert_non_null(container);
		assert_string_equal(container->name, name + 12);
		if (i == 0)
			first = container;
	}
	assert_null(intern(containers, "lxc.payload.one-more"));
	assert_ptr_equal(intern(containers, "lxc.payload.n0"), first);
	snprintf(name, sizeof(name), "lxc.payload.n%u", CONTAINERS_MAX - 1);
	assert_string_equal(intern(containers, name)->name, name + 12);
	containers_free(containers);
}

static void test_free_takes_null(void **state)
{
	(void)state;
	containers_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_groups_of_engines_give_the_id),
		cmocka_unit_test(test_groups_with_names_give_the_name),
		cmocka_unit_test(test_near_misses_are_no_containers),
		cmocka_unit_test(test_container_of_a_group_is_the_innermost_around_it),
		cmocka_unit_test(test_empty_and_cut_names_are_no_containers),
		cmocka_unit_test(test_name_with_nul_is_no_container),
		cmocka_unit_test(test_longest_name_is_taken_and_a_longer_one_is_not),
		cmocka_unit_test(test_same_name_is_the_same_container),
		cmocka_unit_test(test_number_of_containers_is_bounded),
		cmocka_unit_test(test_free_takes_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
