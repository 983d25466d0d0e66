/* SPDX-License-Identifier: MIT */
#include "sources/api_call/call.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "catalogue/api_sites.h"
#include "catalogue/tls.h"
#include "sources/api_call/call_private.h"

/* Room for a name that is put together here. */
#define NAME_SIZE 96

/* EVP_PKEY_KEYMGMT of OpenSSL 3 (openssl/evp.h): what the key is only its provider knows. */
#define NO_NID (-1)

static const char *bytes_at(const struct reading *reading, struct tail tail)
{
	return (const char *)reading->record->bytes + tail.off;
}

static void use_algorithm(struct reading *reading, const struct algorithm *algorithm)
{
	struct api_call *call = reading->call;

	for (size_t i = 0; i < call->nr_algorithms; i++)
		if (call->algorithms[i] == algorithm)
			return;
	if (call->nr_algorithms == API_CALL_ALGORITHMS_MAX)
		return;
	call->algorithms[call->nr_algorithms++] = algorithm;
	if (call->name)
		return;
	call->name = algorithm->name;
	call->name_size = strlen(algorithm->name);
}

/* What a program or library calls it; the first that the catalogue does not have names the call. */
static void use_name(struct reading *reading, const char *name, size_t size)
{
	const struct algorithm *algorithm = algorithm_by_name(name, size);

	if (algorithm) {
		use_algorithm(reading, algorithm);
	} else if (!reading->call->name && size > 0) {
		reading->call->name = name;
		reading->call->name_size = size;
	}
}

/* The same for a name with a number or another name behind it: RSA-2048, HMAC-SHA-256. */
static bool use_joined(struct reading *reading, const char *name, const char *rest)
{
	char joined[NAME_SIZE];
	int n = snprintf(joined, sizeof(joined), "%s-%s", name, rest);
	const struct algorithm *algorithm =
		n < (int)sizeof(joined) ? algorithm_by_name(joined, (size_t)n) : NULL;

	if (algorithm)
		use_algorithm(reading, algorithm);
	return algorithm != NULL;
}

/* AES with its size goes before the mode that NAME is, other things have their size behind. */
static bool use_sized(struct reading *reading, const char *name)
{
	char bits[24];

	if (!reading->bits)
		return false;
	if (reading->is_aes) {
		snprintf(bits, sizeof(bits), "AES-%u", (unsigned int)reading->bits);
		return use_joined(reading, bits, name);
	}
	snprintf(bits, sizeof(bits), "%" PRIu64, reading->bits);
	return use_joined(reading, name, bits);
}

/* Gives argument I of the call the SIZE bytes at TEXT, which outlive the record. */
static void tell(struct reading *reading, const char *name, const char *text, size_t size)
{
	struct api_call *call = reading->call;
	size_t i = call->arguments.count;

	if (i == API_ARGUMENTS_MAX)
		return;
	call->argument[i] = (struct api_call_argument){ name, text, size };
	call->arguments.count++;
}

static void tell_copy(struct reading *reading, const char *name, const char *text)
{
	size_t size = strlen(text);
	char *copy = arena_take(reading->record->arena, size);

	if (!copy)
		return;
	memcpy(copy, text, size);
	tell(reading, name, copy, size);
}

static void tell_number(struct reading *reading, const char *name, int64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, number);
	tell_copy(reading, name, text);
}

/* RFC 8446 section 4.2.1 and earlier; 0 leaves it to the library. */
static void tell_version(struct reading *reading, const char *name, uint32_t version)
{
	static const char *const names[] = { "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3" };
	char text[24];

	if (version >= 0x0300 && version <= 0x0304)
		tell_copy(reading, name, names[version - 0x0300]);
	else if (version == 0)
		tell_copy(reading, name, "default");
	else {
		snprintf(text, sizeof(text), "0x%04x", version);
		tell_copy(reading, name, text);
	}
}

/* Bits, of 64. */
static void tell_bits(struct reading *reading, const char *name, uint64_t bits)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, bits);
	tell_copy(reading, name, text);
}

static bool is_version(const char *name)
{
	size_t size = strlen(name);

	return size >= 7 && strcmp(name + size - 7, "version") == 0;
}

static void read_number(struct reading *reading, const char *name, int64_t number)
{
	if (strcmp(name, "bits") == 0 && number > 0)
		reading->bits = (uint64_t)number;
	/* MBEDTLS_CIPHER_ID_AES of mbedtls/cipher.h. */
	if (strcmp(name, "cipher id") == 0 && number == 2)
		reading->is_aes = true;
	/* Mbed TLS and wolfSSL number the versions from SSL 3.0 on. */
	if (strcmp(name, "minor version") == 0)
		tell_version(reading, name, 0x0300 + (uint32_t)number);
	else if (is_version(name))
		tell_version(reading, name, (uint32_t)number);
	else
		tell_number(reading, name, number);
}

static void read_algorithm(struct reading *reading, const char *name,
			   const struct algorithm *algorithm, int64_t number)
{
	if (!algorithm) {
		if (number != NO_NID)
			tell_number(reading, name, number);
		return;
	}
	tell(reading, name, algorithm->name, strlen(algorithm->name));
	use_algorithm(reading, api_key_as_used(reading->call->function, algorithm));
}

/* Numbers of libgcrypt mean something only with the mode or the flags beside them. */
static const struct algorithm *algorithm_of(const struct reading *reading, size_t i)
{
	const struct api_argument *argument = &reading->call->function->arguments[i];
	uint64_t number = reading->event->values[i];
	bool has_next = i + 1 < API_ARGUMENTS_MAX && has_value(reading, i + 1);

	if (argument->codes == ALGORITHM_CODES_gcrypt_cipher && has_next)
		return algorithm_by_gcrypt_cipher((int)number, value_at(reading, i + 1));
	if (argument->codes == ALGORITHM_CODES_gcrypt_md && has_next)
		return algorithm_by_gcrypt_md((int)number, (unsigned)value_at(reading, i + 1));
	if (argument->codes == ALGORITHM_CODES_mechanism)
		return algorithm_by_mechanism(number);
	return algorithm_by_code(argument->codes, (uint32_t)number);
}

/*
 * A cipher or hash of a provider, without a number: it has a name where the structure is as in
 * OpenSSL 3.0 to 3.5, and anything where it is not. Some have a NID that the structure does not
 * tell (AES-SIV).
 */
static void read_named(struct reading *reading, const char *name)
{
	struct tail method = reading->event->method;
	const char *bytes = bytes_at(reading, method);
	const struct algorithm *algorithm = algorithm_by_name(bytes, method.size);

	if (!algorithm)
		return;
	tell(reading, name, algorithm->name, strlen(algorithm->name));
	use_algorithm(reading, algorithm);
}

/*
 * Whether the SIZE bytes look like a name. Where a structure is not as in OpenSSL 3.0 to 3.5, what
 * is read is any memory of the process: that is not told.
 */
static bool is_name(const char *bytes, size_t size)
{
	static const char marks[] = { '-', '_', '/', '.', ':', '+', ' ' };

	for (size_t i = 0; i < size; i++)
		if (!isalnum((unsigned char)bytes[i]) && !memchr(marks, bytes[i], sizeof(marks)))
			return false;
	return size > 0;
}

/* The kind of key of an EVP_PKEY_CTX, as OpenSSL 3 names it. */
static void read_key(struct reading *reading, const char *name)
{
	struct tail key = reading->event->method;
	const char *bytes = bytes_at(reading, key);
	const struct algorithm *algorithm = algorithm_by_name(bytes, key.size);

	if (algorithm)
		read_algorithm(reading, name, algorithm, 0);
	else if (is_name(bytes, key.size))
		use_name(reading, bytes, key.size);
}

/* The kernel's names may have several algorithms in them. */
static void use_kernel_name(struct reading *reading, const char *name, size_t size)
{
	const struct algorithm *algorithms[ALGORITHMS_KERNEL_MAX];
	size_t nr = algorithms_by_kernel_name(name, size, algorithms);

	for (size_t i = 0; i < nr; i++)
		use_algorithm(reading, algorithms[i]);
	if (!nr)
		use_name(reading, name, size);
}

static void read_text(struct reading *reading, const struct api_argument *argument, size_t i)
{
	struct tail text = reading->event->texts[i];
	const char *bytes = bytes_at(reading, text);
	size_t size = text.size;

	if (!size)
		return;
	if (argument->reader == API_READ_path)
		size = api_path_kept(bytes, size);
	tell(reading, argument->name, bytes, size);
	if (argument->reader == API_READ_algorithm)
		use_name(reading, bytes, size);
	if (argument->reader == API_READ_kernel_name)
		use_kernel_name(reading, bytes, size);
}

/* What a command of SSL_ctrl() sets: its argument has the second place. */
static void read_control(struct reading *reading)
{
	const struct api_command *command = api_command_find(value_at(reading, 0));
	struct tail text = reading->event->texts[1];

	if (!command)
		return;
	if (text.size)
		tell(reading, command->name, bytes_at(reading, text), text.size);
	else if (has_value(reading, 1) && command->argument.reader == API_READ_code_at)
		read_algorithm(reading, command->name, algorithm_by_nid(value_at(reading, 1)),
			       value_at(reading, 1));
	else if (has_value(reading, 1))
		read_number(reading, command->name, value_at(reading, 1));
}

static bool begins(const char *bytes, size_t size, const char *with)
{
	return size >= strlen(with) && memcmp(bytes, with, strlen(with)) == 0;
}

/* A setting by name, of EVP_PKEY_CTX_ctrl_str(3): its value has the second place. */
static void read_setting(struct reading *reading)
{
	struct tail name = reading->event->texts[0];
	struct tail text = reading->event->texts[1];
	const char *setting = bytes_at(reading, name);
	const char *bytes = bytes_at(reading, text);

	if (!name.size)
		return;
	tell(reading, "setting", setting, name.size);
	if (!text.size)
		return;
	tell(reading, "value", bytes, text.size);
	if (begins(setting, name.size, "ec_paramgen_curve") ||
	    begins(setting, name.size, "group") || begins(setting, name.size, "digest"))
		use_name(reading, bytes, text.size);
	if (begins(setting, name.size, "rsa_keygen_bits")) {
		char bits[16];

		snprintf(bits, sizeof(bits), "%.*s", (int)text.size, bytes);
		use_joined(reading, "RSA", bits);
	}
}

static void read_versions(struct reading *reading, size_t i)
{
	uint32_t both = (uint32_t)reading->event->values[i];

	/* struct SSLVersionRange of NSS: min and max, 16 bits each, the least first. */
	tell_version(reading, "least version", both & 0xffff);
	tell_version(reading, "greatest version", both >> 16);
}

static void read_numeric(struct reading *reading, const struct api_argument *argument, size_t i)
{
	if (!has_value(reading, i))
		return;
	if (strcmp(argument->name, "options") == 0 || strcmp(argument->name, "flags") == 0)
		tell_bits(reading, argument->name, reading->event->values[i]);
	else
		read_number(reading, argument->name, value_at(reading, i));
}

static void read_code(struct reading *reading, const struct api_argument *argument, size_t i)
{
	bool is_nid = argument->reader != API_READ_code && argument->codes == ALGORITHM_CODES_nid;

	if (!has_value(reading, i))
		return;
	if (is_nid && !reading->event->values[i])
		read_named(reading, argument->name);
	else
		read_algorithm(reading, argument->name, algorithm_of(reading, i),
			       (int64_t)reading->event->values[i]);
}

static void read_method(struct reading *reading, const struct api_argument *argument)
{
	struct tail method = reading->event->method;
	const char *bytes = bytes_at(reading, method);

	if (!is_name(bytes, method.size) && !algorithm_by_name(bytes, method.size))
		return;
	tell(reading, argument->name, bytes, method.size);
	use_name(reading, bytes, method.size);
}

static void read_argument(struct reading *reading, size_t i)
{
	const struct api_argument *argument = &reading->call->function->arguments[i];

	switch ((enum api_reader)argument->reader) {
	case API_READ_text:
	case API_READ_algorithm:
	case API_READ_path:
	case API_READ_kernel_name:
		read_text(reading, argument, i);
		break;
	case API_READ_number:
		read_numeric(reading, argument, i);
		break;
	case API_READ_code_at:
	case API_READ_code_in:
	case API_READ_code:
		read_code(reading, argument, i);
		break;
	case API_READ_method:
		read_method(reading, argument);
		break;
	case API_READ_key_of:
		read_key(reading, argument->name);
		break;
	case API_READ_versions_at:
		if (has_value(reading, i))
			read_versions(reading, i);
		break;
	case API_READ_control:
		read_control(reading);
		break;
	case API_READ_setting:
		read_setting(reading);
		break;
	case API_READ_none:
		break;
	}
}

/*
 * A signature is called after its key and its hash. Not one by RSA, of which the padding would be
 * part of the name. A kind of key without a number may be that of a MAC, which its provider sets up
 * as such: its hash by itself is not what is used. Returns whether it is a signature with a hash.
 */
static bool use_signature(struct reading *reading)
{
	struct api_call *call = reading->call;
	const struct algorithm *hash = call->algorithms[0];
	const struct algorithm *key = call->nr_algorithms > 1 ? call->algorithms[1] : NULL;

	if (call->function->kind != API_KIND_signature || call->function->algorithm ||
	    !call->nr_algorithms || hash->kind != ALGORITHM_KIND_hash)
		return false;
	call->nr_algorithms = 0;
	call->name = NULL;
	if (!key && has_value(reading, 1) && value_at(reading, 1) == NO_NID)
		return true;
	if (key && (strcmp(key->name, "RSA") == 0 || !use_joined(reading, key->name, hash->name)))
		use_algorithm(reading, key);
	use_algorithm(reading, hash);
	return true;
}

/*
 * The algorithm that the function's own name says goes first, with what the arguments add to it:
 * the size of a key, the hash of an HMAC.
 */
static void use_own(struct reading *reading)
{
	struct api_call *call = reading->call;
	const char *own = call->function->algorithm;
	const struct algorithm *others[API_CALL_ALGORITHMS_MAX];
	size_t nr_others = call->nr_algorithms;

	memcpy(others, call->algorithms, sizeof(others));
	/* A kind of key and its size are one thing, a MAC and its hash, too. */
	if (!own && nr_others &&
	    (reading->bits || (nr_others == 2 && others[0]->kind == ALGORITHM_KIND_mac))) {
		call->nr_algorithms = 0;
		call->name = NULL;
		if (!use_sized(reading, others[0]->name) &&
		    !(nr_others == 2 && use_joined(reading, others[0]->name, others[1]->name)))
			use_algorithm(reading, others[0]);
		for (size_t i = 1; i < nr_others; i++)
			use_algorithm(reading, others[i]);
	}
	if (!own)
		return;
	call->nr_algorithms = 0;
	call->name = NULL;
	if (!use_sized(reading, own) && !(nr_others && use_joined(reading, own, others[0]->name)))
		use_name(reading, own, strlen(own));
	for (size_t i = 0; i < nr_others; i++)
		use_algorithm(reading, others[i]);
}

static void read_result(struct reading *reading)
{
	const struct api_call_event *event = reading->event;
	struct api_call *call = reading->call;

	call->has_result = event->marks & API_HAS_RESULT;
	call->result = call->function->result == API_RESULT_pointer ? event->result != 0
								    : (int32_t)event->result;
}

/* A number of TLS, by its name in CODES. */
static void read_tls_code(struct reading *reading, const char *what, const struct code_table *codes)
{
	const char *name = code_name(codes, (uint16_t)value_at(reading, 1));

	if (!name) {
		tell_number(reading, what, value_at(reading, 1));
		return;
	}
	tell(reading, what, name, strlen(name));
	use_name(reading, name, strlen(name));
}

static void read_key_number(struct reading *reading, const struct api_key *key)
{
	if (!has_value(reading, 1))
		return;
	switch (key->reader) {
	case API_KEY_version:
		tell_version(reading, key->what, (uint16_t)value_at(reading, 1));
		break;
	case API_KEY_cipher_suite:
		read_tls_code(reading, key->what, &tls_cipher_codes);
		break;
	case API_KEY_group:
		read_tls_code(reading, key->what, &tls_group_codes);
		break;
	case API_KEY_signature:
		read_tls_code(reading, key->what, &tls_signature_codes);
		break;
	default:
		tell_number(reading, key->what, value_at(reading, 1));
		break;
	}
}

/* What a library says of itself at a static probe. Its context, "name", is the function already. */
static void read_key_of_site(struct reading *reading)
{
	struct tail name = reading->event->texts[0];
	struct tail text = reading->event->texts[1];
	const struct api_key *key = api_key_find(bytes_at(reading, name), name.size);

	if (!key)
		return;
	if (key->reader != API_KEY_text && key->reader != API_KEY_algorithm) {
		read_key_number(reading, key);
		return;
	}
	if (!text.size)
		return;
	tell(reading, key->what, bytes_at(reading, text), text.size);
	if (key->reader == API_KEY_algorithm)
		use_name(reading, bytes_at(reading, text), text.size);
}

void api_call_read(struct record *record, struct api_call *call, bool is_server)
{
	struct reading reading = {
		.record = record,
		.event = (const void *)record->bytes,
		.call = call,
	};

	call->count = reading.event->count;
	call->arguments =
		(struct item_list){ .items = call->argument, .stride = sizeof(call->argument[0]) };
	call->findings =
		(struct item_list){ .items = call->finding, .stride = sizeof(call->finding[0]) };
	for (size_t i = 0; i < API_ARGUMENTS_MAX; i++) {
		if (call->function->arguments[i].reader == API_READ_none)
			break;
		read_argument(&reading, i);
	}
	if (reading.event->marks & API_OF_SITE)
		read_key_of_site(&reading);
	if (!use_signature(&reading))
		use_own(&reading);
	read_result(&reading);
	call_judge(&reading, is_server);
}
