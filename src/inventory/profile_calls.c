/* SPDX-License-Identifier: MIT */
#include "inventory/profile_calls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inventory/profile_private.h"
#include "lib/array.h"

/* GNUTLS_CLIENT of gnutls/gnutls.h: gnutls_init(3). */
#define GNUTLS_CLIENT 2

/* What a call says of a program that is a client of TLS. */
enum says {
	OPENSSL_CLIENT = 0x01,
	OPENSSL_CHAIN = 0x02, /* a certificate was traced to a trusted one */
	GNUTLS_SESSION = 0x04,
	GNUTLS_HANDSHAKE = 0x08,
	GNUTLS_CHAIN = 0x10,
	NAME = 0x20, /* the name in a certificate is compared, or the program may do so itself */
};

enum condition {
	ALWAYS_SAYS,
	RESULT_IS,  /* the result is the value */
	FLAGS_HAVE, /* the argument "flags" has the bits of the value */
};

/*
 * X509_verify_cert(3) compares a name only where one was set before (SSL_set1_host(3),
 * X509_VERIFY_PARAM_set_flags(3)), gnutls_certificate_verify_peers2(3) never: 0 is its success.
 */
static const struct {
	const char *function;
	uint8_t says;
	uint8_t condition;
	int64_t value;
} meanings[] = {
	{ "SSL_connect", OPENSSL_CLIENT, ALWAYS_SAYS, 0 },
	{ "SSL_set_connect_state", OPENSSL_CLIENT, ALWAYS_SAYS, 0 },
	{ "X509_verify_cert", OPENSSL_CHAIN, RESULT_IS, 1 },
	{ "gnutls_init", GNUTLS_SESSION, FLAGS_HAVE, GNUTLS_CLIENT },
	{ "gnutls_handshake", GNUTLS_HANDSHAKE, ALWAYS_SAYS, 0 },
	{ "gnutls_certificate_verify_peers2", GNUTLS_CHAIN, RESULT_IS, 0 },
	{ "X509_check_host", NAME, ALWAYS_SAYS, 0 },
	{ "X509_check_ip", NAME, ALWAYS_SAYS, 0 },
	{ "X509_check_ip_asc", NAME, ALWAYS_SAYS, 0 },
	{ "SSL_set1_host", NAME, ALWAYS_SAYS, 0 },
	{ "SSL_add1_host", NAME, ALWAYS_SAYS, 0 },
	{ "X509_VERIFY_PARAM_set1_host", NAME, ALWAYS_SAYS, 0 },
	{ "X509_VERIFY_PARAM_add1_host", NAME, ALWAYS_SAYS, 0 },
	{ "X509_VERIFY_PARAM_set1_ip", NAME, ALWAYS_SAYS, 0 },
	{ "X509_VERIFY_PARAM_set1_ip_asc", NAME, ALWAYS_SAYS, 0 },
	/* Who reads the alternative names compares them. */
	{ "X509_get_ext_d2i", NAME, ALWAYS_SAYS, 0 },
	{ "gnutls_certificate_verify_peers", NAME, ALWAYS_SAYS, 0 },
	{ "gnutls_certificate_verify_peers3", NAME, ALWAYS_SAYS, 0 },
	{ "gnutls_session_set_verify_cert", NAME, ALWAYS_SAYS, 0 },
	{ "gnutls_x509_crt_check_hostname", NAME, ALWAYS_SAYS, 0 },
	{ "gnutls_x509_crt_check_hostname2", NAME, ALWAYS_SAYS, 0 },
};

/* Who said all of it has accepted a certificate, by the chain that is a part of it. */
static const struct {
	uint8_t all;
	uint8_t chain;
} accepting[] = {
	{ OPENSSL_CLIENT | OPENSSL_CHAIN, OPENSSL_CHAIN },
	{ GNUTLS_SESSION | GNUTLS_HANDSHAKE | GNUTLS_CHAIN, GNUTLS_CHAIN },
};

/* The order of NAME (SIZE bytes without a NUL) and OTHER. */
static int compare_names(const char *name, size_t size, const char *other)
{
	int order = strncmp(name, other, size);

	if (order)
		return order;
	return other[size] ? -1 : 0;
}

/* Where NAME is in LIST, of items of STRIDE bytes, or would be. Returns whether it is. */
static bool find_place(const struct profile_names *list, size_t stride, const char *name,
		       size_t size, size_t *ret)
{
	size_t low = 0;
	size_t high = list->nr_items;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *const *item = (const void *)((char *)list->items + middle * stride);
		int order = compare_names(name, size, *item);

		if (order == 0) {
			*ret = middle;
			return true;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	*ret = low;
	return false;
}

/* What a list holds. */
struct kind {
	size_t stride;
	size_t max;
};

static const struct kind function_kind = { sizeof(struct profile_function), PROFILE_FUNCTIONS_MAX };
static const struct kind algorithm_kind = { sizeof(struct profile_algorithm),
					    PROFILE_ALGORITHMS_MAX };
static const struct kind name_kind = { sizeof(char *), PROFILE_ALGORITHM_FUNCTIONS_MAX };

/*
 * The item of LIST that is called NAME (SIZE bytes), made when there is none; NAME is copied to
 * POOL, or static where that is NULL. Returns 0, with *RET NULL where there are too many, or
 * -ENOMEM.
 */
static int take_name(struct profile_names *list, const struct kind *kind, struct pool *pool,
		     const char *name, size_t size, void **ret)
{
	size_t at;
	char *item;

	*ret = NULL;
	if (find_place(list, kind->stride, name, size, &at)) {
		*ret = (char *)list->items + at * kind->stride;
		return 0;
	}
	if (list->nr_items >= kind->max) {
		list->nr_refused++;
		return 0;
	}
	if (pool)
		name = pool_text(pool, name, size);
	if (!name || !profile_grow(&list->items, &list->nr_items, kind->stride))
		return -ENOMEM;
	item = (char *)list->items + at * kind->stride;
	memmove(item + kind->stride, item, (list->nr_items - 1 - at) * kind->stride);
	memset(item, 0, kind->stride);
	memcpy(item, &name, sizeof(name));
	*ret = item;
	return 0;
}

/* One algorithm of CALL. Returns 0 or -ENOMEM. */
static int take_algorithm(struct profile_calls *calls, struct pool *pool,
			  const struct api_call *call, const char *name, size_t size)
{
	const char *function = call->function->name;
	void *item;
	int err = take_name(&calls->algorithms, &algorithm_kind, pool, name, size, &item);
	struct profile_algorithm *algorithm = item;

	if (err || !algorithm)
		return err;
	algorithm->count += call->count;
	return take_name(&algorithm->names, &name_kind, NULL, function, strlen(function), &item);
}

/* Whether CALL is named by an algorithm that is among those that are known. */
static bool has_known_name(const struct api_call *call, size_t size)
{
	for (size_t i = 0; i < call->nr_algorithms; i++)
		if (compare_names(call->name, size, call->algorithms[i]->name) == 0)
			return true;
	return false;
}

/* All algorithms of CALL: those that are known, and what only the program has a name for. */
static int take_algorithms(struct profile_calls *calls, struct pool *pool,
			   const struct api_call *call)
{
	/* No name has a NUL in it, whatever a program says. */
	size_t size = call->name ? strnlen(call->name, call->name_size) : 0;
	int err = 0;

	for (size_t i = 0; !err && i < call->nr_algorithms; i++) {
		const char *name = call->algorithms[i]->name;

		err = take_algorithm(calls, NULL, call, name, strlen(name));
	}
	if (!err && size && !has_known_name(call, size))
		err = take_algorithm(calls, pool, call, call->name, size);
	return err;
}

/* The number that CALL was given as "flags"; 0: none is known. */
static uint64_t flags_of(const struct api_call *call)
{
	const struct api_call_argument *arguments = call->arguments.items;

	for (size_t i = 0; i < call->arguments.count; i++) {
		const struct api_call_argument *argument = &arguments[i];
		char text[24] = "";

		if (strcmp(argument->name, "flags") != 0 || !argument->size ||
		    argument->size >= sizeof(text))
			continue;
		memcpy(text, argument->text, argument->size);
		return strtoull(text, NULL, 0);
	}
	return 0;
}

static bool holds(const struct api_call *call, uint8_t condition, int64_t value)
{
	switch (condition) {
	case RESULT_IS:
		return call->has_result && call->result == value;
	case FLAGS_HAVE:
		return flags_of(call) & (uint64_t)value;
	default:
		return true;
	}
}

/* What CALL says of the program in IMAGE. */
static void learn(struct profile_image *image, const struct api_call *call)
{
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++)
		if (strcmp(meanings[i].function, call->function->name) == 0 &&
		    holds(call, meanings[i].condition, meanings[i].value))
			image->said |= meanings[i].says;
}

int profile_calls_take(struct profile_calls *calls, struct profile_image *image, struct pool *pool,
		       const struct api_call *call)
{
	const char *name = call->function->name;
	const struct finding *findings = call->findings.items;
	void *item;
	int err = take_name(&calls->functions, &function_kind, NULL, name, strlen(name), &item);
	struct profile_function *function = item;

	if (err)
		return err;
	if (function)
		function->count += call->count;
	calls->nr_calls += call->count;
	learn(image, call);
	err = take_algorithms(calls, pool, call);
	for (size_t i = 0; !err && i < call->findings.count; i++)
		err = profile_findings_take(&calls->findings, pool, &findings[i]);
	return err;
}

void profile_calls_judge(struct profile_calls *calls, const struct profile_image *image)
{
	if (!image->is_whole || image->said & NAME)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(accepting); i++)
		if ((image->said & accepting[i].all) == accepting[i].all)
			calls->unchecked |= accepting[i].chain;
}

void profile_calls_exec(struct profile_calls *calls, struct profile_image *image)
{
	profile_calls_judge(calls, image);
	*image = (struct profile_image){ .is_whole = true };
}

/* The names of the functions of ALGORITHM, NUL-separated. Returns 0 or -ENOMEM. */
static int list_functions(struct profile_algorithm *algorithm, struct pool *pool)
{
	const char *const *names = algorithm->names.items;
	size_t size = 0;
	char *text;

	for (size_t i = 0; i < algorithm->names.nr_items; i++)
		size += strlen(names[i]) + 1;
	text = pool_take(pool, size);
	if (!text)
		return -ENOMEM;
	algorithm->functions = (struct text_list){ .bytes = text, .size = size };
	for (size_t i = 0; i < algorithm->names.nr_items; i++)
		text = (char *)memcpy(text, names[i], strlen(names[i]) + 1) + strlen(names[i]) + 1;
	return 0;
}

/* A finding for each chain that was accepted for any name. Returns 0 or -ENOMEM. */
static int find_unchecked(struct profile_calls *calls, struct pool *pool)
{
	const struct finding_rule_info *rule = &finding_rules[FINDING_host_name_not_checked];
	int err = 0;

	for (size_t i = 0; !err && i < ARRAY_SIZE(meanings); i++)
		if (meanings[i].says & calls->unchecked)
			err = profile_findings_take(&calls->findings, pool,
						    &(struct finding){
							    .rule = rule->name,
							    .severity = rule->severity,
							    .why = rule->why,
							    .evidence = meanings[i].function,
						    });
	return err;
}

int profile_calls_finish(struct profile_calls *calls, struct pool *pool, bool has_lost)
{
	struct profile_algorithm *algorithms = calls->algorithms.items;
	int err = has_lost ? 0 : find_unchecked(calls, pool);

	for (size_t i = 0; !err && i < calls->algorithms.nr_items; i++)
		err = list_functions(&algorithms[i], pool);
	return err;
}

bool profile_calls_heeds(const char *function)
{
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++)
		if (meanings[i].says & NAME && strcmp(meanings[i].function, function) == 0)
			return true;
	return false;
}

uint64_t profile_calls_count_refused(const struct profile_calls *calls)
{
	const struct profile_algorithm *algorithms = calls->algorithms.items;
	uint64_t n = calls->functions.nr_refused + calls->algorithms.nr_refused +
		     calls->findings.nr_refused;

	for (size_t i = 0; i < calls->algorithms.nr_items; i++)
		n += algorithms[i].names.nr_refused;
	return n;
}

void profile_calls_free(struct profile_calls *calls)
{
	struct profile_algorithm *algorithms = calls->algorithms.items;

	for (size_t i = 0; i < calls->algorithms.nr_items; i++)
		free(algorithms[i].names.items);
	free(calls->algorithms.items);
	free(calls->functions.items);
	profile_findings_free(&calls->findings);
}
