#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# TLS handshakes of all stacks, versions and kinds, each a cell of a matrix: what the client, the
# server and tshark say of a connection is the same, and so is what the tool says. All cells run
# beside one monitor before the first test; see matrix/run, matrix/judge, and matrix/stacks.py for
# what a stack cannot do. The first test prints the table.
#
# MATRIX_TOOL=no: without the tool, only what the others say.
# MATRIX_CELLS='go-* *-hrr': only these cells, by STACK-VERSION-KIND.

load ../support/trace

MATRIX=$BATS_TEST_DIRNAME/matrix

setup_file()
{
    local status=0 event

    trace_ready dumpcap tshark openssl /usr/bin/python3 || return 0
    if [ "${MATRIX_TOOL:-}" != no ]; then
        event=$("$CT" schema | jq '[.. | .const? | select(. == "tls_handshake")] | length')
        [ "$event" -gt 0 ] || export MATRIX_TOOL=no
    fi
    cd "$BATS_FILE_TMPDIR" || return
    # All NAMES are words.
    # shellcheck disable=SC2086
    set -f -- ${MATRIX_CELLS:-}
    [ "${MATRIX_TOOL:-}" = no ] || trace_start events
    # The first test says what was wrong here.
    {
        "$MATRIX/run" cells "$BUILD/tests/real/matrix" "$@" 3>&- || status=$?
        [ "${MATRIX_TOOL:-}" = no ] || trace_stop events || status=$?
        "$MATRIX/judge" cells >agreed || status=$?
        [ "${MATRIX_TOOL:-}" = no ] || "$MATRIX/judge" cells events >told || :
    } >run.log 2>&1
    echo "$status" >status
}

teardown_file()
{
    trace_clean
}

setup()
{
    trace_need
    cd "$BATS_FILE_TMPDIR" || return
}

# told STACK: the tool's events agree in all cells of it that could be run.
told()
{
    [ "${MATRIX_TOOL:-}" != no ] || skip "the tool has no tls_handshake, or was not asked"
    grep "^$1 " told >cells_of || skip "not selected"
    grep -q -v ' n/a  ' cells_of || skip "$(sed -n '1s,.* n/a  *,,p' cells_of)"
    if grep ' differs ' cells_of; then
        return 1
    fi
    grep -q ' ok  ' cells_of
}

@test "in every cell the client, the server and tshark agree" {
    cat run.log
    # With what the tool differs in, if it was asked.
    table=agreed
    [ ! -e told ] || table=told
    sed 's/^/# /' "$table" >&3
    grep ' differs ' agreed || :
    [ "$(cat status)" -eq 0 ]
    tail -n 1 agreed | grep -E '^[1-9][0-9]* ok, 0 differ, [0-9]+ n/a$'
}

# refuted FAULT JQ: with what JQ makes of the list of right events, the judge finds FAULT in the
# first cell.
refuted()
{
    jq -c -s "$2 | .[]" forged >spoilt
    "$MATRIX/judge" cells spoilt >spoilt_table || :
    sed -n '/ differs /p' spoilt_table | grep -qF "$1" || { echo "not found: $1"; return 1; }
    tail -n 1 spoilt_table | grep -q ' 1 differ,'
}

@test "the judge believes what the tool has to tell, and nothing else" {
    "$MATRIX/forge" cells >forged
    "$MATRIX/judge" cells forged >believed
    diff agreed believed
    refuted "client's cipher TLS_NULL" '.[0].cipher = "TLS_NULL"'
    refuted "server's group none" '.[1].group = null'
    refuted "client's resumed yes" '.[0].resumed = true'
    refuted "server's hello_retry yes" '.[1].hello_retry = true'
    refuted "client's outcome reset" '.[0].outcome = "reset"'
    refuted "server's server_name other" '.[1].server_name = "other"'
    refuted "client's starttls smtp" '.[0].starttls = "smtp"'
    refuted "server's pid 1," '.[1].pid = 1'
    refuted "client: 0 events" '.[1:]'
    refuted "server: 2 events" '. + [.[1]]'
    refuted "1 more events of" '. + [.[0] | .local = "127.0.0.1:1"]'
}

@test "openssl, as the tool tells it" {
    told openssl
}

@test "curl, as the tool tells it" {
    told curl
}

@test "gnutls-cli and gnutls-serv, as the tool tells it" {
    told gnutls
}

@test "python asyncio and its mail modules, as the tool tells it" {
    told python
}

@test "node, as the tool tells it" {
    told node
}

@test "java, as the tool tells it" {
    told java
}

@test "go, as the tool tells it" {
    told go
}

@test "NSS, as the tool tells it" {
    told nss
}

@test "Mbed TLS, as the tool tells it" {
    told mbedtls
}

@test "OpenSSL 3.5 with ML-KEM, as the tool tells it" {
    told openssl-3.5
}
