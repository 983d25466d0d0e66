#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The systemd unit. No systemd runs here, so the sandbox that the unit asks for is made by
# service-sandbox, which says what it cannot do; systemd-analyze reads the unit itself.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test is a subshell; variables are for the helpers

load ../cmd/helpers
load packaging

setup()
{
    common_setup
    needs systemd-analyze openssl
    UNIT=$PACKAGING/crypto-tracer.service
    openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -out "$T/seen.pem" -subj /CN=seen \
        2>/dev/null
}

# in_sandbox UNIT: $TOOL is what that unit starts.
in_sandbox()
{
    needs bwrap setpriv python3
    # It may not use ptrace(2).
    leaks_unseen
    printf '#!/bin/sh\nexec %q %q %q "$@"\n' "$BATS_TEST_DIRNAME/service-sandbox" "$1" "$TOOL" \
        >"$T/tool"
    chmod 755 "$T/tool"
    TOOL=$T/tool
}

@test "systemd reads the unit without a complaint" {
    mkdir -p "$T/root/usr/bin" "$T/root/etc/systemd/system"
    cp "$(type -P true)" "$T/root/usr/bin/crypto-tracer"
    cp "$UNIT" "$T/root/etc/systemd/system"
    systemd-analyze verify --man=no --recursive-errors=no --root="$T/root" crypto-tracer.service \
        >"$OUT" 2>&1
    refute grep crypto-tracer.service "$OUT"
    # It would have complained.
    echo 'NoSuchSetting=yes' >>"$T/root/etc/systemd/system/crypto-tracer.service"
    systemd-analyze verify --man=no --recursive-errors=no --root="$T/root" crypto-tracer.service \
        >"$OUT" 2>&1 || :
    grep -q crypto-tracer.service "$OUT"
}

@test "its exposure is rated 2.2 of 10 at most" {
    systemd-analyze security --offline=true --threshold=22 "$UNIT" >"$OUT"
}

@test "it has the rights of docs/privileges.md, no more and no less" {
    local set

    documented_capabilities >"$T/documented"
    [ "$(wc -l <"$T/documented")" -ge 5 ]
    for set in AmbientCapabilities CapabilityBoundingSet; do
        sed -n "s/^$set=//p" "$UNIT" | tr ' ' '\n' | sort | diff "$T/documented" -
    done
}

@test "the folder of its output is there before it starts, for root alone" {
    local output

    # systemd opens it before it makes a LogsDirectory=, and then the service does not start.
    needs systemd-tmpfiles
    output=$(sed -n 's/^StandardOutput=append://p' "$UNIT")
    [ -n "$output" ]
    systemd-tmpfiles --root="$T/root" --create "$PACKAGING/crypto-tracer.tmpfiles"
    [ "$(stat -c %a%u "$T/root${output%/*}")" = 7500 ]
    # What is rotated is what is written.
    grep -qxF "$output {" "$PACKAGING/crypto-tracer.logrotate"
}

@test "in its sandbox monitor reports, with the content of files that the unit cannot see" {
    in_sandbox "$UNIT"
    # Its ExecStart says monitor.
    tracer_start --name head --api none
    LD_PRELOAD=libssl.so.3 act
    wait_for 20 grep -q 'CN=seen' "$STREAM"
    tracer_stop
    must_be 143
    must_have_acted
    must_have '.event_type == "file_open" and .file == "'"$T"'/seen.pem" and
        .certificates[0].subject == "CN=seen"'
    must_have '.event_type == "lib_load" and .family == "openssl"'
    must_have '.event_type == "coverage" and .final and ([.sources[] |
        select(.name == "tap" or .name == "file_open") | .attached] | all)'
}

@test "without one of its rights or calls it says so: the sandbox is one" {
    sed 's/CAP_BPF //' "$UNIT" >"$T/a.service"
    sed 's/^SystemCallFilter=bpf /SystemCallFilter=/' "$UNIT" >"$T/b.service"
    in_sandbox "$T/a.service"
    tracer --duration 0.1
    must_be 3
    TOOL=$BUILD/crypto-tracer
    in_sandbox "$T/b.service"
    tracer --duration 0.1
    must_be 3
}

@test "with a setting that takes openat2(2) away it sees no content, and says so" {
    sed 's/^RestrictRealtime=/RestrictSUIDSGID=yes\n&/' "$UNIT" >"$T/a.service"
    in_sandbox "$T/a.service"
    tracer_start --name head --api none
    act
    tracer_stop
    must_have_acted
    refute grep -q CN=seen "$STREAM"
    must_have '.event_type == "coverage" and .final and
        (.not_seen | map(.what) | index("content of opened files")) != null'
}

@test "each set and call of its filter is one that the command it starts makes use of" {
    local start

    not_sanitized "their allocator calls no mremap"
    needs python3
    start=$(sed -n 's/^ExecStart=[^ ]* //p' "$UNIT")
    [ -n "$start" ]
    # shellcheck disable=SC2086 # words
    "$TOOL" syscalls record -q -o "$T/recording" -- "$TOOL" $start --duration 1 >"$T/events"
    sed 's/^SystemCallFilter=bpf /&@reboot /' "$UNIT" >"$T/more.service"
    "$BATS_TEST_DIRNAME/service-sandbox" --unused "$T/more.service" "$T/recording" >"$OUT"
    # Threads give their stacks back with madvise: with --api, which the unit does not have.
    [ "$(grep -vx madvise "$OUT")" = @reboot ]
}

@test "a setting that is not tried here is not taken for one that is" {
    sed 's/^PrivateTmp=yes/PrivateMagic=yes/' "$UNIT" >"$T/a.service"
    in_sandbox "$T/a.service"
    tracer --duration 0.1
    must_be 97
}

@test "its output can be copied and truncated while it runs" {
    "$TOOL" monitor --quiet --event file_open --name head >>"$T/events" 3>&- &
    TRACER=$!
    wait_for 20 grep -qs '"start"' "$T/events"
    act
    wait_for 10 grep -q /seen.pem "$T/events"
    cp "$T/events" "$T/events.1"
    truncate -s 0 "$T/events"
    act
    wait_for 10 grep -q /seen.pem "$T/events"
    kill -TERM "$TRACER"
    wait "$TRACER" || :
    TRACER=
    # No hole, no half line.
    [ "$(head -c 1 "$T/events")" = '{' ]
    jq -e -s '(map(select(.file == "'"$T"'/seen.pem")) | length == 1) and .[-1].final' "$T/events"
    jq -e -s 'map(select(.file == "'"$T"'/seen.pem")) | length == 1' "$T/events.1"
}
