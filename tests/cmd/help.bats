#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# `help`, `--help` and `COMMAND --help`: status, text, width, where it goes.

load helpers

# help_run ARG...: like tracer, for what ends by itself and traces nothing.
help_run()
{
    status=0
    "$TOOL" "$@" >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
}

# Help is on standard output alone, fits a terminal and ends in a newline.
must_be_help()
{
    must_be 0
    [ ! -s "$ERR" ]
    [ "$(wc -l <"$OUT")" -gt 5 ]
    [ "$(wc -L <"$OUT")" -le 80 ]
    [ -z "$(tail -c 1 "$OUT")" ]
    refute grep -qP '[^\x20-\x7e\n]' "$OUT"
}

commands_listed()
{
    "$TOOL" --help | awk '/^COMMANDS:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }'
}

@test "--help, -h and help print the same" {
    help_run --help
    must_be_help
    cp "$OUT" "$T/first"
    for word in -h help; do
        help_run "$word"
        must_be_help
        cmp "$OUT" "$T/first"
    done
}

@test "--help has the specified parts" {
    help_run --help
    head -n 1 "$OUT" | grep -q '^crypto-tracer - '
    for part in 'USAGE:' 'COMMANDS:' 'OPTIONS:' 'EXAMPLES:' '    crypto-tracer <COMMAND> [OPTIONS]' \
        'For more information on a command:' '    crypto-tracer COMMAND --help'; do
        grep -qxF -- "$part" "$OUT"
    done
    grep -qE '^    --help +[a-z]' "$OUT"
    grep -qE '^    --version +[a-z]' "$OUT"
}

@test "--help lists the commands, each with what it does" {
    for command in monitor check completion schema version help; do
        commands_listed | grep -qx "$command"
        "$TOOL" --help | grep -qE "^    $command +[a-z].{9,}"
    done
}

@test "every command has help of its own, by three ways" {
    [ "$(commands_listed | wc -l)" -ge 4 ]
    for command in $(commands_listed); do
        help_run "$command" --help
        must_be_help
        head -n 1 "$OUT" | grep -q "^crypto-tracer $command - "
        grep -q "^    crypto-tracer $command" "$OUT"
        cp "$OUT" "$T/first"
        help_run "$command" -h
        must_be_help
        cmp "$OUT" "$T/first"
        help_run help "$command"
        must_be_help
        cmp "$OUT" "$T/first"
    done
}

@test "so has every command of syscalls" {
    local commands command

    commands=$("$TOOL" syscalls --help |
        awk '/^COMMANDS:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }')
    [ "$(wc -w <<<"$commands")" -eq 8 ]
    for command in $commands; do
        help_run syscalls "$command" --help
        must_be_help
        head -n 1 "$OUT" | grep -q "^crypto-tracer syscalls $command - "
        grep -q "^    crypto-tracer syscalls $command" "$OUT"
        cp "$OUT" "$T/first"
        help_run help syscalls "$command"
        must_be_help
        cmp "$OUT" "$T/first"
    done
}

@test "--help wins over the other options, which are checked before" {
    help_run monitor --duration 5 --help
    must_be_help
    # Together they would be wrong, but nothing is run.
    help_run monitor --verbose --quiet --help
    must_be_help
    help_run monitor --nonsense --help
    must_be 2
    must_be_error
}

@test "the examples of monitor --help are right" {
    local options

    [ "$("$TOOL" monitor --help | grep -c '^    crypto-tracer monitor -')" -ge 3 ]
    while read -r options; do
        eval "help_run $options --help"
        must_be 0
    done < <("$TOOL" monitor --help | sed -n 's/^    crypto-tracer \(monitor -[^[]*\)$/\1/p' |
        sed 's/ -- .*//')
}

@test "a reader that stops reading gives no noise" {
    "$TOOL" --help 2>"$ERR" | head -n 1 | grep -q '^crypto-tracer'
    [ ! -s "$ERR" ]
    "$TOOL" schema 2>"$ERR" | head -n 1 | grep -q '{'
    [ ! -s "$ERR" ]
}

@test "a full disk is no success" {
    local words

    for words in --help 'monitor --help' version schema 'schema --format markdown' \
        'schema --format man'; do
        status=0
        # shellcheck disable=SC2086 # several words
        "$TOOL" $words >/dev/full 2>"$ERR" || status=$?
        must_be 1
        must_be_error
        grep -qi 'no space left' "$ERR"
    done
}

@test "a closed standard output is no success" {
    local words

    for words in --help version schema 'schema --format markdown'; do
        status=0
        # shellcheck disable=SC2086 # several words
        "$TOOL" $words >&- 2>"$ERR" || status=$?
        must_be 1
        must_be_error
    done
}

@test "a closed standard error does not disturb" {
    status=0
    "$TOOL" --help >"$OUT" 2>&- || status=$?
    : >"$ERR"
    must_be_help
    status=0
    "$TOOL" --nonsense >"$OUT" 2>&- || status=$?
    must_be 2
    [ ! -s "$OUT" ]
}

@test "all three closed is no crash" {
    status=0
    "$TOOL" --help <&- >&- 2>&- || status=$?
    must_be 1
    status=0
    "$TOOL" nonsense <&- >&- 2>&- || status=$?
    must_be 2
}
