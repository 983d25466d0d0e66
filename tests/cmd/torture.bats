#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The short form of `make torture`: where memory or descriptors are short, a command ends by itself
# and says so, or goes on and says what it lacks. tests/torture/run says what is asserted.

load helpers

# shellcheck disable=SC2034 # bats reads it
BATS_TEST_TIMEOUT=300

# must_stand ARG...: of tests/torture/run.
must_stand()
{
    needs setarch jq
    "$ROOT/tests/torture/run" "$@" >"$OUT" 2>"$ERR" || { cat "$OUT"; return 1; }
    # Nothing that failed is no proof where nothing ran.
    [ "$(sed -nE '$s/^([0-9]+) runs, 0 failed$/\1/p' "$OUT")" -ge "$MIN" ]
}

setup()
{
    common_setup
    not_sanitized "their allocator is in the way"
}

@test "commands over recordings stand every failure once" {
    MIN=15 must_stand -k 'syscalls show' -s 8
    # All: what it leaves out for want of memory would be a hole in the policy.
    MIN=60 must_stand -k 'syscalls policy --format c'
}

@test "check tells nothing where there is no memory for its text" {
    MIN=1 must_stand -k check -w check_text
}

@test "check ends the child that nobody answers any more" {
    MIN=1 must_stand -k 'check --format' -w take_listener
}

@test "the broker goes on answering where a signal came in between" {
    MIN=1 must_stand -f eintr -k 'libs --format' -w send_answer
}

@test "snapshot stands failures, as do its broker's" {
    MIN=5 must_stand -k 'snapshot --diff' -s 20
}

@test "monitor stands failures, as do its broker's" {
    MIN=3 must_stand -k 'monitor -- true' -s 200
}

@test "profile says that it lacks command lines" {
    MIN=1 must_stand -k 'profile --api' -w tell_cmdline
}

@test "monitor goes on where no ring can be handed over of a CPU that came online" {
    [ "$(nproc)" -gt 1 ] || skip "one CPU"
    MIN=1 must_stand -k 'TORTURE_LATE=1 CRYPTO' -w reduced_rings_reopen
}
