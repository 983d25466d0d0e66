# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# For tests of `profile`, after cmd/helpers.bash: a run to its end or beside the test, its document,
# and what every document has to fulfil.

# shellcheck disable=SC2034,SC2154 # of helpers.bash, and of those that load this

PROFILE_JQ=$(dirname "${BASH_SOURCE[0]}")/profile.jq

setup()
{
    common_setup
    D=$BATS_FILE_TMPDIR
    DOC=$OUT
    HELD=()
}

teardown()
{
    local pid

    for pid in "${HELD[@]}"; do
        if kill -KILL "$pid" 2>/dev/null; then wait "$pid" 2>/dev/null || :; fi
    done
    common_teardown
}

# hold [VERB PATH]...: a process that has these; the last one is $held. PRELOAD are its libraries,
# HOLD is its program, AS a command that runs it.
hold()
{
    : >"$T/ready"
    "${AS[@]}" env LD_PRELOAD="${PRELOAD:-}" "${HOLD:-$PROGRAMS/hold}" "$@" </dev/null >"$T/ready" \
        2>"$T/hold.err" 3>&- &
    held=$!
    HELD+=("$held")
    wait_for 10 test -s "$T/ready" || { cat "$T/hold.err"; return 1; }
}

# profile [ARG...]: to its end: document in $DOC, messages in $ERR, status in $status.
profile()
{
    profile_at "$@"
    status=0
    timeout -k 5 60 "$TOOL" profile "$@" >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
    profile_check
}

# profile_whole [ARG...]: the same, again where it lost mappings: it sees those of the whole host, and
# what others do beside the test may be more than it can take. What was lost is another test's.
profile_whole()
{
    for _ in 1 2 3 4 5; do
        profile "$@"
        [ "$(doc '[.coverage.sources[] | select(.name == "lib_load").lost[]] | add')" -ne 0 ] || return 0
    done
    skip "others map more files than can be taken"
}

profile_at()
{
    stream_of "$@"
    DOC=$STREAM
}

# What profile.jq says about the document, if there is one.
profile_check()
{
    local faults

    [ -s "$DOC" ] || return 0
    faults=$(jq -r -s -f "$PROFILE_JQ" "$DOC" 2>&1) || { echo "jq cannot read it: $faults"; return 1; }
    [ -z "$faults" ] || { echo "$faults" | head -n 20; return 1; }
}

profile_has_begun()
{
    grep -qs 'profiling started' "$ERR" || has_ended "$TRACER"
}

# profile_start [ARG...]: returns when everything that was there at the start has been taken in.
profile_start()
{
    profile_at "$@"
    : >"$ERR"
    "$TOOL" profile "$@" >"$OUT" 2>"$ERR" </dev/null 3>&- &
    TRACER=$!
    wait_for 20 profile_has_begun
    refute has_ended "$TRACER"
}

profile_wait()
{
    wait_for 20 has_ended "$TRACER"
    status=0
    wait "$TRACER" || status=$?
    TRACER=
    profile_check
}

# profile_stop [SIGNAL]: ends it as Ctrl-C does; the status has to say so.
profile_stop()
{
    local signal=${1:-INT}

    kill -s "$signal" "$TRACER"
    profile_wait
    must_be $((128 + $(kill -l "$signal")))
    [ -s "$DOC" ]
}

# doc JQ: what JQ makes of the document.
doc()
{
    jq -c "$1" "$DOC"
}

# doc_is JQ EXPECTED: what JQ makes of it is that JSON, or those lines of it.
doc_is()
{
    local found

    found=$(doc "$1")
    [ "$found" = "$2" ] || { echo "$1 is"; echo "$found"; echo "and not"; echo "$2"; return 1; }
}

# doc_has JQ: whether it is true of the document.
doc_has()
{
    jq -e "$1" "$DOC" >/dev/null || { echo "not true: $1"; return 1; }
}

# doc_lines JQ: the strings that JQ gives, sorted.
doc_lines()
{
    jq -r "$1" "$DOC" | sort
}

# file PATH JQ: of the entry of that file.
file()
{
    jq -c --arg path "$1" ".files_accessed[] | select(.path == \$path) | $2" "$DOC"
}

# file_is PATH JQ EXPECTED
file_is()
{
    [ "$(file "$1" "$2")" = "$3" ] || { echo "$1: $2 is $(file "$1" "$2"), not $3"; return 1; }
}

# The time at which process PID was made, s since the epoch.
start_of()
{
    local before up after

    # Both at one moment: anew where something came between.
    for _ in {1..100}; do
        before=${EPOCHREALTIME/[^0-9]/}
        read -r up _ </proc/uptime
        after=${EPOCHREALTIME/[^0-9]/}
        [ $((after - before)) -ge 10000 ] || break
    done
    # shellcheck disable=SC2016 # awk's
    awk -v now_us="$before" -v up="$up" -v hz="$(getconf CLK_TCK)" '
        { sub(/.*\) /, ""); printf "%.3f\n", now_us / 1000000 - up + $20 / hz }' "/proc/$1/stat"
}

# near TIME SECONDS WITHIN: whether TIME, of a document, is that many seconds since the epoch.
near()
{
    awk -v a="$(date -d "$1" +%s.%N)" -v b="$2" -v within="$3" \
        'BEGIN { exit !(a - b < within && b - a < within) }'
}
