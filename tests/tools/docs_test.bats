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

@test "every long option of the commands of syscalls is in its chapter, and no other" {
    local command

    for command in record show merge diff policy run patch verify; do
        "$tracer" syscalls "$command" --help | sed '/^General:/,$d' |
            grep -oE '^ +(-., )?--[a-z-]+' | grep -oE '[a-z]+(-[a-z]+)*$' |
            sort >"$BATS_TEST_TMPDIR/help"
        [ -s "$BATS_TEST_TMPDIR/help" ]
        sed -n "/^\.Ss syscalls $command\$/,/^\.S[sh] /p" docs/crypto-tracer.1 |
            sed -nE 's/^\.It .*Fl -([a-z-]+)( .*)?$/\1/p; s/^\.It .*, -([a-z-]+)( .*)?$/\1/p' |
            sort >"$BATS_TEST_TMPDIR/manual"
        diff "$BATS_TEST_TMPDIR/help" "$BATS_TEST_TMPDIR/manual" || { echo "of $command"; false; }
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
