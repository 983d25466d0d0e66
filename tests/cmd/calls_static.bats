#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What a library with static probes says of itself is told as calls. The library is a made one, with
# notes as in the real ones, for arguments in registers and, not optimised, in memory.

load helpers

setup_file()
{
    check_environment
    file_needs cc || return 0
    local level

    for level in 0 2; do
        mkdir "$BATS_FILE_TMPDIR/$level"
        cc "-O$level" -shared -fPIC -Wall -Werror -o "$BATS_FILE_TMPDIR/$level/libgnutls.so.30" \
            "$BATS_TEST_DIRNAME/calls/static.c"
    done
    cc -O1 -o "$BATS_FILE_TMPDIR/static_caller" "$BATS_TEST_DIRNAME/calls/static_caller.c" -ldl
    chmod -R a+rX "$BATS_FILE_TMPDIR"
}

setup()
{
    common_setup
    HOLDER=
}

teardown()
{
    if [ -n "$HOLDER" ] && kill -KILL "$HOLDER" 2>/dev/null; then wait "$HOLDER" 2>/dev/null || :; fi
    common_teardown
}

# looked N: the caller has printed so many lines.
looked()
{
    [ "$(wc -l <"$T/looked")" -eq "$1" ]
}

# handshakes LEVEL ARG...: one handshake before the tool, with ARG..., looks, one while it does and
# one after. What each of them returned, how many look, is in $T/looked.
handshakes()
{
    local library=$BATS_FILE_TMPDIR/$1/libgnutls.so.30
    shift
    mkfifo "$T/in"
    "$BATS_FILE_TMPDIR/static_caller" "$library" <"$T/in" >"$T/looked" 3>&- &
    HOLDER=$!
    exec {in}>"$T/in"
    wait_for 20 grep -q ready "$T/looked"
    echo >&"$in"
    wait_for 20 grep -q '^[0-9]' "$T/looked"
    tracer_start monitor --pid "$HOLDER" "$@" {in}>&-
    echo >&"$in"
    wait_for 20 looked 3
    tracer_stop INT
    echo >&"$in"
    wait_for 20 looked 4
    exec {in}>&-
    wait "$HOLDER"
    HOLDER=
}

# told: function, kind, algorithm and arguments of each call, a line each.
told()
{
    jq -r 'select(.event_type == "api_call") | [.function_name, .kind, .algorithm // "-",
        (.arguments // {} | to_entries[] | "\(.key)=\(.value)")] | join(" ")' "$STREAM"
}

must_be_told()
{
    diff <(told) - <<'EOT'
tls::handshake handshake -
tls::handshake handshake - protocol version=TLSv1.3
tls::handshake handshake TLS_AES_256_GCM_SHA384 cipher suite=TLS_AES_256_GCM_SHA384
tls::key_exchange derive -
tls::key_exchange derive X25519MLKEM768 group=X25519MLKEM768
crypto_auditing context ECDSA-SHA-256 signature scheme=ecdsa_secp256r1_sha256
pk::sign signature -
pk::sign signature ECDSA algorithm=ECDSA
pk::sign signature SHA-1 hash=SHA1
pk::sign signature - bits=256
pk::sign signature P-256 curve=P-256
EOT
}

@test "what a library says at static probes is told once, as calls of its own" {
    handshakes 2 --event api_call
    must_be_told
    must_have '.function_name == "pk::sign" and .algorithm == "SHA-1" and .family == "gnutls" and
        (.library | endswith("/libgnutls.so.30")) and .findings[0].rule == "weak_algorithm"'
    [ "$(jq -rs '.[-1].sources[] | select(.name == "api_call") | .hook' "$STREAM")" = \
        'uprobe, usdt/crypto_auditing' ]
    # The counter of those who look is not written to: such a probe is counted, not attached.
    [ "$(paste -sd ' ' "$T/looked")" = 'ready 0 0 0' ]
    [ "$(jq -rs '.[-1].not_seen[] | select(.what == "static probes of libraries") | .count' \
        "$STREAM")" -eq 1 ]
    # Blobs are not read, keys that are not known are not told.
    run ! grep -qE 'secret|never told|0123456789' "$STREAM"
    [ "$(jq -rs '.[-1].sources[] | select(.name == "api_call") | .filtered' "$STREAM")" -eq 1 ]
}

@test "arguments in memory are read, too" {
    handshakes 0 --event api_call
    must_be_told
}

@test "what is not looked for is not attached" {
    handshakes 2 --event process_exit
    [ -z "$(told)" ]
    [ "$(paste -sd ' ' "$T/looked")" = 'ready 0 0 0' ]
}
