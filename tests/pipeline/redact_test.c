/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "pipeline/redact.h"
#include "support/guard.h"

#define OUT_MAX 8192

static const char passwd[] = "root:x:0:0:root:/root:/bin/bash\n"
			     "www-data:x:33:33::/var/www:/usr/sbin/nologin\n"
			     "bob:x:1000:1000::/home/bob:/bin/sh\n"
			     "zelda:x:1001:1001::/srv/people/zelda:/bin/sh\n"
			     "nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n";

static char passwd_path[] = "/tmp/redact_test.XXXXXX";
static struct redactor *redactor;      /* hides people */
static struct redactor *open_redactor; /* --no-redact */

static int make_redactors(void **state)
{
	const struct redact_options hides = { .paths = true, .passwd_path = passwd_path };
	const struct redact_options shows = { .paths = false, .passwd_path = passwd_path };
	int fd = mkstemp(passwd_path);

	(void)state;
	if (fd < 0 || write(fd, passwd, sizeof(passwd) - 1) != sizeof(passwd) - 1 || close(fd))
		return -1;
	return redactor_new(&redactor, &hides) || redactor_new(&open_redactor, &shows) ? -1 : 0;
}

static int free_redactors(void **state)
{
	(void)state;
	redactor_free(redactor);
	redactor_free(open_redactor);
	redactor_free(NULL);
	return unlink(passwd_path);
}

/* What became of PATH, in OUT. */
static const char *path_of(const struct redactor *by, const char *path, char out[static OUT_MAX])
{
	size_t size = strlen(path), written;
	const char *copy = guard_copy(path, size);

	written = redact_path(by, copy, size, out, OUT_MAX);
	assert_int_equal(written, strlen(out));
	guard_free(copy, size);
	return out;
}

static const char *text_of(const struct redactor *by, const char *text, char out[static OUT_MAX])
{
	size_t size = strlen(text), written;
	const char *copy = guard_copy(text, size);

	written = redact_text(by, copy, size, out, OUT_MAX);
	assert_int_equal(written, strlen(out));
	guard_free(copy, size);
	return out;
}

/* The same for arguments, written with '|' between. */
static const char *args_of(const struct redactor *by, const char *args, char out[static OUT_MAX])
{
	size_t size = strlen(args), written;
	char *argv = guard_alloc(size);
	bool is_truncated = true;

	for (size_t i = 0; i < size; i++)
		argv[i] = args[i] == '|' ? '\0' : args[i];
	written = redact_args(by, argv, size, out, OUT_MAX, &is_truncated);
	assert_false(is_truncated);
	for (size_t i = 0; i < written; i++)
		if (out[i] == '\0')
			out[i] = '|';
	guard_free(argv, size);
	return out;
}

static void test_paths_lose_their_people(void **state)
{
	static const char *const cases[][2] = {
		{ "/home/john/app/certs/server.crt", "/home/USER/app/certs/server.crt" },
		{ "/root/.ssh/id_rsa", "/home/ROOT/.ssh/id_rsa" },
		{ "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs/ca-certificates.crt" },
		{ "/var/lib/docker/volumes/username_data/",
		  "/var/lib/docker/volumes/USERID_data/" },
		{ "/proc/self/root/home/dave", "/proc/self/root/home/USER" },
		{ "/srv/../home/bob", "/home/USER" },
		{ "/home//carol/k.pem", "/home/USER/k.pem" },
		{ "/run/user/1000", "/run/user/UID" },
		{ "/var/home/alice", "/var/home/USER" },
		{ "/home/./x", "/home/USER" },
		{ "/srv/people/zelda/k.pem", "/home/USER/k.pem" },
		{ "/etc//ssl/./x", "/etc/ssl/x" },
		{ "/home/\xff\xfe/k", "/home/USER/k" },
		{ "/home/a b:c=d/k", "/home/USER/k" },
		{ "", "" },
	};
	char out[OUT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(path_of(redactor, cases[i][0], out), cases[i][1]);
}

static void test_paths_stay_when_people_may_be_shown(void **state)
{
	char out[OUT_MAX];

	(void)state;
	assert_string_equal(path_of(open_redactor, "/home/bob//x/../k", out), "/home/bob//x/../k");
	assert_string_equal(args_of(open_redactor, "cat|/home/bob/k|~bob/x", out),
			    "cat|/home/bob/k|~bob/x");
	assert_string_equal(text_of(open_redactor, "no /home/bob/k", out), "no /home/bob/k");
}

static void test_secrets_go_even_when_people_may_be_shown(void **state)
{
	char out[OUT_MAX];

	(void)state;
	assert_string_equal(args_of(open_redactor, "mysql|-pS|--token=S|/home/bob", out),
			    "mysql|-p***|--token=***|/home/bob");
	assert_string_equal(text_of(open_redactor, "token=S in /home/bob", out),
			    "token=*** in /home/bob");
}

static void test_arguments_lose_their_people(void **state)
{
	static const char *const cases[][2] = {
		{ "cat|/home/bob/k", "cat|/home/USER/k" },
		{ "cat|a=/home/x", "cat|a=/home/USER" },
		{ "cat|/home/x:/home/y", "cat|/home/USER:/home/USER" },
		{ "cat|file:///home/x", "cat|file:///home/USER" },
		{ "cat|file://localhost/home/x/k", "cat|file://localhost/home/USER/k" },
		{ "cat|-I/home/x/inc|-L/srv/people/zelda", "cat|-I/home/USER/inc|-L/home/USER" },
		{ "curl|-d|@/home/x/f|-F|f=@/home/x/g",
		  "curl|-d|@/home/USER/f|-F|f=@/home/USER/g" },
		{ "x|lowerdir=/home/a:/home/b,upperdir=/home/c",
		  "x|lowerdir=/home/USER:/home/USER,upperdir=/home/USER" },
		{ "x|scp://h:/home/bob/k|bob@h:/home/bob/k",
		  "x|scp://h:/home/USER/k|bob@h:/home/USER/k" },
		{ "sh|-c|cat /home/bob/k; ls '/home/bob'",
		  "sh|-c|cat /home/USER/k; ls '/home/USER'" },
		{ "sh|-c|x >/home/bob/k 2>&1", "sh|-c|x >/home/USER/k 2>&1" },
		{ "sh|-c|cat '/home/John Smith/k'", "sh|-c|cat '/home/USER/k'" },
		{ "sh|-c|cat /home/John\\ Smith/k", "sh|-c|cat /home/USER/k" },
		{ "sh|-c|cat /home/{jo,ann}/k", "sh|-c|cat /home/USER/k" },
		{ "cat|/home/John Smith/k", "cat|/home/USER/k" },
		{ "cat|/home/a b c/k", "cat|/home/USER/k" },
		{ "cat|/home/bob /home/carol", "cat|/home/USER /home/USER" },
		{ "cat|/home/jo@example.com/k", "cat|/home/USER/k" },
		{ "cat|~bob/k|~root/k|~/k", "cat|~USER/k|~root/k|~/k" },
		{ "tar|-C|/|home/bob|../home/bob/k|./home/bob",
		  "tar|-C|/|home/USER|../home/USER/k|./home/USER" },
		{ "{\"f\":\"/home/bob/k\"}", "{\"f\":\"/home/USER/k\"}" },
		{ "x|/proc/self/root/home/bob/k", "x|/proc/self/root/home/USER/k" },
		{ "x|--f=/srv/../home/bob", "x|--f=/home/USER" },
		/* nobody's */
		{ "git|show|HEAD~1|@~2|a~b", "git|show|HEAD~1|@~2|a~b" },
		{ "x|/etc//ssl/../k|s/a/../b/|https://h//x/./y",
		  "x|/etc//ssl/../k|s/a/../b/|https://h//x/./y" },
		{ "x|https://h/root/x|a/root/b", "x|https://h/root/x|a/root/b" },
		{ "x|/|//|/home|/home/|:/:", "x|/|//|/home|/home/|:/:" },
	};
	char out[OUT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(args_of(redactor, cases[i][0], out), cases[i][1]);
}

static void test_text_loses_people_and_secrets(void **state)
{
	static const char *const cases[][2] = {
		{ "cannot open '/home/bob/k.pem': denied",
		  "cannot open '/home/USER/k.pem': denied" },
		{ "no /home/bob or /root/x", "no /home/USER or /home/ROOT/x" },
		{ "(/home/bob)", "(/home/USER)" },
		{ "/home/bob a/b", "/home/USER a/b" },
		{ "file:///home/bob, token=S", "file:///home/USER, token=***" },
		{ "subject CN=h, O=a/b", "subject CN=h, O=a/b" },
		{ "/etc/ssl/openssl.cnf line 3", "/etc/ssl/openssl.cnf line 3" },
	};
	char out[OUT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(text_of(redactor, cases[i][0], out), cases[i][1]);
}

static void test_user_names_of_people_are_replaced(void **state)
{
	static const char *const cases[][2] = {
		{ "bob", "USER" },	    { "zelda", "USER" },
		{ "stranger", "USER" },	    { "root", "root" },
		{ "www-data", "www-data" }, { "nobody", "nobody" },
		{ "1000", "1000" },	    { "", "" },
	};
	char out[OUT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t size = strlen(cases[i][0]);

		assert_int_equal(redact_user(redactor, cases[i][0], size, out, sizeof(out)),
				 strlen(cases[i][1]));
		assert_string_equal(out, cases[i][1]);
	}
	redact_user(open_redactor, "bob", 3, out, sizeof(out));
	assert_string_equal(out, "bob");
}

static const char *peer_of(const struct redactor *by, const char *name, size_t size,
			   char out[static OUT_MAX])
{
	const char *copy = guard_copy(name, size);
	size_t written = redact_peer(by, copy, size, out, OUT_MAX);

	assert_int_equal(out[written], '\0');
	guard_free(copy, size);
	return out;
}

/* Whether people are shown has nothing to do with it. */
static void test_names_of_peers_are_hidden_on_request(void **state)
{
	char out[OUT_MAX];

	(void)state;
	assert_string_equal(peer_of(redactor, "bob.example", 11, out), "bob.example");
	assert_string_equal(peer_of(open_redactor, "bob.example", 11, out), "bob.example");
	for (int shows_paths = 0; shows_paths < 2; shows_paths++) {
		const struct redact_options options = { .paths = !shows_paths,
							.peers = true,
							.passwd_path = passwd_path };
		struct redactor *hides;

		assert_int_equal(redactor_new(&hides, &options), 0);
		assert_string_equal(peer_of(hides, "bob.example", 11, out), "***");
		assert_string_equal(peer_of(hides, "\0", 1, out), "***");
		/* There is none to be hidden. */
		assert_string_equal(peer_of(hides, "", 0, out), "");
		/* Nothing else is. */
		assert_string_equal(text_of(hides, "bob.example", out), "bob.example");
		redactor_free(hides);
	}
}

/* Whatever a peer calls itself, all of it is there, and nothing behind it. */
static void test_names_of_peers_are_bytes(void **state)
{
	static const char name[] = "a\0b\xff/home/bob\n";
	char out[OUT_MAX];

	(void)state;
	assert_int_equal(redact_peer(redactor, name, sizeof(name) - 1, out, sizeof(out)),
			 sizeof(name) - 1);
	assert_memory_equal(out, name, sizeof(name));
}

static void test_output_is_cut_to_its_buffer(void **state)
{
	static const char whole[] = "/home/USER/k.pem";

	(void)state;
	for (size_t cap = 0; cap < sizeof(whole) + 2; cap++) {
		size_t expected = cap == 0			? 0
				  : cap - 1 < sizeof(whole) - 1 ? cap - 1
								: sizeof(whole) - 1;
		char *out = guard_alloc(cap);
		bool is_truncated;

		assert_int_equal(redact_path(redactor, "/home/b/k.pem", 13, out, cap), expected);
		assert_memory_equal(out, whole, expected);
		assert_int_equal(redact_text(redactor, "/home/b/k.pem", 13, out, cap), expected);
		assert_memory_equal(out, whole, expected);
		assert_int_equal(
			redact_args(redactor, "/home/b/k.pem", 13, out, cap, &is_truncated),
			expected);
		assert_int_equal(is_truncated, expected < sizeof(whole) - 1);
		assert_memory_equal(out, whole, expected);
		assert_int_equal(redact_peer(redactor, whole, sizeof(whole) - 1, out, cap),
				 expected);
		assert_memory_equal(out, whole, expected);
		if (cap)
			assert_int_equal(out[expected], '\0');
		guard_free(out, cap);
	}
}

/* A home of the file that a cut goes through would no longer be recognised: nothing of it shows. */
static void test_cut_paths_show_no_part_of_a_home(void **state)
{
	static const char prefix[] = "/proc/self/root";
	char path[2 * OUT_MAX], out[OUT_MAX];

	(void)state;
	for (size_t repeat = 265; repeat < 280; repeat++) {
		size_t size = 0;

		for (size_t i = 0; i < repeat; i++, size += sizeof(prefix) - 1)
			memcpy(path + size, prefix, sizeof(prefix) - 1);
		memcpy(path + size, "/srv/people/zelda/k", 20);
		path_of(redactor, path, out);
		assert_null(strstr(out, "ze"));
	}
}

static void test_missing_passwd_file_is_no_error(void **state)
{
	const struct redact_options missing = { .paths = true, .passwd_path = "/nonexistent/x" };
	const struct redact_options broken = { .paths = true, .passwd_path = "/tmp" };
	const struct redact_options unused = { .paths = false, .passwd_path = "/tmp" };
	const struct redact_options usual = { .paths = true };
	struct redactor *made = NULL;
	char out[OUT_MAX];

	(void)state;
	assert_int_equal(redactor_new(&made, &missing), 0);
	assert_string_equal(path_of(made, "/home/x/k", out), "/home/USER/k");
	assert_int_equal(redactor_nr_skipped(made), 0);
	redactor_free(made);
	made = NULL;
	assert_true(redactor_new(&made, &broken) < 0);
	assert_null(made);
	assert_int_equal(redactor_new(&made, &unused), 0);
	redactor_free(made);
	assert_int_equal(redactor_new(&made, &usual), 0);
	redactor_free(made);
}

/* One of many spellings of a path in the home of zelda. Returns its size. */
static size_t spell_home(char *out, size_t cap)
{
	static const char *const roots[] = {
		"",
		"/proc/self/root",
		"/proc/1/root",
		"/proc/7/task/8/root",
		"/proc/thread-self/root",
		"/proc/self/cwd",
		"/proc/self/root/proc/2/root",
		"..",
		"../..",
	};
	static const char *const homes[][4] = {
		{ "home", "zelda" },	       { "var", "home", "zelda" },
		{ "export", "home", "zelda" }, { "Users", "zelda" },
		{ "run", "media", "zelda" },   { "srv", "people", "zelda" },
		{ "var", "lib", "docker" },
	};
	static const char *const noise[] = { "/",	 "//",		"/./",	   "/x/../",
					     "///././/", "/a/b/../../", "/..x/../" };
	const char *const *home = homes[random() % 6];
	size_t size = (size_t)snprintf(out, cap, "%s", roots[random() % 9]);

	for (size_t i = 0; i < 4 && home[i]; i++)
		size += (size_t)snprintf(out + size, cap - size, "%s%s", noise[random() % 7],
					 home[i]);
	if (random() % 3)
		size += (size_t)snprintf(out + size, cap - size, "%sk.pem", noise[random() % 7]);
	return size;
}

static void test_no_spelling_shows_a_person(void **state)
{
	static const char *const frames[] = {
		"%s",
		"x|%s",
		"x|a=%s",
		"x|--file=%s",
		"x|-I%s",
		"x|a:%s:ro",
		"x|file://%s",
		"x|@%s",
		"x|a,%s,b",
		"x|'%s'",
		"x|\"%s\"",
		"sh|-c|cat %s; ls",
		"sh|-c|cat '%s' x",
		"x|(%s)",
		"x|{\"f\":\"%s\"}",
		"x|a %s",
		"x|%s b",
		"x|<%s",
		"x|--a|%s|b",
		"x|a;%s",
		"x|b|%s:%s",
	};
	char path[512], args[2048], out[OUT_MAX];

	(void)state;
	srandom(6);
	for (int round = 0; round < 30000; round++) {
		const char *frame = frames[random() % 21], *hole;
		size_t size = 0;

		spell_home(path, sizeof(path));
		if (strstr(path_of(redactor, path, out), "zelda"))
			fail_msg("'%s' became '%s'", path, out);
		for (; (hole = strstr(frame, "%s")); frame = hole + 2)
			size += (size_t)snprintf(args + size, sizeof(args) - size, "%.*s%s",
						 (int)(hole - frame), frame, path);
		snprintf(args + size, sizeof(args) - size, "%s", frame);
		if (strstr(args_of(redactor, args, out), "zelda"))
			fail_msg("arguments '%s' became '%s'", args, out);
		if (strstr(text_of(redactor, args, out), "zelda"))
			fail_msg("text '%s' became '%s'", args, out);
	}
}

static void test_paths_redacted_twice_stay(void **state)
{
	char path[512], once[OUT_MAX], twice[OUT_MAX];

	(void)state;
	srandom(7);
	for (int round = 0; round < 10000; round++) {
		spell_home(path, sizeof(path));
		path_of(redactor, path, once);
		assert_string_equal(path_of(redactor, once, twice), once);
	}
	assert_string_equal(path_of(redactor, "/home/ROOT/x", twice), "/home/ROOT/x");
	assert_string_equal(path_of(redactor, "/run/user/UID", twice), "/run/user/UID");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths_lose_their_people),
		cmocka_unit_test(test_paths_stay_when_people_may_be_shown),
		cmocka_unit_test(test_secrets_go_even_when_people_may_be_shown),
		cmocka_unit_test(test_arguments_lose_their_people),
		cmocka_unit_test(test_text_loses_people_and_secrets),
		cmocka_unit_test(test_user_names_of_people_are_replaced),
		cmocka_unit_test(test_names_of_peers_are_hidden_on_request),
		cmocka_unit_test(test_names_of_peers_are_bytes),
		cmocka_unit_test(test_output_is_cut_to_its_buffer),
		cmocka_unit_test(test_cut_paths_show_no_part_of_a_home),
		cmocka_unit_test(test_missing_passwd_file_is_no_error),
		cmocka_unit_test(test_no_spelling_shows_a_person),
		cmocka_unit_test(test_paths_redacted_twice_stay),
	};

	return cmocka_run_group_tests(tests, make_redactors, free_redactors);
}
