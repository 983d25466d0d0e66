# SPDX-License-Identifier: MIT
"""How each stack runs a cell: its server, its client, what both say; and what it cannot do.

Kinds: full; resumed; hrr, where the server wants another group than the one that the client
guessed; clientcert; alert, where they have nothing in common; rejected, where the client does not
trust the certificate; 'starttls PROTOCOL'. With an OpenSSL that has them, pq kinds: see newer().
"""

import shutil
import signal

import reports

AES128 = "ECDHE-ECDSA-AES128-GCM-SHA256"
AES256 = "ECDHE-ECDSA-AES256-GCM-SHA384"
IANA128 = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
IANA256 = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"


def pairs(**given):
    """KEY=VALUE for the programs in ends/; None is left out."""
    return [f"{key}={value}" for key, value in given.items() if value is not None]


def certificate(cell):
    """Both kinds of keys occur."""
    return cell.file("rsa" if cell.kind in ("clientcert", "starttls") else "ec")


def authorities(cell):
    return cell.file("stranger.crt" if cell.kind == "rejected" else "ca.crt")


def other_version(cell):
    """In TLS 1.3 the ends have no version in common: not all libraries let its ciphers be chosen."""
    return "1.2" if (cell.kind, cell.version) == ("alert", "1.3") else cell.version


def speaker(cell, protocol, waits=None):
    """The server of clients that have none, and of all STARTTLS."""
    cell.serve(lambda port: [
        cell.host.python, cell.host.ends / "speaker.py", *pairs(
            port=port, count=cell.count, protocol=protocol, version=other_version(cell),
            cert=certificate(cell), ca=cell.file("ca.crt"), alpn=cell.alpn(),
            ciphers=AES256 if (cell.kind, cell.version) == ("alert", "1.2") else None,
            group="secp384r1" if cell.kind == "hrr" else None, waits=waits,
            require="yes" if cell.kind == "clientcert" else None)])
    return reports.ends


def program(cell, command, side, port, group=None, ciphers=(None, None)):
    """An end of ends/, on one side of the cell. GROUP is the one that a server insists on, CIPHERS
    are those of the client and of the server of TLS 1.2 that have none in common."""
    server = side == "server"
    shown = certificate(cell) if server else None
    if not server and cell.kind == "clientcert":
        shown = cell.file("client")
    return [*command, side, *pairs(
        port=port, count=cell.count, version=other_version(cell) if server else cell.version,
        ca=cell.file("ca.crt") if server else authorities(cell), cert=shown,
        sni=None if server else cell.sni, alpn=cell.alpn(), starttls=cell.starttls or None,
        ciphers=ciphers[server] if (cell.kind, cell.version) == ("alert", "1.2") else None,
        group=group if server and cell.kind == "hrr" else None,
        require="yes" if server and cell.kind == "clientcert" else None)]


def own(cell, command, group, ciphers, server_command=None):
    """Both ends of ends/ but for STARTTLS."""
    if cell.starttls:
        speaker(cell, cell.starttls)
    else:
        cell.serve(lambda port: program(cell, server_command or command, "server", port, group,
                                        ciphers))
    cell.connect(program(cell, command, "client", cell.port, ciphers=ciphers))
    cell.finish()
    return reports.ends, reports.ends


# s_server and s_client of one OpenSSL or two. The group is what the server insists on.

def s_server(cell, openssl, groups):
    options = ["-naccept", str(cell.count), "-cert", f"{certificate(cell)}.crt", "-key",
               f"{certificate(cell)}.key", "-tls" + other_version(cell).replace(".", "_")]
    if cell.alpn():
        options += ["-alpn", cell.alpn()]
    if groups:
        options += ["-groups", groups]
    if cell.kind == "clientcert":
        options += ["-CAfile", cell.file("ca.crt"), "-Verify", "1", "-verify_return_error"]
    if (cell.kind, cell.version) == ("alert", "1.2"):
        options += ["-cipher", AES256]
    cell.serve(lambda port: [*openssl, "s_server", "-accept", f"127.0.0.1:{port}", *options])


def s_client(cell, openssl, groups=None):
    options = ["-servername", cell.sni, "-CAfile", authorities(cell), "-verify_return_error",
               "-tls" + cell.version.replace(".", "_")]
    if cell.alpn():
        options += ["-alpn", cell.alpn()]
    if groups:
        options += ["-groups", groups]
    if cell.kind == "clientcert":
        options += ["-cert", cell.file("client.crt"), "-key", cell.file("client.key")]
    if (cell.kind, cell.version) == ("alert", "1.2"):
        options += ["-cipher", AES128]
    if cell.starttls == "connect":
        options += ["-connect", f"{cell.sni}:443", "-proxy", f"127.0.0.1:{cell.port}"]
    else:
        options += ["-connect", f"127.0.0.1:{cell.port}"]
        options += ["-starttls", cell.starttls] if cell.starttls else []
    session = cell.folder / "session"
    for number in range(cell.count):
        if cell.kind == "resumed":
            options += [["-sess_out", session], ["-sess_in", session]][number]

        def done(client, number=number):
            """Both have said all. A session is in the file when its ticket has come."""
            said = cell.starttls or cell.server.text().count("CIPHER is") > number
            kept = cell.kind != "resumed" or number or session.exists() and session.stat().st_size
            return said and kept and client.says("Verify return code")

        cell.connect([*openssl, "s_client", *options], until=done)


def openssl(cell):
    command = ["openssl"]
    if cell.starttls:
        said = speaker(cell, cell.starttls)
    else:
        s_server(cell, command, "P-384" if cell.kind == "hrr" else None)
        said = reports.openssl_server
    s_client(cell, command)
    cell.finish()
    return reports.openssl_client, said


def newer(cell):
    """OpenSSL 3.5 and later has ML-KEM. 'pq': both do by default; 'hrr': the server wants it and
    the client has guessed another group; 'classic': a client that does not have it."""
    command = cell.host.newer_openssl
    groups = {"hrr": ("X25519MLKEM768", "X25519:X25519MLKEM768")}.get(cell.kind, (None, None))
    s_server(cell, command, groups[0])
    s_client(cell, ["openssl"] if cell.kind == "classic" else command, groups[1])
    cell.finish()
    return reports.openssl_client, reports.openssl_server


def curl(cell):
    said = speaker(cell, cell.starttls or "http")
    version = cell.version
    options = ["-sSv", "--cacert", authorities(cell), "--max-time", "20",
               "--connect-to", f"{cell.sni}:{cell.port}:127.0.0.1:{cell.port}",
               f"--tlsv{version}", "--tls-max", version]
    options += ["--http1.1"] if cell.alpn() else ["--no-alpn"]
    if (cell.kind, version) == ("alert", "1.2"):
        options += ["--ciphers", AES128]
    if cell.kind == "hrr":
        options += ["--curves", "X25519:P-384"]
    if cell.kind == "clientcert":
        options += ["--cert", cell.file("client.crt"), "--key", cell.file("client.key")]
    address = f"https://{cell.sni}:{cell.port}/"
    if cell.starttls == "connect":
        address = f"https://{cell.sni}/"
        options += ["--proxytunnel", "--proxy", f"http://127.0.0.1:{cell.port}"]
    elif cell.starttls == "proxy":
        options += ["--haproxy-protocol"]
    elif cell.starttls:
        address = f"{cell.starttls}://{cell.sni}:{cell.port}/"
        options += ["--ssl-reqd", "--user", "name:word"]
    if cell.starttls == "ftp":
        options += ["--head"]
    # Logging in is refused; that is after the handshake.
    cell.connect(["curl", *options, *[address] * cell.count], statuses=[0, 8, 9, 56, 67])
    cell.finish()
    return reports.curl, said


def gnutls(cell):
    if cell.starttls:
        # Of these it does not wait for the greeting. Either may come first; here it is the client.
        said = speaker(cell, cell.starttls, "yes" if cell.starttls in ("imap", "ftp") else None)
    else:
        said = gnutls_serv(cell)
    priority = f"NORMAL:-VERS-ALL:+VERS-TLS{cell.version}"
    if (cell.kind, cell.version) == ("alert", "1.2"):
        priority += ":-CIPHER-ALL:+AES-128-GCM"
    options = ["--x509cafile", authorities(cell), "--sni-hostname", cell.sni, "--verify-hostname",
               cell.sni, "--port", cell.port, "--priority", priority]
    if cell.alpn():
        options += ["--alpn", cell.alpn()]
    if cell.kind == "clientcert":
        options += ["--x509certfile", cell.file("client.crt"), "--x509keyfile",
                    cell.file("client.key")]
    if cell.kind == "resumed":
        options += ["--resume", "--waitresumption"]
    if cell.starttls:
        options += [f"--starttls-proto={cell.starttls}"]
    cell.connect(["gnutls-cli", *options, "127.0.0.1"],
                 until=lambda client: client.says("- Simple Client Mode:"))
    if cell.starttls:
        cell.finish()
    else:
        cell.finish(signal.SIGTERM, ["- Channel bindings", "Error in handshake"])
    return reports.gnutls_client, said


def gnutls_serv(cell):
    version = other_version(cell)
    priority = f"NORMAL:-VERS-ALL:+VERS-TLS{version}"
    if (cell.kind, cell.version) == ("alert", "1.2"):
        priority += ":-CIPHER-ALL:+AES-256-GCM"
    if cell.kind == "hrr":
        priority += ":-GROUP-ALL:+GROUP-SECP521R1"
    options = ["--echo", "--x509cafile", cell.file("ca.crt"),
               "--x509certfile", f"{certificate(cell)}.crt",
               "--x509keyfile", f"{certificate(cell)}.key", "--priority", priority,
               "--require-client-cert" if cell.kind == "clientcert" else "--disable-client-cert"]
    if cell.alpn():
        options += ["--alpn", cell.alpn()]
    cell.serve(lambda port: ["gnutls-serv", "--port", port, *options])
    return reports.gnutls_server


def python(cell):
    if not cell.starttls:
        return own(cell, [cell.host.python, cell.host.ends / "async_end.py"], "secp384r1",
                   (AES128, AES256))
    said = speaker(cell, cell.starttls)
    cell.connect([cell.host.python, cell.host.ends / "mail_client.py", *pairs(
        port=cell.port, protocol=cell.starttls, version=cell.version, ca=authorities(cell),
        sni=cell.sni)])
    cell.finish()
    return reports.ends, said


def node(cell):
    return own(cell, ["node", cell.host.ends / "end.js"], "P-384", (AES128, AES256))


def java(cell):
    command = ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
               "-cp", cell.host.built]
    server = command + (["-Djdk.tls.namedGroups=secp384r1"] if cell.kind == "hrr" else [])
    return own(cell, [*command, "End"], None, (IANA128, IANA256), [*server, "End"])


def go(cell):
    return own(cell, [cell.host.built / "go_end"], 24, (IANA128, IANA256))


def nss(cell):
    """selfserv answers a request and closes. tstclnt looks at certificates while the handshake goes
    on, but for -O."""
    cell.serve(lambda port: [
        "selfserv", "-d", f"sql:{cell.file('nss_server')}", "-p", port, "-v", "-u",
        "-n" if certificate(cell).name == "rsa" else "-e", certificate(cell).name,
        "-V", f"tls{other_version(cell)}:tls{other_version(cell)}",
        *(["-Q"] if cell.alpn() else []),
        *(["-I", "P384"] if cell.kind == "hrr" else []),
        *(["-r", "-r"] if cell.kind == "clientcert" else []),
        *(["-c", ":C02C"] if (cell.kind, cell.version) == ("alert", "1.2") else [])])
    request = cell.folder / "request"
    request.write_text("GET / HTTP/1.0\r\n\r\n")
    database = "nss_stranger" if cell.kind == "rejected" else "nss_client"
    cell.connect([
        "tstclnt", "-4", "-h", "127.0.0.1", "-a", cell.sni, "-p", cell.port, "-v", "-u",
        "-d", f"sql:{cell.file(database)}", "-V", f"tls{cell.version}:tls{cell.version}",
        "-A", request, "-L", cell.count,
        *(["-I", "x25519,P384"] if cell.kind == "hrr" else []),
        *(["-n", "client"] if cell.kind == "clientcert" else []),
        *(["-O"] if cell.kind == "rejected" else []),
        *(["-c", ":C02B"] if (cell.kind, cell.version) == ("alert", "1.2") else [])])
    cell.finish(signal.SIGTERM, ["cache hits", "returned error"])
    return reports.nss_client, reports.nss_server


def mbedtls(cell):
    command = [cell.host.built / "mbedtls_end"]
    return own(cell, command, 24, ("TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256",
                                   "TLS-ECDHE-ECDSA-WITH-AES-256-GCM-SHA384"))


# Each stack: what runs a cell, programs that it needs, protocols in which its client asks for TLS.
STACKS = {
    "openssl": (openssl, ["openssl"],
                ["smtp", "lmtp", "imap", "pop3", "ftp", "nntp", "sieve", "ldap", "xmpp", "postgres",
                 "mysql", "connect"]),
    "curl": (curl, ["curl"], ["smtp", "imap", "pop3", "ftp", "connect", "proxy"]),
    "gnutls": (gnutls, ["gnutls-cli", "gnutls-serv"],
               ["smtp", "lmtp", "imap", "pop3", "ftp", "nntp", "sieve", "ldap", "xmpp",
                "postgres"]),
    "python": (python, [], ["smtp", "imap", "pop3", "ftp"]),
    "node": (node, ["node"], ["smtp"]),
    "java": (java, ["java", "javac"], ["smtp"]),
    "go": (go, ["go"], ["smtp"]),
    "nss": (nss, ["tstclnt", "selfserv", "certutil", "pk12util"], []),
    "mbedtls": (mbedtls, ["gcc"], ["smtp"]),
    "openssl-3.5": (newer, ["openssl"], []),
}
KINDS = ["full", "resumed", "hrr", "clientcert", "alert", "rejected"]

# What a stack cannot do: (stack, version, kind), None for any.
CANNOT = {
    (None, "1.2", "hrr"): "TLS 1.2 has no such message",
    ("nss", None, "starttls"): "tstclnt speaks no protocol but TLS",
}


# Ends that refuse without a word, or when the handshake is over: what may come of it.
SILENT = {
    ("python", None, "alert"): ["reset", "failed"],       # asyncio closes before it has sent the
    ("python", None, "rejected"): ["reset", "failed"],    # alert; later versions send it
    ("node", "1.2", "rejected"): ["established"],         # node looks at the certificate when the
    ("node", "1.3", "rejected"): ["reset", "established"],    # library has finished
}


def outcomes(stack, version, kind):
    """How a connection of a cell may end."""
    for (of_stack, of_version, of_kind), words in SILENT.items():
        if of_stack == stack and of_version in (None, version) and of_kind == kind:
            return words
    return ["failed"] if kind in ("alert", "rejected") else ["established"]


def all_cells():
    """(stack, version, kind) of the whole matrix."""
    for stack, (_, _, protocols) in STACKS.items():
        if stack == "openssl-3.5":
            for kind in ("pq", "hrr", "classic"):
                yield stack, "1.3", kind
            continue
        for version in ("1.2", "1.3"):
            for kind in KINDS:
                yield stack, version, kind
            for protocol in protocols or [""]:
                yield stack, version, f"starttls {protocol}".strip()


def cannot(host, stack, version, kind):
    """Why there is no such cell; None where there is."""
    for (of_stack, of_version, of_kind), why in CANNOT.items():
        if (of_stack in (None, stack) and of_version in (None, version) and
                of_kind == kind.split(" ")[0]):
            return why
    absent = [name for name in STACKS[stack][1] if not shutil.which(name)]
    if absent:
        return f"no {absent[0]}"
    return host.cannot(stack, version, kind)
