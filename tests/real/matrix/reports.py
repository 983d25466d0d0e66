# SPDX-License-Identifier: MIT
"""What programs say of their TLS connections, in one normal form: a list with a dict of FIELDS for
each connection, in order. What a program does not tell is absent; "none" is what it tells is not
there.

The programs in ends/ print a line for each connection, in the words of their library:

  report version=TLSv1.2 cipher=ECDHE-ECDSA-AES256-GCM-SHA384 sni=NAME alpn=none resumed=no
  report failed ANYTHING
  report rejected ANYTHING    the program did not want to go on; the handshake may be over
"""

import re
import subprocess

import names

FIELDS = ["version", "cipher", "group", "signature", "sni", "alpn", "resumed", "retry", "outcome",
          "alert", "client_cert"]

# How Go says those alerts that it received.
GO_ALERTS = {"protocol version not supported": "protocol_version",
             "unknown certificate authority": "unknown_ca"}


def line(report):
    """The normal form on one line; '-' is what is not told."""
    return " ".join(report.get(field, "-") for field in FIELDS)


def failure(text):
    """An alert that was received is named by most."""
    report = {"outcome": "failed"}
    found = re.search(r"remote error: tls: (.*)", text)
    if found:
        report["alert"] = names.alert(GO_ALERTS.get(found[1], found[1]))
        return report
    found = re.search(r"Received alert \[(\d+)\]", text)
    if found:
        report["alert"] = names.ALERTS[int(found[1])]
        return report
    plain = re.sub(r"[-_: ]+", "_", text.lower())
    for name in sorted(names.ALERTS.values(), key=len, reverse=True):
        if f"alert_{name}" in plain or f"ssl_error_{name}_alert" in plain:
            report["alert"] = name
            return report
    return report


def ends(text):
    """Of the programs in ends/."""
    found = []
    for words in re.findall(r"^report (.*)$", text, re.M):
        if words.startswith("failed"):
            found.append(failure(words))
            continue
        if words.startswith("rejected"):
            found.append({})
            continue
        report = dict(word.split("=", 1) for word in words.split())
        report = {key: value for key, value in report.items() if value != "-"}
        report["version"] = names.version(report["version"])
        report["cipher"] = names.cipher(report["cipher"])
        if "group" in report:
            report["group"] = names.group(report["group"])
        if "group_code" in report:
            report["group"] = names.GROUPS[int(report.pop("group_code"))]
        report["outcome"] = "established"
        report["alert"] = "none"
        found.append(report)
    return found


def established(report):
    return {**report, "outcome": "established", "alert": "none"}


def openssl_client(text):
    """One connection of s_client."""
    report = {}
    found = re.search(r"^(New|Reused), (\S+), Cipher is (\S+)$", text, re.M)
    if not found or found[2] == "(NONE)" or "verify error" in text:
        return [failure(text)]
    report["version"] = names.version(found[2])
    report["cipher"] = names.cipher(found[3])
    report["resumed"] = "yes" if found[1] == "Reused" else "no"
    found = (re.search(r"^Negotiated TLS1.3 group: (\S+)", text, re.M) or
             re.search(r"^(?:Server|Peer) Temp Key: (?:ECDH, )?([^,\s]+), \d+ bits", text, re.M))
    if found and found[1] != "<NULL>":
        report["group"] = names.group(found[1])
    found = re.search(r"^ALPN protocol: (.*)$", text, re.M)
    report["alpn"] = found[1] if found else "none"
    kind = re.search(r"^Peer signature type: (.*)$", text, re.M)
    digest = re.search(r"^Peer signing digest: (.*)$", text, re.M)
    if kind:
        report["signature"] = names.signature(
            kind[1] if kind[1] in names.SIGNATURES.values() else f"{kind[1]} {digest[1]}")
    return [established(report)]


def openssl_server(text):
    """Of s_server: the protocol that it chose stands before the session, the rest after it."""
    mark = "-----BEGIN SSL SESSION PARAMETERS-----"
    if mark not in text:
        return [failure(text)] if "ERROR" in text else []
    found = []
    for part in re.split(r"^Secure Renegotiation IS .*$", text, flags=re.M)[:-1]:
        session = subprocess.run(["openssl", "sess_id", "-noout", "-text"], input=part,
                                 capture_output=True, text=True, check=True).stdout
        report = {"version": names.version(re.search(r"Protocol *: (\S+)", session)[1]),
                  "cipher": names.cipher(re.search(r"^CIPHER is (\S+)$", part, re.M)[1]),
                  "resumed": "yes" if "Reused session-id" in part else "no",
                  "client_cert": "yes" if "Client certificate" in part else "no"}
        alpn = re.search(r"^ALPN protocols selected: (.*)$", part, re.M)
        report["alpn"] = alpn[1] if alpn else "none"
        found.append(established(report))
    return found


def curl(text):
    found = []
    for part in text.split("SSL connection using ")[1:]:
        version, cipher, *more = part.splitlines()[0].split(" / ")
        report = {"version": names.version(version), "cipher": names.cipher(cipher)}
        if more and more[0] != "[blank]":
            report["group"] = names.group(more[0])
        alpn = re.search(r"ALPN[:,] server accepted (?:to use )?(\S+)", part)
        if alpn:
            report["alpn"] = alpn[1]
        found.append(established(report))
    # Levels and descriptions of alerts, as one number; 2 is fatal.
    alerts = [int(code) for code in re.findall(r"TLS alert, .*\((\d+)\):$", text, re.M)]
    fatal = [code & 255 for code in alerts if code >> 8 == 2]
    if fatal:
        return [{"outcome": "failed", "alert": names.ALERTS[fatal[0]]}]
    return found


def gnutls_parts(part):
    """Of '(TLS1.2-X.509)-(ECDHE-SECP256R1)-(ECDSA-SHA256)-(AES-256-GCM)': version, exchange,
    signature and cipher; in what is resumed some are missing."""
    words = re.search(r"^- Description: (.*)$", part, re.M)[1].strip("()")
    version, *exchange, cipher = re.split(r"\)?-+\(", words)
    return names.version(version.split("-")[0]), exchange, cipher


def gnutls_client(text):
    found = []
    for part in text.split("Connecting to '")[1:]:
        if "*** Fatal error" in part or "- Description:" not in part:
            found.append(failure(part))
            continue
        version, exchange, cipher = gnutls_parts(part)
        resumed = "*** This is a resumed session" in part
        report = {"version": version, "resumed": "yes" if resumed else "no"}
        # In what is resumed this is of the session, not of the connection.
        if not resumed:
            kind, group = exchange[0].split("-", 1)
            report["group"] = names.group(group)
            report["signature"] = names.signature(exchange[1])
            kind += "-" + exchange[1].split("-")[0]
            report["cipher"] = names.cipher_of_gnutls(version, kind, cipher)
        elif version == "TLSv1.3":
            report["cipher"] = names.cipher_of_gnutls(version, None, cipher)
        alpn = re.search(r"^- Application protocol: (\S+)$", part, re.M)
        report["alpn"] = alpn[1] if alpn else "none"
        found.append(established(report))
    return found


def gnutls_server(text):
    found = []
    if "Error in handshake" in text:
        return [failure(text)]
    for part in text.split("* Accepted connection")[1:]:

        def value(key, part=part):
            match = re.search(rf"^ ?- {key}: (\S+)$", part, re.M)
            return match[1] if match else None

        resumed = "*** This is a resumed session" in part
        version = names.version(value("Version"))
        report = {"version": version, "resumed": "yes" if resumed else "no",
                  "cipher": names.cipher_of_gnutls(version, value("Key Exchange"), value("Cipher")),
                  "sni": value(r"Given server name\[1\]") or "none",
                  "alpn": value("Application protocol") or "none",
                  "client_cert": "yes" if "- Got a certificate list" in part else "no"}
        if not resumed:
            report["group"] = names.group(value("Using curve"))
            report["signature"] = names.signature(value("Server Signature"))
        found.append(established(report))
    return found


# SECErrorCodes begin at -0x2000, those of alerts of SSL at -0x3000 (sslerr.h).
NSS_ALERTS = {-12195: "unknown_ca", -12227: "handshake_failure", -12190: "protocol_version"}


def nss(text):
    """Of tstclnt, and of selfserv where it asks for a certificate: otherwise that says nothing on a
    connection. Bits of a key tell the curve; what was resumed is counted from the start on."""
    found = []
    before = 0
    for part in re.split(r"^(?:tstclnt|selfserv): SSL version ", text, flags=re.M)[1:]:
        version = names.version(part.split(" ")[0])
        size, cipher = re.search(r"(\d+)-bit (\S+) with", part).groups()
        auth = re.search(r"Server Auth: \d+-bit (.*?),", part)[1]
        bits = re.search(r"Key Exchange: (\d+)-bit", part)
        hits = int(re.search(r"(\d+) cache hits", part)[1])
        cipher = {"AES-GCM": f"AES-{size}-GCM", "ChaCha20-Poly1305": "CHACHA20-POLY1305"}[cipher]
        report = {"version": version, "resumed": "yes" if hits > before else "no",
                  "cipher": names.cipher_of_gnutls(version, f"ECDHE-{auth}", cipher)}
        before = hits
        # In TLS 1.2 they are of the session when that is resumed.
        if version == "TLSv1.3" or report["resumed"] == "no":
            report["group"] = {"255": "x25519", "256": "secp256r1", "384": "secp384r1",
                               "521": "secp521r1"}[bits[1]]
        scheme = re.search(r"Signature Scheme: (\S+)", part)
        if scheme and report["resumed"] == "no":
            report["signature"] = names.signature(scheme[1])
        if "subject DN: CN=client" in part:
            report["client_cert"] = "yes"
        found.append(established(report))
    return found


def nss_client(text):
    return nss(text) or [failure(text)]


def nss_server(text):
    found = nss(text)
    for code in re.findall(r"error (-\d+):", text):
        if int(code) in NSS_ALERTS:
            return [{"outcome": "failed", "alert": NSS_ALERTS[int(code)]}]
    return found
