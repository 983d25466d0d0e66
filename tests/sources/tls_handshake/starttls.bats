#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# tls_handshake: TLS that another protocol asks for, as `openssl s_client -starttls` does it.

load ../../support/trace
load ../../support/handshakes

# Read by bats: what hangs is ended, as a failure.
BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-300}

setup_file()
{
    handshakes_setup_file
}

setup()
{
    handshakes_setup "$PYTHON"
    # A server that speaks the protocols it is given, a connection each, as far as TLS: what it says
    # first, then what it waits for and says to it.
    cat >server.py <<'EOP'
import os, socket, ssl, sys
LINES = {
    "smtp": (b"220 mx ESMTP\r\n", (b"EHLO", b"250-mx\r\n250 STARTTLS\r\n"),
             (b"STARTTLS", b"220 go\r\n")),
    "lmtp": (b"220 mx LMTP\r\n", (b"LHLO", b"250-mx\r\n250 STARTTLS\r\n"),
             (b"STARTTLS", b"220 go\r\n")),
    "imap": (b"* OK ready\r\n", (b"CAPABILITY", b"* CAPABILITY IMAP4rev1 STARTTLS\r\n. OK x\r\n"),
             (b"STARTTLS", b". OK go\r\n")),
    "pop3": (b"+OK ready\r\n", (b"STLS", b"+OK go\r\n")),
    "ftp": (b"220 ftpd\r\n", (b"AUTH TLS", b"234 go\r\n")),
    "nntp": (b"200 news\r\n", (b"CAPABILITIES", b"101 list:\r\nSTARTTLS\r\n.\r\n"),
             (b"STARTTLS", b"382 go\r\n")),
    "sieve": (b'"IMPLEMENTATION" "x"\r\n"STARTTLS"\r\nOK "hi"\r\n', (b"STARTTLS", b'OK "go"\r\n')),
    "postgres": (b"", (b"\x04\xd2\x16\x2f", b"S")),
    "refused": (b"", (b"\x04\xd2\x16\x2f", b"N")),
    "ldap": (b"", (b"1.3.6.1.4.1.1466.20037",
                   b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00")),
    "xmpp": (b"", (b"<stream:stream", b"<?xml version='1.0'?><stream:stream id='1'>"
                   b"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
                   b"</stream:features>"),
             (b"<starttls", b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")),
    "mysql": (b"\x4a\x00\x00\x00\x0a8.0.36\x00\x01\x00\x00\x0012345678\x00\xff\xff\x21\x02\x00"
              b"\xff\xdf\x15" + bytes(10) + b"123456789012\x00mysql_native_password\x00",
              (b"\x20\x00\x00\x01", b"")),
}
# What ends a request that is not text.
BINARY = {name: (LINES[name][1][0],) for name in ("postgres", "refused", "ldap", "mysql")}
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("localhost.crt", "localhost.key")
listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))

def serve(peer, name):
    first, *rest = LINES[name]
    peer.sendall(first)
    for awaited, answer in rest:
        read = b""
        # Not a byte of TLS, which may follow at once.
        while awaited not in read or not read.endswith((b"\n", b">") + BINARY.get(name, ())):
            more = peer.recv(1)
            if not more:
                return
            read += more
        while name == "mysql" and len(read) < 36:
            read += peer.recv(1)
        peer.sendall(answer)
    if name == "refused":
        return
    with context.wrap_socket(peer, server_side=True) as tls:
        tls.recv(1)

for name in sys.argv[1:]:
    with listener.accept()[0] as peer:
        serve(peer, name)
EOP
}

teardown()
{
    handshakes_teardown
}

@test "each protocol that s_client knows: its name, and the handshake behind it" {
    local name
    local names=(smtp lmtp imap pop3 ftp nntp sieve postgres ldap xmpp mysql)
    trace_start events --event tls_handshake
    serve "$PYTHON" server.py "${names[@]}"
    for name in "${names[@]}"; do
        client_well "$name" -starttls "$name" -name localhost -servername "$name.example"
    done
    trace_stop events
    both_told "${#names[@]}"
    for name in "${names[@]}"; do
        case $name in
        lmtp) [ "$(of "$name" .starttls)" = smtp ] ;;
        postgres) [ "$(of "$name" .starttls)" = postgresql ] ;;
        *) [ "$(of "$name" .starttls)" = "$name" ] ;;
        esac
        [ "$(of "$name" .starttls server)" = "$(of "$name" .starttls)" ]
        [ "$(of "$name" '.outcome, .version, .server_name' server | paste -sd,)" = \
            "established,TLSv1.3,$name.example" ]
    done
}

@test "what is refused, or never asked for, is no handshake" {
    trace_start events --event tls_handshake
    serve "$PYTHON" server.py refused smtp pop3
    client refused -starttls postgres
    [ "$(cat refused.status)" -ne 0 ]
    # A client of mail that does not ask.
    "$PYTHON" -c "
import socket
with socket.create_connection(('127.0.0.1', $PORT)) as peer:
    for words in b'EHLO a\r\n', b'QUIT\r\n':
        peer.recv(100)
        peer.sendall(words)"
    client_well pop3 -starttls pop3
    trace_stop events
    both_told 1
    must_tell 'pop3 pop3' .starttls
}

@test "a proxy that connects on request" {
    cat >proxy.py <<'EOP'
import os, select, socket
listener = socket.create_server(("127.0.0.1", int(os.environ["PROXY"])))
peer, _ = listener.accept()
asked = b""
while b"\r\n\r\n" not in asked:
    asked += peer.recv(4096)
server = socket.create_connection(("127.0.0.1", int(os.environ["PORT"])))
peer.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
other = {peer: server, server: peer}
while True:
    for ready in select.select(list(other), [], [])[0]:
        some = ready.recv(65536)
        if not some:
            raise SystemExit
        other[ready].sendall(some)
EOP
    local ours=$PORT proxy
    proxy=$(free_port)
    trace_start events --event tls_handshake
    www
    PORT=$proxy
    PROXY=$proxy PORT=$ours serve "$PYTHON" proxy.py
    until_true port_open "$proxy"
    PORT=$ours ADDRESS=127.0.0.1 client_well c -proxy "127.0.0.1:$proxy"
    trace_stop events
    # Its own two connections are seen as well: the client's is with the proxy.
    PORT=$proxy
    both_told 1
    must_tell 'http_connect http_connect' .starttls
    must_tell "$(cat c.pid)" .pid '.role == "client"'
    PORT=$ours
    both_told 1
    must_tell 'null null' .starttls
    must_tell 'established established' .outcome
}

@test "a header of a proxy in front of it" {
    cat >header.py <<'EOP'
import os, socket, ssl
context = ssl.create_default_context(cafile="localhost.crt")
for header in (b"PROXY TCP4 127.0.0.1 127.0.0.1 4711 443\r\n",
               b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\x7f\0\0\1\x7f\0\0\1\xd4\x31\x00\x19"):
    plain = socket.create_connection(("127.0.0.1", int(os.environ["PORT"])))
    plain.sendall(header)
    with context.wrap_socket(plain, server_hostname="localhost") as tls:
        tls.sendall(b"x")
EOP
    cat >behind.py <<'EOP'
import os, socket, ssl
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("localhost.crt", "localhost.key")
listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
for end, size in (b"\r\n", 0), (b"", 28):
    peer, _ = listener.accept()
    header = b""
    while len(header) < size or not header.endswith(end):
        header += peer.recv(1)
    with context.wrap_socket(peer, server_side=True) as tls:
        tls.recv(1)
EOP
    trace_start events --event tls_handshake
    serve "$PYTHON" behind.py
    "$PYTHON" header.py
    wait "$SERVER"
    trace_stop events
    both_told 2
    [ "$(tell .starttls '.role == "server"' | tr ' ' '\n' | sort | paste -sd' ')" = \
        'proxy_v1 proxy_v2' ]
    same_at_both '.starttls, .outcome, .version'
}
