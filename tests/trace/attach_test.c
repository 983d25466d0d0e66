/* SPDX-License-Identifier: MIT */
/* Programs for packets; what else is attached, tests/trace/coverage.bats sees. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "trace/attach.h"
#include "trace/cgroup.h"
#include "trace/hook.h"
#include "trace/libbpf_log.h"

static struct session session;
static struct bpf_object *object;
static struct bpf_program *program;

static int load(void **state)
{
	(void)state;
	if (geteuid() != 0)
		return 0;
	libbpf_log_start();
	session = (struct session){ .config = { .ring_size = 64U << 10 },
				    .places = { -ENOENT, -ENOENT } };
	session.nr_cpus = (size_t)libbpf_num_possible_cpus();
	for (size_t i = 0; i < sizeof(session.maps) / sizeof(session.maps[0]); i++)
		session.maps[i] = -1;
	if (hook_load(&session, &tap_source, &tap_source.hooks[0], false, &object))
		return -1;
	program = bpf_object__find_program_by_name(object, "tap_sent");
	return program ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	bpf_object__close(object);
	return 0;
}

static void need_root(void)
{
	if (geteuid() == 0)
		return;
	print_message("needs root\n");
	skip();
}

/* Whether PROGRAM is among those of the root of control groups CGROUP. */
static bool is_attached(int cgroup)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);
	__u32 ids[64];
	__u32 nr = 64;

	assert_int_equal(bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size), 0);
	assert_int_equal(bpf_prog_query(cgroup, BPF_CGROUP_INET_EGRESS, 0, NULL, ids, &nr), 0);
	for (__u32 i = 0; i < nr; i++)
		if (ids[i] == info.id)
			return true;
	return false;
}

/* And with its link: nothing stays when its owner is killed. */
static void test_program_for_packets_is_at_the_root_while_its_link_is(void **state)
{
	struct attach_places places = { -ENOENT, -ENOENT };
	struct bpf_link *link = NULL;

	(void)state;
	need_root();
	places.cgroup = cgroup_open();
	assert_int_equal(program_attach(program, NULL, &places, &link), 0);
	assert_true(is_attached(places.cgroup));
	assert_int_equal(bpf_link__destroy(link), 0);
	assert_false(is_attached(places.cgroup));
	close(places.cgroup);
}

static void test_without_control_groups_there_is_none(void **state)
{
	const struct attach_places places = { -ENOENT, -EPERM };
	struct bpf_link *link = NULL;

	(void)state;
	need_root();
	assert_int_equal(program_attach(program, NULL, &places, &link), -EPERM);
	assert_null(link);
}

static void test_place_that_is_no_control_group_is_an_error(void **state)
{
	struct attach_places places = { -ENOENT, -ENOENT };
	struct bpf_link *link = NULL;

	(void)state;
	need_root();
	places.cgroup = open("/tmp", O_RDONLY | O_DIRECTORY);
	assert_true(program_attach(program, NULL, &places, &link) < 0);
	assert_null(link);
	close(places.cgroup);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_program_for_packets_is_at_the_root_while_its_link_is),
		cmocka_unit_test(test_without_control_groups_there_is_none),
		cmocka_unit_test(test_place_that_is_no_control_group_is_an_error),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
