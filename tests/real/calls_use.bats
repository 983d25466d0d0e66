#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What people do with calls of crypto functions: select them, count them with jq, have a pipeline
# fail. The scripts are those of the specification, with paths of the test.

load calls

digests()
{
    openssl dgst -sha256 server.crt
    certtool --certificate-info --infile server.crt --outfile info
    gpg --homedir "$T" --batch --print-md sha256 server.crt
}

# seen: which events there are, and of which families the calls are.
seen()
{
    jq -r 'select(.event_type != "start" and .event_type != "coverage") |
        .event_type + (.family // "" | if . == "" then . else " " + . end)' events |
        sort -u | paste -sd,
}

@test "--event api_call alone, and --api none" {
    needs certtool gpg
    calls digests --event api_call
    [ "$(seen)" = 'api_call gnutls,api_call libgcrypt,api_call openssl' ]
    [ "$(called openssl EVP_DigestFinal_ex .algorithm)" = '"SHA-256"' ]
    calls digests --api none
    seen | grep -q 'lib_load openssl'
    [ -z "$(jq 'select(.event_type == "api_call")' events)" ]
}

@test "--library: calls of that family, or of libraries of that name" {
    needs certtool gpg
    for library in openssl libcrypto; do
        calls digests --event api_call --library "$library"
        [ "$(seen)" = 'api_call openssl' ]
        [ "$(called openssl EVP_DigestFinal_ex .algorithm)" = '"SHA-256"' ]
    done
    # What is in libssl is of the same family, and of another name.
    [ -z "$(called openssl OPENSSL_init_ssl)" ]
    calls digests --event api_call --library gcrypt
    [ "$(seen)" = 'api_call libgcrypt' ]
    calls digests --event api_call --library openssl
    called openssl OPENSSL_init_ssl | grep -q .
}

# hashes WITH: profiles Python that hashes so; status in $status.
hashes()
{
    status=0
    "$CT" profile --output profile.json --fail-on high -- \
        "$PYTHON" -c "import hashlib; hashlib.$1(b'x').digest()" 2>log || status=$?
}

@test "profile --fail-on high: 10 for MD5, 0 for SHA-256" {
    hashes md5
    [ "$status" -eq 10 ]
    [ "$(jq -c .algorithms profile.json)" = \
        '{"MD5":{"count":1,"functions":["EVP_DigestFinal"]}}' ]
    [ "$(jq -r '.findings[] | select(.severity == "high") | "\(.rule) \(.evidence)"' profile.json)" = \
        'broken_algorithm MD5' ]
    hashes sha256
    [ "$status" -eq 0 ]
    [ "$(jq -c .algorithms profile.json)" = \
        '{"SHA-256":{"count":1,"functions":["EVP_DigestFinal"]}}' ]
    [ "$(jq -c .findings profile.json)" = '[]' ]
    [ "$(jq .api_calls.EVP_DigestFinal profile.json)" -eq 1 ]
}

TARGET='
import socket, ssl, sys
for name in "server.crt", "stranger.crt":
    ssl.create_default_context().load_verify_locations(name)
context = ssl.create_default_context(cafile="server.crt")
for i in range(5):
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as plain:
        context.wrap_socket(plain, server_hostname="localhost").close()'

@test "a researcher: which certificates, and how many calls of each function" {
    ln -s "$PYTHON" targetapp
    serve openssl s_server -accept "$PORT" -cert server.crt -key server.key -quiet
    trace_start research.json --name targetapp
    ./targetapp -c "$TARGET" "$PORT"
    trace_stop research.json
    # shellcheck disable=SC2002 # as it is written there
    cat research.json | jq -r 'select(.event_type=="file_open") | .file' | grep -E '\.(crt|pem)$' |
        sort | uniq -c | sed 's/^ *//' >opened
    grep -qx "[0-9]* $T/server.crt" opened
    grep -qx "[0-9]* $T/stranger.crt" opened
    # shellcheck disable=SC2002
    cat research.json | jq -r 'select(.event_type=="api_call") | .function_name' | sort | uniq -c |
        sed 's/^ *//' >counted
    # Three contexts; five handshakes, in each of which chain and name are checked.
    for line in '3 SSL_CTX_new' '5 X509_verify_cert' '5 X509_check_host'; do
        grep -qx "$line" counted || { cat counted; return 1; }
    done
}

# An application that goes on until it is ended, and reads its certificate again and again.
application()
{
    "$PYTHON" -c '
import hashlib, ssl, time
while True:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("server.crt", "server.key")
    open("loaded", "w").close()
    hashlib.sha256(b"x").digest()
    time.sleep(0.05)' </dev/null >log 2>&1 3>&- &
    APPLICATION=$!
    KILL="${KILL:-} $APPLICATION"
    until_true test -e loaded
}

@test "a pipeline: the library, the certificate and the algorithms of what is deployed" {
    local seconds

    needs dpkg
    application
    # The longer one is for a machine that stands still in the shorter.
    for seconds in 1.5 30; do
        "$CT" profile --pid "$APPLICATION" --duration "$seconds" --output crypto-profile.json 2>log
        ! jq -e '.statistics.api_calls_made > 3' crypto-profile.json || break
    done
    OPENSSL_VERSION=$(jq -r '.libraries[] | select(.name | contains("libssl")) | .path' \
        crypto-profile.json | xargs dpkg -S | grep -oP 'libssl\d+')
    [ "$OPENSSL_VERSION" = "$(dpkg -S "$(jq -r '.libraries[] | select(.name |
        startswith("libssl")) | .path' crypto-profile.json)" | sed 's/:.*//')" ]
    CERT_PATH=$(jq -r '.files_accessed[] | select(.type=="certificate") | .path' crypto-profile.json)
    [ "$CERT_PATH" = "$T/server.crt" ]
    if [ "$OPENSSL_VERSION" = libssl3 ]; then
        jq -e '.libraries[] | select(.name | contains("libssl.so.3"))' crypto-profile.json >/dev/null
    fi
    # It goes on while probes are set, and nothing but this is used.
    [ "$(jq -c '.algorithms | keys' crypto-profile.json)" = '["SHA-256"]' ]
    [ "$(jq -r '.algorithms["SHA-256"].functions[]' crypto-profile.json)" = EVP_DigestFinal ]
    jq -e '.api_calls.SSL_CTX_new == .api_calls.SSL_CTX_use_certificate_chain_file or
        (.api_calls.SSL_CTX_new - .api_calls.SSL_CTX_use_certificate_chain_file | fabs) <= 1' \
        crypto-profile.json
    jq -e '.statistics.api_calls_made > 3' crypto-profile.json
    kill -0 "$APPLICATION"
}
