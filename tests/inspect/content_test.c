/* SPDX-License-Identifier: MIT */
#include "made_certificate.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "catalogue/files.h"

static void expect_text(const char *text, const char *name, uint32_t kind, const char *format)
{
	struct content *content = sample_judge(text, strlen(text), name);

	assert_int_equal(content->kind, kind);
	assert_string_equal(content->format, format);
	content_free(content);
}

static void test_nothing_is_known_of_nothing(void **state)
{
	struct content *content;

	(void)state;
	assert_int_equal(content_inspect(NULL, 0, false, NULL, NULL, 0, &content), 0);
	assert_int_equal(content->kind, FILE_KIND_unknown);
	assert_int_equal(content->type, FILE_TYPE_unknown);
	assert_null(content->format);
	assert_string_equal(content->note, "empty");
	assert_int_equal(content->certificates.count + content->keys.count, 0);
	content_free(content);
	content_free(NULL);
}

static void test_age_files_are_told(void **state)
{
	static const char identity[] = "# created: x\n# public key: age1x\nAGE-SECRET-KEY-1QQQQ\n";
	struct content *content = sample_judge(identity, sizeof(identity) - 1, NULL);

	(void)state;
	assert_int_equal(content->kind, FILE_KIND_age_private_key);
	assert_int_equal(content->type, FILE_TYPE_private_key);
	sample_expect_key(content, "X25519", "age", NULL, 0, 1, 0);
	content_free(content);
	expect_text("age-encryption.org/v1\n-> X25519 x\n", NULL, FILE_KIND_encrypted_file, "age");
	expect_text("-----BEGIN AGE ENCRYPTED FILE-----\nAAAA\n-----END AGE ENCRYPTED FILE-----\n",
		    NULL, FILE_KIND_encrypted_file, "age");
	expect_text("\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5", NULL, FILE_KIND_password_database, "KDBX");
}

static void test_other_databases_are_unknown(void **state)
{
	static const char bytes[] = "SQLite format 3\0CREATE TABLE people";
	struct content *content = sample_judge(bytes, sizeof(bytes), "cert9.db");

	(void)state;
	assert_int_equal(content->kind, FILE_KIND_unknown);
	content_free(content);
}

static void test_cut_file_says_so(void **state)
{
	struct content *content;
	size_t size;
	char *bytes;

	(void)state;
	assert_int_equal(sample_run("openssl genpkey -algorithm ed25519 -out k.pem"), 0);
	bytes = sample_read("k.pem", &size);
	assert_int_equal(content_inspect(bytes, size, true, "k.pem", NULL, 0, &content), 0);
	assert_string_equal(content->note, "cut: the file is longer than what is read");
	assert_int_equal(content->keys.count, 1);
	content_free(content);
	free(bytes);
}

static void test_further_certificates_are_counted(void **state)
{
	struct made made = { .subject = "x", .digest = "SHA256", .curve = "P-256", .end_days = 90 };
	X509 *x509 = made_certificate(&made);
	BIO *bio = BIO_new(BIO_s_mem());
	struct content *content;

	(void)state;
	for (int i = 0; i < CONTENT_CERTIFICATES_MAX + 4; i++)
		PEM_write_bio_X509(bio, x509);
	content = made_judge_pem(bio, NULL);
	assert_int_equal(content->certificates.count, CONTENT_CERTIFICATES_MAX);
	assert_true(content->certificates.truncated);
	assert_string_equal(content->note, "260 certificates, of which 256 are told");
	content_free(content);
	X509_free(x509);
}

/* Cut anywhere and with any byte changed: a page that cannot be read is behind it. */
static void abuse(const char *name)
{
	size_t size, step;
	char *bytes = sample_read(name, &size);

	step = size > 160 ? size / 80 : 2;
	for (size_t cut = 0; cut <= size; cut += step)
		content_free(sample_judge(bytes, cut, name));
	for (size_t i = 0; i < size; i += step) {
		char kept = bytes[i];

		bytes[i] = (char)(kept ^ (1 << i % 8));
		content_free(sample_judge(bytes, size, name));
		bytes[i] = (char)0xff;
		content_free(sample_judge(bytes, size, name));
		bytes[i] = kept;
	}
	free(bytes);
}

static void test_damaged_samples_are_survived(void **state)
{
	static const char *const names[] = { "k.pem", "k.der", "c.pem", "c.der", "s.p12",
					     "n.p12", "o",     "o.pub", "p.der", "r.der" };

	(void)state;
	assert_int_equal(
		sample_run(
			"openssl req -x509 -nodes -newkey rsa:2048 -subj /CN=x/O=y -days 9"
			" -addext subjectAltName=DNS:a,IP:::1 -keyout k.pem -out c.pem;"
			"openssl pkcs8 -topk8 -nocrypt -in k.pem -outform DER -out k.der;"
			"openssl x509 -in c.pem -outform DER -out c.der;"
			"openssl pkcs12 -export -in c.pem -inkey k.pem -passout pass:x -out s.p12;"
			"openssl pkcs12 -export -in c.pem -inkey k.pem -passout pass:x -certpbe "
			"NONE"
			" -keypbe NONE -out n.p12; rm -f o o.pub; ssh-keygen -q -t ed25519 -N '' "
			"-f o;"
			"openssl crl2pkcs7 -nocrl -certfile c.pem -outform DER -out p.der;"
			"openssl req -new -key k.pem -subj /CN=x -outform DER -out r.der"),
		0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		abuse(names[i]);
}

/* Ends the process at a system call that opens a file. */
static void deny_open(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 2, 0),
#ifdef SYS_open
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_open, 1, 0),
#else
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 1, 0),
#endif
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = { .len = sizeof(filter) / sizeof(filter[0]), .filter = filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, 2, &program))
		_exit(2);
}

/*
 * A program of its own, because this one has used libcrypto: it prepares, gives up open(2), judges
 * the files named, and ends with 0.
 */
static int judge_without_open(char **names)
{
	char *bytes[16];
	size_t sizes[16], count = 0;

	if (content_prepare())
		return 3;
	for (; names[count] && count < 16; count++)
		bytes[count] = sample_read(names[count], &sizes[count]);
	deny_open();
	for (size_t i = 0; i < count; i++) {
		struct content *content;

		if (content_inspect(bytes[i], sizes[i], false, names[i], NULL, 1, &content))
			return 4;
		if (content->certificates.count + content->keys.count == 0)
			return 5;
		content_free(content);
		free(bytes[i]);
	}
	return 0;
}

static char *own_path;

static void test_no_file_is_opened_after_preparation(void **state)
{
	char script[512];

	(void)state;
	/* A configuration that would be read, did libcrypto look for one. */
	snprintf(script, sizeof(script),
		 "openssl req -x509 -nodes -newkey rsa:2048 -subj /CN=x -days 9 -keyout a1 -out a2;"
		 "openssl req -x509 -nodes -newkey ed25519 -subj /CN=x -days 9 -keyout a3 -out a4;"
		 "openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -sha1"
		 " -subj /CN=x -days 9 -keyout a5 -out a6;"
		 "openssl pkcs12 -export -in a2 -inkey a1 -passout pass:x -certpbe NONE -out a7;"
		 "%s --judge a1 a2 a3 a4 a5 a6 a7",
		 own_path);
	assert_int_equal(sample_run(script), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_known_of_nothing),
		cmocka_unit_test(test_age_files_are_told),
		cmocka_unit_test(test_other_databases_are_unknown),
		cmocka_unit_test(test_cut_file_says_so),
		cmocka_unit_test(test_further_certificates_are_counted),
		cmocka_unit_test(test_damaged_samples_are_survived),
		cmocka_unit_test(test_no_file_is_opened_after_preparation),
	};

	if (argc > 2 && strcmp(argv[1], "--judge") == 0)
		/* Without what a sanitizer does at exit, which opens files. */
		_exit(judge_without_open(argv + 2));
	own_path = realpath(argv[0], NULL);
	return cmocka_run_group_tests(tests, samples_setup, NULL);
}
