/* SPDX-License-Identifier: MIT */
/*
 * Opens a file of every kind there is in the catalogue, by its name, and files that only look like
 * one. What each has to be called is written here once more, from the documents, not taken from the
 * catalogue.
 *
 * usage: names_trigger DIR
 */
#include "../../support/trigger.h"

#include <limits.h>

struct name {
	const char *name; /* below DIR */
	const char *type;
	const char *kind;
};

static const struct name wanted[] = {
	/* X.509 and its relatives. */
	{ "cert.pem", "certificate", "certificate" },
	{ "server.crt", "certificate", "certificate" },
	{ "a.cer", "certificate", "certificate" },
	{ "a.der", "certificate", "certificate" },
	{ "fullchain.pem", "certificate", "certificate_chain" },
	{ "certs/ca-certificates.crt", "certificate", "ca_bundle" },
	{ "pem/tls-ca-bundle.pem", "certificate", "ca_bundle" },
	{ "trust.p11-kit", "certificate", "ca_bundle" },
	{ "certs/5ad8a5d6.0", "certificate", "hashed_certificate" },
	{ "certs/5AD8A5D6.12", "certificate", "hashed_certificate" },
	{ "certs/5ad8a5d6.r0", "unknown", "hashed_crl" },
	{ "a.csr", "unknown", "csr" },
	{ "a.crl", "unknown", "crl" },
	{ "a.ocsp", "unknown", "ocsp_response" },
	{ "a.p7b", "certificate", "pkcs7" },
	{ "a.p7s", "unknown", "cms_message" },
	/* Keys; a .pem is one when its name says so. */
	{ "server.key", "private_key", "private_key" },
	{ "key.pem", "private_key", "private_key" },
	{ "privkey.pem", "private_key", "private_key" },
	{ "Server-Key.PEM", "private_key", "private_key" },
	{ "a.pk8", "private_key", "private_key" },
	{ "pubkey.pem", "unknown", "public_key" },
	{ "dhparam.pem", "unknown", "dh_parameters" },
	{ "a.jwk", "unknown", "jwk" },
	/* Keystores. */
	{ "a.p12", "keystore", "pkcs12" },
	{ "a.PFX", "keystore", "pkcs12" },
	{ "a.jks", "keystore", "jks" },
	{ "a.jceks", "keystore", "jceks" },
	{ "a.bks", "keystore", "bks" },
	{ "a.bcfks", "keystore", "bcfks" },
	{ ".keystore", "keystore", "java_keystore" },
	{ "a.truststore", "keystore", "java_truststore" },
	{ "java/cacerts", "keystore", "java_truststore" },
	{ "a.kdb", "keystore", "key_database" },
	{ "wallet/cwallet.sso", "keystore", "oracle_wallet" },
	{ "traefik/acme.json", "keystore", "acme_store" },
	{ "nssdb/cert9.db", "keystore", "nss_database" },
	{ "nssdb/key4.db", "keystore", "nss_database" },
	{ "http.keytab", "keystore", "keytab" },
	{ "ceph.client.admin.keyring", "keystore", "keyring" },
	{ "a.kdbx", "keystore", "password_database" },
	/* SSH. */
	{ ".ssh/id_ed25519", "private_key", "ssh_private_key" },
	{ ".ssh/id_ed25519.pub", "unknown", "ssh_public_key" },
	{ ".ssh/id_ed25519-cert.pub", "unknown", "ssh_certificate" },
	{ "ssh/ssh_host_ecdsa_key", "private_key", "ssh_host_key" },
	{ ".ssh/authorized_keys", "unknown", "ssh_authorized_keys" },
	{ ".ssh/known_hosts", "unknown", "ssh_known_hosts" },
	{ "ssh/sshd_config", "unknown", "ssh_config" },
	{ ".ssh/config", "unknown", "ssh_config" },
	/* OpenPGP, age. */
	{ "private-keys-v1.d/0123.key", "private_key", "pgp_private_key" },
	{ "pubring.kbx", "unknown", "pgp_keyring" },
	{ "keyrings/debian.gpg", "unknown", "pgp_keyring" },
	{ "trustdb.gpg", "unknown", "pgp_trustdb" },
	{ "message.asc", "unknown", "pgp_data" },
	{ "age/keys.txt", "private_key", "age_private_key" },
	{ "secret.age", "unknown", "encrypted_file" },
	/* DNS, VPN. */
	{ "bind/rndc.key", "private_key", "tsig_key" },
	{ "dns/root.key", "unknown", "dnssec_trust_anchor" },
	{ "ipsec.secrets", "unknown", "ipsec_secrets" },
	{ "office.ovpn", "unknown", "vpn_config" },
	/* Configuration, policy, devices. */
	{ "ssl/openssl.cnf", "unknown", "config" },
	{ "security/java.security", "unknown", "config" },
	{ "etc/crypttab", "unknown", "config" },
	{ "crypto-policies/config", "unknown", "crypto_policy" },
	{ "back-ends/opensslcnf.config", "unknown", "crypto_policy" },
	{ "crypto/fips_enabled", "unknown", "fips_flag" },
	{ "dev/tpm0", "unknown", "crypto_device" },
};

static const char *const unwanted[] = {
	"pem",
	"xpem",
	"a.pem.bak",
	"a.pem~",
	"a.pemx",
	"a.keys",
	"key",
	"cert",
	"notes.txt",
	"id_rsa.txt",
	"my_id_rsa",
	"id_rsa2",
	"5ad8a5d6.",
	"5ad8a5d.0",
	"5ad8a5d6a.0",
	"xad8a5d6.0",
	"5ad8a5d6.x0",
	"5ad8a5d6.r",
	"5ad8a5d6.123",
	"known_hosts.old",
	"passwd",
	"random",
	"config",
	"sub/config",
	"keys.txt",
	"sub/keys.txt",
	"tpm0",
	"moduli",
	"libssl.so.3",
	"libcrypto.so",
	"openssl.cnf.d",
	"wg1.conf",
	"a.conf",
	"a.db",
	"cert7.db",
	"mycacerts",
	"ssh_host_foo_key",
	"keyring",
	"authorized_keys3",
	"a.p12.tmp",
};

static void make_parents(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) && errno != EEXIST)
			die("mkdir '%s'", path);
		*slash = '/';
	}
}

int main(int argc, char **argv)
{
	char path[PATH_MAX];
	char plain[PATH_MAX];
	struct stat st;
	int fd;

	if (argc != 2)
		return 2;
	snprintf(plain, sizeof(plain), "%s/plain", argv[1]);
	make_parents(plain);
	close((int)must(open(plain, O_WRONLY | O_CREAT, 0600)));
	must(stat(plain, &st));
	case_name = "wanted";
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		snprintf(path, sizeof(path), "%s/%s", argv[1], wanted[i].name);
		make_parents(path);
		must(link(plain, path));
		fd = (int)must(open(path, O_RDONLY));
		line_begin("file_open", getpid(), getppid(), getuid(), "names_trigger");
		line_str("file", path);
		line_add(",\"flags\":\"O_RDONLY\",\"result\":\"success\"");
		line_str("file_type", wanted[i].type);
		line_str("file_kind", wanted[i].kind);
		line_dev(st.st_dev);
		line_u64("inode", st.st_ino);
		line_end();
		close(fd);
	}
	for (size_t i = 0; i < ARRAY_SIZE(unwanted); i++) {
		snprintf(path, sizeof(path), "%s/un/wanted/%s", argv[1], unwanted[i]);
		make_parents(path);
		must(link(plain, path));
		close((int)must(open(path, O_RDONLY)));
	}
	return 0;
}
