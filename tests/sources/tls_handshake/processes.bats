#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# tls_handshake: whose handshake it is, of which library, and which of them are reported.

# shellcheck disable=SC2030,SC2031,SC2034 # each test is a subshell; variables are for what is loaded

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
    cat >tls.py <<'EOP'
import os, socket, ssl, sys, threading
server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server_side.load_cert_chain("localhost.crt", "localhost.key")
client_side = ssl.create_default_context(cafile="localhost.crt")
port = int(os.environ["PORT"])
def listen():
    return socket.create_server(("127.0.0.1", port), backlog=64)
def answer(peer):
    with server_side.wrap_socket(peer, server_side=True) as tls:
        tls.recv(1)
        print(os.getpid(), flush=True)
def ask():
    with socket.create_connection(("127.0.0.1", port)) as plain:
        with client_side.wrap_socket(plain, server_hostname="localhost") as tls:
            tls.sendall(b"x")
            while tls.recv(1):
                pass
EOP
}

teardown()
{
    handshakes_teardown
}

# library NAME: the file that a program's libNAME is, without symbolic links; empty: it has none.
library()
{
    local path

    path=$(ldd "$2" 2>/dev/null | awk -v name="lib$1.so" 'index($1, name) == 1 { print $3; exit }')
    [ -z "$path" ] || realpath "$path"
}

# has_said N: for until_true: the server has printed so many lines.
has_said()
{
    [ "$(wc -l <server.said)" -ge "$1" ]
}

# as_printed: the servers of the handshakes are the processes that printed themselves.
as_printed()
{
    diff <(told 'select(.role == "server") | .pid' | sort) <(sort server.said)
}

@test "a server that has made its processes before: the one that answers, not the one that listens" {
    cat >prefork.py <<'EOP'
from tls import *
listener = listen()
for _ in range(3):
    if os.fork() == 0:
        answer(listener.accept()[0])
        os._exit(0)
for _ in range(3):
    os.wait()
EOP
    trace_start events --event tls_handshake
    serve "$PYTHON" prefork.py
    for n in 1 2 3; do
        client_well "c$n"
        until_true has_said "$n"
    done
    trace_stop events
    both_told 3
    as_printed
    [ "$(sort -u server.said | wc -l)" -eq 3 ]
    refute_told "$SERVER"
    [ "$(tell .ppid '.role == "server"' | tr ' ' '\n' | sort -u)" = "$SERVER" ]
}

# refute_told PID: it made no handshake.
refute_told()
{
    [ -z "$(told "select(.pid == $1)")" ]
}

fork_each()
{
    cat >each.py <<'EOP'
from tls import *
listener = listen()
while True:
    peer, _ = listener.accept()
    if os.fork() == 0:
        answer(peer)
        os._exit(0)
    peer.close()
    os.wait()
EOP
}

@test "a server that makes a process for each connection: that one, of the library of its parent" {
    fork_each
    serve "$PYTHON" each.py
    # The server was there before: of what it has mapped no record came.
    trace_start events --event tls_handshake
    for n in 1 2 3 4; do
        client_well "c$n"
        until_true has_said "$n"
    done
    trace_stop events
    both_told 4
    as_printed
    [ "$(sort -u server.said | wc -l)" -eq 4 ]
    refute_told "$SERVER"
    [ "$(tell .process '.role == "server"')" = 'python3 python3 python3 python3' ]
    [ "$(tell .library '.role == "server"' | tr ' ' '\n' | sort -u)" = \
        "$(library ssl "$("$PYTHON" -c 'import _ssl; print(_ssl.__file__)')")" ]
    [ "$(tell .family '.role == "server"' | tr ' ' '\n' | sort -u)" = openssl ]
}

@test "threads, and both ends in one process" {
    cat >both.py <<'EOP'
from tls import *
listener = listen()
def serve():
    for _ in range(4):
        threading.Thread(target=answer, args=(listener.accept()[0],)).start()
threading.Thread(target=serve).start()
for _ in range(4):
    ask()
EOP
    trace_start events --event tls_handshake
    "$PYTHON" both.py >server.said
    trace_stop events
    both_told 4
    as_printed
    [ "$(told .pid | sort -u)" = "$(sort -u server.said)" ]
    [ "$(tell .server_name '.role == "server"')" = 'localhost localhost localhost localhost' ]
}

# What nginx logs of itself is the truth: which worker, what was agreed on, and the name asked for.
@test "nginx: the worker that has served, and what its log says of the connection" {
    local i
    needs nginx curl
    chmod a+x .
    mkdir pages
    echo hello >pages/page
    cat >nginx.conf <<EOF
daemon off;
worker_processes 2;
user nobody $(id -gn nobody);
pid $T/nginx.pid;
error_log $T/nginx.err;
events { worker_connections 64; }
http {
    client_body_temp_path $T/nginx.tmp;
    proxy_temp_path $T/nginx.tmp;
    fastcgi_temp_path $T/nginx.tmp;
    uwsgi_temp_path $T/nginx.tmp;
    scgi_temp_path $T/nginx.tmp;
    log_format facts '\$remote_port \$pid \$ssl_protocol \$ssl_curve \$ssl_server_name';
    access_log $T/access facts;
    server {
        listen 127.0.0.1:$PORT ssl;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_certificate $T/localhost.crt;
        ssl_certificate_key $T/localhost.key;
        root $T/pages;
    }
}
EOF
    trace_start events --event tls_handshake
    serve nginx -c "$T/nginx.conf"
    for i in 1 2 3 4 5 6; do
        curl -sk --tls-max "1.$((2 + i % 2))" --curves P-256 -o "page$i" \
            --resolve "h$i.example:$PORT:127.0.0.1" "https://h$i.example:$PORT/page"
        cmp pages/page "page$i"
    done
    trace_stop events
    # With its workers.
    kill "$SERVER"
    wait "$SERVER"
    both_told 6
    told 'select(.role == "server")' | jq -r '[(.peer | split(":")[1]), .pid, .version,
        (if .group == "secp256r1" then "prime256v1" else .group end), .server_name] |
        join(" ")' | sort >found
    [ "$(wc -l <found)" -eq 6 ]
    diff <(sort access) found
    # They became that after they had been made.
    [ "$(tell .uid '.role == "server"' | tr ' ' '\n' | sort -u)" = "$(id -u nobody)" ]
    [ "$(tell .process '.role == "client"' | tr ' ' '\n' | sort -u)" = curl ]
}

@test "a connection that is handed on to another program is the program's that reads" {
    cat >handed.py <<'EOP'
from tls import *
peer, _ = listen().accept()
print(os.getpid(), flush=True)
os.set_inheritable(peer.fileno(), True)
os.execlp(sys.executable, "python3", "-c", """
import socket, sys
from tls import answer
answer(socket.socket(fileno=int(sys.argv[1])))
""", str(peer.fileno()))
EOP
    trace_start events --event tls_handshake
    serve "$PYTHON" handed.py
    client_well c
    trace_stop events
    both_told 1
    must_tell "$(head -n 1 server.said)" .pid '.role == "server"'
}

@test "selection: by process, name, user, and by being COMMAND" {
    local name
    www
    chmod a+rwx .
    watch by_pid --event tls_handshake --pid "$SERVER"
    watch by_name --event tls_handshake --name PYTHON
    watch by_uid --event tls_handshake --uid nobody
    watch by_other --event tls_handshake --pid $$
    client_well c
    cat >ask.py <<'EOP'
from tls import *
ask()
EOP
    trace_run of_command out --event tls_handshake -- "$PYTHON" ask.py
    setpriv --reuid nobody --regid nogroup --clear-groups "$PYTHON" ask.py
    for name in by_pid by_name by_uid by_other; do
        unwatch "$name"
    done
    EVENTS=by_pid
    must_tell 'server server server' .role
    must_tell "$SERVER $SERVER $SERVER" .pid
    EVENTS=by_name
    must_tell 'client client' .role
    must_tell 'python3 python3' .process
    EVENTS=by_uid
    must_tell client .role
    must_tell "$(id -u nobody)" .uid
    EVENTS=by_other
    must_tell '' .role
    EVENTS=of_command
    must_tell client .role
    must_tell python3 .process
}

# clients_of COMMAND...: runs it while three tools look: for OpenSSL, for GnuTLS, for any library.
clients_of()
{
    local name
    www -www
    watch openssl --event tls_handshake --library openssl
    watch gnutls --event tls_handshake --library gnutls
    watch all --event tls_handshake
    "$@" >"$1.said" 2>&1
    for name in openssl gnutls all; do
        unwatch "$name"
    done
    EVENTS=all
    both_told "$(tell .pid '.role == "client"' | wc -w)"
}

@test "libraries: a handshake of OpenSSL" {
    clients_of client_well c -noservername
    must_tell openssl .family '.role == "client"'
    EVENTS=openssl
    must_tell openssl .process '.role == "client"'
    EVENTS=gnutls
    must_tell '' .pid
}

@test "libraries: a handshake of GnuTLS" {
    needs gnutls-cli
    clients_of gnutls-cli --no-ca-verification -p "$PORT" 127.0.0.1 </dev/null
    must_tell gnutls .family '.role == "client"'
    must_tell "$(library gnutls "$(command -v gnutls-cli)")" .library '.role == "client"'
    EVENTS=gnutls
    must_tell gnutls-cli .process
    must_tell client .role
    EVENTS=openssl
    must_tell server .role
}

# Where a build of curl has mapped GnuTLS as well, it is of OpenSSL still.
@test "libraries: curl, which may have mapped both" {
    local path
    needs curl
    path=$(library ssl "$(command -v curl)")
    [ -n "$path" ] || skip "this curl is not of OpenSSL"
    clients_of curl -sS --cacert localhost.crt "https://localhost:$PORT/"
    must_tell openssl .family '.role == "client"'
    must_tell "$path" .library '.role == "client"'
    must_tell null .library_candidates '.role == "client"'
    EVENTS=openssl
    must_tell curl .process '.role == "client"'
    EVENTS=gnutls
    must_tell '' .pid
}

@test "IPv6, and a socket of IPv6 whose peer has IPv4" {
    trace_start events --event tls_handshake
    www
    ADDRESS='[::1]' client_well six
    ADDRESS=127.0.0.1 client_well four
    trace_stop events
    both_told 2
    [ "$(of six .peer)" = "[::1]:$PORT" ]
    [ "$(of six .local server)" = "[::1]:$PORT" ]
    [[ $(of six .local) = "[::1]:"* ]]
    [ "$(of four .peer)" = "127.0.0.1:$PORT" ]
    # The server listens on all addresses of IPv6: it is the same socket.
    grep -qi " *[0-9]*: 0*:$(printf %04X "$PORT") " /proc/net/tcp6
    [ "$(of four .local server)" = "127.0.0.1:$PORT" ]
}

@test "a network namespace of its own" {
    cat >inside <<'EOP'
ip link set lo up
openssl s_server -accept "$PORT" -cert localhost.crt -key localhost.key -quiet &
echo $! >server.pid
until grep -q ":$(printf %04X "$PORT") 0*:0000 0A" /proc/net/tcp6; do sleep 0.02; done
openssl s_client -connect "127.0.0.1:$PORT" -brief </dev/null
kill $!
EOP
    needs ip
    trace_start events --event tls_handshake
    unshare -n bash -eu inside >inside.said 2>&1 3>&- || { cat inside.said; return 1; }
    trace_stop events
    both_told 1
    must_tell "$(cat server.pid)" .pid '.role == "server"'
    must_tell 'established established' .outcome
}

@test "what is no handshake is not reported: HTTP, a scan, nonsense" {
    local other
    trace_start events --event tls_handshake,ssh_handshake
    serve "$PYTHON" -m http.server --bind 127.0.0.1 "$PORT"
    other=$PORT
    "$PYTHON" -c "
import socket, urllib.request
port = $PORT
urllib.request.urlopen('http://127.0.0.1:%d/' % port).read()
for words in b'', b'SSH', b'\x16', b'\x16\x03\x01\xff\xff\x01', b'\x80\x2e\x01', b'\0' * 100:
    with socket.create_connection(('127.0.0.1', port)) as peer:
        peer.sendall(words)
"
    # What is one is reported, in the same run.
    PORT=$(free_port)
    www
    client_well c
    trace_stop events
    both_told 1
    PORT=$other
    must_tell '' .event_type
}

# What OpenSSL says of the end of a connection that it did not expect may come when nobody is there.
@test "a server that speaks no TLS: failed; one that says nothing: reset, or the client's alert" {
    cat >mute.py <<'EOP'
from tls import *
listener = listen()
for answer in b"HTTP/1.0 400 Bad Request\r\n\r\n", b"":
    peer, _ = listener.accept()
    peer.recv(100000)
    peer.sendall(answer)
    peer.close()
EOP
    local role
    trace_start events --event tls_handshake
    serve "$PYTHON" mute.py
    client plain -servername plain.example
    client mute -servername mute.example
    trace_stop events
    both_told 2
    same_at_both '.server_name, .version'
    [ "$(of plain '.outcome, .alert' | paste -sd,)" = failed,null ]
    [ "$(of plain .outcome server)" = failed ]
    for role in client server; do
        [[ $(of mute '.outcome, .alert' $role | paste -sd,) =~ ^(reset,null|failed,decode_error)$ ]]
    done
    [ "$(of mute '.server_name, .version, .not_known.group' | paste -sd,)" = \
        'mute.example,null,no ServerHello was seen' ]
}

@test "every format: the same events, JSON by the letter, and as the schema has them" {
    local format
    "$CT" schema >schema.json
    cat >both.py <<'EOP'
from tls import *
listener = listen()
thread = threading.Thread(target=lambda: answer(listener.accept()[0]))
thread.start()
server_side.maximum_version = ssl.TLSVersion.TLSv1_2
ask()
thread.join()
EOP
    for format in json-lines json-array json-pretty text json-stream; do
        timeout 60 "$CT" monitor --no-redact --event tls_handshake --format "$format" \
            --output "as.$format" -- "$PYTHON" both.py >out 2>err </dev/null 3>&-
    done
    for format in json-lines json-array json-pretty json-stream; do
        jq -c 'if type == "array" then .[] else . end' "as.$format" >events
        both_told 1
        trace_accounts events
        valid_events events schema.json
        told 'del(.pid, .ppid, .local, .peer, .duration_us, .timestamp)' | sort >"of.$format"
        diff of.json-lines "of.$format"
    done
    [ "$(jq -s length as.json-array)" -eq 1 ]
    [ "$(jq -c . as.json-lines | wc -l)" -eq "$(wc -l <as.json-lines)" ]
    [ "$(grep -c '] tls_handshake client established TLSv1.2 ' as.text)" -eq 1 ]
    [ "$(grep -c '] tls_handshake server established TLSv1.2 ' as.text)" -eq 1 ]
    grep -q " 127.0.0.1:$PORT" as.text
    # With everything else of COMMAND, too.
    trace_run events out -- "$PYTHON" both.py
    both_told 1
    valid_events events schema.json
}

# What is in the stream but for its first line, where COMMAND's own arguments are.
rest_of()
{
    case $1 in
    *text) sed '/^start /d' "$1" ;;
    *) jq -c 'if type == "array" then .[] else . end | select(.event_type != "start")' "$1" ;;
    esac
}

@test "--redact-sni: neither name nor certificates, in any format" {
    local format
    www
    for format in json-lines json-array json-pretty text json-stream; do
        timeout 60 "$CT" monitor --event tls_handshake --redact-sni --format "$format" \
            --output "as.$format" -- openssl s_client -tls1_2 -connect "127.0.0.1:$PORT" \
            -servername of.nobody.example </dev/null >out 2>err 3>&-
        rest_of "as.$format" >rest
        grep -qF '***' rest
        grep -q ":$PORT" rest
        [ "$(grep -cE 'nobody|CN=localhost' rest)" -eq 0 ]
    done
    EVENTS=as.json-stream
    must_tell '***' .server_name
    must_tell null .certificates
    must_tell established .outcome
    # Without it both are there.
    trace_run events out --event tls_handshake -- openssl s_client -tls1_2 \
        -connect "127.0.0.1:$PORT" -servername of.nobody.example
    EVENTS=events
    must_tell of.nobody.example .server_name
    must_tell CN=localhost '.certificates[0].subject'
}
