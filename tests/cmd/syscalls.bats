#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# `syscalls`: the commands below it, and what their options take.

load helpers

# tool ARG...: output in $OUT, messages in $ERR, status in $status.
# shellcheck disable=SC2034 # must_be reads the status
tool()
{
    status=0
    "$TOOL" syscalls "$@" >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
}

# refused TEXT ARG...: a usage error that says TEXT.
refused()
{
    local text=$1

    shift
    tool "$@"
    must_be 2
    grep -qF -- "$text" "$ERR" || { echo "not because of '$text': $(cat "$ERR")"; return 1; }
    [ ! -s "$OUT" ]
}

@test "--help names the commands in their order, and each has help of its own" {
    local name

    tool --help
    must_be 0
    [ "$(awk '/^COMMANDS:/ { on = 1; next } on && NF == 0 { exit } on { print $1 }' "$OUT" | paste -sd' ')" = \
        'record show merge diff policy run patch verify' ]
    for name in record show merge diff policy run patch verify; do
        tool "$name" --help
        must_be 0
        grep -q "crypto-tracer syscalls $name" "$OUT"
        refute grep -nE '^.{81}' "$OUT"
    done
}

@test "a command that is not there, or is not given, is an error" {
    refused 'no command given'
    grep -q 'Try: crypto-tracer syscalls --help' "$ERR"
    refused "unknown command 'trace'" trace
    grep -q 'Try: crypto-tracer syscalls --help' "$ERR"
    refused "unknown command ''" ''
    refused "unknown command '\x1b[31m'" "$(printf '\033[31m')"
    tool --version
    must_be 2
}

@test "options take what they say, and nothing else" {
    refused 'not a number from 1 to 10000' record --runs 0 -- true
    refused 'not a number from 1 to 10000' record --runs 10001 -- true
    refused 'not auto, bpf or ptrace' record --engine gdb -- true
    refused 'not kill or detach' record --on-exit leave -- true
    refused 'empty' record --phase '' -- true
    refused 'empty' record --drive '' -- true
    refused 'empty' record -o '' -- true
    refused 'not errno, kill, log or notify' policy --action allow x
    refused 'excludes --portable' policy --portable --exact x
    refused 'excludes --exact' policy --exact --portable x
    refused 'not a number from 0 to 64' policy --phase 65 x
    refused 'empty' policy --arg '' x
    refused 'empty' run --policy '' -- true
}

@test "64 points and 64 rules, no more" {
    local -a points=() rules=()
    local i

    for ((i = 0; i < 65; i++)); do
        points+=(--phase "signal:$i")
        rules+=(--arg "read:0=$i")
    done
    refused 'more than 64 points' record "${points[@]}" -- true
    refused 'more than 64 of them' policy "${rules[@]}" x
}
