/* SPDX-License-Identifier: MIT */
/*
 * The kernel's text files: /proc/crypto (crypto/proc.c), /proc/net/tls_stat (net/tls/tls_proc.c),
 * /proc/net/protocols (net/core/sock.c) and /proc/net/netlink (net/netlink/af_netlink.c).
 */
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

#include "inventory/host_private.h"
#include "lib/bytes.h"

/* Takes what is between blanks from *TEXT. Returns false when there is nothing more. */
static bool take_word(const char **text, size_t *size, const char **ret, size_t *ret_size)
{
	const char *at = *text, *end = *text + *size;

	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	*ret = at;
	while (at < end && *at != ' ' && *at != '\t')
		at++;
	*ret_size = (size_t)(at - *ret);
	*text = at;
	*size = (size_t)(end - at);
	return *ret_size > 0;
}

static bool parse_number(const char *word, size_t size, uint64_t *ret)
{
	uint64_t value = 0;

	if (!bytes_are_digits(word, size))
		return false;
	for (size_t i = 0; i < size; i++) {
		unsigned int digit = (unsigned int)(word[i] - '0');

		if (value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*ret = value;
	return true;
}

/* The word at POSITION of LINE, from 0. */
static bool find_word(const char *line, size_t size, unsigned int position, const char **ret,
		      size_t *ret_size)
{
	do {
		if (!take_word(&line, &size, ret, ret_size))
			return false;
	} while (position-- > 0);
	return true;
}

static bool find_number(const char *line, size_t size, unsigned int position, uint64_t *ret)
{
	const char *word;
	size_t word_size;

	return find_word(line, size, position, &word, &word_size) &&
	       parse_number(word, word_size, ret);
}

/* One paragraph of /proc/crypto; the values are cut like all names. */
struct paragraph {
	char name[HOST_NAME_SIZE];
	char driver[HOST_NAME_SIZE];
	char module[HOST_NAME_SIZE];
	char type[HOST_NAME_SIZE];
	uint64_t refcnt;
	bool passed_selftest;
};

static void copy_value(char out[static HOST_NAME_SIZE], const char *value, size_t size)
{
	if (size >= HOST_NAME_SIZE)
		size = HOST_NAME_SIZE - 1;
	memcpy(out, value, size);
	out[size] = '\0';
}

/* "key          : value"; values may have colons and blanks. */
static void take_line(struct paragraph *paragraph, const char *line, size_t size)
{
	const char *colon = memchr(line, ':', size);
	size_t key = colon ? (size_t)(colon - line) : 0;
	const char *value;
	size_t value_size;

	if (!colon)
		return;
	value = colon + 1;
	value_size = size - key - 1;
	while (key > 0 && line[key - 1] == ' ')
		key--;
	while (value_size > 0 && *value == ' ') {
		value++;
		value_size--;
	}
	if (bytes_equal(line, key, "name"))
		copy_value(paragraph->name, value, value_size);
	else if (bytes_equal(line, key, "driver"))
		copy_value(paragraph->driver, value, value_size);
	else if (bytes_equal(line, key, "module"))
		copy_value(paragraph->module, value, value_size);
	else if (bytes_equal(line, key, "type"))
		copy_value(paragraph->type, value, value_size);
	else if (bytes_equal(line, key, "refcnt"))
		parse_number(value, value_size, &paragraph->refcnt);
	else if (bytes_equal(line, key, "selftest"))
		paragraph->passed_selftest = bytes_equal(value, value_size, "passed");
}

static const char *copy_text(struct host_memory *memory, const char *text)
{
	return host_text(memory, text, strlen(text));
}

/*
 * Registering gives an algorithm its first reference (__crypto_register_alg() in crypto/algapi.c)
 * and each user one more. Larvals stand for algorithms that are being looked for.
 */
static void take_paragraph(struct host_reader *reader, struct paragraph *paragraph)
{
	struct item_list *list = &reader->host->in_use;
	struct host_memory *memory = reader->memory;

	if (!paragraph->name[0] || strcmp(paragraph->type, "larval") == 0)
		return;
	reader->host->nr_algorithms++;
	if (paragraph->refcnt <= 1)
		return;
	if (list->count == HOST_ITEMS_MAX) {
		list->truncated = true;
		return;
	}
	memory->in_use[list->count++] = (struct kernel_algorithm){
		.name = copy_text(memory, paragraph->name),
		.driver = copy_text(memory, paragraph->driver),
		.module = copy_text(memory, paragraph->module),
		.type = copy_text(memory, paragraph->type),
		.refcnt = paragraph->refcnt,
		.passed_selftest = paragraph->passed_selftest,
	};
}

int host_parse_algorithms(struct host_reader *reader)
{
	struct paragraph paragraph = { .refcnt = 0 };
	const char *line;
	size_t size;
	int n;

	while ((n = lines_next(&reader->lines, &line, &size)) > 0) {
		if (size > 0) {
			take_line(&paragraph, line, size);
			continue;
		}
		take_paragraph(reader, &paragraph);
		paragraph = (struct paragraph){ .refcnt = 0 };
	}
	if (n < 0)
		return n;
	take_paragraph(reader, &paragraph);
	reader->host->has_algorithms = true;
	return 0;
}

/* "TlsCurrTxSw                      0": software and hardware, each way. */
int host_parse_ktls(struct host_reader *reader)
{
	struct host_crypto *host = reader->host;
	uint64_t tx = 0, rx = 0;
	unsigned int nr_seen = 0;
	const char *line, *word;
	size_t size, word_size;
	int n;

	while ((n = lines_next(&reader->lines, &line, &size)) > 0) {
		uint64_t value;
		bool is_tx, is_rx;

		if (!find_word(line, size, 0, &word, &word_size) ||
		    !find_number(line, size, 1, &value))
			continue;
		is_tx = bytes_equal(word, word_size, "TlsCurrTxSw") ||
			bytes_equal(word, word_size, "TlsCurrTxDevice");
		is_rx = bytes_equal(word, word_size, "TlsCurrRxSw") ||
			bytes_equal(word, word_size, "TlsCurrRxDevice");
		tx += is_tx ? value : 0;
		rx += is_rx ? value : 0;
		nr_seen += is_tx || is_rx;
	}
	if (n < 0)
		return n;
	if (nr_seen != 4)
		return -EBADMSG;
	host->ktls_tx = tx;
	host->ktls_rx = rx;
	host->has_ktls = true;
	return 0;
}

/*
 * The protocol is in the list when it is built in or its module is loaded. Its column of sockets
 * tells only of those that there are: crypto/af_alg.c counts none (it does not call
 * sock_prot_inuse_add(), seen up to Linux 6.18), so that 0 says nothing.
 */
int host_parse_protocols(struct host_reader *reader)
{
	struct host_crypto *host = reader->host;
	bool is_there = false, is_header = true;
	const char *line, *word;
	size_t size, word_size;
	uint64_t sockets = 0;
	int n;

	while ((n = lines_next(&reader->lines, &line, &size)) > 0) {
		if (is_header && !bytes_begin(line, size, "protocol "))
			return -EBADMSG;
		is_header = false;
		if (find_word(line, size, 0, &word, &word_size) &&
		    bytes_equal(word, word_size, "ALG")) {
			is_there = true;
			if (!find_number(line, size, 2, &sockets))
				sockets = 0;
		}
	}
	if (n < 0)
		return n;
	if (is_header)
		return -EBADMSG;
	host->has_af_alg = !is_there || sockets > 0;
	host->af_alg_sockets = sockets;
	return 0;
}

/* "sk Eth Pid ...": the kernel's own end of a protocol has the port 0. */
int host_parse_netlink(struct host_reader *reader)
{
	const char *line;
	size_t size;
	int n;

	while ((n = lines_next(&reader->lines, &line, &size)) > 0) {
		uint64_t protocol, port;

		if (find_number(line, size, 1, &protocol) && protocol == NETLINK_XFRM &&
		    find_number(line, size, 2, &port) && port == 0)
			return 1;
	}
	return n;
}
