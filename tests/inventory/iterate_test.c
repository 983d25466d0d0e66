/* SPDX-License-Identifier: MIT */
/* What the iterators wrote, as bytes. The iterators themselves: scan_test.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "inventory/iterate.h"
#include "inventory/made_inventory.h"
#include "inventory/wire.h"
#include "priv/broker.h"
#include "support/guard.h"

#define KNOWN  8
#define CRYPTO "/usr/lib/libcrypto.so.3"

static struct inventory_object *known[KNOWN];
static char bytes[16384];
static size_t size;

static int begin(void **state)
{
	memset(known, 0, sizeof(known));
	size = 0;
	return made_begin(state);
}

/* Appends RECORD with PATH behind it. Returns where it is. */
static struct inventory_record *add(struct inventory_record record, const char *path)
{
	struct inventory_record *at = (struct inventory_record *)(bytes + size);

	record.path_size = (uint16_t)strlen(path);
	record.size = (uint16_t)(sizeof(record) + ((strlen(path) + 7) & ~7U));
	record.dev_major = 8;
	record.dev_minor = 1;
	memset(at, 0, record.size);
	memcpy(at, &record, sizeof(record));
	memcpy(at + 1, path, strlen(path));
	size += record.size;
	return at;
}

static struct inventory_record *add_map(uint32_t pid, uint32_t id, uint64_t inode, const char *path)
{
	return add((struct inventory_record){ .kind = INVENTORY_MAP,
					      .tgid = pid,
					      .id = id,
					      .start_ns = MADE_START_NS + pid,
					      .inode = inode,
					      .map = { 0x1000, 0x2000 } },
		   path);
}

static struct inventory_record *add_file(uint32_t pid, uint64_t inode, uint32_t fd,
					 const char *path)
{
	return add((struct inventory_record){ .kind = INVENTORY_FILE,
					      .tgid = pid,
					      .start_ns = MADE_START_NS + pid,
					      .inode = inode,
					      .file = { .fd = fd, .open_flags = 2 } },
		   path);
}

/* Enters the first SIZE bytes, behind which memory is unmapped. */
static ssize_t take(size_t some)
{
	const void *copy = guard_copy(bytes, some);
	ssize_t taken = iterate_records(inventory, known, KNOWN, copy, some);

	guard_free(copy, some);
	return taken;
}

static void test_mapping_of_a_library_is_entered(void **state)
{
	struct inventory_process *process = made_process(7, "web");

	(void)state;
	add_map(7, 1, 5, CRYPTO);
	assert_int_equal(take(size), size);
	assert_int_equal(process->nr_uses, 1);
	assert_string_equal(process->uses[0].object->path, CRYPTO);
	assert_int_equal(process->uses[0].object->inode, 5);
	assert_int_equal(process->uses[0].object->dev_major, 8);
	assert_int_equal(process->uses[0].object->handle.kind, BROKER_FILE_MAP);
	assert_int_equal(process->uses[0].object->handle.from, 0x1000);
	assert_int_equal(process->uses[0].object->handle.to, 0x2000);
	assert_null(process->exe);
}

static void test_mapping_of_no_library_is_no_use(void **state)
{
	struct inventory_process *process = made_process(7, "web");

	(void)state;
	add_map(7, 1, 5, "/usr/lib/libc.so.6");
	assert_int_equal(take(size), size);
	assert_int_equal(process->nr_uses, 0);
	assert_null(process->exe);
}

static void test_mapping_of_the_program_is_the_program(void **state)
{
	struct inventory_process *process = made_process(7, "web");

	(void)state;
	add_map(7, 1, 5, "/usr/sbin/nginx")->flags = INVENTORY_IS_EXE;
	assert_int_equal(take(size), size);
	assert_string_equal(process->exe->path, "/usr/sbin/nginx");
	assert_int_equal(process->nr_uses, 0);
}

static void test_open_file_is_entered_if_its_name_is_in_the_catalogue(void **state)
{
	struct inventory_process *process = made_process(7, "web");

	(void)state;
	add_file(7, 5, 3, "/etc/k.key");
	add_file(7, 6, 4, "/etc/k.keynote");
	add_file(7, 7, 9, "/etc/gone.pem (deleted)")->flags = INVENTORY_DELETED;
	/* A name of its own, not the kernel's mark. */
	add_file(7, 8, 10, "/etc/real.pem (deleted)");
	assert_int_equal(take(size), size);
	assert_int_equal(process->nr_uses, 2);
	assert_string_equal(process->uses[0].object->path, "/etc/k.key");
	assert_int_equal(process->uses[0].fd, 3);
	assert_int_equal(process->uses[0].open_flags, 2);
	assert_true(process->uses[1].object->is_deleted);
	assert_string_equal(process->uses[1].object->path, "/etc/gone.pem");
}

/* A socket with FLAGS, between 192.0.2.1 and 198.51.100.1; INODE is also the port of the peer. */
static struct inventory_record *add_socket(uint32_t pid, uint16_t flags, uint64_t inode,
					   uint16_t port)
{
	const struct inventory_connection ends = made_ends(inode, port, 1, (uint16_t)inode);
	struct inventory_ends tail = {
		.local_port = ends.local.port,
		.peer_port = ends.peer.port,
		.netns = ends.netns,
	};
	struct inventory_record *record = add_file(pid, inode, 3, "");

	memcpy(tail.local, ends.local.ip, sizeof(tail.local));
	memcpy(tail.peer, ends.peer.ip, sizeof(tail.peer));
	memcpy(record + 1, &tail, sizeof(tail));
	record->kind = INVENTORY_SOCKET;
	record->flags = flags;
	record->size = (uint16_t)(sizeof(*record) + sizeof(tail));
	size += sizeof(tail);
	return record;
}

static void test_sockets_are_told_by_their_flags(void **state)
{
	struct inventory_process *processes[] = { made_process(1, "a"), made_process(2, "b"),
						  made_process(3, "c") };

	(void)state;
	add_socket(1, INVENTORY_AF_ALG, 1, 0);
	add_socket(2, INVENTORY_KTLS, 2, 443);
	add_socket(3, INVENTORY_IS_EXE, 3, 0);
	add_socket(2, INVENTORY_AF_ALG, 4, 0);
	assert_int_equal(take(size), size);
	assert_int_equal(processes[0]->sockets, INVENTORY_SOCKET_AF_ALG);
	assert_int_equal(processes[1]->sockets, INVENTORY_SOCKET_AF_ALG | INVENTORY_SOCKET_KTLS);
	assert_int_equal(processes[2]->sockets, 0);
	assert_null(processes[2]->exe);
	assert_int_equal(inventory->nr_objects, 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(processes[i]->nr_connections, 0);
}

static void test_established_sockets_are_connections(void **state)
{
	const struct inventory_connection expected = made_ends(7, 443, 1, 7);
	struct inventory_process *process = made_process(1, "a");

	(void)state;
	add_socket(1, INVENTORY_ESTABLISHED, 7, 443);
	add_socket(1, INVENTORY_ESTABLISHED, 7, 443);
	add_socket(1, INVENTORY_ESTABLISHED | INVENTORY_KTLS, 8, 444);
	add_socket(2, INVENTORY_LISTENS, 9, 443);
	made_process(2, "b");
	assert_int_equal(take(size), size);
	inventory_sort(inventory);
	assert_int_equal(process->nr_connections, 2);
	assert_int_equal(process->connections[0].inode, 7);
	assert_int_equal(process->connections[0].netns, expected.netns);
	assert_memory_equal(&process->connections[0].local, &expected.local,
			    sizeof(expected.local));
	assert_memory_equal(&process->connections[0].peer, &expected.peer, sizeof(expected.peer));
	assert_true(process->connections[0].is_server);
	assert_false(process->connections[0].is_ktls);
	assert_false(process->connections[1].is_server);
	assert_true(process->connections[1].is_ktls);
	assert_int_equal(process->sockets, INVENTORY_SOCKET_KTLS);
}

/* Events tell of them. */
static void test_connections_of_the_run_are_left_out(void **state)
{
	struct inventory_process *process = made_process(1, "a");

	(void)state;
	add_socket(1, INVENTORY_ESTABLISHED | INVENTORY_TAPPED | INVENTORY_KTLS, 7, 443);
	assert_int_equal(take(size), size);
	assert_int_equal(process->nr_connections, 0);
	assert_int_equal(process->sockets, INVENTORY_SOCKET_KTLS);
}

static void test_socket_without_its_ends_is_malformed(void **state)
{
	struct inventory_process *process = made_process(1, "a");

	(void)state;
	add_socket(1, INVENTORY_ESTABLISHED, 7, 443)->size--;
	assert_int_equal(take(size), -EBADMSG);
	((struct inventory_record *)bytes)->size = sizeof(struct inventory_record);
	assert_int_equal(take(size), -EBADMSG);
	assert_int_equal(process->nr_connections, 0);
}

static void test_path_told_before_is_known_by_its_id(void **state)
{
	struct inventory_process *first = made_process(7, "web");
	struct inventory_process *second = made_process(8, "web");

	(void)state;
	add_map(7, 3, 5, CRYPTO);
	add_map(8, 3, 5, "");
	assert_int_equal(take(size), size);
	assert_int_equal(second->nr_uses, 1);
	assert_ptr_equal(second->uses[0].object, first->uses[0].object);
	assert_int_equal(first->uses[0].object->nr_users, 2);
}

/* The process that the path was told with may have begun since. */
static void test_path_of_an_unknown_process_is_remembered(void **state)
{
	struct inventory_process *process = made_process(8, "web");

	(void)state;
	add_map(99, 3, 5, CRYPTO);
	add_map(8, 3, 5, "");
	assert_int_equal(take(size), size);
	assert_int_equal(inventory->nr_processes, 1);
	assert_int_equal(process->nr_uses, 1);
	assert_int_equal(process->uses[0].object->nr_users, 1);
	assert_int_equal(process->uses[0].object->handle.pid, 8);
}

static void test_id_told_again_stands_for_the_later_path(void **state)
{
	struct inventory_process *process = made_process(8, "web");

	(void)state;
	add_map(99, 3, 5, "/usr/lib/libssl.so.3");
	add_map(99, 3, 6, CRYPTO);
	add_map(8, 3, 6, "");
	assert_int_equal(take(size), size);
	assert_int_equal(process->nr_uses, 1);
	assert_string_equal(process->uses[0].object->path, CRYPTO);
}

static void test_unknown_ids_are_passed_over(void **state)
{
	static const uint32_t ids[] = { 0, 3, KNOWN, UINT32_MAX };
	struct inventory_process *process = made_process(8, "web");

	(void)state;
	for (size_t i = 0; i < 4; i++)
		add_map(8, ids[i], 5, "");
	assert_int_equal(take(size), size);
	assert_int_equal(process->nr_uses, 0);
	assert_int_equal(inventory->nr_objects, 0);
	/* One too large to be remembered still has a path. */
	size = 0;
	add_map(8, UINT32_MAX, 5, CRYPTO);
	add_map(8, KNOWN, 6, "/usr/lib/libssl.so.3");
	assert_int_equal(take(size), size);
	assert_int_equal(process->nr_uses, 2);
	for (size_t i = 0; i < KNOWN; i++)
		assert_null(known[i]);
}

/* A pid that is used again: what is told of the new process is not the old one's. */
static void test_record_of_another_process_of_that_pid_is_left_alone(void **state)
{
	struct inventory_process *process = made_process(8, "web");

	(void)state;
	add_map(8, 1, 5, CRYPTO)->start_ns = 1;
	add_file(8, 6, 3, "/etc/k.key")->start_ns = 1;
	add_socket(8, INVENTORY_KTLS | INVENTORY_ESTABLISHED, 7, 443)->start_ns = 1;
	assert_int_equal(take(size), size);
	assert_int_equal(process->nr_uses, 0);
	assert_int_equal(process->sockets, 0);
	assert_int_equal(process->nr_connections, 0);
}

/* read(2) ends where the buffer does: the rest of a record comes with the next. */
static void test_record_split_over_two_reads_is_one(void **state)
{
	struct inventory_process *process = made_process(7, "web");
	size_t first;

	(void)state;
	add_map(7, 1, 5, CRYPTO);
	first = size;
	add_file(7, 6, 3, "/etc/k.key");
	for (size_t some = 0; some < first; some++) {
		assert_int_equal(take(some), 0);
		assert_int_equal(process->nr_uses, 0);
	}
	for (size_t some = first; some < size; some++)
		assert_int_equal(take(some), first);
	assert_int_equal(process->nr_uses, 1);
	memmove(bytes, bytes + first, size - first);
	assert_int_equal(take(size - first), size - first);
	assert_int_equal(process->nr_uses, 2);
}

static void test_record_smaller_than_its_head_is_malformed(void **state)
{
	static const uint16_t sizes[] = { 0, 1, 8, sizeof(struct inventory_record) - 1 };

	(void)state;
	add_map(7, 1, 5, CRYPTO);
	for (size_t i = 0; i < 4; i++) {
		((struct inventory_record *)bytes)->size = sizes[i];
		assert_int_equal(take(size), -EBADMSG);
	}
}

static void test_path_beyond_its_record_is_malformed(void **state)
{
	struct inventory_record *record = add_map(7, 1, 5, CRYPTO);

	(void)state;
	record->path_size = (uint16_t)(record->size - sizeof(*record) + 1);
	assert_int_equal(take(size), -EBADMSG);
	record->path_size = UINT16_MAX;
	assert_int_equal(take(size), -EBADMSG);
	/* A path that fills all of it is whole. */
	record->path_size = (uint16_t)(record->size - sizeof(*record));
	assert_int_equal(take(size), size);
}

static void test_malformed_record_ends_it_where_it_stands(void **state)
{
	struct inventory_process *process = made_process(7, "web");

	(void)state;
	add_map(7, 1, 5, CRYPTO);
	add_map(7, 2, 6, "/usr/lib/libssl.so.3")->size = 3;
	assert_int_equal(take(size), -EBADMSG);
	assert_int_equal(process->nr_uses, 1);
}

static void test_largest_record_is_whole(void **state)
{
	static char path[INVENTORY_PATH_MAX];
	struct inventory_process *process = made_process(7, "web");

	(void)state;
	memset(path, 'd', sizeof(path) - 1);
	memcpy(path, "/", 1);
	memcpy(path + sizeof(path) - 6, "/k.key", 6);
	path[sizeof(path) - 1] = '\0';
	memcpy(path + sizeof(path) - 7, "/k.key", 6);
	add_file(7, 5, 3, path);
	assert_int_equal(take(size), size);
	assert_int_equal(process->nr_uses, 1);
	assert_string_equal(process->uses[0].object->path, path);
}

static void test_unknown_kind_does_no_harm(void **state)
{
	struct inventory_process *process = made_process(7, "web");

	(void)state;
	add_file(7, 5, 3, "/etc/k.key")->kind = 77;
	assert_int_equal(take(size), size);
	assert_int_equal(process->nr_uses, 0);
}

static void test_closing_is_safe_twice(void **state)
{
	struct iterate iterate = { .tasks = -1, .maps = -1, .files = -1 };

	(void)state;
	iterate_close(&iterate);
	iterate_close(&iterate);
	assert_int_equal(iterate.tasks, -1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, made_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_mapping_of_a_library_is_entered),
		TEST(test_mapping_of_no_library_is_no_use),
		TEST(test_mapping_of_the_program_is_the_program),
		TEST(test_open_file_is_entered_if_its_name_is_in_the_catalogue),
		TEST(test_sockets_are_told_by_their_flags),
		TEST(test_established_sockets_are_connections),
		TEST(test_connections_of_the_run_are_left_out),
		TEST(test_socket_without_its_ends_is_malformed),
		TEST(test_path_told_before_is_known_by_its_id),
		TEST(test_path_of_an_unknown_process_is_remembered),
		TEST(test_id_told_again_stands_for_the_later_path),
		TEST(test_unknown_ids_are_passed_over),
		TEST(test_record_of_another_process_of_that_pid_is_left_alone),
		TEST(test_record_split_over_two_reads_is_one),
		TEST(test_record_smaller_than_its_head_is_malformed),
		TEST(test_path_beyond_its_record_is_malformed),
		TEST(test_malformed_record_ends_it_where_it_stands),
		TEST(test_largest_record_is_whole),
		TEST(test_unknown_kind_does_no_harm),
		TEST(test_closing_is_safe_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
