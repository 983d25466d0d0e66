/* SPDX-License-Identifier: MIT */
#ifndef PROTO_STARTTLS_PRIVATE_H
#define PROTO_STARTTLS_PRIVATE_H

/*
 * The protocols that starttls.c leads to. Each reads TALK from where it is to where TLS begins in
 * both directions and returns true, or stops it and returns false. *PROTOCOL is what starttls.def
 * has the first bytes for; where it turns out to be another, they write it.
 */

#include "proto/starttls.h"
#include "proto/talk.h"

typedef bool starttls_reader(struct talk *talk, enum starttls_protocol *protocol);

/* starttls_text.c */
starttls_reader starttls_read_smtp; /* and FTP, which greets alike */
starttls_reader starttls_read_pop3;
starttls_reader starttls_read_nntp;

/* starttls_literal.c: where text may hold any bytes behind their number */
starttls_reader starttls_read_imap;
starttls_reader starttls_read_sieve;

/* starttls_xmpp.c */
starttls_reader starttls_read_xmpp;

/* starttls_binary.c */
starttls_reader starttls_read_ldap;
starttls_reader starttls_read_postgresql;
starttls_reader starttls_read_mysql;
starttls_reader starttls_read_mssql;
starttls_reader starttls_read_rdp;

/* starttls_carrier.c: behind these any of the others may come */
starttls_reader starttls_read_connect;
starttls_reader starttls_read_proxy_v1;
starttls_reader starttls_read_proxy_v2;

#endif /* PROTO_STARTTLS_PRIVATE_H */
