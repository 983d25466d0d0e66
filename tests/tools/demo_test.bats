#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What `make run` shows a newcomer, and that nothing of it goes on behind its end.

setup()
{
    [ "$(id -u)" -eq 0 ] || skip "tracing needs root"
    command -v openssl >/dev/null || skip "openssl is not installed"
    ROOT=$BATS_TEST_DIRNAME/../..
    TOOL=${BUILD:-$ROOT/build}/crypto-tracer
    case $TOOL in /*) ;; *) TOOL=$PWD/$TOOL ;; esac
    OUT=$BATS_TEST_TMPDIR/out
}

@test "a newcomer sees a key, a certificate and libraries of a TLS exchange; nothing goes on" {
    # A name that no other process has, to find what is left of it.
    cp "$ROOT/tools/demo" "$BATS_TEST_TMPDIR/demo-of-a-test"
    DEMO_SECONDS=5 DEMO_PORT=44391 timeout 60 "$BATS_TEST_TMPDIR/demo-of-a-test" "$TOOL" \
        >"$OUT" 2>&1 </dev/null 3>&-
    grep -qE 'openssl\[[0-9]+\] file_open .*/server.key .*success private_key' "$OUT"
    grep -qE 'openssl\[[0-9]+\] file_open .*/server.crt .*success certificate' "$OUT"
    grep -qE 'openssl\[[0-9]+\] lib_load .*/libssl' "$OUT"
    grep -q '^coverage' "$OUT"
    sleep 2 # its client sleeps for a second between two requests
    left=$(pgrep -af '^[^ ]*sh [^ ]*demo-of-a-test|s_server -accept 44391') || :
    [ -z "$left" ] || { echo "$left"; return 1; }
}
