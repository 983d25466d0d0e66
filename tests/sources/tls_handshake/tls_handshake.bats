#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# tls_handshake: handshakes of real programs, at both ends, compared with what the programs say.

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

# group_of TEXT: our name of what s_client calls its peer's temporary key.
group_of()
{
    case $1 in
    X25519,*) echo x25519 ;;
    X448,*) echo x448 ;;
    *prime256v1,*) echo secp256r1 ;;
    *secp384r1,*) echo secp384r1 ;;
    *secp521r1,*) echo secp521r1 ;;
    DH,*) echo null ;;
    '') echo null ;;
    *) echo "unknown: $1" ;;
    esac
}

# as_said LABEL: both ends tell of that client what it said itself.
as_said()
{
    local role suite version

    version=$(said "$1" 'Protocol version')
    suite=$(said "$1" Ciphersuite)
    suite=$(awk -v name="$suite" '$1 == name { print $2 }' suites)
    for role in client server; do
        diff - <(of "$1" '.outcome, .version, .cipher, .group, .transport' "$role") <<EOL
established
${version/%TLSv1/TLSv1.0}
$suite
$(group_of "$(said "$1" 'Server Temp Key')")
tcp
EOL
    done
}

@test "openssl: version, suite and group are what s_client says, at both ends, once" {
    local n=0 options
    trace_start events --event tls_handshake
    www -cipher ALL:@SECLEVEL=0
    while read -r options; do
        n=$((n + 1))
        # shellcheck disable=SC2086 # words
        client_well "c$n" $options
    done <<'EOL'

-tls1_3 -ciphersuites TLS_AES_128_GCM_SHA256 -groups P-256
-tls1_3 -ciphersuites TLS_CHACHA20_POLY1305_SHA256 -groups X448
-tls1_3 -groups P-521
-tls1_2
-tls1_2 -cipher ECDHE-RSA-AES128-SHA256 -groups P-384
-tls1_2 -cipher ECDHE-RSA-CHACHA20-POLY1305
-tls1_2 -cipher DHE-RSA-AES256-GCM-SHA384
-tls1_2 -cipher AES128-SHA
-tls1_2 -cipher AES256-CCM8:@SECLEVEL=0
-tls1_1 -cipher AES256-SHA:@SECLEVEL=0
-tls1 -cipher ECDHE-RSA-AES256-SHA:@SECLEVEL=0
EOL
    trace_stop events
    both_told 12
    [ "$n" -eq 12 ]
    for n in {1..12}; do
        as_said "c$n"
    done
    same_at_both '.version, .cipher, .group, .dh_bits, .signature_scheme, .resumed, .server_name,
                  .offered_ciphers, .offered_groups, .offered_signature_schemes'
    # Of a finite field its size: "DH, 2048 bits".
    [ "$(of c8 .dh_bits)" = "$(said c8 'Server Temp Key' | tr -dc 0-9)" ]
    [ "$(of c1 .dh_bits)" = null ]
    # Version 1.3 encrypts it, with static RSA there is none.
    [ "$(of c1 '.not_known.signature_scheme, .signature_scheme' | paste -sd,)" = encrypted,null ]
    [ "$(of c5 '.signature_scheme' server)" = rsa_pss_rsae_sha256 ]
    [ "$(of c9 '.not_known.group')" = 'this handshake has none' ]
}

@test "openssl: the server's process and its library; the client's own" {
    trace_start events --event tls_handshake
    www
    client_well c
    trace_stop events
    both_told 1
    must_tell "$SERVER" .pid '.role == "server"'
    must_tell "$(cat c.pid)" .pid '.role == "client"'
    must_tell 'openssl openssl' .process
    must_tell 'openssl openssl' .family
    [ "$(tell .library | tr ' ' '\n' | sort -u)" = "$(realpath "$(ldd "$(command -v openssl)" |
        awk '/libssl/ { print $3 }')")" ]
    must_tell '0 0' .uid
    must_tell 'null null' .library_candidates
    # The addresses are those of the two ends.
    must_tell "127.0.0.1:$PORT" .local '.role == "server"'
    must_tell "127.0.0.1:$PORT" .peer '.role == "client"'
}

@test "openssl: what the client offers is what it is told to offer" {
    trace_start events --event tls_handshake
    www -alpn h2,http/1.1
    client_well c -servername a.example -alpn http/1.1,h2 -groups X25519:P-521:ffdhe3072 \
        -sigalgs ECDSA+SHA256:RSA-PSS+SHA512 -ciphersuites TLS_AES_256_GCM_SHA384 \
        -cipher ECDHE+AESGCM
    client_well d -tls1_2 -alpn http/1.1 -noservername
    trace_stop events
    both_told 2
    same_at_both "del(.pid, .ppid, .role, .local, .peer, .duration_us, .timestamp)"
    [ "$(of c .server_name)" = a.example ]
    [ "$(of c '.offered_alpn | join(",")')" = http/1.1,h2 ]
    [ "$(of c '.offered_groups | join(",")')" = x25519,secp521r1,ffdhe3072 ]
    [ "$(of c '.offered_signature_schemes | join(",")')" = \
        ecdsa_secp256r1_sha256,rsa_pss_rsae_sha512 ]
    [ "$(of c '.offered_versions | join(",")')" = TLSv1.3,TLSv1.2,TLSv1.1,TLSv1.0 ]
    # The suites as openssl lists them, and its sign for secure renegotiation.
    diff <(of c '.offered_ciphers[]') <(openssl ciphers -s -stdname -ciphersuites \
        TLS_AES_256_GCM_SHA384 ECDHE+AESGCM | awk '{ print $1 }'
        echo TLS_EMPTY_RENEGOTIATION_INFO_SCSV)
    # In version 1.3 what the server takes is encrypted, before it is not.
    [ "$(of c '.alpn, .not_known.alpn' | paste -sd,)" = null,encrypted ]
    [ "$(of d '.alpn, .server_name' server | paste -sd,)" = http/1.1,null ]
    [ "$(of d '.offered_versions | join(",")')" = TLSv1.2 ]
}

# twice LABEL OPTION...: two clients, LABEL1 and LABEL2, of which the second has what the first was
# given to come back with. The server says something only once it has given it.
twice()
{
    local label=$1

    shift
    mkfifo "$label.in"
    INPUT=$label.in client "${label}1" -sess_out "$label.session" "$@" &
    exec {in}>"$label.in"
    until_true test -s "$label.session"
    exec {in}>&-
    wait $!
    client_well "${label}2" -sess_in "$label.session" "$@"
}

@test "openssl: a session that goes on, another hello, data before the handshake" {
    trace_start events --event tls_handshake
    www -groups P-384 -early_data
    twice old -tls1_2
    twice new -tls1_3 -groups P-384
    client_well retry -groups X25519:P-384
    echo hello >early
    client_well early -tls1_3 -groups P-384 -sess_in new.session -early_data early
    trace_stop events
    both_told 6
    same_at_both '.resumed, .hello_retry, .group, .early_data'
    [ "$(for name in old1 old2 new1 new2 retry; do of $name .resumed; done | paste -sd' ')" = \
        'false true false true false' ]
    [ "$(for name in new1 new2 retry; do of $name .hello_retry; done | paste -sd' ')" = \
        'false false true' ]
    [ "$(of retry .group)" = secp384r1 ]
    [ "$(of early .early_data)" = true ]
    [ "$(of new2 .early_data)" = null ]
    # A certificate is not shown again.
    [ "$(of old2 '.certificates, .not_known.certificates' | paste -sd,)" = \
        'null,this handshake has none' ]
}

@test "openssl: a client's certificate, which version 1.3 encrypts" {
    trace_start events --event tls_handshake
    www -verify 1
    client_well with -tls1_2 -cert user.crt -key user.key
    client_well without -tls1_2
    client_well hidden -tls1_3 -cert user.crt -key user.key
    trace_stop events
    both_told 3
    same_at_both '.client_certificate'
    [ "$(of with .client_certificate)" = true ]
    [ "$(of without .client_certificate)" = false ]
    [ "$(of hidden .client_certificate)" = null ]
}

# fingerprint FILE: as events have it.
fingerprint()
{
    openssl x509 -in "$1" -noout -fingerprint -sha256 | sed 's/.*=//; s/://g' | tr A-F a-f
}

# signed NAME BY OPTION...: a certificate that BY has signed.
signed()
{
    local name=$1 by=$2

    shift 2
    openssl req -new -newkey rsa:2048 -nodes -keyout "$name.key" -out "$name.request" \
        -subj "/CN=$name" 2>/dev/null
    openssl x509 -req -in "$name.request" -CA "$by.crt" -CAkey "$by.key" -CAcreateserial \
        -out "$name.crt" "$@" 2>/dev/null
}

@test "openssl: certificates up to version 1.2 are those that the server has" {
    signed host localhost -days 60
    trace_start events
    serve openssl s_server -accept "$PORT" -cert host.crt -key host.key -cert_chain localhost.crt \
        -quiet
    client_well c -tls1_2
    client_well hidden -tls1_3
    trace_stop events
    both_told 2
    same_at_both '.certificates, (.not_known.certificates)'
    diff <(of c '.certificates[].fingerprint_sha256') \
        <(fingerprint host.crt && fingerprint localhost.crt)
    [ "$(of c '.certificates[0].subject')" = CN=host ]
    [ "$(of c '.certificates[0].issuer')" = CN=localhost ]
    [ "$(of c '.certificates[0].serial')" = \
        "$(openssl x509 -in host.crt -noout -serial | sed 's/.*=//' | tr A-F a-f)" ]
    [ "$(of c '.certificates[0].key_bits, .certificates[0].chain' | paste -sd,)" = 2048,leaf ]
    [ "$(of hidden '.certificates, .not_known.certificates' | paste -sd,)" = null,encrypted ]
    # Only the server has opened it.
    [ "$(of c .certificate_file server)" = "$T/host.crt" ]
    [ "$(of c .certificate_file)" = null ]
}

# dated NAME FROM TO: a certificate of these days, self-signed.
dated()
{
    mkdir ca
    : >ca/index
    printf '%s\n' '[ca]' 'default_ca = here' '[here]' 'database = ca/index' 'new_certs_dir = ca' \
        'default_md = sha256' 'policy = any' 'rand_serial = yes' '[any]' 'commonName = supplied' \
        >ca/conf
    openssl req -new -key localhost.key -out "$1.request" -subj "/CN=$1"
    openssl ca -batch -notext -config ca/conf -selfsign -keyfile localhost.key -in "$1.request" \
        -startdate "$(date -u -d "$2" +%Y%m%d%H%M%SZ)" \
        -enddate "$(date -u -d "$3" +%Y%m%d%H%M%SZ)" -out "$1.crt" 2>/dev/null
}

@test "openssl: an expired certificate is a finding, at both ends; a good one is none" {
    dated expired '-40 days' '-3 days'
    trace_start events --event tls_handshake
    www -cert expired.crt
    client_well c -tls1_2
    trace_stop events
    both_told 1
    same_at_both '.findings'
    [ "$(of c '.findings[] | select(.rule == "certificate_expired") | .severity')" = high ]
    kill "$SERVER"
    wait "$SERVER" || :
    PORT=$(free_port)
    trace_start events --event tls_handshake
    www
    client_well good -tls1_2
    trace_stop events
    [ "$(of good '.certificates | length')" = 1 ]
    [ "$(of good '[.findings // [] | .[] | select(.rule | startswith("certificate"))] | length')" -eq 0 ]
}

@test "openssl: handshakes that fail have the alert and who sent it, at both ends" {
    trace_start events --event tls_handshake
    www -tls1_2 -Verify 1
    client version -tls1_3
    client suite -tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256
    client refuses -tls1_2 -cert user.crt -key user.key -CAfile user.crt -verify_return_error
    client asked -tls1_2
    trace_stop events
    both_told 4
    same_at_both '.outcome, .alert, .alert_from'
    [ "$(tell .outcome | tr ' ' '\n' | sort -u)" = failed ]
    [ "$(of version '.alert, .alert_from' | paste -sd,)" = protocol_version,server ]
    [ "$(of suite '.alert, .alert_from' | paste -sd,)" = handshake_failure,server ]
    # It had not chosen anything yet.
    [ "$(of suite '.version, .cipher, .not_known.group' | paste -sd,)" = \
        'null,null,no ServerHello was seen' ]
    [ "$(of refuses '.alert, .alert_from' | paste -sd,)" = unknown_ca,client ]
    [ "$(of refuses .version)" = TLSv1.2 ]
    [ "$(of asked '.alert, .alert_from' | paste -sd,)" = handshake_failure,server ]
    # What the programs say of it.
    grep -q 'alert protocol version' version.said
    grep -q 'alert handshake failure' suite.said
    grep -q 'alert unknown ca' server.said
}

# OpenSSL's client refuses before it has keys of its own.
@test "openssl: a refusal of version 1.3 may be encrypted; who sent it is known" {
    trace_start events --event tls_handshake
    www -tls1_3 -Verify 1 -verify_return_error
    client refuses -cert user.crt -key user.key -CAfile user.crt -verify_return_error
    client asked
    client version -tls1_2
    trace_stop events
    both_told 3
    same_at_both '.outcome, .alert, .alert_from'
    [ "$(of refuses '.outcome, .alert, .alert_from' | paste -sd,)" = failed,unknown_ca,client ]
    [ "$(of version '.outcome, .alert, .alert_from' | paste -sd,)" = failed,protocol_version,server ]
    [ "$(of asked '.outcome, .alert, .alert_from' | paste -sd,)" = failed,null,server ]
    [ "$(of asked .version)" = TLSv1.3 ]
}
