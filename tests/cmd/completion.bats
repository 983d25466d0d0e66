#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# `completion`: each shell is really asked what it offers, and that is compared with --help.

load helpers

setup()
{
    common_setup
    for shell in bash zsh fish; do "$TOOL" completion "$shell" >"$T/$shell"; done
    mkdir "$T/zsh-functions"
    mv "$T/zsh" "$T/zsh-functions/_crypto-tracer"
    # What is completed has to be a program that the shell finds.
    mkdir "$T/bin"
    ln -s "$TOOL" "$T/bin/crypto-tracer"
    PATH=$T/bin:$PATH
}

# All commands, those of commands too, a line each.
commands_listed()
{
    local name

    for name in $("$TOOL" --help | commands_of); do
        echo "$name"
        "$TOOL" "$name" --help | commands_of | sed "s/^/$name /"
    done
}

# The commands in a help text.
commands_of()
{
    awk '/^COMMANDS:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }'
}

# options_of COMMAND...: long and short ones, as its help has them.
options_of()
{
    "$TOOL" "$@" --help | sed -nE 's/^  (    |(-[a-z]), )(--[a-z-]+).*/\2 \3/p' | tr ' ' '\n' |
        grep . | sort -u
}

in_bash()
{
    bash "$HERE/complete.bash" "$T/bash" "$@"
}

in_bash_options()
{
    in_bash crypto-tracer "$@" - | grep -vx -- --
}

in_zsh()
{
    zsh -f "$HERE/complete.zsh" "$T/zsh-functions" "$1"
}

# Candidates without their descriptions.
in_fish()
{
    # shellcheck disable=SC2016 # fish expands it
    fish --no-config -c 'source $argv[1]; complete -C $argv[2]' "$T/fish" "$1" | cut -f 1 | sort -u
}

# must_offer TEXT COMMAND...: exactly these lines.
must_offer()
{
    local wanted=$1 offered

    shift
    offered=$("$@")
    [ "$offered" = "$wanted" ] || { diff <(echo "$wanted") <(echo "$offered"); return 1; }
}

@test "what it prints is what the shells can read" {
    bash -n "$T/bash"
    ! command -v shellcheck >/dev/null || shellcheck -s bash "$T/bash"
    ! command -v zsh >/dev/null || zsh -n "$T/zsh-functions/_crypto-tracer"
    ! command -v fish >/dev/null || fish --no-execute "$T/fish"
    # Where a shell's own options are strict, nothing is unset and nothing fails.
    bash -euo pipefail -c '. "$1"' - "$T/bash"
}

@test "bash: the commands, and of each the options that its help has" {
    local command

    must_offer "$({ "$TOOL" --help | commands_of; echo --help; echo --version; } | sort)" \
        in_bash crypto-tracer ''
    must_offer "$({ "$TOOL" syscalls --help | commands_of; echo --help; } | sort)" \
        in_bash crypto-tracer syscalls ''
    [ "$(commands_listed | wc -l)" -gt 15 ]
    while read -r -a command; do
        [ "${command[*]}" != syscalls ] || continue
        # Long and short ones, and -- where a command can follow.
        must_offer "$(options_of "${command[@]}")" in_bash_options "${command[@]}"
    done < <(commands_listed)
}

@test "bash: values, lists of them, files, and what comes after --" {
    must_offer "$(printf '%s\n' json-array json-lines json-pretty json-stream)" \
        in_bash crypto-tracer monitor --format json
    must_offer text in_bash crypto-tracer monitor --format = t
    must_offer "$(sources_listed | sort)" in_bash crypto-tracer monitor --event ''
    must_offer "$(printf 'file_open,%s\n' process_exec process_exit process_fork)" \
        in_bash crypto-tracer monitor -e file_open,pro
    must_offer "$(printf '%s\n' bpf bpf-text)" \
        in_bash crypto-tracer syscalls policy --format bpf
    must_offer "$(printf '%s\n' critical high info low medium)" \
        in_bash crypto-tracer snapshot --fail-on ''
    # A value that can be left out gives way to an option.
    must_offer "$(printf '%s\n' all default none)" in_bash crypto-tracer monitor --api ''
    must_offer --format in_bash crypto-tracer monitor --api --form
    : >"$T/file name"
    must_offer "$T/file name" in_bash crypto-tracer monitor --output "$T/file"
    must_offer "$T/file name" in_bash crypto-tracer syscalls show "$T/file"
    must_offer file_open in_bash crypto-tracer check file
    must_offer crypto-tracer in_bash crypto-tracer monitor -- crypto-tra
    must_offer "$T/file name" in_bash crypto-tracer monitor -- cat "$T/file"
    must_offer '' in_bash crypto-tracer monitor "$T/file"
    must_offer '' in_bash crypto-tracer nonsense --
    # Nothing of the line is executed.
    # shellcheck disable=SC2016 # that is what is tried
    in_bash crypto-tracer monitor --output '$(touch '"$T"'/ran)' >/dev/null
    # shellcheck disable=SC2016 # as above
    in_bash crypto-tracer '$(touch '"$T"'/ran)' '$(touch '"$T"'/ran)' >/dev/null
    [ ! -e "$T/ran" ]
}

@test "fish: the commands, their options and values" {
    local command

    needs fish
    must_offer "$("$TOOL" --help | commands_of | sort)" in_fish 'crypto-tracer '
    must_offer "$("$TOOL" syscalls --help | commands_of | sort)" in_fish 'crypto-tracer syscalls '
    must_offer monitor in_fish 'crypto-tracer mon'
    while read -r command; do
        # It offers the long ones first, and after a single dash the others, too.
        # shellcheck disable=SC2086 # words
        must_offer "$(options_of $command)" in_fish "crypto-tracer $command -"
    done < <(commands_listed | grep -vx syscalls)
    must_offer text in_fish 'crypto-tracer monitor --format t'
    must_offer "$(sources_listed | sort)" in_fish 'crypto-tracer monitor --event '
    must_offer "$(printf 'file_open,%s\n' process_exec process_exit process_fork)" \
        in_fish 'crypto-tracer monitor --event file_open,pro'
    must_offer "$(printf '%s\n' all default none)" in_fish 'crypto-tracer monitor --api '
    must_offer "$(printf '%s\n' bash fish zsh)" in_fish 'crypto-tracer completion '
    : >"$T/file"
    must_offer "$T/file" in_fish "crypto-tracer monitor --output $T/fil"
    must_offer "$T/file" in_fish "crypto-tracer syscalls show $T/fil"
    must_offer "$T/file" in_fish "crypto-tracer monitor -- cat $T/fil"
    must_offer '' in_fish 'crypto-tracer monitor '
}

@test "zsh: the commands, their options and values" {
    local command

    needs zsh
    must_offer "$({ "$TOOL" --help | commands_of; echo --help; echo --version; } | sort)" \
        in_zsh 'crypto-tracer '
    must_offer "$({ "$TOOL" syscalls --help | commands_of; echo --help; } | sort)" \
        in_zsh 'crypto-tracer syscalls '
    for command in monitor check 'syscalls record'; do
        # shellcheck disable=SC2086 # words
        must_offer "$(options_of $command | grep -- --)" in_zsh "crypto-tracer $command --"
    done
    # Of the others it is seen that they are there.
    while read -r command; do
        sed -n "/^    '$command')\$/,/^        ;;/p" "$T/zsh-functions/_crypto-tracer" |
            sed -nE "s/^            '\\*(--?[a-z-]+)[=+]?\\[.*/\\1/p" | sort -u >"$T/offered"
        # shellcheck disable=SC2086 # as above
        options_of $command | diff - "$T/offered"
    done < <(commands_listed | grep -vx syscalls)
    must_offer "$(printf '%s\n' json-array json-lines json-pretty json-stream)" \
        in_zsh 'crypto-tracer monitor --format=json'
    must_offer "$(printf '%s\n' process_exec process_exit process_fork)" \
        in_zsh 'crypto-tracer monitor --event file_open,pro'
    must_offer "$(printf '%s\n' all default none)" in_zsh 'crypto-tracer monitor --api '
    must_offer "$(printf '%s\n' bash fish zsh)" in_zsh 'crypto-tracer completion '
    : >"$T/file"
    must_offer file in_zsh "crypto-tracer monitor --output $T/fil"
    must_offer file in_zsh "crypto-tracer monitor -- cat $T/fil"
}

@test "wrong use" {
    local words

    for words in '' csh 'bash zsh' '--format json'; do
        status=0
        # shellcheck disable=SC2086 # several words
        "$TOOL" completion $words >"$OUT" 2>"$ERR" || status=$?
        must_be 2
        must_be_error
        [ ! -s "$OUT" ]
    done
}

@test "a full disk is no success, a reader that is gone no noise" {
    for shell in bash zsh fish; do
        status=0
        "$TOOL" completion "$shell" >/dev/full 2>"$ERR" || status=$?
        must_be 1
        must_be_error
        "$TOOL" completion "$shell" 2>"$ERR" | head -n 1 | grep -q .
        [ ! -s "$ERR" ]
    done
}

@test "make install puts them where the shells look" {
    needs make
    make -s -C "$ROOT" BUILD="$BUILD" DESTDIR="$T/root" PREFIX=/usr install 3>&-
    cmp "$T/bash" "$T/root/usr/share/bash-completion/completions/crypto-tracer"
    cmp "$T/zsh-functions/_crypto-tracer" "$T/root/usr/share/zsh/site-functions/_crypto-tracer"
    cmp "$T/fish" "$T/root/usr/share/fish/vendor_completions.d/crypto-tracer.fish"
}
