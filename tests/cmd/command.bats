#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The word that names a command: which there are, and what happens to any other.

load helpers

# refused WORD...: status 2, a message in the usual form, nothing on standard output.
refused()
{
    status=0
    "$TOOL" "$@" >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
    must_be 2
    [ ! -s "$OUT" ]
    must_be_error
    grep -q '^Try: crypto-tracer' "$ERR"
}

@test "no command at all is a wrong use" {
    refused
    head -n 1 "$ERR" | grep -qi 'no command'
}

@test "an unknown command is named" {
    refused moniter
    head -n 1 "$ERR" | grep -qF "'moniter'"
    refused --nonsense
    head -n 1 "$ERR" | grep -qF -- "'--nonsense'"
    refused ''
    refused MONITOR
    refused monitor2
    refused monito
}

@test "an unknown command cannot act on the terminal" {
    refused $'\033[31mred\nline\377'
    head -n 1 "$ERR" | grep -qF '\x1b[31mred\nline\xff'
}

@test "an endless word is cut" {
    refused "$(head -c 100000 /dev/zero | tr '\0' x)"
    [ "$(wc -c <"$ERR")" -lt 1000 ]
}

@test "help of an unknown command is a wrong use" {
    refused help moniter
    head -n 1 "$ERR" | grep -qF "'moniter'"
    refused help monitor schema
    refused help syscalls recrod
    head -n 1 "$ERR" | grep -qF "'recrod'"
    refused help syscalls record show
}

@test "commands that take no argument refuse one" {
    refused version 1
    refused schema x
    refused monitor nginx
    # A program to run is a likely meaning, so the message says how.
    grep -q 'after --' "$ERR"
    refused schema -- true
    refused version --
}
