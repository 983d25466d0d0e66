# SPDX-License-Identifier: MIT
"""The names that programs and tshark give to versions, ciphers, groups, signatures and alerts, as
IANA has them in its registries of TLS parameters. What is not known raises KeyError: it is never
passed on as it came.
"""

import functools
import re
import subprocess

# TLS Supported Groups.
GROUPS = {
    0x0017: "secp256r1", 0x0018: "secp384r1", 0x0019: "secp521r1", 0x001d: "x25519",
    0x001e: "x448", 0x0100: "ffdhe2048", 0x0101: "ffdhe3072", 0x0102: "ffdhe4096",
    0x0103: "ffdhe6144", 0x0104: "ffdhe8192", 0x0200: "MLKEM512", 0x0201: "MLKEM768",
    0x0202: "MLKEM1024", 0x11eb: "SecP256r1MLKEM768", 0x11ec: "X25519MLKEM768",
    0x11ed: "SecP384r1MLKEM1024",
}

# TLS SignatureScheme.
SIGNATURES = {
    0x0201: "rsa_pkcs1_sha1", 0x0203: "ecdsa_sha1", 0x0401: "rsa_pkcs1_sha256",
    0x0501: "rsa_pkcs1_sha384", 0x0601: "rsa_pkcs1_sha512", 0x0403: "ecdsa_secp256r1_sha256",
    0x0503: "ecdsa_secp384r1_sha384", 0x0603: "ecdsa_secp521r1_sha512",
    0x0804: "rsa_pss_rsae_sha256", 0x0805: "rsa_pss_rsae_sha384", 0x0806: "rsa_pss_rsae_sha512",
    0x0807: "ed25519", 0x0808: "ed448",
}

# TLS Alerts: those that end handshakes.
ALERTS = {
    0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 40: "handshake_failure",
    42: "bad_certificate", 43: "unsupported_certificate", 44: "certificate_revoked",
    45: "certificate_expired", 46: "certificate_unknown", 47: "illegal_parameter",
    48: "unknown_ca", 49: "access_denied", 50: "decode_error", 51: "decrypt_error",
    70: "protocol_version", 71: "insufficient_security", 80: "internal_error",
    86: "inappropriate_fallback", 90: "user_canceled", 109: "missing_extension",
    110: "unsupported_extension", 112: "unrecognized_name", 116: "certificate_required",
    120: "no_application_protocol",
}

# What else the curves are called.
CURVES = {
    "x25519": "x25519", "ecdhx25519": "x25519", "x448": "x448",
    "prime256v1": "secp256r1", "secp256r1": "secp256r1", "p256": "secp256r1",
    "secp384r1": "secp384r1", "p384": "secp384r1", "secp521r1": "secp521r1", "p521": "secp521r1",
}


def version(name):
    """TLSv1.2 of 'TLS1.2', 'TLS 1.2', 'TLSv1.2' or NSS's '3.3'."""
    found = re.fullmatch(r"(?:SSL)?(?:TLS)?[ v]*([13])\.([0-4])", name)
    major, minor = int(found[1]), int(found[2])
    if major == 3:
        return f"TLSv1.{minor - 1}"
    return f"TLSv1.{minor}"


def version_of_code(code):
    return {0x0301: "TLSv1.0", 0x0302: "TLSv1.1", 0x0303: "TLSv1.2", 0x0304: "TLSv1.3"}[code]


@functools.cache
def suites():
    """Those that openssl knows: {code: IANA's name}, {OpenSSL's name: IANA's}."""
    out = subprocess.run(["openssl", "ciphers", "-V", "-stdname",
                          "ALL:COMPLEMENTOFALL:@SECLEVEL=0"],
                         capture_output=True, text=True, check=True).stdout
    codes, names = {}, {}
    for line in out.splitlines():
        code, _, iana, _, openssl = line.split()[:5]
        high, low = code.split(",")
        codes[int(high, 16) << 8 | int(low, 16)] = iana
        names[openssl] = iana
    return codes, names


def cipher(name):
    """Of OpenSSL's name, IANA's, or that of Mbed TLS."""
    codes, names = suites()
    name = re.sub(r"^TLS1-3-", "TLS-", name)
    if name.startswith("TLS-"):
        name = name.replace("-", "_")
    return name if name in codes.values() else names[name]


def cipher_of_code(code):
    return suites()[0][code]


def cipher_of_gnutls(version_name, exchange, algorithm):
    """Of what GnuTLS calls the parts: 'ECDHE-ECDSA' and 'AES-256-GCM'."""
    digest = {"AES-128-GCM": "SHA256", "AES-256-GCM": "SHA384",
              "CHACHA20-POLY1305": "SHA256"}[algorithm]
    parts = [algorithm, digest]
    if version_name != "TLSv1.3":
        parts = [exchange, "WITH"] + parts
    return cipher("TLS-" + "-".join(parts))


def group(name):
    """Of 'X25519', 'prime256v1', 'P-256', 'SECP256R1' or a name of IANA."""
    if name in GROUPS.values():
        return name
    plain = re.sub(r"[-_]", "", name.lower())
    return CURVES[plain]


def signature(name):
    """Of IANA's name or that of GnuTLS, 'ECDSA-SECP256R1-SHA256'; or of OpenSSL's type and digest,
    'RSA-PSS SHA256'."""
    if name in SIGNATURES.values():
        return name
    plain = re.sub(r"[- ]", "_", name.lower())
    plain = re.sub(r"^rsa_pss_sha", "rsa_pss_rsae_sha", plain)
    plain = re.sub(r"^rsa_sha", "rsa_pkcs1_sha", plain)
    plain = {"ecdsa_sha256": "ecdsa_secp256r1_sha256",
             "ecdsa_sha384": "ecdsa_secp384r1_sha384"}.get(plain, plain)
    if plain not in SIGNATURES.values():
        raise KeyError(name)
    return plain


def alert(name):
    """Of its name with blanks, hyphens or underscores in any case."""
    plain = re.sub(r"[- ]", "_", name.strip().lower())
    if plain not in ALERTS.values():
        raise KeyError(name)
    return plain
