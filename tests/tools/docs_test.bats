#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What is made from the field tables must be what the repository holds.

# shellcheck disable=SC2016 # backquotes are those of Markdown

load ../support/needs

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
    needs mandoc
    run mandoc -T lint -W warning docs/crypto-tracer.1
    echo "$output"
    [ "$status" -eq 0 ]
}

# cited: "FILE<tab>NAME" of each test that docs/test-cases.md names, a line each.
cited()
{
    grep '^| TC-' docs/test-cases.md | awk -F ' [|] ' '{ gsub(/<br>/, "\n", $4); print $4 }' |
        sed -nE 's/ *\|?$//; s/^.*`(tests\/[^`]+)`: (.+)$/\1\t\2/p'
}

@test "docs/test-cases.md names tests that there are" {
    local file name found unnamed faults=0

    [ "$(cited | wc -l)" -ge 80 ]
    # Every line that says covered or partly names one.
    unnamed=$(grep -E '^\| TC-.* \| (covered|partly) \|' docs/test-cases.md | grep -vE '`tests/[^`]+`: ' || :)
    [ -z "$unnamed" ] || { echo "names no test: $unnamed"; false; }
    while IFS=$'\t' read -r file name; do
        case $file in
        *.bats | tests/vm/checks) found=$(grep -cxF "@test \"$name\" {" "$file") || : ;;
        *) found=$(grep -cE "^(static )?(void|int) $name\(" "$file") || : ;;
        esac
        [ "$found" -ge 1 ] || { echo "'$file' has no test '$name'"; faults=$((faults + 1)); }
    done < <(cited)
    [ "$faults" -eq 0 ]
}

@test "docs/test-cases.md has each test case once, in a state that there is, and adds up" {
    local counts

    [ -z "$(grep -oE '^\| TC-[A-Z]+-[0-9]+-[0-9]+ ' docs/test-cases.md | sort | uniq -d)" ]
    # Numbered from 1 within each requirement: none is left out in between.
    [ -z "$(sed -nE 's/^\| (TC-[A-Z]+-[0-9]+)-([0-9]+) .*/\1 \2/p' docs/test-cases.md |
        awk '$2 != ++seen[$1] { print "not in its place: " $0 }')" ]
    counts=$(awk -F ' [|] ' '/^\| TC-/ { all++; nr[$3]++ } END {
        printf "%d in all: %d covered, %d partly, %d superseded, %d measured, %d not yet.\n", all,
            nr["covered"], nr["partly"], nr["superseded"], nr["measured"], nr["not yet"]
        exit all != nr["covered"] + nr["partly"] + nr["superseded"] + nr["measured"] + nr["not yet"]
    }' docs/test-cases.md)
    echo "$counts"
    grep -qxF "$counts" docs/test-cases.md
    [ "$(grep -c '^| TC-' docs/test-cases.md)" -eq 87 ]
    # Documents that figures stand in.
    for file in $(grep -oE '`docs/[^`]+`' docs/test-cases.md | tr -d '\`' | sort -u); do [ -f "$file" ]; done
}

@test "plots that docs/benchmarks.md shows are there, and no others" {
    diff <(grep -oE '[(]bench-[a-z]+[.]svg[)]' docs/benchmarks.md | tr -d '()' | sort) \
        <(cd docs && printf '%s\n' bench-*.svg | sort)
    [ "$(printf '%s\n' docs/bench-*.svg | wc -l)" -ge 5 ]
}

@test "README begins with the two commands, and both are targets" {
    commands=$(sed -n '1,6p' README.md | grep -oE '^ +make [a-z]+' | awk '{print $2}')
    [ "$commands" = "$(printf 'run\ntest')" ]
    grep -q '^run:' Makefile
    grep -q '^test:' Makefile
}
