# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What the tests share that run the tool: starting and stopping it, waiting for a condition instead
# of a time, and comparing what it reported with what a trigger printed.

TREE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$TREE/$BUILD ;; esac
CT=$BUILD/crypto-tracer
# shellcheck disable=SC2034 # for those that load this
PROGRAMS=$BUILD/tests/programs

# shellcheck source=tests/support/needs.bash
. "$TREE/tests/support/needs.bash"
# shellcheck source=tests/support/ports.bash
. "$TREE/tests/support/ports.bash"
# shellcheck source=tests/support/sanitized.bash
. "$TREE/tests/support/sanitized.bash"

# Seconds after which a condition is taken for never to come true.
WAIT_SECONDS=60

# TRACE_HOOK, SOURCE=HOOK, makes every run of the tool use that hook: `TRACE_HOOK=file_open=tp
# tests/run -k sources/file_open`.

# hooks_of SOURCE: the hooks that the tool knows for it, one a line.
hooks_of()
{
    "$CT" monitor --hook "$1=?" 2>&1 | sed -n 's/^    //p'
}

# trace_ready [PROGRAM...]: for setup_file(): false when nothing can run, as where one of them is not
# installed. Makes the test's folder passable for other users.
trace_ready()
{
    [ "$(id -u)" -eq 0 ] || return 1
    file_needs jq "$@" || return 1
    [ -x "$CT" ] || { echo "no '$CT': run make" >&2; return 1; }
    chmod a+x "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR"
}

# For setup(): skips where trace_ready was false.
trace_need()
{
    [ "$(id -u)" -eq 0 ] || skip "needs root"
    file_lacks
}

# until_true COMMAND...: waits until COMMAND succeeds, fails when it takes too long.
until_true()
{
    local end=$((SECONDS + WAIT_SECONDS))
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || { echo "never true: $*" >&2; return 1; }
        sleep 0.02
    done
}

# trace_run EVENTS OUT [OPTION...] -- COMMAND...: runs COMMAND under the tool. Its standard output
# goes to OUT, what both say on standard error to EVENTS.err. Status: COMMAND's. The accounts are
# checked.
trace_run()
{
    local events=$1 out=$2 status=0
    shift 2
    timeout 60 "$CT" monitor ${TRACE_HOOK:+--hook "$TRACE_HOOK"} --no-redact --output "$events" "$@" \
        >"$out" 2>"$events.err" </dev/null 3>&- || status=$?
    [ "$status" -eq 0 ] || { tail -n 20 "$events.err" >&2; return "$status"; }
    trace_accounts "$events"
}

# trace_start EVENTS [OPTION...]: starts the tool beside the test and waits until it traces. Its
# process is TRACER.
trace_start()
{
    local events=$1
    shift
    rm -f "$events"
    "$CT" monitor ${TRACE_HOOK:+--hook "$TRACE_HOOK"} --no-redact --output "$events" "$@" \
        >"$events.out" 2>"$events.err" </dev/null 3>&- &
    TRACER=$!
    until_true trace_has_begun "$events"
    kill -0 "$TRACER" 2>/dev/null || { cat "$events.err" >&2; return 1; }
}

# Whether the stream has its first line, or never will.
trace_has_begun()
{
    grep -q '"event_type":"start"' "$1" 2>/dev/null || ! kill -0 "$TRACER" 2>/dev/null
}

# trace_stop EVENTS: ends the tool as Ctrl-C does, with what it has seen so far written.
trace_stop()
{
    local status=0 tracer=$TRACER
    TRACER=
    kill -INT "$tracer"
    wait "$tracer" || status=$?
    [ "$status" -eq 130 ] || { echo "status $status" >&2; cat "$1.err" >&2; return 1; }
    trace_accounts "$1"
}

# For teardown(): nothing that the test has started goes on. Servers are in KILL.
trace_clean()
{
    local pid
    for pid in ${TRACER:-} ${KILL:-}; do
        kill -CONT "$pid" 2>/dev/null || continue
        kill -KILL "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    TRACER=
    KILL=
}

# trace_accounts EVENTS: the last line is the final coverage, both sums hold for every source.
trace_accounts()
{
    tail -n 1 "$1" | jq -e '
        .event_type == "coverage" and .final and (.sources | length >= 5) and
        ([.sources[] |
          .seen == .rejected + .sent + .lost.ring_full and
          .sent == .malformed + .filtered + .throttled + .written + .pending +
                   .lost.sink_failed + .lost.left_at_exit and
          .malformed == 0 and .pending == 0] | all)' >/dev/null || {
        echo "the accounts do not hold:" >&2
        tail -n 1 "$1" | jq -c '.sources[]' >&2
        return 1
    }
}

# coverage EVENTS JQ: what JQ makes of the final coverage.
coverage()
{
    tail -n 1 "$1" | jq -r "$2"
}

# events EVENTS [JQ]: the events, one a line, keys sorted, without times; those that JQ selects.
events()
{
    jq -cS 'select(.event_type != "start" and .event_type != "coverage") |
            del(.timestamp, .start_time_ns, .duration_ms) | '"${2:-.}" "$1"
}

# expect EXPECTED EVENTS [CASE]: the tool reported exactly what the trigger printed, in the same
# order within the process, or within each thread that has a name of its own. With CASE only of the
# processes of that case; it has to have some.
expect()
{
    local dir=$BATS_TEST_TMPDIR/compare
    mkdir -p "$dir"
    jq -cS --arg case "${3:-}" 'select($case == "" or .case == $case)' "$1" >"$dir/case"
    [ -s "$dir/case" ] || { echo "the trigger printed nothing for '${3:-}'" >&2; return 1; }
    jq -cS -s 'map(select(.event_type)) | sort_by(.pid, .thread)[] | del(.case, .min_ms, .max_ms)' "$dir/case" \
        >"$dir/expected"
    events "$2" | jq -cS -s --slurpfile case "$dir/case" --arg name "${3:-}" '
        ($case | map({key: (.pid | tostring), value: 1}) | from_entries) as $pids |
        map(select($name == "" or $pids[.pid | tostring])) | sort_by(.pid, .thread)[]' >"$dir/reported"
    same "$dir/expected" "$dir/reported"
}

# each CASE...: the stream `events` has all of them as the trigger printed in `expected`.
each()
{
    local name
    for name; do
        expect expected events "$name" || { echo "case '$name'" >&2; return 1; }
    done
}

# same EXPECTED REPORTED: two files; the first 40 lines of what differs.
same()
{
    local status=0
    diff -U 1 "$1" "$2" >"$BATS_TEST_TMPDIR/diff" || status=$?
    [ "$status" -eq 0 ] || head -n 40 "$BATS_TEST_TMPDIR/diff" | cut -c 1-400 >&2
    return "$status"
}
