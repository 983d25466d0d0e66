#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# `version`: the specified lines, and what is in the binary.

load helpers

@test "--version, -V and version print the same to standard output" {
    "$TOOL" version >"$OUT" 2>"$ERR"
    [ ! -s "$ERR" ]
    "$TOOL" --version | cmp - "$OUT"
    "$TOOL" -V | cmp - "$OUT"
}

@test "the lines that are specified come first, in their order" {
    "$TOOL" version >"$OUT"
    [ "$(sed -n 's/^\([^:0-9]*\).*/\1/p' "$OUT" | head -n 5 | sed 's/ *$//' | paste -sd ,)" = \
        "crypto-tracer version,Built,Kernel support,eBPF,License" ]
    sed -n 1p "$OUT" | grep -qxE 'crypto-tracer version [0-9]+\.[0-9]+\.[0-9]+'
    sed -n 2p "$OUT" | grep -qxE 'Built: [0-9]{4}-[0-9]{2}-[0-9]{2}'
    sed -n 3p "$OUT" | grep -qE '^Kernel support: [0-9]+\.[0-9]+\+'
    sed -n 4p "$OUT" | grep -qxE 'eBPF: libbpf [0-9]+\.[0-9]+'
    sed -n 5p "$OUT" | grep -qx 'License: MIT'
    [ "$(wc -L <"$OUT")" -le 80 ]
}

@test "the date is one" {
    date -d "$("$TOOL" version | sed -n 's/^Built: //p')" >/dev/null
}

@test "every format and source it names is accepted" {
    local word

    for word in $("$TOOL" version | sed -n 's/^Formats: //p'); do
        "$TOOL" monitor --format "$word" --help >/dev/null
    done
    sources_listed >"$T/sources"
    [ "$(wc -l <"$T/sources")" -ge 9 ]
    while read -r word; do
        "$TOOL" monitor --event "$word" --help >/dev/null
    done <"$T/sources"
}
