#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What `make run` shows a newcomer, and that nothing of it goes on behind its end.

load ../support/needs
load ../support/ports

setup()
{
    [ "$(id -u)" -eq 0 ] || skip "tracing needs root"
    needs openssl
    ROOT=$BATS_TEST_DIRNAME/../..
    TOOL=${BUILD:-$ROOT/build}/crypto-tracer
    case $TOOL in /*) ;; *) TOOL=$PWD/$TOOL ;; esac
    OUT=$BATS_TEST_TMPDIR/out
    PORT=$(free_port)
}

# Those of its processes that are left.
of_demo()
{
    pgrep -af "^[^ ]*sh [^ ]*demo-of-a-test|s_server -accept $PORT"
}

has_shown()
{
    grep -qE 'openssl\[[0-9]+\] file_open .*/server.key .*success private_key' "$OUT" &&
        grep -qE 'openssl\[[0-9]+\] file_open .*/server.crt .*success certificate' "$OUT" &&
        grep -qE 'openssl\[[0-9]+\] lib_load .*/libssl' "$OUT"
}

@test "a newcomer sees a key, a certificate and libraries of a TLS exchange; nothing goes on" {
    local seconds

    # A name that no other process has, to find what is left of it.
    cp "$ROOT/tools/demo" "$BATS_TEST_TMPDIR/demo-of-a-test"
    # The longer ones are for a machine on which a key takes seconds.
    for seconds in 4 20 60; do
        DEMO_SECONDS=$seconds DEMO_PORT=$PORT timeout 120 "$BATS_TEST_TMPDIR/demo-of-a-test" "$TOOL" \
            >"$OUT" 2>&1 </dev/null 3>&-
        grep -q '^coverage' "$OUT"
        ! has_shown || break
    done
    has_shown
    # Its client sleeps for a second between two requests.
    for _ in $(seq 600); do
        of_demo || return 0
        sleep 0.1
    done
    return 1
}
