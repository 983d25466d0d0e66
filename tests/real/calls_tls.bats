#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# TLS handshakes of real clients and servers, with a version and a cipher that are known: the calls
# tell these, what came of them, and what somebody should look at.

load calls
load ../support/nginx

# What TLS 1.3 with TLS_AES_256_GCM_SHA384, X25519 and a P-256 certificate consists of (RFC 8446):
# the hash of the handshake and keys derived from it by HMAC. SHA-256 is of the identifier of a
# ticket, which libssl itself makes for its table of sessions.
TLS13='AES-256-GCM ECDSA-SHA-256 HMAC-SHA-384 SHA-256 SHA-384 TLS13-KDF X25519'
# A server encrypts its tickets (RFC 5077 section 4), and asks for the MAC by name.
TICKETS='AES-256-CBC HMAC HMAC-SHA-256'

# together SET...: the algorithms of both, in order, each once.
together()
{
    printf '%s\n' "$@" | tr ' ' '\n' | sort -u | paste -sd' '
}

# www: openssl s_server on $PORT, which answers requests.
www()
{
    serve openssl s_server -accept "$PORT" -cert server.crt -key server.key -www
}

# In an act: a request, and all that comes of it.
request()
{
    printf 'GET / HTTP/1.0\r\n\r\n' | openssl s_client -connect "127.0.0.1:$PORT" -ign_eof "$@"
}

s_client_13()
{
    request -CAfile server.crt -verify_return_error -tls1_3 -groups X25519 \
        -ciphersuites TLS_AES_256_GCM_SHA384
}

s_client_12()
{
    request -CAfile server.crt -verify_return_error -tls1_2 -groups X25519:P-256 \
        -cipher ECDHE-ECDSA-AES128-GCM-SHA256
}

s_client_cbc()
{
    request -CAfile server.crt -verify_return_error -tls1_2 -groups P-256 \
        -cipher ECDHE-ECDSA-AES256-SHA
}

@test "openssl s_client: TLS 1.3 and 1.2, as it says what was agreed on" {
    export -f request
    www
    calls s_client_13
    grep -q 'New, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384' out
    grep -q 'Peer signing digest: SHA256' out
    grep -q 'Server Temp Key: X25519' out
    diff - <(sets openssl) <<<"$TLS13"
    [ -z "$(findings openssl)" ]
    calls s_client_12
    grep -q 'New, TLSv1.2, Cipher is ECDHE-ECDSA-AES128-GCM-SHA256' out
    diff - <(sets openssl) <<<'AES-128-GCM ECDSA-SHA-256 HMAC-SHA-256 SHA-256 TLS1-PRF X25519'
    [ -z "$(findings openssl)" ]
    calls s_client_cbc
    grep -q 'Cipher is ECDHE-ECDSA-AES256-SHA' out
    grep -q 'Server Temp Key: ECDH, prime256v1' out
    # The MAC of records is HMAC-SHA-1, which is no signature.
    diff - <(sets openssl) <<EOL
AES-256-CBC EC ECDH ECDSA-SHA-256 HMAC-SHA-1 HMAC-SHA-256 P-256 SHA-256 TLS1-PRF
EOL
    diff - <(findings openssl) <<<'legacy_algorithm low HMAC-SHA-1'
}

# What a client sets for verification is told, and what came of it.
curl_all()
{
    curl -sS --tls13-ciphers TLS_AES_256_GCM_SHA384 --curves X25519 --cacert server.crt \
        "https://localhost:$PORT/" >page
    ends_with 0 curl -sS -k -o page "https://localhost:$PORT/"
    ends_with 60 curl -sS --cacert stranger.crt -o page "https://localhost:$PORT/"
    ends_with 0 curl -sS --tlsv1.0 --cacert server.crt -o page "https://localhost:$PORT/"
}

@test "curl: verification on, off, failed; old versions allowed" {
    needs curl
    www
    calls curl_all
    # The third ends before the server has proved that it has the key.
    diff - <(sets curl) <<EOL
$TLS13
$TLS13
AES-256-GCM HMAC-SHA-384 SHA-384 TLS13-KDF X25519
$TLS13
EOL
    [ -z "$(findings curl 0)" ]
    diff - <(findings curl 1) <<'EOL'
certificate_rejected medium X509_verify_cert
verification_off high SSL_CTX_set_verify
EOL
    diff - <(findings curl 2) <<<'certificate_rejected medium X509_verify_cert'
    diff - <(findings curl 3) <<<'old_protocol_allowed high SSL_CTX_ctrl'
    [ "$(called curl X509_verify_cert .result | paste -sd' ')" = '1 0 0 1' ]
    [ "$(called curl SSL_ctrl '.arguments["host name"] // empty' | uniq)" = '"localhost"' ]
}

python_scripts()
{
    cat >client.py <<'EOP'
import socket, ssl, sys
context = ssl.create_default_context(cafile="server.crt")
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as plain:
    with context.wrap_socket(plain, server_hostname="localhost") as tls:
        tls.sendall(b"GET / HTTP/1.0\r\n\r\n")
        while tls.recv(4096):
            pass
        print(tls.version(), tls.cipher()[0])
EOP
    cat >server.py <<'EOP'
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("server.crt", "server.key")
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listener:
    with context.wrap_socket(listener, server_side=True) as tls:
        peer, _ = tls.accept()
        peer.recv(4096)
        peer.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
        print(peer.version(), peer.cipher()[0], flush=True)
        peer.unwrap()
EOP
}

python_both()
{
    "$PYTHON" server.py "$PORT" </dev/null &
    until_true port_open "$PORT"
    "$PYTHON" client.py "$PORT"
    wait $!
}

@test "python: client and server, what each says of itself" {
    python_scripts
    calls python_both
    diff - out <<<$'TLSv1.3 TLS_AES_256_GCM_SHA384\nTLSv1.3 TLS_AES_256_GCM_SHA384'
    # The server's tickets are numbers of its own table and do not come back here: no SHA-256.
    diff - <(sets python3) <<EOL
$(together "${TLS13/SHA-256 SHA-384/SHA-384}" "$TICKETS")
$TLS13
EOL
    [ "$(called python3 SSL_do_handshake .result | paste -sd' ')" = '1 1' ]
    # That nobody asked the client for a certificate is usual; nor does who signed it matter to a
    # server that sends it.
    diff - <(findings python3 0) <<'EOL'
certificate_rejected info X509_verify_cert
verification_off info SSL_CTX_set_verify
EOL
    [ -z "$(findings python3 1)" ]
}

python_contexts()
{
    "$PYTHON" -c 'import ssl; ssl.create_default_context()'
    "$PYTHON" -c '
import ssl
context = ssl.create_default_context()
context.minimum_version = ssl.TLSVersion.TLSv1'
    "$PYTHON" -c '
import ssl
context = ssl._create_unverified_context()'
}

@test "python: a context uses no algorithm, whatever it allows; what it allows is told" {
    calls python_contexts
    diff - <(sets python3) <<<$'\n\n'
    [ -z "$(findings python3 0)" ]
    [ "$(findings python3 1)" = 'old_protocol_allowed high SSL_CTX_ctrl' ]
    [ "$(called python3 SSL_CTX_ctrl '.arguments["least version"] // empty')" = '"TLSv1.0"' ]
    [ "$(findings python3 2)" = 'verification_off high SSL_CTX_set_verify' ]
}

nginx_requests()
{
    local clients=

    start nginx -p "$T" -e nginx.err -c nginx.conf
    # The worker ends with it, but for KILL.
    trap 'kill -TERM $SERVER' EXIT
    for _ in 1 2 3 4 5 6 7 8; do
        curl -sS --no-keepalive --cacert server.crt "https://localhost:$PORT/" &
        clients="$clients $!"
    done
    # shellcheck disable=SC2086 # a list of numbers
    wait $clients
    ends_with 60 curl -sS --cacert stranger.crt "https://localhost:$PORT/"
    stop QUIT 0
}

@test "nginx: handshakes that wait for the client, each of which ends" {
    needs nginx curl
    nginx_config_tls off 1 'ssl_protocols TLSv1.3;' \
        'ssl_conf_command Ciphersuites TLS_AES_256_GCM_SHA384;' 'ssl_ecdh_curve X25519;'
    echo hello >www/index.html
    calls nginx_requests
    [ "$(grep -cx hello out)" -eq 8 ]
    # The worker, which is no program of its own.
    worker=$(jq -r 'select(.event_type == "api_call" and .process == "nginx" and
        .function_name == "SSL_do_handshake") | .pid' events | sort -u)
    [[ $worker =~ ^[0-9]+$ ]]
    # A call without enough of the client's bytes returns -1, the last one of each client 1. One
    # client breaks off.
    called nginx SSL_do_handshake .result | sort | uniq -c >results
    [ "$(awk '$2 != 1 && $2 != -1' results)" = "" ]
    awk '$2 == 1 { exit !($1 == 8 || $1 == 9) }' results
    awk '$2 == -1 { found = $1 } END { exit !(found > 0) }' results
    diff - <(set_of "$worker") <<<"$(together "${TLS13/SHA-256 SHA-384/SHA-384}" "$TICKETS")"
}

gnutls_both()
{
    start gnutls-serv -q -p "$PORT" --x509certfile server.crt --x509keyfile server.key --http
    printf 'GET / HTTP/1.0\r\n\r\n' | gnutls-cli --x509cafile server.crt -p "$PORT" localhost \
        --priority 'NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-256-GCM'
    stop TERM 1
}

@test "gnutls-serv and gnutls-cli: what goes through functions that others may call" {
    needs gnutls-serv gnutls-cli
    calls gnutls_both
    grep -q '^- Description: (TLS1.3-X.509).*(ECDSA-SECP256R1-SHA256)-(AES-256-GCM)' out
    # GnuTLS makes keys of records and of the exchange with functions of its own. What can be seen is
    # the hash of the handshake and its HMAC, and the signature with its hash.
    for program in gnutls-serv gnutls-cli; do
        [ "$(called "$program" gnutls_handshake .result | uniq)" = 0 ]
    done
    diff - <(sets gnutls-cli) <<<'ECDSA-SHA-256 HMAC-SHA-384 SHA-256 SHA-384'
    diff - <(sets gnutls-serv) <<<'ECDSA-SHA-256 HMAC-SHA-384 SHA-384'
}
