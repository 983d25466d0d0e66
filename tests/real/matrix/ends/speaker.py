# SPDX-License-Identifier: MIT
"""speaker.py KEY=VALUE...: a server that speaks a protocol in the clear until the client asks for
TLS, or HTTP under TLS from the start. With waits=yes it says nothing before the client does. A line
for each connection: see ../reports.py.
"""

import re
import socket
import ssl
import struct
import sys

GIVEN = dict(word.split("=", 1) for word in sys.argv[1:])
VERSION = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
# How each begins, what asks for TLS, the answer to that, and other answers.
LINES = {
    "smtp": ("220 localhost ESMTP", "STARTTLS", "220 go", {
        "EHLO": "250-localhost\r\n250 STARTTLS", "QUIT": "221 bye", "": "250 fine"}),
    "lmtp": ("220 localhost LMTP", "STARTTLS", "220 go", {
        "LHLO": "250-localhost\r\n250 STARTTLS", "QUIT": "221 bye", "": "250 fine"}),
    "pop3": ("+OK ready", "STLS", "+OK go", {
        "CAPA": "+OK\r\nSTLS\r\nUSER\r\n.", "LIST": "+OK\r\n.", "QUIT": "+OK bye", "": "+OK"}),
    "ftp": ("220 ready", "AUTH", "234 go", {
        "FEAT": "211-\r\n AUTH TLS\r\n211 end", "USER": "230 in", "PWD": '257 "/"',
        "QUIT": "221 bye", "": "200 fine"}),
    "nntp": ("200 ready", "STARTTLS", "382 go", {
        "CAPABILITIES": "101\r\nVERSION 2\r\nSTARTTLS\r\n.", "QUIT": "205 bye", "": "500"}),
    "sieve": ('"IMPLEMENTATION" "x"\r\n"STARTTLS"\r\nOK "ready"', "STARTTLS", 'OK "go"', {
        "CAPABILITY": '"IMPLEMENTATION" "x"\r\n"STARTTLS"\r\nOK "done"', "LOGOUT": "OK",
        "": "NO"}),
}
IMAP = "* CAPABILITY IMAP4rev1 STARTTLS"


def context():
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = made.maximum_version = VERSION[GIVEN["version"]]
    made.load_cert_chain(GIVEN["cert"] + ".crt", GIVEN["cert"] + ".key")
    made.load_verify_locations(GIVEN["ca"])
    if "alpn" in GIVEN:
        made.set_alpn_protocols([GIVEN["alpn"]])
    if "ciphers" in GIVEN:
        made.set_ciphers(GIVEN["ciphers"])
    if "group" in GIVEN:
        made.set_ecdh_curve(GIVEN["group"])
    if "require" in GIVEN:
        made.verify_mode = ssl.CERT_REQUIRED
    return made


def line_of(peer):
    """Up to the end of a line, byte by byte: what follows may be TLS."""
    line = b""
    while not line.endswith(b"\n"):
        byte = peer.recv(1)
        if not byte:
            return None
        line += byte
    return line.decode().strip()


def until(peer, pattern):
    seen = b""
    while not re.search(pattern, seen):
        byte = peer.recv(1)
        if not byte:
            sys.exit(f"ended after {seen}")
        seen += byte
    return seen


def say(peer, text):
    peer.sendall(text.encode() + b"\r\n")


def talk(peer, protocol, greet):
    """Protocols of lines: until the client asks for TLS, or, under TLS, until it goes."""
    greeting, ask, go, answers = LINES[protocol]
    if greet:
        say(peer, greeting)
    while (line := line_of(peer)) is not None:
        # An old name, which nobody has to know (RFC 4217 section 17).
        if line == "AUTH SSL":
            say(peer, "504 unknown")
            continue
        word = line.split(" ")[0].upper()
        if word == ask:
            say(peer, go)
            return
        say(peer, answers.get(word, answers[""]))
        if word == "QUIT":
            return


def imap(peer, greet):
    if greet:
        say(peer, "* OK ready")
    while (line := line_of(peer)) is not None:
        tag, word = line.split(" ")[:2]
        word = word.upper()
        if word == "CAPABILITY":
            say(peer, IMAP)
        if word == "LOGOUT":
            say(peer, "* BYE")
        say(peer, f"{tag} OK done")
        if word in ("STARTTLS", "LOGOUT"):
            return


def ldap(peer):
    """The extended request and its response (RFC 4511 section 4.14)."""
    head = peer.recv(2, socket.MSG_WAITALL)
    body = peer.recv(head[1], socket.MSG_WAITALL)
    result = b"\x78\x07\x0a\x01\x00\x04\x00\x04\x00"
    peer.sendall(bytes([0x30, 3 + len(result)]) + body[:3] + result)


def xmpp(peer):
    until(peer, rb"<stream:stream[^>]*>")
    say(peer, "<?xml version='1.0'?><stream:stream xmlns='jabber:client' version='1.0' id='1' "
        "xmlns:stream='http://etherx.jabber.org/streams'><stream:features>"
        "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>")
    until(peer, rb"<starttls[^>]*>")
    peer.sendall(b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")


def postgres(peer):
    """SSLRequest is a size and a number."""
    assert struct.unpack("!II", peer.recv(8, socket.MSG_WAITALL)) == (8, 80877103)
    peer.sendall(b"S")


def mysql(peer):
    """A greeting of protocol 10 with CLIENT_SSL, after which the client sends 32 bytes."""
    greeting = (b"\x0a8.0.0\0" + bytes(4) + b"saltsalt\0" + struct.pack("<HBHH", 0xaa00, 33, 2, 0) +
                bytes([21]) + bytes(10) + b"saltsaltsalt\0")
    peer.sendall(struct.pack("<I", len(greeting)) + greeting)
    peer.recv(36, socket.MSG_WAITALL)


def connect(peer):
    """A proxy that is itself where the client wants to go (RFC 9110 section 9.3.6)."""
    until(peer, rb"\r\n\r\n")
    say(peer, "HTTP/1.1 200 Connected\r\n")


def proxy(peer):
    """The line with which a proxy tells whom it stands for, of version 1."""
    assert until(peer, rb"\r\n").startswith(b"PROXY TCP4 ")


def http(peer):
    until(peer, rb"\r\n\r\n")
    say(peer, "HTTP/1.0 200 OK\r\nConnection: close\r\nContent-Length: 6\r\n\r\nhello")


def speak(peer, greet):
    protocol = GIVEN["protocol"]
    if protocol in LINES:
        talk(peer, protocol, greet)
    elif protocol == "imap":
        imap(peer, greet)
    elif greet:
        {"ldap": ldap, "xmpp": xmpp, "postgres": postgres, "mysql": mysql, "connect": connect,
         "proxy": proxy}[protocol](peer)
    elif protocol in ("connect", "proxy"):
        http(peer)
    else:
        peer.recv(1)


def serve(made, plain):
    names = []
    made.sni_callback = lambda tls, name, _: names.append(name)
    if "waits" in GIVEN:
        plain.recv(1, socket.MSG_PEEK)
    if GIVEN["protocol"] != "http":
        speak(plain, True)
    try:
        tls = made.wrap_socket(plain, server_side=True)
    except (ssl.SSLError, OSError) as error:
        print("report failed", error, flush=True)
        return
    words = {"version": tls.version(), "cipher": tls.cipher()[0],
             "sni": names[0] if names and names[0] else "none",
             "alpn": tls.selected_alpn_protocol() or "none",
             "resumed": "yes" if tls.session_reused else "no",
             "client_cert": "yes" if tls.getpeercert() else "no"}
    print("report", *(f"{key}={value}" for key, value in words.items()), flush=True)
    try:
        if GIVEN["protocol"] == "http":
            http(tls)
            tls.unwrap()
        else:
            speak(tls, False)
    except (ssl.SSLError, OSError) as error:
        print("ended by", error, flush=True)
    tls.close()


def main():
    made = context()
    with socket.create_server(("127.0.0.1", int(GIVEN["port"]))) as listener:
        for _ in range(int(GIVEN["count"])):
            peer, _ = listener.accept()
            with peer:
                serve(made, peer)


main()
