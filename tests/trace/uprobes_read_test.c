/* SPDX-License-Identifier: MIT */
/* What the programs behind api_call read of a call. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "support/guard.h"
#include "trace/probed.h"

static void test_text_is_read(void **state)
{
	const struct event *event;

	(void)state;
	need_probes();
	assert_int_equal(made.SSL_CTX_set_cipher_list(NULL, "HIGH:!aNULL"), 1);
	event = told(SLOT_list);
	check_text(event, event->fixed.texts[0], "HIGH:!aNULL");
	assert_int_equal(event->fixed.marks, 0);
	assert_int_equal(event->fixed.hdr.size, event->size);
}

static void test_two_texts_are_read(void **state)
{
	const struct event *event;

	(void)state;
	need_probes();
	made.SSL_CTX_load_verify_locations(NULL, "/a/file.pem", "/a/directory");
	event = told(SLOT_locations);
	check_text(event, event->fixed.texts[0], "/a/file.pem");
	check_text(event, event->fixed.texts[1], "/a/directory");
	made.SSL_CTX_load_verify_locations(NULL, NULL, "/a/directory");
	event = told(SLOT_locations);
	assert_int_equal(event->fixed.texts[0].size, 0);
	check_text(event, event->fixed.texts[1], "/a/directory");
	assert_int_equal(event->fixed.marks, 0);
}

static void test_null_and_empty_text_are_nothing(void **state)
{
	const struct event *event;

	(void)state;
	need_probes();
	made.SSL_CTX_set_cipher_list(NULL, NULL);
	event = told(SLOT_list);
	assert_int_equal(event->fixed.texts[0].size, 0);
	assert_int_equal(event->fixed.marks, 0);
	made.SSL_CTX_set_cipher_list(NULL, "");
	event = told(SLOT_list);
	assert_int_equal(event->fixed.texts[0].size, 0);
	assert_int_equal(event->fixed.marks, 0);
}

/* A text of SIZE bytes; beyond KEPT it is cut. */
static void check_long_text(size_t size, size_t kept)
{
	static char text[4 * API_TEXT_MAX];
	const struct event *event;

	memset(text, 'a', size);
	text[size] = '\0';
	made.SSL_CTX_set_cipher_list(NULL, text);
	event = told(SLOT_list);
	check_bytes(event, event->fixed.texts[0], text, size < kept ? size : kept);
	assert_int_equal(event->fixed.marks, size > kept ? API_CUT : 0);
}

static void test_long_text_is_cut_and_marked(void **state)
{
	(void)state;
	need_probes();
	check_long_text(API_TEXT_MAX - 2, API_TEXT_MAX - 1);
	check_long_text(API_TEXT_MAX - 1, API_TEXT_MAX - 1);
	check_long_text(API_TEXT_MAX, API_TEXT_MAX - 1);
	check_long_text(3 * API_TEXT_MAX, API_TEXT_MAX - 1);
}

/* The strings of a call share the room: what the second has not is said. */
static void test_second_text_without_room_is_marked(void **state)
{
	static char text[2 * API_TEXT_MAX];
	const struct event *event;

	(void)state;
	need_probes();
	memset(text, 'a', sizeof(text) - 1);
	made.SSL_CTX_load_verify_locations(NULL, text, "/a/directory");
	event = told(SLOT_locations);
	assert_int_equal(event->fixed.texts[0].size, API_TEXT_MAX - 1);
	assert_int_equal(event->fixed.texts[1].size, 0);
	assert_int_equal(event->fixed.marks, API_CUT);
	/* Half of it. */
	text[API_TEXT_MAX - 4] = '\0';
	made.SSL_CTX_load_verify_locations(NULL, text, "/a/directory");
	event = told(SLOT_locations);
	assert_int_equal(event->fixed.texts[0].size, API_TEXT_MAX - 4);
	check_text(event, event->fixed.texts[1], "/a/");
	assert_int_equal(event->fixed.marks, API_CUT);
}

static void test_text_of_a_call_with_result_is_cut_and_marked(void **state)
{
	static char text[API_TEXT_MAX];
	const struct event *event;

	(void)state;
	need_probes();
	assert_int_equal(made.X509_check_ip_asc(NULL, "127.0.0.1", 1), 1);
	event = told(SLOT_ip);
	check_text(event, event->fixed.texts[0], "127.0.0.1");
	assert_int_equal(event->fixed.marks, API_HAS_RESULT);
	memset(text, '1', sizeof(text) - 1);
	made.X509_check_ip_asc(NULL, text, -2);
	event = told(SLOT_ip);
	/* As much as the name of a host has. */
	assert_true(event->fixed.texts[0].size >= 253);
	check_bytes(event, event->fixed.texts[0], text, event->fixed.texts[0].size);
	assert_int_equal(event->fixed.marks, API_HAS_RESULT | API_CUT);
	assert_int_equal((int)event->fixed.result, -2);
}

static void test_unreadable_text_is_marked(void **state)
{
	const char *nowhere = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const struct event *event;

	(void)state;
	need_probes();
	made.SSL_CTX_set_cipher_list(NULL, nowhere);
	event = told(SLOT_list);
	assert_int_equal(event->fixed.texts[0].size, 0);
	assert_int_equal(event->fixed.marks, API_FAULT);
	made.SSL_CTX_set_cipher_list(NULL, (const char *)8);
	event = told(SLOT_list);
	assert_int_equal(event->fixed.marks, API_FAULT);
	/* An address of the kernel. */
	made.SSL_CTX_set_cipher_list(NULL, (const char *)0xffff888000000000UL);
	event = told(SLOT_list);
	assert_int_equal(event->fixed.marks, API_FAULT);
	assert_int_equal(uprobes.shared->faults, 3);
	munmap((void *)nowhere, PAGE);
}

static void test_text_may_end_where_memory_does(void **state)
{
	static const char text[] = "ECDHE+AESGCM";
	const char *copy = guard_copy(text, sizeof(text));
	const struct event *event;

	(void)state;
	need_probes();
	made.SSL_CTX_set_cipher_list(NULL, copy);
	event = told(SLOT_list);
	check_text(event, event->fixed.texts[0], text);
	assert_int_equal(event->fixed.marks, 0);
	/* Without its NUL it has no end. */
	copy = guard_copy(text, sizeof(text) - 1);
	made.SSL_CTX_set_cipher_list(NULL, copy);
	event = told(SLOT_list);
	assert_int_equal(event->fixed.texts[0].size, 0);
	assert_int_equal(event->fixed.marks, API_FAULT);
}

/* A page of file NAME at ADDRESS that nothing has touched, with TEXT AT its place. */
static void map_untouched(const char *name, char *address, const char *text, size_t at)
{
	char bytes[PAGE] = { 0 };
	_cleanup_(cleanup_fd) int fd =
		open(files_path(name), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	memcpy(bytes + at, text, strlen(text));
	assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	assert_ptr_equal(mmap(address, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0), address);
}

/* TEXT, whose first FIRST bytes are at the end of a page, of which TOUCHED are in memory. */
static void check_not_resident(const char *text, size_t first, size_t touched)
{
	char *pages = mmap(NULL, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char begin_of[16] = "";
	const struct event *event;

	memcpy(begin_of, text, first);
	/* Of two files: around a page that is touched others of its mapping come too. */
	map_untouched("first", pages, begin_of, PAGE - first);
	map_untouched("second", pages + PAGE, text + first, 0);
	if (touched)
		assert_int_equal(*(volatile char *)pages, 0);
	made.SSL_CTX_set_cipher_list(NULL, pages + PAGE - first);
	event = told(SLOT_list);
	if (kernel < KERNEL_before_sleep) {
		check_text(event, event->fixed.texts[0], text);
		assert_int_equal(event->fixed.marks, 0);
	} else {
		assert_int_equal(event->fixed.texts[0].size, 0);
		assert_int_equal(event->fixed.marks, API_FAULT);
	}
	munmap(pages, 2 * PAGE);
}

static void test_text_that_is_not_in_memory_is_fetched(void **state)
{
	(void)state;
	need_probes();
	check_not_resident("DEFAULT", 0, 0);
	/* In two pages, with the first of them in memory, and with none. */
	check_not_resident("DEFAULT:!MD5", 5, 1);
	check_not_resident("DEFAULT:!MD5", 5, 0);
}

static void test_numbers_and_what_is_pointed_to_are_read(void **state)
{
	static const int nid = 427;
	const int *digest = &nid;
	const struct event *event;

	(void)state;
	need_probes();
	made.EVP_CipherInit_ex(NULL, &nid, NULL, NULL, NULL, -1);
	event = told(SLOT_cipher);
	assert_int_equal(event->fixed.marks, API_VALUE(0) | API_VALUE(1));
	assert_int_equal(event->fixed.values[0], 427);
	assert_int_equal((int)event->fixed.values[1], -1);
	made.EVP_DigestFinal_ex(&digest);
	event = told(SLOT_final);
	assert_int_equal(event->fixed.marks, API_VALUE(0));
	assert_int_equal(event->fixed.values[0], 427);
	made.RSA_generate_key_ex(NULL, 3072);
	event = told(SLOT_rsa);
	assert_int_equal(event->fixed.values[0], 3072);
}

/* Without a cipher the one that was set up goes on: no use of its own. */
static void test_call_without_what_is_required_is_not_told(void **state)
{
	const int *none = NULL;

	(void)state;
	need_probes();
	made.EVP_CipherInit_ex(NULL, NULL, NULL, NULL, NULL, 1);
	made.EVP_DigestFinal_ex(NULL);
	made.EVP_DigestFinal_ex(&none);
	assert_int_equal(collect(), 0);
	made.EVP_CipherInit_ex(NULL, (const int *)8, NULL, NULL, NULL, 1);
	assert_int_equal(collect(), 0);
	assert_int_equal(uprobes.shared->faults, 1);
}

static void test_commands_are_told_where_they_are_no_secret(void **state)
{
	const struct event *event;

	(void)state;
	need_probes();
	made.SSL_CTX_ctrl(NULL, 123, 0x0303, NULL);
	event = told(SLOT_ctrl);
	assert_int_equal(event->fixed.values[0], 123);
	assert_int_equal(event->fixed.values[1], 0x0303);
	made.SSL_CTX_ctrl(NULL, 92, 0, (void *)"X25519:P-256");
	event = told(SLOT_ctrl);
	assert_int_equal(event->fixed.values[0], 92);
	check_text(event, event->fixed.texts[1], "X25519:P-256");
	/* SSL_CTRL_SET_TLSEXT_TICKET_KEYS. */
	made.SSL_CTX_ctrl(NULL, 59, 80, (void *)"a key that must not be seen");
	assert_int_equal(collect(), 0);
}

static void test_settings_are_read_where_they_are_no_secret(void **state)
{
	static const char secret[] = "00112233445566778899";
	const struct event *event;

	(void)state;
	need_probes();
	made.EVP_PKEY_CTX_ctrl_str(NULL, "rsa_keygen_bits", "4096");
	event = told(SLOT_setting);
	check_text(event, event->fixed.texts[0], "rsa_keygen_bits");
	check_text(event, event->fixed.texts[1], "4096");
	made.EVP_PKEY_CTX_ctrl_str(NULL, "group", "X25519");
	event = told(SLOT_setting);
	check_text(event, event->fixed.texts[1], "X25519");
	made.EVP_PKEY_CTX_ctrl_str(NULL, "hexkey", secret);
	event = told(SLOT_setting);
	check_text(event, event->fixed.texts[0], "hexkey");
	assert_int_equal(event->fixed.texts[1].size, 0);
	assert_null(memmem(event->bytes, event->size, secret, 8));
	/* It only begins like one that may be read. */
	made.EVP_PKEY_CTX_ctrl_str(NULL, "groupkey", secret);
	assert_int_equal(told(SLOT_setting)->fixed.texts[1].size, 0);
	made.EVP_PKEY_CTX_ctrl_str(NULL, NULL, secret);
	assert_int_equal(told(SLOT_setting)->fixed.texts[1].size, 0);
}

/* What an earlier call left in the memory of the thread is in no later record. */
static void test_nothing_of_an_earlier_call_is_told(void **state)
{
	static const char earlier[] = "0123456789abcdef0123456789abcdef";
	const struct event *event;

	(void)state;
	need_probes();
	made.SSL_CTX_set_cipher_list(NULL, earlier);
	collect();
	made.SSL_CTX_set_cipher_list(NULL, "A");
	event = told(SLOT_list);
	assert_int_equal(event->size, sizeof(event->fixed) + 1);
	made.X509_check_ip_asc(NULL, "::1", 1);
	event = told(SLOT_ip);
	assert_null(memmem(event->bytes, event->size, earlier + 4, 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_text_is_read),
		TEST(test_two_texts_are_read),
		TEST(test_null_and_empty_text_are_nothing),
		TEST(test_long_text_is_cut_and_marked),
		TEST(test_second_text_without_room_is_marked),
		TEST(test_text_of_a_call_with_result_is_cut_and_marked),
		TEST(test_unreadable_text_is_marked),
		TEST(test_text_may_end_where_memory_does),
		TEST(test_text_that_is_not_in_memory_is_fetched),
		TEST(test_numbers_and_what_is_pointed_to_are_read),
		TEST(test_call_without_what_is_required_is_not_told),
		TEST(test_commands_are_told_where_they_are_no_secret),
		TEST(test_settings_are_read_where_they_are_no_secret),
		TEST(test_nothing_of_an_earlier_call_is_told),
	};

	return run_on_kernels(tests, KERNEL_before_sleep);
}
