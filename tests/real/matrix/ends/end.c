/* SPDX-License-Identifier: MIT */
/*
 * end client|server KEY=VALUE...: an end of TLS connections with Mbed TLS 2.28 or 3. A line for
 * each connection: see ../reports.py. `end versions` prints those of TLS that the library has.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_cache.h>
#include <mbedtls/version.h>

#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
#include <mbedtls/ssl_ticket.h>
#include <psa/crypto.h>
#endif

#define LINE_SIZE 512

struct end {
	mbedtls_entropy_context entropy;
	mbedtls_ctr_drbg_context random;
	mbedtls_x509_crt authorities;
	mbedtls_x509_crt own;
	mbedtls_pk_context key;
	mbedtls_ssl_config config;
	mbedtls_ssl_cache_context cache;
	mbedtls_ssl_session session;
	int has_session;
	int is_server;
	int nr_words;
	char **words;
};

/* What was given as KEY=VALUE; NULL: nothing. */
static const char *given(const struct end *end, const char *key)
{
	size_t size = strlen(key);

	for (int i = 0; i < end->nr_words; i++)
		if (!strncmp(end->words[i], key, size) && end->words[i][size] == '=')
			return end->words[i] + size + 1;
	return NULL;
}

static void must(int err, const char *what)
{
	char text[LINE_SIZE] = "";

	if (!err)
		return;
	mbedtls_strerror(err, text, sizeof(text));
	printf("error %s: -0x%04x %s\n", what, (unsigned int)-err, text);
	exit(1);
}

static int random_bytes(void *random, unsigned char *bytes, size_t size)
{
	return mbedtls_ctr_drbg_random(random, bytes, size);
}

static void read_own(struct end *end, const char *name)
{
	char file[LINE_SIZE];

	snprintf(file, sizeof(file), "%s.crt", name);
	must(mbedtls_x509_crt_parse_file(&end->own, file), "certificate");
	snprintf(file, sizeof(file), "%s.key", name);
#if MBEDTLS_VERSION_NUMBER < 0x03000000
	must(mbedtls_pk_parse_keyfile(&end->key, file, NULL), "key");
#else
	must(mbedtls_pk_parse_keyfile(&end->key, file, NULL, random_bytes, &end->random), "key");
#endif
	must(mbedtls_ssl_conf_own_cert(&end->config, &end->own, &end->key), "own certificate");
}

static void set_version(struct end *end)
{
#if MBEDTLS_VERSION_NUMBER < 0x03000000
	mbedtls_ssl_conf_min_version(&end->config, MBEDTLS_SSL_MAJOR_VERSION_3,
				     MBEDTLS_SSL_MINOR_VERSION_3);
	mbedtls_ssl_conf_max_version(&end->config, MBEDTLS_SSL_MAJOR_VERSION_3,
				     MBEDTLS_SSL_MINOR_VERSION_3);
#else
	mbedtls_ssl_protocol_version version = MBEDTLS_SSL_VERSION_TLS1_2;

	if (!strcmp(given(end, "version"), "1.3"))
		version = MBEDTLS_SSL_VERSION_TLS1_3;
	mbedtls_ssl_conf_min_tls_version(&end->config, version);
	mbedtls_ssl_conf_max_tls_version(&end->config, version);
#endif
}

#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
/* The only group to be had. */
static void set_group(struct end *end)
{
	static uint16_t groups[2];
	const char *code = given(end, "group");

	if (!code)
		return;
	groups[0] = (uint16_t)atoi(code);
	mbedtls_ssl_conf_groups(&end->config, groups);
}

/* TLS 1.3 takes sessions up again by tickets alone. */
static void use_tickets(struct end *end)
{
	static mbedtls_ssl_ticket_context tickets;

	if (end->is_server) {
		mbedtls_ssl_ticket_init(&tickets);
		must(mbedtls_ssl_ticket_setup(&tickets, random_bytes, &end->random,
					      MBEDTLS_CIPHER_AES_256_GCM, 3600),
		     "tickets");
		mbedtls_ssl_conf_session_tickets_cb(&end->config, mbedtls_ssl_ticket_write,
						    mbedtls_ssl_ticket_parse, &tickets);
	}
#if MBEDTLS_VERSION_NUMBER >= 0x03060100
	else
		mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
			&end->config, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
#endif
}
#endif

static void configure(struct end *end)
{
	static const char *protocols[2];
	static int suites[2];
	const char *name;

	mbedtls_ssl_config_init(&end->config);
	must(mbedtls_ssl_config_defaults(
		     &end->config, end->is_server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
		     MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT),
	     "defaults");
	mbedtls_ssl_conf_rng(&end->config, random_bytes, &end->random);
	set_version(end);
	must(mbedtls_x509_crt_parse_file(&end->authorities, given(end, "ca")), "authorities");
	mbedtls_ssl_conf_ca_chain(&end->config, &end->authorities, NULL);
	mbedtls_ssl_conf_authmode(&end->config, !end->is_server || given(end, "require")
							? MBEDTLS_SSL_VERIFY_REQUIRED
							: MBEDTLS_SSL_VERIFY_NONE);
	name = given(end, "cert");
	if (name)
		read_own(end, name);
	protocols[0] = given(end, "alpn");
	if (protocols[0])
		must(mbedtls_ssl_conf_alpn_protocols(&end->config, protocols), "ALPN");
	name = given(end, "ciphers");
	if (name) {
		suites[0] = mbedtls_ssl_get_ciphersuite_id(name);
		mbedtls_ssl_conf_ciphersuites(&end->config, suites);
	}
	mbedtls_ssl_cache_init(&end->cache);
	if (end->is_server)
		mbedtls_ssl_conf_session_cache(&end->config, &end->cache, mbedtls_ssl_cache_get,
					       mbedtls_ssl_cache_set);
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
	set_group(end);
	use_tickets(end);
#endif
}

static void report(struct end *end, mbedtls_ssl_context *tls)
{
	const char *protocol = mbedtls_ssl_get_alpn_protocol(tls);

	printf("report version=%s cipher=%s alpn=%s", mbedtls_ssl_get_version(tls),
	       mbedtls_ssl_get_ciphersuite(tls), protocol ? protocol : "none");
	if (end->is_server)
		printf(" client_cert=%s\n", mbedtls_ssl_get_peer_cert(tls) ? "yes" : "no");
	else
		printf(" sni=%s\n", given(end, "sni"));
}

static int handshake(mbedtls_ssl_context *tls)
{
	char text[LINE_SIZE] = "";
	int err;

	do
		err = mbedtls_ssl_handshake(tls);
	while (err == MBEDTLS_ERR_SSL_WANT_READ || err == MBEDTLS_ERR_SSL_WANT_WRITE);
	if (err) {
		mbedtls_strerror(err, text, sizeof(text));
		printf("report failed -0x%04x %s\n", (unsigned int)-err, text);
		/* The alert on a failed verification is sent by the library itself. */
	}
	return err;
}

/* One line of SMTP, "CODE TEXT", after any number of "CODE-TEXT". */
static void hear(mbedtls_net_context *plain)
{
	char line[LINE_SIZE];
	size_t size;

	do {
		size = 0;
		while (size < sizeof(line) && mbedtls_net_recv(plain, (void *)&line[size], 1) == 1)
			if (line[size++] == '\n')
				break;
	} while (size > 3 && line[3] == '-');
}

static void say(mbedtls_net_context *plain, const char *text)
{
	mbedtls_net_send(plain, (const void *)text, strlen(text));
}

/* SMTP (RFC 3207) up to where TLS begins. */
static void ask(mbedtls_net_context *plain)
{
	hear(plain);
	say(plain, "EHLO localhost\r\n");
	hear(plain);
	say(plain, "STARTTLS\r\n");
	hear(plain);
}

/* Reads until the other end is done; tickets come on the way. */
static void drain(struct end *end, mbedtls_ssl_context *tls)
{
	unsigned char bytes[LINE_SIZE];
	int size;

	(void)end;
	for (;;) {
		size = mbedtls_ssl_read(tls, bytes, sizeof(bytes));
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
		if (size == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) {
			end->has_session = !mbedtls_ssl_get_session(tls, &end->session);
			continue;
		}
#endif
		if (size == MBEDTLS_ERR_SSL_WANT_READ || size == MBEDTLS_ERR_SSL_WANT_WRITE)
			continue;
		/* The server says a word, then the client ends it. */
		if (size <= 0 || !end->is_server)
			return;
	}
}

static void client(struct end *end)
{
	mbedtls_net_context plain;
	mbedtls_ssl_context tls;

	mbedtls_net_init(&plain);
	mbedtls_ssl_init(&tls);
	must(mbedtls_net_connect(&plain, "127.0.0.1", given(end, "port"), MBEDTLS_NET_PROTO_TCP),
	     "connect");
	if (given(end, "starttls"))
		ask(&plain);
	must(mbedtls_ssl_setup(&tls, &end->config), "setup");
	must(mbedtls_ssl_set_hostname(&tls, given(end, "sni")), "name");
	if (end->has_session)
		must(mbedtls_ssl_set_session(&tls, &end->session), "session");
	mbedtls_ssl_set_bio(&tls, &plain, mbedtls_net_send, mbedtls_net_recv, NULL);
	if (!handshake(&tls)) {
		report(end, &tls);
		/* Of TLS 1.2; that of 1.3 comes later. */
		if (!end->has_session && !strcmp(given(end, "version"), "1.2"))
			end->has_session = !mbedtls_ssl_get_session(&tls, &end->session);
		if (given(end, "starttls"))
			mbedtls_ssl_write(&tls, (const void *)"QUIT\r\n", 6);
		drain(end, &tls);
		mbedtls_ssl_close_notify(&tls);
	}
	mbedtls_ssl_free(&tls);
	mbedtls_net_free(&plain);
}

static void server(struct end *end, int count)
{
	mbedtls_net_context listener;
	mbedtls_net_context plain;
	mbedtls_ssl_context tls;

	mbedtls_net_init(&listener);
	must(mbedtls_net_bind(&listener, "127.0.0.1", given(end, "port"), MBEDTLS_NET_PROTO_TCP),
	     "bind");
	while (count-- > 0) {
		mbedtls_net_init(&plain);
		mbedtls_ssl_init(&tls);
		must(mbedtls_net_accept(&listener, &plain, NULL, 0, NULL), "accept");
		must(mbedtls_ssl_setup(&tls, &end->config), "setup");
		mbedtls_ssl_set_bio(&tls, &plain, mbedtls_net_send, mbedtls_net_recv, NULL);
		if (!handshake(&tls)) {
			report(end, &tls);
			mbedtls_ssl_write(&tls, (const void *)"hello\n", 6);
			drain(end, &tls);
		}
		mbedtls_ssl_free(&tls);
		mbedtls_net_free(&plain);
	}
	mbedtls_net_free(&listener);
}

static int print_versions(void)
{
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
	puts("1.2 1.3");
#else
	puts("1.2");
#endif
	return 0;
}

int main(int argc, char **argv)
{
	static struct end end;
	int count;

	if (argc > 1 && !strcmp(argv[1], "versions"))
		return print_versions();
	if (argc < 3)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	end.is_server = !strcmp(argv[1], "server");
	end.words = argv + 2;
	end.nr_words = argc - 2;
	mbedtls_entropy_init(&end.entropy);
	mbedtls_ctr_drbg_init(&end.random);
	mbedtls_x509_crt_init(&end.authorities);
	mbedtls_x509_crt_init(&end.own);
	mbedtls_pk_init(&end.key);
	mbedtls_ssl_session_init(&end.session);
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
	if (psa_crypto_init() != PSA_SUCCESS)
		return 1;
#endif
	must(mbedtls_ctr_drbg_seed(&end.random, mbedtls_entropy_func, &end.entropy, NULL, 0),
	     "seed");
	configure(&end);
	count = atoi(given(&end, "count"));
	if (end.is_server) {
		server(&end, count);
		return 0;
	}
	while (count-- > 0)
		client(&end);
	return 0;
}
