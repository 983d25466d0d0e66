#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Commands below valgrind's memcheck: no error, nothing leaked, and what they write and end with is
# what they do without it. These are the commands that enter no filter: it lets nobody have
# executable memory, which valgrind makes. The others have the sanitizers (docs/testing.md).

load helpers

# shellcheck disable=SC2034 # bats reads it
BATS_TEST_TIMEOUT=600

setup()
{
    not_sanitized "valgrind does not run those"
    common_setup
    needs valgrind
    cd "$T" || return 1
}

# must_be_clean ARG...
must_be_clean()
{
    local plain=0 watched=0

    "$TOOL" "$@" >plain 2>"$ERR" </dev/null || plain=$?
    valgrind --quiet --error-exitcode=99 --leak-check=full \
        --errors-for-leak-kinds=definite,indirect,possible --log-file=report.%p \
        "$TOOL" "$@" >watched 2>"$ERR" </dev/null || watched=$?
    [ -z "$(cat report.*)" ] || { echo "$*"; cat report.*; return 1; }
    rm report.*
    [ "$watched" -eq "$plain" ] || { echo "$*: status $watched, not $plain"; return 1; }
    diff plain watched
    [ -s plain ] || { echo "$*: nothing was written"; return 1; }
}

@test "help, tables and completions" {
    must_be_clean version
    must_be_clean help
    must_be_clean help monitor
    must_be_clean schema
    must_be_clean completion bash
}
