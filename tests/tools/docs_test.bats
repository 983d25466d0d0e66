#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What is made from the field tables must be what the repository holds.

setup()
{
    root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    tracer=${BUILD:-build}/crypto-tracer
    cd "$root" || return 1
}

@test "docs/events.md and the manual page are what make docs writes" {
    "$root/tools/make-docs" "$tracer" "$BATS_TEST_TMPDIR"
    diff -u docs/events.md "$BATS_TEST_TMPDIR/events.md"
    diff -u docs/crypto-tracer.1 "$BATS_TEST_TMPDIR/crypto-tracer.1"
}

@test "every long option of monitor is in the manual page" {
    options=$("$tracer" monitor --help | grep -oE '^ +(-., )?--[a-z-]+' | grep -oE '[a-z]+(-[a-z]+)*$')
    [ "$(echo "$options" | wc -l)" -ge 15 ]
    for option in $options; do
        grep -qE "^\.It .*(Fl|,) -$option( |\$)" docs/crypto-tracer.1 ||
            { echo "not in the manual page: --$option"; false; }
    done
}

@test "the manual page is well-formed" {
    command -v mandoc >/dev/null || skip "mandoc is not installed"
    run mandoc -T lint -W warning docs/crypto-tracer.1
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "README begins with the two commands, and both are targets" {
    commands=$(sed -n '1,6p' README.md | grep -oE '^ +make [a-z]+' | awk '{print $2}')
    [ "$commands" = "$(printf 'run\ntest')" ]
    grep -q '^run:' Makefile
    grep -q '^test:' Makefile
}
