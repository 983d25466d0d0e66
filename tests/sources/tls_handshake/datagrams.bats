#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# tls_handshake: DTLS and QUIC of real programs, at both ends.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and setup() sets the variables in it

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
    handshakes_setup
}

teardown()
{
    handshakes_teardown
}

# dtls OPTION...: a server of openssl.
dtls()
{
    serve openssl s_server -accept "$PORT" -cert localhost.crt -key localhost.key -quiet "$@"
}

@test "DTLS of openssl: what s_client says, at both ends, once" {
    trace_start events --event tls_handshake
    dtls -dtls1_2
    client_well c -dtls1_2 -servername dtls.example -groups P-384 \
        -cipher ECDHE-RSA-AES128-GCM-SHA256
    trace_stop events
    both_told 1
    [ "$(said c 'Protocol version')" = DTLSv1.2 ]
    must_tell 'DTLSv1.2 DTLSv1.2' .version
    must_tell 'dtls dtls' .transport
    must_tell 'established established' .outcome
    must_tell 'secp384r1 secp384r1' .group
    must_tell 'dtls.example dtls.example' .server_name
    [ "$(tell .cipher '.role == "client"')" = \
        "$(awk -v name="$(said c Ciphersuite)" '$1 == name { print $2 }' suites)" ]
    must_tell "$SERVER" .pid '.role == "server"'
    must_tell "$(cat c.pid)" .pid '.role == "client"'
    must_tell 'openssl openssl' .family
    same_at_both '.cipher, .signature_scheme, .offered_ciphers, .certificates, .resumed'
    [ "$(tell '.certificates[0].fingerprint_sha256' '.role == "client"')" = \
        "$(openssl x509 -in localhost.crt -noout -fingerprint -sha256 |
            sed 's/.*=//; s/://g' | tr A-F a-f)" ]
}

@test "DTLS of openssl: a cookie, small datagrams, an older version" {
    trace_start events --event tls_handshake
    dtls -dtls1 -mtu 256 -cipher ALL:@SECLEVEL=0 -listen
    client_well c -dtls1 -mtu 256 -cipher ALL:@SECLEVEL=0
    trace_stop events
    both_told 1
    must_tell 'DTLSv1.0 DTLSv1.0' .version
    must_tell 'established established' .outcome
    same_at_both '.cipher, .group, .offered_ciphers'
}

@test "DTLS of openssl: a refusal, with its alert" {
    trace_start events --event tls_handshake
    dtls -dtls1_2
    client c -dtls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256
    trace_stop events
    [ "$(cat c.status)" -ne 0 ]
    both_told 1
    must_tell 'failed failed' .outcome
    must_tell 'handshake_failure handshake_failure' .alert
    must_tell 'server server' .alert_from
}

@test "DTLS of GnuTLS" {
    needs gnutls-cli gnutls-serv
    trace_start events --event tls_handshake
    serve gnutls-serv -u -p "$PORT" --x509certfile localhost.crt --x509keyfile localhost.key -q
    gnutls-cli -u -p "$PORT" --x509cafile localhost.crt localhost </dev/null >c.said 2>&1
    trace_stop events
    both_told 1
    must_tell 'established established' .outcome
    must_tell 'DTLSv1.2 DTLSv1.2' .version
    must_tell 'localhost localhost' .server_name
    must_tell 'gnutls gnutls' .family
    must_tell "$SERVER" .pid '.role == "server"'
    same_at_both '.cipher, .group, .signature_scheme'
    # - Description: (DTLS1.2-X.509)-(ECDHE-SECP256R1)-(RSA-SHA256)-(AES-256-GCM)
    [ "$(tell .group '.role == "client"')" = \
        "$(sed -nE 's/.*\(DTLS1.2[^)]*\)-\(ECDHE-([A-Z0-9]*)\).*/\L\1/p' c.said | head -n 1)" ]
}

# quic_serve [OPTION...]: a server of HTTP/3.
quic_serve()
{
    mkdir -p pages
    echo hello >pages/page
    serve gtlsserver --no-quic-dump -d pages "$@" 127.0.0.1 "$PORT" localhost.key localhost.crt
}

# quic_client NAME [OPTION...]: gets the page; what it says is in NAME.said.
quic_client()
{
    local name=$1
    shift
    timeout 60 gtlsclient --no-quic-dump --exit-on-all-streams-close "$@" \
        127.0.0.1 "$PORT" "https://localhost:$PORT/page" </dev/null >"$name.said" 2>&1
}

# suite_said NAME: the cipher suite that the client says, by its name in TLS.
suite_said()
{
    sed -n 's/^Negotiated cipher suite is //p' "$1.said" | sort -u |
        awk '{ gsub("-", "_"); print "TLS_" $0 ($0 ~ /256_GCM/ ? "_SHA384" : "_SHA256") }'
}

# kinds JQ [JQ-SELECTION]: what tell() says, each once, with how often it does.
kinds()
{
    tell "$@" | tr ' ' '\n' | sort | uniq -c | xargs
}

# The server leaves out the fixed bit as often as not (RFC 9287): some rounds have it, some do not.
@test "QUIC of ngtcp2: both ends, and what it agreed on" {
    needs gtlsserver gtlsclient
    trace_start events --event tls_handshake
    quic_serve
    for round in 1 2 3 4 5 6; do
        quic_client "c$round"
    done
    trace_stop events
    both_told 6
    [ "$(kinds .outcome)" = '12 established' ]
    [ "$(kinds .transport)" = '12 quic' ]
    [ "$(kinds .version)" = '12 TLSv1.3' ]
    [ "$(kinds .cipher)" = "12 $(suite_said c1)" ]
    [ "$(suite_said c1)" = TLS_AES_128_GCM_SHA256 ]
    [ "$(kinds .server_name)" = '12 localhost' ]
    [ "$(kinds '.offered_alpn | tojson')" = '12 [h3]' ]
    grep -qx 'Negotiated ALPN is h3' c1.said
    [ "$(kinds '.not_known | .certificates, .alpn')" = '24 encrypted' ]
    [ "$(kinds .process '.role == "client"')" = '6 gtlsclient' ]
    [ "$(kinds .pid '.role == "server"')" = "6 $SERVER" ]
    [ "$(kinds .family)" = '12 gnutls' ]
    same_at_both '.group, .offered_ciphers, .offered_groups'
}

@test "QUIC of ngtcp2: another suite and group, and a second hello for it" {
    needs gtlsserver gtlsclient
    trace_start events --event tls_handshake
    quic_serve --groups=-GROUP-ALL:+GROUP-SECP384R1 \
        --ciphers=NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-256-GCM
    quic_client c
    trace_stop events
    both_told 1
    must_tell 'established established' .outcome
    must_tell 'true true' .hello_retry
    must_tell 'secp384r1 secp384r1' .group
    [ "$(suite_said c)" = TLS_AES_256_GCM_SHA384 ]
    must_tell "$(suite_said c) $(suite_said c)" .cipher
}

@test "QUIC of ngtcp2: a session that goes on" {
    needs gtlsserver gtlsclient
    trace_start events --event tls_handshake
    quic_serve
    quic_client first --session-file=session --tp-file=parameters
    quic_client second --session-file=session --tp-file=parameters
    trace_stop events
    both_told 2
    [ "$(tell '.resumed' '.role == "client"' | xargs)" = 'false true' ]
    [ "$(tell '.resumed' '.role == "server"' | xargs)" = 'false true' ]
    [ "$(kinds .outcome)" = '4 established' ]
}

@test "QUIC of ngtcp2: a refusal, with its alert" {
    needs gtlsserver gtlsclient
    trace_start events --event tls_handshake
    quic_serve --ciphers=NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-256-GCM
    quic_client c --ciphers=NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM || :
    grep -q 'CRYPTO_ERROR(0x128)' c.said
    trace_stop events
    both_told 1
    must_tell 'failed failed' .outcome
    must_tell 'server server' .alert_from
    must_tell 'handshake_failure handshake_failure' .alert
}

@test "other datagrams are no handshake" {
    trace_start events --event tls_handshake
    dtls -dtls1_2
    "$PYTHON" -c "
import socket
peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
peer.connect(('127.0.0.1', $(free_port)))
for words in b'', b'x' * 1400, b'\x16\xfe\xfd' + bytes(60), b'\xc0\0\0\0\1' + bytes(1200):
    try:
        peer.send(words)
    except ConnectionRefusedError:
        pass
print(peer.getsockname()[1])" >port
    client_well c -dtls1_2
    trace_stop events
    both_told 1
    [ "$(jq -c --arg port ":$(cat port)" 'select(.local // "" | endswith($port))' events)" = '' ]
}
