#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The packet tap under the tool: what it tells, and that packets pass whatever becomes of the tool.

load ../../support/trace

setup_file()
{
    trace_ready || return 0
    cd "$BATS_FILE_TMPDIR" || return
    trace_run events expected --event tap -- "$BUILD/tests/sources/tap/tap_trigger"
}

setup()
{
    trace_need
    cp "$BATS_FILE_TMPDIR/events" "$BATS_FILE_TMPDIR/expected" "$BATS_TEST_TMPDIR"
    cd "$BATS_TEST_TMPDIR" || return
}

teardown()
{
    trace_clean
}

@test "the begin of a connection, at both its ends, with the socket's number" {
    each connection
}

@test "a datagram of a handshake" {
    each datagram
}

@test "of connections that are none of ours nothing is told" {
    local pid
    pid=$(jq -r 'select(.case == "nothing") | .pid' expected)
    [ -n "$pid" ]
    [ -z "$(events events "select(.pid == $pid)")" ]
}

@test "the tap is attached, and without any reason to complain here" {
    [ "$(coverage events '.sources[] | select(.name == "tap") | .attached and .reason == null')" = true ]
}

@test "without need of it no program for packets is loaded" {
    trace_start other --event file_open
    [ -z "$(prog_ids)" ]
    trace_stop other
}

# prog_ids: those of the programs for packets that the tool holds.
prog_ids()
{
    local pid
    for pid in "$TRACER" $(pgrep -P "$TRACER"); do
        awk '/^link_type:/ { type = $2 } /^prog_id:/ { if (type == "cgroup") print $2; type = "" }' \
            "/proc/$pid/fdinfo/"* 2>/dev/null
    done | sort -u
}

# are_gone ID...: the kernel has none of these programs.
are_gone()
{
    local id
    for id; do
        ! bpftool prog show id "$id" >/dev/null 2>&1 || return 1
    done
}

@test "traffic goes on while the tool is stopped; what is lost is counted" {
    trace_start events --event tap --buffer-size 1M
    kill -STOP "$TRACER"
    timeout 60 "$PROGRAMS/traffic" 3000
    kill -CONT "$TRACER"
    until_true grep -q 'WARN: .* events lost' events.err
    timeout 60 "$PROGRAMS/traffic" 10
    trace_stop events
    [ "$(coverage events '.sources[] | select(.name == "tap") | .lost.ring_full')" -gt 1000 ]
    [ "$(coverage events '[.sources[] | select(.name | startswith("process_")) | .lost.ring_full] | add')" -eq 0 ]
}

@test "a tool that is killed leaves no program behind, and connections go on" {
    local ids killed
    needs bpftool
    trace_start events --event tap
    killed=$TRACER
    mapfile -t ids < <(prog_ids)
    [ "${#ids[@]}" -eq 2 ]
    bpftool prog show id "${ids[0]}" >/dev/null
    "$PROGRAMS/traffic" 5000 >traffic.out 2>traffic.err &
    KILL=$!
    until_true grep -q segment events
    kill -KILL "$killed"
    wait "$killed" || :
    until_true are_gone "${ids[@]}"
    wait "$KILL"
    [ ! -s traffic.err ]
}

@test "the tool needs less than 64 MB for all connections that are not decided" {
    local pid rss=0
    not_sanitized "most of the memory is theirs"
    trace_start events --event tap
    timeout 60 "$PROGRAMS/traffic" 5000
    for pid in "$TRACER" $(pgrep -P "$TRACER"); do
        rss=$((rss + $(awk '/^VmRSS:/ { print $2 }' "/proc/$pid/status")))
    done
    trace_stop events
    [ "$rss" -lt 65536 ]
}

# The bytes of BPF maps in the memory of process $1.
mapped_bytes()
{
    awk '/^[0-9a-f]+-[0-9a-f]+ / { is_map = /anon_inode:bpf-map$/ }
        is_map && /^Size:/ { kb += $2 } END { print kb * 1024 }' "/proc/$1/smaps"
}

@test "the ring is mapped where it is read" {
    local broker
    trace_start events
    broker=$(pgrep -P "$TRACER")
    [ -n "$broker" ]
    # The ring's bytes are mapped twice, one after the other.
    [ "$(mapped_bytes "$TRACER")" -gt 8388608 ]
    [ "$(mapped_bytes "$broker")" -lt 1048576 ]
    trace_stop events
}

@test "what loading took is given back" {
    not_sanitized "their allocator keeps it"
    local broker heap pid
    trace_start events
    broker=$(pgrep -P "$TRACER")
    [ -n "$broker" ]
    for pid in "$TRACER" "$broker"; do
        heap=$(awk '/^RssAnon:/ { print $2 }' "/proc/$pid/status")
        [ "$heap" -gt 0 ]
        [ "$heap" -lt 8192 ]
    done
    trace_stop events
}
