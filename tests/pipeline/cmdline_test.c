/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/cmdline.h"
#include "support/guard.h"

#define OUT_MAX 4096

/* No accounts: paths stay, only secrets are replaced. Arguments are written with '|' between. */
struct example {
	const char *args;
	const char *expected;
};

static void exchange(char *text, size_t size, char from, char to)
{
	for (size_t i = 0; i < size; i++)
		if (text[i] == from)
			text[i] = to;
}

static void check_args(const struct example *examples, size_t nr_examples)
{
	for (size_t i = 0; i < nr_examples; i++) {
		size_t size = strlen(examples[i].args);
		char *argv = guard_alloc(size), out[OUT_MAX];
		struct appender to = appender_make(out, sizeof(out));

		memcpy(argv, examples[i].args, size);
		exchange(argv, size, '|', '\0');
		cmdline_redact_args(NULL, &to, argv, size);
		exchange(out, to.size, '\0', '|');
		if (strcmp(out, examples[i].expected) != 0)
			fail_msg("<%s> became <%s>, not <%s>", examples[i].args, out,
				 examples[i].expected);
		assert_false(to.is_truncated);
		guard_free(argv, size);
	}
}

#define CHECK_ARGS(examples) check_args(examples, sizeof(examples) / sizeof((examples)[0]))

static void test_long_options_lose_their_values(void **state)
{
	static const struct example examples[] = {
		{ "x|--password=S|y", "x|--password=***|y" },
		{ "x|--password|S|y", "x|--password|***|y" },
		{ "x|-password|S|y", "x|-password|***|y" },
		{ "x|--PassWord|S", "x|--PassWord|***" },
		{ "x|--password=a b=c,d:e", "x|--password=***" },
		{ "x|--password|a b|c", "x|--password|***|c" },
		{ "x|--password| S|c", "x|--password|***|c" },
		{ "x|--password|(S)|c", "x|--password|***|c" },
		{ "x|--password|'S|c", "x|--password|***|c" },
		{ "x|--password|-S|c", "x|--password|***|c" },
		{ "x|--password||c", "x|--password||c" },
		{ "x|--password=|c", "x|--password=|c" },
		{ "x|--password", "x|--password" },
		{ "x|--password|--token|S", "x|--password|--token|***" },
		{ "x|--password|--token=S", "x|--password|--token=***" },
		{ "x|--api-key=S|--access-key|S", "x|--api-key=***|--access-key|***" },
		{ "x|--client-secret=S|--passphrase|S", "x|--client-secret=***|--passphrase|***" },
		{ "x|--private-key|/etc/k.pem", "x|--private-key|/etc/k.pem" },
		{ "x|--private-key=/etc/k.pem", "x|--private-key=/etc/k.pem" },
		{ "x|--private-key|MIIEvQIBADAN", "x|--private-key|***" },
		{ "x|--private-key=MIIEvQIBADAN", "x|--private-key=***" },
		{ "x|--password-file|/f|--passwd-file=/f",
		  "x|--password-file|/f|--passwd-file=/f" },
		{ "x|--ask-pass|-u|y", "x|--ask-pass|-u|y" },
		{ "x|--key|/etc/k.pem|--cert=/c", "x|--key|/etc/k.pem|--cert=/c" },
		{ "java|-Djavax.net.ssl.keyStorePassword=S|-jar|a",
		  "java|-Djavax.net.ssl.keyStorePassword=***|-jar|a" },
		{ "java|-Dfoo.password=S", "java|-Dfoo.password=***" },
		{ "ansible|-e|x_password=S", "ansible|-e|x_password=***" },
		{ "helm|--set=db.password=S", "helm|--set=db.password=***" },
		{ "mount|-o|username=u,password=S,uid=5|/m",
		  "mount|-o|username=u,password=***|/m" },
		{ "kubectl|--from-literal=foo=S", "kubectl|--from-literal=***" },
	};

	(void)state;
	CHECK_ARGS(examples);
}

static void test_tools_lose_their_short_options(void **state)
{
	static const struct example examples[] = {
		{ "mysql|-uroot|-pS|db", "mysql|-uroot|-p***|db" },
		{ "mysql|-p|-h|x", "mysql|-p|-h|x" },
		{ "/usr/bin/mysqldump|-pS", "/usr/bin/mysqldump|-p***" },
		{ "sudo|-u|x|env|A=1|nice|-n|5|mariadb|-pS",
		  "sudo|-u|x|env|A=1|nice|-n|5|mariadb|-p***" },
		{ "sshpass|-p|S|ssh|-p|22|h", "sshpass|-p|***|ssh|-p|22|h" },
		{ "sshpass|-pS|ssh|h", "sshpass|-p***|ssh|h" },
		{ "mosquitto_pub|-u|x|-P|S", "mosquitto_pub|-u|x|-P|***" },
		{ "smbclient|-U|bob%S|//s/x", "smbclient|-U|bob%***|//s/x" },
		{ "ldapsearch|-x|-D|cn=a|-w|S", "ldapsearch|-x|-D|cn=a|-w|***" },
		{ "ldapsearch|-xw|S", "ldapsearch|-xw|***" },
		{ "redis-cli|-h|x|-a|S|ping", "redis-cli|-h|x|-a|***|ping" },
		{ "curl|-u|bob:S|https://x/", "curl|-u|bob:***|https://x/" },
		{ "curl|-ubob:S", "curl|-ubob:***" },
		{ "curl|-sku|bob:S", "curl|-sku|bob:***" },
		{ "curl|-u|bob|x", "curl|-u|bob|x" },
		{ "curl|--user|bob:S|--proxy-user|b:S", "curl|--user|bob:***|--proxy-user|b:***" },
		{ "curl|-E|c.pem:S|--cert|c.pem", "curl|-E|c.pem:***|--cert|c.pem" },
		{ "curl|-b|sid=S|-b|jar", "curl|-b|sid=***|-b|jar" },
		{ "wget|--user=b:S|--http-password=S", "wget|--user=b:***|--http-password=***" },
		{ "htpasswd|-b|/etc/f|bob|S", "htpasswd|-b|/etc/f|***|***" },
		{ "htpasswd|-nbB|bob|S", "htpasswd|-nbB|bob|***" },
		{ "zip|-P|S|a.zip|f", "zip|-P|***|a.zip|f" },
		{ "unzip|-oPS|a.zip", "unzip|-oP***|a.zip" },
		{ "7z|a|-pS|x.7z", "7z|a|-p***|x.7z" },
		{ "keytool|-storepass|S|-keypass|S|-alias|a",
		  "keytool|-storepass|***|-keypass|***|-alias|a" },
		{ "keytool|-srcstorepass|S|-deststorepass|S",
		  "keytool|-srcstorepass|***|-deststorepass|***" },
		{ "pk12util|-i|f|-K|S|-W|S|-k|file", "pk12util|-i|f|-K|***|-W|***|-k|file" },
		{ "openssl|enc|-aes-256-cbc|-k|S|-p", "openssl|enc|-aes-256-cbc|-k|***|-p" },
		{ "openssl|enc|-K|00ff|-iv|00ff|-in|f", "openssl|enc|-K|***|-iv|***|-in|f" },
		{ "openssl|rsa|-passin|pass:S|-in|k", "openssl|rsa|-passin|pass:***|-in|k" },
		{ "openssl|rsa|-passin|file:/pw|-passout|env:X",
		  "openssl|rsa|-passin|file:/pw|-passout|env:X" },
		{ "openssl|req|-pass=x|-passout|pass:a b",
		  "openssl|req|-pass=***|-passout|pass:***" },
		{ "openssl|passwd|-6|S", "openssl|passwd|-6|***" },
		{ "openssl|mac|-macopt|hexkey:00|-macopt|digest:SHA256|HMAC",
		  "openssl|mac|-macopt|hexkey:***|-macopt|digest:SHA256|HMAC" },
		{ "openssl|s_client|-psk|00|-connect|h:443",
		  "openssl|s_client|-psk|***|-connect|h:443" },
		{ "gpg|--batch|--passphrase|S|-d|f", "gpg|--batch|--passphrase|***|-d|f" },
		{ "gpg|--passphrase-fd|0|-d|f", "gpg|--passphrase-fd|0|-d|f" },
		{ "docker|login|-u|bob|-p|S|r", "docker|login|-u|bob|-p|***|r" },
		{ "docker|run|-p|80:80|-e|X_TOKEN=S|i", "docker|run|-p|80:80|-e|X_TOKEN=***|i" },
		{ "ssh-keygen|-t|rsa|-N|S|-f|k", "ssh-keygen|-t|rsa|-N|***|-f|k" },
		{ "ip|xfrm|state|add|enc|cbc(aes)|0x00ff", "ip|xfrm|state|add|enc|cbc(aes)|0x***" },
		{ "pkcs11-tool|--login|--pin|1234|-O", "pkcs11-tool|--login|--pin|***|-O" },
		{ "wpa_passphrase|net|S", "wpa_passphrase|net|***" },
		{ "vault|login|S", "vault|login|***" },
		{ "aws|configure|set|aws_secret_access_key|S",
		  "aws|configure|set|aws_secret_access_key|***" },
		/* an option's value may look like another tool: the first tool still counts */
		{ "curl|-o|zip|-u|bob:S", "curl|-o|zip|-u|bob:***" },
		/* no known tool */
		{ "ls|-p|x|-u|a:b|-a|c", "ls|-p|x|-u|a:b|-a|c" },
	};

	(void)state;
	CHECK_ARGS(examples);
}

static void test_urls_lose_their_passwords(void **state)
{
	static const struct example examples[] = {
		{ "git|clone|https://bob:S@h/x.git", "git|clone|https://bob:***@h/x.git" },
		{ "psql|postgres://u:S@h:5432/db", "psql|postgres://u:***@h:5432/db" },
		{ "x|redis://:S@h/0", "x|redis://:***@h/0" },
		{ "x|mysql://u:p@ss@h/d", "x|mysql://u:***@h/d" },
		{ "x|postgres://u:p/ss@h/d", "x|postgres://u:***@h/d" },
		{ "x|http://u:p ss@h/d", "x|http://u:***@h/d" },
		{ "x|http://u:p'ss@h/d", "x|http://u:***@h/d" },
		{ "x|--url=https://b:S@h/", "x|--url=https://b:***@h/" },
		{ "x|-x|http://b:S@proxy:3128", "x|-x|http://b:***@proxy:3128" },
		{ "x|https://h/p?token=S&a=b", "x|https://h/p?token=***" },
		{ "x|https://0123456789abcdefghij@h/x", "x|https://***@h/x" },
		{ "x|bob:S@h", "x|bob:***@h" },
		/* these have none */
		{ "x|https://h:8080/p", "x|https://h:8080/p" },
		{ "x|https://h:8080/p@v1", "x|https://h:8080/p@v1" },
		{ "x|https://[::1]:80/p@v1", "x|https://[::1]:80/p@v1" },
		{ "x|https://bob@h/x", "x|https://bob@h/x" },
		{ "x|http://u:@h/", "x|http://u:@h/" },
		{ "x|git@h:bob/x", "x|git@h:bob/x" },
		{ "x|nginx:1.2@sha256:00", "x|nginx:1.2@sha256:00" },
		{ "x|//|://|:", "x|//|://|:" },
	};

	(void)state;
	CHECK_ARGS(examples);
}

static void test_headers_lose_all_behind_the_colon(void **state)
{
	static const struct example examples[] = {
		{ "curl|-H|Authorization: Bearer S|x", "curl|-H|Authorization: ***|x" },
		{ "curl|-H|authorization:Basic S", "curl|-H|authorization:***" },
		{ "curl|-HX-Api-Key: S", "curl|-HX-Api-Key: ***" },
		{ "curl|-H|Cookie: a=b; c=d", "curl|-H|Cookie: ***" },
		{ "wget|--header=Proxy-Authorization: Basic S",
		  "wget|--header=Proxy-Authorization: ***" },
		{ "git|-c|http.extraHeader=Authorization: Basic S",
		  "git|-c|http.extraHeader=Authorization: ***" },
		{ "x|-H|Accept: a/b", "x|-H|Accept: a/b" },
		{ "x|Bearer S", "x|Bearer ***" },
		{ "x|eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "x|***" },
		{ "x|-v|std::token::x", "x|-v|std::token::x" },
	};

	(void)state;
	CHECK_ARGS(examples);
}

static void test_variables_lose_their_values(void **state)
{
	static const struct example examples[] = {
		{ "env|DB_PASSWORD=S|x", "env|DB_PASSWORD=***|x" },
		{ "env|DB_PASSWORD=a b 'c|x", "env|DB_PASSWORD=***|x" },
		{ "env|A_TOKEN=S|A_SECRET=S|TLS_KEY=S|A_PASSPHRASE=S",
		  "env|A_TOKEN=***|A_SECRET=***|TLS_KEY=***|A_PASSPHRASE=***" },
		{ "env|PGPASSWORD=S|MYSQL_PWD=S", "env|PGPASSWORD=***|MYSQL_PWD=***" },
		{ "env|API_KEY=a.b.c|x", "env|API_KEY=***|x" },
		{ "docker|run|-eTLS_KEY=S|i", "docker|run|-eTLS_KEY=***|i" },
		{ "env|PWD=/x|OLDPWD=/y|KEYS=z|A_KEYS=z", "env|PWD=/x|OLDPWD=/y|KEYS=z|A_KEYS=z" },
	};

	(void)state;
	CHECK_ARGS(examples);
}

static void test_scripts_lose_their_secrets_word_by_word(void **state)
{
	static const struct example examples[] = {
		{ "sh|-c|PGPASSWORD=S psql -h db; ls", "sh|-c|PGPASSWORD=*** psql -h db; ls" },
		{ "sh|-c|A_TOKEN='a b' x", "sh|-c|A_TOKEN=*** x" },
		{ "sh|-c|A_TOKEN=\"a b\"c x", "sh|-c|A_TOKEN=*** x" },
		{ "sh|-c|A_TOKEN=a\\ b x", "sh|-c|A_TOKEN=*** x" },
		{ "sh|-c|A_TOKEN=S;ls x", "sh|-c|A_TOKEN=***;ls x" },
		{ "sh|-c|A_TOKEN= ls x", "sh|-c|A_TOKEN= ls x" },
		{ "sh|-c|export A_TOKEN=S && mysql -pS d",
		  "sh|-c|export A_TOKEN=*** && mysql -p*** d" },
		{ "bash|-lc|env \"A_TOKEN=a b\" x", "bash|-lc|env \"A_TOKEN=***\" x" },
		{ "bash|-c|mysql -p'a b' d", "bash|-c|mysql -p*** d" },
		{ "bash|-c|mysql '-pa b' d", "bash|-c|mysql '-p***' d" },
		{ "bash|-c|x --password \"a b\" c", "bash|-c|x --password *** c" },
		{ "bash|-c|x --password 'a' 'b'", "bash|-c|x --password *** 'b'" },
		{ "bash|-c|x --password; ls", "bash|-c|x --password; ls" },
		{ "bash|-c|ssh h \"mysql -pS\" && ls", "bash|-c|ssh h \"mysql -p***\" && ls" },
		{ "bash|-c|curl -H \"Authorization: Bearer S\" u",
		  "bash|-c|curl -H \"Authorization: ***\" u" },
		{ "bash|-c|curl -u 'bob:a b' u", "bash|-c|curl -u 'bob:*** u" },
		{ "bash|-c|htpasswd -b f u S; htpasswd -b f u T; ls x",
		  "bash|-c|htpasswd -b f *** ***; htpasswd -b f *** ***; ls x" },
		{ "sh|-c|echo \"a TOKEN=S\" b", "sh|-c|echo \"a TOKEN=***\" b" },
		{ "ssh|h|mysql -pS d", "ssh|h|mysql -p*** d" },
		{ "ssh|h|x; A_TOKEN=S;mysql -pS d", "ssh|h|x; A_TOKEN=*** -p*** d" },
		/* not a shell's: the end of the argument is the end of the value */
		{ "x|-c|A_TOKEN=a b", "x|-c|A_TOKEN=***" },
	};

	(void)state;
	CHECK_ARGS(examples);
}

static void test_quoted_forms_keep_their_quotes(void **state)
{
	static const struct example examples[] = {
		{ "curl|-d|{\"password\":\"S\",\"user\":\"b\"}",
		  "curl|-d|{\"password\":\"***\",\"user\":\"b\"}" },
		{ "curl|-d|{\"token\" : \"a\\\"b\", \"n\":1}",
		  "curl|-d|{\"token\" : \"***\", \"n\":1}" },
		{ "curl|-d|{\"pin\":1234,\"n\":1}", "curl|-d|{\"pin\":***,\"n\":1}" },
		{ "sh|-c|curl -d \"{\\\"password\\\":\\\"S\\\"}\" u",
		  "sh|-c|curl -d \"{\\\"password\\\":\\\"***\\\"}\" u" },
		{ "sh|-c|curl -d '{\"password\":\"S\"}' u",
		  "sh|-c|curl -d '{\"password\":\"***\"}' u" },
		{ "psql|-c|ALTER USER x PASSWORD 'it''s' VALID",
		  "psql|-c|ALTER USER x PASSWORD '***' VALID" },
		{ "mysql|-e|CREATE USER x IDENTIFIED BY 'S'",
		  "mysql|-e|CREATE USER x IDENTIFIED BY '***'" },
		{ "psql|host=h password=S dbname=d", "psql|host=h password=*** dbname=d" },
		{ "psql|host=h password='a b' dbname=d", "psql|host=h password=*** dbname=d" },
		{ "x|{\"password\":\"open", "x|{\"password\":\"***" },
	};

	(void)state;
	CHECK_ARGS(examples);
}

static void test_uris_of_tokens_keep_their_labels(void **state)
{
	static const struct example examples[] = {
		{ "openssl|-key|pkcs11:token=my;object=o;type=private",
		  "openssl|-key|pkcs11:token=my;object=o;type=private" },
		{ "openssl|-key|pkcs11:token=my?pin-value=1234",
		  "openssl|-key|pkcs11:token=my?pin-value=***" },
		{ "x|pkcs11:a=b --x token=S", "x|pkcs11:a=b --x token=***" },
	};

	(void)state;
	CHECK_ARGS(examples);
}

static void test_private_keys_vanish(void **state)
{
	static const struct example examples[] = {
		{ "x|-----BEGIN PRIVATE KEY-----\nS\n-----END PRIVATE KEY-----|y", "x|***|y" },
		{ "x|a=-----BEGIN EC PRIVATE KEY-----\\nS", "x|a=***" },
		{ "x|--private-key|-----BEGIN PRIVATE KEY-----S-----END PRIVATE KEY-----|y",
		  "x|--private-key|***|y" },
		{ "x|-----BEGIN CERTIFICATE-----", "x|-----BEGIN CERTIFICATE-----" },
	};

	(void)state;
	CHECK_ARGS(examples);
}

static void test_arguments_keep_their_number(void **state)
{
	static const struct example examples[] = {
		{ "", "" },
		{ "|", "|" },
		{ "||x||", "||x||" },
		{ "x|", "x|" },
		{ "--token|", "--token|" },
		{ "--token|S|", "--token|***|" },
	};

	(void)state;
	CHECK_ARGS(examples);
}

static void test_text_loses_its_secrets(void **state)
{
	static const struct example examples[] = {
		{ "login with password=S failed", "login with password=*** failed" },
		{ "password: S, retrying", "password: ***" },
		{ "password: S\nnext line", "password: ***\nnext line" },
		{ "password = S for x", "password = *** for x" },
		{ "ran 'mysql -pS db' once", "ran 'mysql -p*** db' once" },
		{ "cannot run mysql --password S db", "cannot run mysql --password *** db" },
		{ "GET https://b:S@h/x?token=S from h", "GET https://b:***@h/x?token=*** from h" },
		{ "{\"password\": \"S\", \"a\": 1}", "{\"password\": \"***\", \"a\": 1}" },
		{ "msg=\"Authorization: Bearer S\" n=1", "msg=\"Authorization: ***\" n=1" },
		{ "it's no secret", "it's no secret" },
		{ "the token is wrong", "the token is wrong" },
		{ "key -----BEGIN PRIVATE KEY-----S", "key ***" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		size_t size = strlen(examples[i].args);
		const char *text = guard_copy(examples[i].args, size);
		char out[OUT_MAX];
		struct appender to = appender_make(out, sizeof(out));

		cmdline_redact_text(NULL, &to, text, size);
		if (strcmp(out, examples[i].expected) != 0)
			fail_msg("<%s> became <%s>", examples[i].args, out);
		guard_free(text, size);
	}
}

/* Whatever the room, the output is a prefix of what a larger buffer would hold. */
static void test_output_is_cut_to_its_buffer(void **state)
{
	static const char argv[] = "mysql\0-pS\0--token\0S\0https://b:S@h/";
	static const char whole[] = "mysql\0-p***\0--token\0***\0https://b:***@h/";

	(void)state;
	for (size_t cap = 0; cap <= sizeof(whole) + 1; cap++) {
		char *out = guard_alloc(cap);
		struct appender to = appender_make(out, cap);

		cmdline_redact_args(NULL, &to, argv, sizeof(argv) - 1);
		assert_int_equal(to.is_truncated, cap < sizeof(whole));
		assert_int_equal(to.size, cap == 0		? 0
					  : cap < sizeof(whole) ? cap - 1
								: sizeof(whole) - 1);
		assert_memory_equal(out, whole, to.size);
		if (cap)
			assert_int_equal(out[to.size], '\0');
		guard_free(out, cap);
	}
}

/* A secret in each known form, whatever it is made of, with noise around it. */
static void test_random_secrets_never_show(void **state)
{
	static const char *const before[] = {
		"--password=",
		"--password|",
		"-token|",
		"X_SECRET=",
		"FOO_KEY=",
		"mysql|-p",
		"sshpass|-p|",
		"-H|Authorization: ",
		"openssl|-passin|pass:",
		"-Da.password=",
		"zip|-P|",
		"docker|login|-p|",
		"curl|-u|me:",
		"ldapsearch|-xw|",
	};
	static const char bytes[] = "aZ09 ./=:,;@&|<>()'\"`\\{}[]%$#!?*~^+-_\t\n\x01\x7f\xc3\xff";

	(void)state;
	srandom(4);
	for (int round = 0; round < 20000; round++) {
		char argv[512], out[OUT_MAX], noise[12];
		struct appender to = appender_make(out, sizeof(out));
		int noise_size = (int)(random() % (long)sizeof(noise));
		size_t size;

		for (int i = 0; i < noise_size; i++) {
			noise[i] = bytes[random() % (long)(sizeof(bytes) - 1)];
			if (noise[i] == '|')
				noise[i] = '!';
		}
		/* "S3cr3" is what must not be seen; it may follow any other bytes */
		size = (size_t)snprintf(argv, sizeof(argv), "prog|%s%.*sS3cr3|last",
					before[random() % 14], noise_size, noise);
		exchange(argv, size, '|', '\0');
		cmdline_redact_args(NULL, &to, argv, size);
		if (memmem(out, to.size, "S3cr3", 5)) {
			exchange(argv, size, '\0', '|');
			fail_msg("<%.*s>", (int)size, argv);
		}
		assert_non_null(memmem(out, to.size, "***", 3));
		assert_memory_equal(out + to.size - 5, "\0last", 5);
	}
}

/* Quotes one byte of a word as STYLE, one of ' " and \, asks for. */
static void quote_byte(struct appender *to, char style, char c)
{
	bool needs_escape = style == '\\' || (style == '"' && (c == '"' || c == '\\' || c == '`'));

	if (style == '\'' && c == '\'') {
		append_text(to, "'\\''");
		return;
	}
	if (needs_escape)
		append_text(to, "\\");
	append(to, &c, 1);
}

/* The same inside a script, where the secret ends where a shell's word ends, and not before. */
static void test_random_secrets_of_scripts_never_show(void **state)
{
	/* '^' is where the quotes open */
	static const char *const before[] = {
		"X_SECRET=^",	  "mysql -p^",	    "x --password ^",
		"x --password=^", "sshpass -p ^",   "true;A_TOKEN=^",
		"env ^A_TOKEN=",  "x ^--password=", "mysql -uroot ^-p",
	};
	static const char bytes[] = "aZ09 ./=:,;@&|<>()'\"`\\{}[]%$#!?*~+-_";
	static const char styles[] = "'\"\\";

	(void)state;
	srandom(5);
	for (int round = 0; round < 30000; round++) {
		char argv[512], out[OUT_MAX], style = styles[random() % 3];
		const char *begin = before[random() % 9], *quote = strchr(begin, '^');
		size_t quote_size = style != '\\';
		struct appender script = appender_make(argv, sizeof(argv));
		struct appender to = appender_make(out, sizeof(out));

		append(&script, "sh\0-c\0", 6);
		append(&script, begin, (size_t)(quote - begin));
		append(&script, &style, quote_size);
		append_text(&script, quote + 1);
		for (long i = random() % 12; i > 0; i--)
			quote_byte(&script, style, bytes[random() % (long)(sizeof(bytes) - 1)]);
		append_text(&script, "S3cr3");
		append(&script, &style, quote_size);
		append_text(&script, " && ls /end");
		cmdline_redact_args(NULL, &to, argv, script.size);
		if (memmem(out, to.size, "S3cr3", 5) || !memmem(out, to.size, "***", 3))
			fail_msg("<%s> became <%s>", argv + 6, out + 6);
		/* where only the value is in quotes its end is certain */
		if (!quote[1] && !memmem(out, to.size, "*** && ls /end", 14))
			fail_msg("<%s> became <%s>", argv + 6, out + 6);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_long_options_lose_their_values),
		cmocka_unit_test(test_tools_lose_their_short_options),
		cmocka_unit_test(test_urls_lose_their_passwords),
		cmocka_unit_test(test_headers_lose_all_behind_the_colon),
		cmocka_unit_test(test_variables_lose_their_values),
		cmocka_unit_test(test_scripts_lose_their_secrets_word_by_word),
		cmocka_unit_test(test_quoted_forms_keep_their_quotes),
		cmocka_unit_test(test_uris_of_tokens_keep_their_labels),
		cmocka_unit_test(test_private_keys_vanish),
		cmocka_unit_test(test_arguments_keep_their_number),
		cmocka_unit_test(test_text_loses_its_secrets),
		cmocka_unit_test(test_output_is_cut_to_its_buffer),
		cmocka_unit_test(test_random_secrets_never_show),
		cmocka_unit_test(test_random_secrets_of_scripts_never_show),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
