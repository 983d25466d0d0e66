#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# TLS servers with a client each: what the tool reports is what strace, the shell and /proc say.

load real
load ../support/nginx

# What the server and its two clients open together.
SERVED='server.crt success
server.key success
stranger.crt success'

# nginx_prepare on|off: a daemon or not, with its page.
nginx_prepare()
{
    nginx_config_tls "$1" 1
    echo hello >www/index.html
}

# The files that the configuration names for TLS.
nginx_files()
{
    sed -nE "s,^ *ssl_certificate(_key)? $T/(.*);,\2 success,p" nginx.conf
}

nginx_and_curl()
{
    start nginx -p "$T" -e nginx.err -c nginx.conf
    ends_with 0 curl -sS --cacert server.crt "https://localhost:$PORT/"
    ends_with 60 curl -sS --cacert stranger.crt "https://localhost:$PORT/"
    ends_with 77 curl -sS --cacert absent.crt "https://localhost:$PORT/"
    ends_with 60 curl -sSv "https://localhost:$PORT/" 2>curl.log
    stop QUIT 0
}

# The libraries that the tool and ldd know of a program; the loader's list has more than crypto.
LISTED='/lib(ssl|crypto|crypt|gnutls|nettle|ssh2|krb5|gssapi_krb5)\.so'

listed()
{
    ldd "$(command -v "$1")" | awk '$2 == "=>" { print $3 }' | xargs -n 1 realpath |
        grep -E "$LISTED" | sort
}

@test "nginx and curl: certificate, key, authorities, libraries and statuses" {
    needs nginx curl ldd
    nginx_prepare off
    observe nginx_and_curl
    grep -qx hello out
    diff <(nginx_files) <(opened nginx)
    diff - <(opened curl | uniq) <<<$'server.crt success\nstranger.crt success\nabsent.crt ENOENT'
    # The master and its worker.
    [ "$(ended nginx)" = "0 0" ]
    [ "$(ended curl)" = "0 60 77 60" ]
    for program in nginx curl; do
        diff <(listed "$program") <(jq -r --arg program "$program" '
            select(.event_type == "lib_load" and .process == $program) | .library' events |
            grep -E "$LISTED" | sort -u)
    done
    # Where no authority is given, what curl says it uses.
    bundle=$(sed -n 's/^\* *CAfile: //p' curl.log)
    [ -s "$bundle" ]
    [ "$(jq -r --arg bundle "$bundle" 'select(.event_type == "file_open" and .process == "curl" and
        .file == $bundle) | "\(.result) \(.flags) \(.file_kind) \(.inode)"' events | uniq)" = \
        "success O_RDONLY ca_bundle $(stat -L -c %i "$bundle")" ]
}

# nginx_gone: whether the daemon has removed its file, as the last thing.
nginx_gone()
{
    [ ! -e nginx.pid ]
}

@test "the monitor waits for nginx by name: the daemon, and its certificate again on reload" {
    needs nginx curl
    nginx_prepare on
    trace_start events --name nginx
    "${STRACE[@]}" -o strace -- nginx -p "$T" -e nginx.err -c nginx.conf 3>&- &
    KILL=$!
    until_true port_open "$PORT"
    until_true test -s nginx.pid
    # A process outside the selection that opens the same files.
    curl -sS --cacert server.crt "https://localhost:$PORT/" >out
    grep -qx hello out
    cp stranger.crt server.crt
    cp stranger.key server.key
    kill -HUP "$(cat nginx.pid)"
    until_true curl -sS --cacert stranger.crt -o out "https://localhost:$PORT/"
    maps "$(cat nginx.pid)"
    kill -QUIT "$(cat nginx.pid)"
    until_true nginx_gone
    wait "$KILL"
    trace_stop events
    # The daemon has its libraries from the process that made it, which has ended.
    rm maps.*
    agree
    diff <(nginx_files; nginx_files) <(opened nginx)
    [ -z "$(jq 'select(.process and .process != "nginx")' events)" ]
    # The process that was started, two workers, the daemon.
    [ "$(ended nginx)" = "0 0 0 0" ]
}

# crypto_mapped PID: the crypto libraries in its memory, one a line.
crypto_mapped()
{
    sed -nE "s,^[^/]*[ ](/.*${LISTED}[^/]*)$,\1,p" "/proc/$1/maps" | sort -u
}

profiling()
{
    grep -qs 'profiling started' profile.err
}

@test "nginx by its pid: profile of the master, and of the workers with it" {
    local master

    needs nginx curl
    nginx_prepare off
    nginx -p "$T" -e nginx.err -c nginx.conf </dev/null 3>&- &
    KILL=$!
    master=$!
    until_true port_open "$PORT"
    "$CT" profile --no-redact --pid "$master" --follow-children --output profile </dev/null 2>profile.err 3>&- &
    TRACER=$!
    until_true profiling
    for _ in 1 2 3; do
        curl -sS --cacert server.crt -o out "https://localhost:$PORT/"
        grep -qx hello out
    done
    cp "$T/stranger.crt" server.crt
    cp "$T/stranger.key" server.key
    crypto_mapped "$master" >libraries
    [ -s libraries ]
    # The master reads both again, and has another worker.
    kill -HUP "$master"
    until_true curl -sS --cacert stranger.crt -o out "https://localhost:$PORT/"
    kill -QUIT "$master"
    wait "$master"
    wait "$TRACER"
    TRACER=
    [ "$(jq -r '.process | "\(.pid) \(.name)"' profile)" = "$master nginx" ]
    diff libraries <(jq -r '.libraries[].path' profile | grep -E "$LISTED" | sort)
    diff <(nginx_files | sed "s, .*,," | sort) <(jq -r --arg dir "$T/" '.files_accessed[].path |
        select(startswith($dir)) | ltrimstr($dir)' profile | sort)
    # The master, its worker, and the one after.
    [ "$(jq '.processes | length' profile)" -eq 3 ]
    [ "$(jq -c --argjson pid "$master" '[.processes[] | select(.pid != $pid) | [.ppid, .name]] | unique' \
        profile)" = "[[$master,\"nginx\"]]" ]
    # Four requests, each a handshake of a server.
    [ "$(jq '[.tls_sessions[] | select(.role == "server" and .outcome == "established") | .count] | add' \
        profile)" -ge 4 ]
}

openssl_server()
{
    start openssl s_server -quiet -www -accept "127.0.0.1:$PORT" -cert server.crt -key server.key
    ends_with 0 openssl s_client -connect "127.0.0.1:$PORT" -CAfile server.crt -verify_return_error
    ends_with 1 openssl s_client -connect "127.0.0.1:$PORT" -CAfile stranger.crt -verify_return_error
    stop TERM 143
}

@test "openssl s_server and s_client" {
    observe openssl_server
    diff - <(opened openssl | sort -u) <<<"$SERVED"
    [ "$(ended openssl)" = "0 1 143" ]
    [ "$(jq -r 'select(.exit_code == 143) | .signal' events)" = SIGTERM ]
    has_loaded openssl openssl
}

gnutls_server()
{
    start gnutls-serv --quiet --http --port "$PORT" \
        --x509certfile server.crt --x509keyfile server.key
    ends_with 0 gnutls-cli --x509cafile server.crt --port "$PORT" localhost
    ends_with 1 gnutls-cli --x509cafile stranger.crt --port "$PORT" localhost
    stop TERM 1
}

@test "gnutls-serv and gnutls-cli" {
    needs gnutls-serv gnutls-cli
    observe gnutls_server
    diff - <(opened gnutls-serv | sort -u) <<<$'server.crt success\nserver.key success'
    diff - <(opened gnutls-cli | sort -u) <<<$'server.crt success\nstranger.crt success'
    [ "$(ended gnutls-cli)" = "0 1" ]
    # It catches the signal.
    [ "$(ended gnutls-serv)" = 1 ]
    has_loaded gnutls-serv gnutls nettle
    has_loaded gnutls-cli gnutls nettle
}

python_server()
{
    cat >server.py <<'EOP'
import http.server, os, ssl
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("server.crt", "server.key")
server = http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])),
                                http.server.SimpleHTTPRequestHandler)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
EOP
    cat >client.py <<'EOP'
import os, socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[1])
try:
    with socket.create_connection(("127.0.0.1", int(os.environ["PORT"])), 20) as plain:
        context.wrap_socket(plain, server_hostname="localhost").version()
except ssl.SSLCertVerificationError:
    sys.exit(3)
finally:
    with open("/proc/self/maps") as source, open(f"maps.{os.getpid()}", "w") as target:
        target.write(source.read())
EOP
    start "$PYTHON" server.py
    ends_with 0 "$PYTHON" client.py server.crt
    ends_with 3 "$PYTHON" client.py stranger.crt
    stop TERM 143
}

@test "python ssl, server and client" {
    observe python_server
    diff - <(opened python3 | sort -u) <<<"$SERVED"
    has_loaded python3 openssl python
    [ "$(ended python3)" = "0 3 143" ]
    [ "$(find . -name 'maps.*' | wc -l)" -eq 3 ]
}

node_server()
{
    cat >server.js <<'EOJ'
const fs = require("fs");
const options = { cert: fs.readFileSync("server.crt"), key: fs.readFileSync("server.key") };
require("https").createServer(options, (request, response) => response.end("hello\n"))
    .listen(Number(process.env.PORT), "127.0.0.1");
EOJ
    # The read of the authority is asynchronous: a thread of the process opens it.
    cat >client.js <<'EOJ'
require("fs").readFile(process.argv[2], (error, ca) => {
    const options = { host: "localhost", family: 4, port: process.env.PORT, ca, timeout: 20000 };
    require("https").get(options, (response) => response.pipe(process.stdout))
        .on("error", () => process.exit(4));
});
EOJ
    start node server.js
    ends_with 0 node client.js server.crt
    ends_with 4 node client.js stranger.crt
    stop TERM 143
}

@test "node https, server and client" {
    needs node
    observe node_server
    grep -qx hello out
    diff - <(opened node | sort -u) <<<"$SERVED"
    [ "$(ended node)" = "0 4 143" ]
}
