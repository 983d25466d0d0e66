/* SPDX-License-Identifier: MIT */
#include "inspect/x509_names.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

const char *x509_name_text(struct judge *judge, const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	const char *text = NULL;
	char *bytes;
	long size;

	if (!bio) {
		judge->err = -ENOMEM;
		return NULL;
	}
	if (X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
		size = BIO_get_mem_data(bio, &bytes);
		text = judge_text(judge, size > 0 ? bytes : "", size > 0 ? (size_t)size : 0);
	}
	BIO_free(bio);
	return text;
}

/* Address octets, RFC 5280: 4 or 16 of them. */
static const char *address_text(struct judge *judge, const ASN1_OCTET_STRING *address)
{
	const unsigned char *bytes = ASN1_STRING_get0_data(address);
	int size = ASN1_STRING_length(address);
	char text[INET6_ADDRSTRLEN];

	if (size == 4)
		return judge_format(judge, "IP:%s", inet_ntop(AF_INET, bytes, text, sizeof(text)));
	if (size == 16)
		return judge_format(judge, "IP:%s", inet_ntop(AF_INET6, bytes, text, sizeof(text)));
	return "IP:invalid";
}

static const char *string_text(struct judge *judge, const char *prefix, const ASN1_STRING *string)
{
	const char *text = judge_text(judge, ASN1_STRING_get0_data(string),
				      (size_t)ASN1_STRING_length(string));

	return text ? judge_format(judge, "%s%s", prefix, text) : NULL;
}

static const char *general_name_text(struct judge *judge, const GENERAL_NAME *name)
{
	switch (name->type) {
	case GEN_DNS:
		return string_text(judge, "DNS:", name->d.dNSName);
	case GEN_EMAIL:
		return string_text(judge, "email:", name->d.rfc822Name);
	case GEN_URI:
		return string_text(judge, "URI:", name->d.uniformResourceIdentifier);
	case GEN_IPADD:
		return address_text(judge, name->d.iPAddress);
	default:
		return "othername";
	}
}

const char *x509_sans_text(struct judge *judge, const X509 *certificate, size_t *ret_size)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	const char *sans = NULL;
	size_t used = 0;
	char *list;

	if (!names)
		return NULL;
	list = malloc(JUDGE_LIST_MAX);
	if (!list)
		judge->err = -ENOMEM;
	for (int i = 0; list && i < sk_GENERAL_NAME_num(names); i++) {
		const char *text = general_name_text(judge, sk_GENERAL_NAME_value(names, i));
		size_t size = text ? strlen(text) : 0;

		if (size + 1 > JUDGE_LIST_MAX - used)
			break;
		if (used)
			list[used++] = '\0';
		memcpy(list + used, text ? text : "", size);
		used += size;
	}
	if (used) {
		sans = judge_list(judge, list, used);
		*ret_size = sans ? used : 0;
	}
	free(list);
	GENERAL_NAMES_free(names);
	return sans;
}
