/* SPDX-License-Identifier: MIT */
#include "pipeline/tools.h"

#include <string.h>
#include <strings.h>

#include "lib/bytes.h"

enum tool_id {
	TOOL_mysql,
	TOOL_sshpass,
	TOOL_mosquitto,
	TOOL_samba,
	TOOL_ldap,
	TOOL_ldappasswd,
	TOOL_redis,
	TOOL_curl,
	TOOL_wget,
	TOOL_httpie,
	TOOL_htpasswd,
	TOOL_zip,
	TOOL_unzip,
	TOOL_7z,
	TOOL_rar,
	TOOL_keytool,
	TOOL_pk12util,
	TOOL_nss,
	TOOL_openssl,
	TOOL_openssl_passwd,
	TOOL_containers,
	TOOL_containers_login,
	TOOL_vault,
	TOOL_vault_login,
	TOOL_mongo,
	TOOL_sql,
	TOOL_lftp,
	TOOL_ipmitool,
	TOOL_freerdp,
	TOOL_wpa_passphrase,
	TOOL_shadow,
	TOOL_snmp,
	TOOL_ssh_keygen,
	TOOL_ip,
	TOOL_nmcli,
	TOOL_aws,
	TOOL_kadmin,
	TOOL_putty,
	TOOL_cards,
	TOOL_tpm2,
	TOOL_shell,
	NR_TOOLS
};

_Static_assert(NR_TOOLS <= 64, "tool_set has a bit for each tool");

#define TOOL_BIT(id) (UINT64_C(1) << (id))

static const struct tool {
	const char *flags;	/* one-letter options without a value, which others may follow */
	unsigned int arguments; /* its secret arguments begin with this one; 0: it has none */
	tool_set needs;		/* one of these was seen before: this is a command of theirs */
} tools_known[NR_TOOLS] = {
	[TOOL_mysql] = { .flags = "ABCNfstv" },
	[TOOL_sshpass] = { .flags = "v" },
	[TOOL_samba] = { .flags = "Nkge" },
	[TOOL_ldap] = { .flags = "ALMNQTWZcnuvx" },
	[TOOL_ldappasswd] = { .flags = "ANQSWZnvx" },
	[TOOL_curl] = { .flags = "#012346BGIJLMNORSVZafgijklnpqsv" },
	[TOOL_httpie] = { .flags = "bdfhjpqv" },
	/* htpasswd -b FILE USER PASSWORD, htpasswd -nb USER PASSWORD */
	[TOOL_htpasswd] = { .arguments = 2 },
	[TOOL_zip] = { .flags = "0123456789DXeflmoqrujvy" },
	[TOOL_unzip] = { .flags = "CLXacfjlnopqtuvz" },
	[TOOL_openssl_passwd] = { .arguments = 1, .needs = TOOL_BIT(TOOL_openssl) },
	[TOOL_containers_login] = { .needs = TOOL_BIT(TOOL_containers) },
	[TOOL_vault_login] = { .arguments = 1, .needs = TOOL_BIT(TOOL_vault) },
	[TOOL_wpa_passphrase] = { .arguments = 2 },
	[TOOL_ssh_keygen] = { .flags = "ceghilpqvy" },
};

enum form {
	FORM_ATTACHED = 1, /* -pVALUE, --name=VALUE */
	FORM_NEXT = 2,	   /* -p VALUE */
	FORM_BOTH = FORM_ATTACHED | FORM_NEXT,
	FORM_ONCE = 4, /* the tool has one such option, what follows belongs to its command */
};

/* clang-format off */

/* '*' at the end stands for any end. */
static const struct tool_name {
	const char *text;
	enum tool_id tool;
} tool_names[] = {
	{ "mysql*", TOOL_mysql }, { "mariadb*", TOOL_mysql },
	{ "sshpass", TOOL_sshpass },
	{ "mosquitto_*", TOOL_mosquitto },
	{ "smbclient", TOOL_samba }, { "rpcclient", TOOL_samba }, { "smbcacls", TOOL_samba },
	{ "smbget", TOOL_samba }, { "smbmap", TOOL_samba }, { "net", TOOL_samba },
	{ "ldapsearch", TOOL_ldap }, { "ldapadd", TOOL_ldap }, { "ldapmodify", TOOL_ldap },
	{ "ldapdelete", TOOL_ldap }, { "ldapmodrdn", TOOL_ldap }, { "ldapcompare", TOOL_ldap },
	{ "ldapwhoami", TOOL_ldap }, { "ldapexop", TOOL_ldap }, { "ldappasswd", TOOL_ldap },
	{ "ldapvc", TOOL_ldap },
	{ "ldappasswd", TOOL_ldappasswd },
	{ "redis-*", TOOL_redis }, { "valkey-*", TOOL_redis },
	{ "curl", TOOL_curl },
	{ "wget", TOOL_wget }, { "wget2", TOOL_wget }, { "aria2c", TOOL_wget },
	{ "http", TOOL_httpie }, { "https", TOOL_httpie }, { "xh", TOOL_httpie },
	{ "xhs", TOOL_httpie },
	{ "htpasswd", TOOL_htpasswd },
	{ "zip", TOOL_zip }, { "zipcloak", TOOL_zip }, { "zipnote", TOOL_zip },
	{ "unzip", TOOL_unzip }, { "funzip", TOOL_unzip }, { "zipinfo", TOOL_unzip },
	{ "7z", TOOL_7z }, { "7za", TOOL_7z }, { "7zr", TOOL_7z }, { "7zz", TOOL_7z },
	{ "rar", TOOL_rar }, { "unrar", TOOL_rar },
	{ "keytool", TOOL_keytool },
	{ "pk12util", TOOL_pk12util },
	{ "signtool", TOOL_nss }, { "cmsutil", TOOL_nss },
	{ "openssl", TOOL_openssl }, { "libressl", TOOL_openssl },
	{ "passwd", TOOL_openssl_passwd },
	{ "docker", TOOL_containers }, { "podman", TOOL_containers },
	{ "nerdctl", TOOL_containers }, { "buildah", TOOL_containers },
	{ "skopeo", TOOL_containers }, { "helm", TOOL_containers }, { "oras", TOOL_containers },
	{ "az", TOOL_containers }, { "oc", TOOL_containers }, { "cf", TOOL_containers },
	{ "login", TOOL_containers_login },
	{ "vault", TOOL_vault }, { "bao", TOOL_vault },
	{ "login", TOOL_vault_login },
	{ "mongo", TOOL_mongo }, { "mongosh", TOOL_mongo }, { "mongodump", TOOL_mongo },
	{ "mongorestore", TOOL_mongo }, { "mongoimport", TOOL_mongo },
	{ "mongoexport", TOOL_mongo }, { "mongostat", TOOL_mongo }, { "mongotop", TOOL_mongo },
	{ "mongofiles", TOOL_mongo }, { "cqlsh", TOOL_mongo },
	{ "sqlcmd", TOOL_sql }, { "bcp", TOOL_sql }, { "osql", TOOL_sql }, { "isql", TOOL_sql },
	{ "tsql", TOOL_sql },
	{ "lftp", TOOL_lftp },
	{ "ipmitool", TOOL_ipmitool },
	{ "xfreerdp*", TOOL_freerdp }, { "wlfreerdp*", TOOL_freerdp },
	{ "sdl-freerdp*", TOOL_freerdp }, { "rdesktop", TOOL_freerdp },
	{ "wpa_passphrase", TOOL_wpa_passphrase },
	{ "usermod", TOOL_shadow }, { "useradd", TOOL_shadow }, { "groupmod", TOOL_shadow },
	{ "groupadd", TOOL_shadow },
	{ "snmpget", TOOL_snmp }, { "snmpgetnext", TOOL_snmp }, { "snmpwalk", TOOL_snmp },
	{ "snmpset", TOOL_snmp }, { "snmpbulk*", TOOL_snmp }, { "snmptable", TOOL_snmp },
	{ "snmptrap", TOOL_snmp }, { "snmpinform", TOOL_snmp }, { "snmpdelta", TOOL_snmp },
	{ "snmpdf", TOOL_snmp }, { "snmpstatus", TOOL_snmp }, { "snmptest", TOOL_snmp },
	{ "ssh-keygen", TOOL_ssh_keygen },
	{ "ip", TOOL_ip },
	{ "nmcli", TOOL_nmcli },
	{ "aws", TOOL_aws },
	{ "kadmin*", TOOL_kadmin },
	{ "plink", TOOL_putty }, { "pscp", TOOL_putty }, { "psftp", TOOL_putty },
	{ "putty", TOOL_putty },
	{ "pkcs11-tool", TOOL_cards }, { "pkcs15-*", TOOL_cards },
	{ "yubico-piv-tool", TOOL_cards },
	{ "tpm2*", TOOL_tpm2 },
	{ "sh", TOOL_shell }, { "ash", TOOL_shell }, { "bash", TOOL_shell }, { "dash", TOOL_shell },
	{ "ksh*", TOOL_shell }, { "mksh", TOOL_shell }, { "zsh", TOOL_shell },
	{ "busybox", TOOL_shell }, { "su", TOOL_shell }, { "runuser", TOOL_shell },
	{ "script", TOOL_shell }, { "flock", TOOL_shell },
};

/* From the manual pages of the tools. Options whose names say what they are need no line. */
static const struct option_row {
	enum tool_id tool;
	const char *text;
	unsigned int form;
	char split;
} options[] = {
	{ TOOL_mysql, "-p", FORM_ATTACHED, 0 },
	{ TOOL_sshpass, "-p", FORM_BOTH | FORM_ONCE, 0 },
	{ TOOL_mosquitto, "-P", FORM_BOTH, 0 },
	{ TOOL_samba, "-U", FORM_BOTH, '%' },
	{ TOOL_samba, "--user", FORM_BOTH, '%' },
	{ TOOL_ldap, "-w", FORM_BOTH, 0 },
	{ TOOL_ldappasswd, "-a", FORM_BOTH, 0 },
	{ TOOL_ldappasswd, "-s", FORM_BOTH, 0 },
	{ TOOL_redis, "-a", FORM_BOTH, 0 },
	{ TOOL_redis, "auth", FORM_NEXT, 0 },
	{ TOOL_curl, "-u", FORM_BOTH, ':' },
	{ TOOL_curl, "--user", FORM_BOTH, ':' },
	{ TOOL_curl, "-U", FORM_BOTH, ':' },
	{ TOOL_curl, "--proxy-user", FORM_BOTH, ':' },
	{ TOOL_curl, "-E", FORM_BOTH, ':' }, /* certificate:password */
	{ TOOL_curl, "--cert", FORM_BOTH, ':' },
	{ TOOL_curl, "--proxy-cert", FORM_BOTH, ':' },
	{ TOOL_curl, "-b", FORM_BOTH, '=' }, /* name=value, or a file */
	{ TOOL_curl, "--cookie", FORM_BOTH, '=' },
	{ TOOL_wget, "-u", FORM_BOTH, ':' },
	{ TOOL_wget, "--user", FORM_BOTH, ':' },
	{ TOOL_wget, "--proxy-user", FORM_BOTH, ':' },
	{ TOOL_httpie, "-a", FORM_BOTH, 0 },
	{ TOOL_httpie, "--auth", FORM_BOTH, 0 },
	{ TOOL_zip, "-P", FORM_BOTH, 0 },
	{ TOOL_unzip, "-P", FORM_BOTH, 0 },
	{ TOOL_7z, "-p", FORM_ATTACHED, 0 },
	{ TOOL_rar, "-p", FORM_ATTACHED, 0 },
	{ TOOL_rar, "-hp", FORM_ATTACHED, 0 },
	{ TOOL_keytool, "-new", FORM_NEXT, 0 },
	{ TOOL_pk12util, "-K", FORM_BOTH, 0 },
	{ TOOL_pk12util, "-W", FORM_BOTH, 0 },
	{ TOOL_nss, "-p", FORM_BOTH, 0 },
	{ TOOL_openssl, "-passin", FORM_NEXT, 0 },
	{ TOOL_openssl, "-passout", FORM_NEXT, 0 },
	{ TOOL_openssl, "-k", FORM_NEXT, 0 },
	{ TOOL_openssl, "-K", FORM_NEXT, 0 },
	{ TOOL_openssl, "-iv", FORM_NEXT, 0 },
	{ TOOL_openssl, "-hmac", FORM_NEXT, 0 },
	{ TOOL_openssl, "key:", FORM_ATTACHED, 0 }, /* -macopt, -kdfopt, -pkeyopt */
	{ TOOL_openssl, "hexkey:", FORM_ATTACHED, 0 },
	{ TOOL_openssl, "hexpass:", FORM_ATTACHED, 0 },
	{ TOOL_containers_login, "-p", FORM_BOTH, 0 },
	{ TOOL_mongo, "-p", FORM_BOTH, 0 },
	{ TOOL_sql, "-P", FORM_BOTH, 0 },
	{ TOOL_lftp, "-u", FORM_BOTH, ',' },
	{ TOOL_ipmitool, "-P", FORM_BOTH, 0 },
	{ TOOL_ipmitool, "-k", FORM_BOTH, 0 },
	{ TOOL_freerdp, "/p:", FORM_ATTACHED, 0 },
	{ TOOL_freerdp, "-p", FORM_BOTH, 0 },
	{ TOOL_shadow, "-p", FORM_BOTH, 0 },
	{ TOOL_snmp, "-c", FORM_BOTH, 0 },
	{ TOOL_snmp, "-A", FORM_BOTH, 0 },
	{ TOOL_snmp, "-X", FORM_BOTH, 0 },
	{ TOOL_ssh_keygen, "-N", FORM_BOTH, 0 },
	{ TOOL_ssh_keygen, "-P", FORM_BOTH, 0 },
	{ TOOL_ip, "0x", FORM_ATTACHED, 0 }, /* ip xfrm state add ... enc cbc(aes) 0xKEY */
	{ TOOL_nmcli, "password", FORM_NEXT, 0 },
	{ TOOL_nmcli, "wifi-sec.psk", FORM_NEXT, 0 },
	{ TOOL_nmcli, "802-11-wireless-security.psk", FORM_NEXT, 0 },
	{ TOOL_aws, "aws_secret_access_key", FORM_NEXT, 0 },
	{ TOOL_aws, "aws_session_token", FORM_NEXT, 0 },
	{ TOOL_kadmin, "-w", FORM_BOTH, 0 },
	{ TOOL_kadmin, "-pw", FORM_NEXT, 0 },
	{ TOOL_putty, "-pw", FORM_NEXT, 0 },
	{ TOOL_cards, "-p", FORM_BOTH, 0 },
	{ TOOL_cards, "-P", FORM_BOTH, 0 },
	{ TOOL_cards, "-N", FORM_BOTH, 0 },
	{ TOOL_cards, "-k", FORM_BOTH, 0 },
	{ TOOL_tpm2, "-p", FORM_BOTH, 0 },
	{ TOOL_tpm2, "-P", FORM_BOTH, 0 },
};
/* clang-format on */

static bool tool_name_match(const struct tool_name *name, const char *word, size_t size)
{
	size_t fixed = strlen(name->text);

	if (name->text[fixed - 1] == '*')
		return size >= fixed - 1 && memcmp(word, name->text, fixed - 1) == 0;
	return size == fixed && memcmp(word, name->text, fixed) == 0;
}

tool_set tools_find(tool_set seen, const char *word, size_t size)
{
	const char *slash = size ? memrchr(word, '/', size) : NULL;
	const char *base = slash ? slash + 1 : word;
	size_t base_size = size - (size_t)(base - word);
	tool_set found = 0;

	if (base_size < 2 || *base == '-')
		return 0;
	for (size_t i = 0; i < sizeof(tool_names) / sizeof(tool_names[0]); i++) {
		const struct tool_name *name = &tool_names[i];
		tool_set needs = tools_known[name->tool].needs;

		if (name->text[0] != *base || !tool_name_match(name, base, base_size))
			continue;
		/* a command is a word of its own: "login", not "/bin/login" */
		if (!needs || (needs & seen && base == word))
			found |= TOOL_BIT(name->tool);
	}
	return found;
}

bool tools_have_shell(tool_set tools)
{
	return tools & TOOL_BIT(TOOL_shell);
}

/*
 * Where the value begins in WORD if WORD has the option ROW, its own size if the next word is the
 * value, SIZE_MAX if it has not.
 */
static size_t option_match(const struct option_row *row, const char *word, size_t size)
{
	const char *flags = tools_known[row->tool].flags;
	size_t text_size = strlen(row->text), at = 1;
	bool is_short = text_size == 2 && row->text[0] == '-';

	if (is_short) {
		/* "-sku": options without a value may come before it in the same word */
		while (flags && at < size && word[at] != row->text[1] &&
		       memchr(flags, word[at], strlen(flags)))
			at++;
		if (size <= at || word[0] != '-' || word[at] != row->text[1])
			return SIZE_MAX;
		return at + 1;
	}
	if (size < text_size || strncasecmp(word, row->text, text_size) != 0)
		return SIZE_MAX;
	if (size == text_size || strncmp(row->text, "--", 2) != 0)
		return text_size;
	return word[text_size] == '=' ? text_size + 1 : SIZE_MAX;
}

bool tools_option_find(tool_set tools, const char *word, size_t size, struct tool_option *ret)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		const struct option_row *row = &options[i];
		size_t at;

		if (!(tools & TOOL_BIT(row->tool)))
			continue;
		at = option_match(row, word, size);
		if (at == SIZE_MAX || !(row->form & (at == size ? FORM_NEXT : FORM_ATTACHED)))
			continue;
		*ret = (struct tool_option){
			.value_at = at,
			.split = row->split,
			.finished = row->form & FORM_ONCE ? TOOL_BIT(row->tool) : 0,
		};
		return true;
	}
	return false;
}

bool tools_arguments_find(tool_set tools, unsigned int *ret_nr_before)
{
	bool is_found = false;

	for (size_t i = 0; i < NR_TOOLS; i++) {
		unsigned int arguments = tools_known[i].arguments;

		if (!(tools & TOOL_BIT(i)) || !arguments)
			continue;
		if (!is_found || arguments - 1 < *ret_nr_before)
			*ret_nr_before = arguments - 1;
		is_found = true;
	}
	return is_found;
}

size_t tools_source_size(tool_set tools, const char *value, size_t size)
{
	/* openssl-passphrase-options(1) */
	static const char *const elsewhere[] = { "file:", "env:", "fd:", "stdin" };
	static const char literal[] = "pass:";

	if (!(tools & TOOL_BIT(TOOL_openssl)))
		return 0;
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
		if (bytes_begin(value, size, elsewhere[i]))
			return SIZE_MAX;
	return bytes_begin(value, size, literal) ? sizeof(literal) - 1 : 0;
}
