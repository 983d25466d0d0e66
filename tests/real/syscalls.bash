# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What the tests of `syscalls` with real programs share.

# shellcheck source=tests/cmd/helpers.bash
. "$BATS_TEST_DIRNAME/../cmd/helpers.bash"

# shellcheck disable=SC2034 # the tests run them
EXAMPLES=$ROOT/examples/syscalls
# How often each program is run under its policy.
COMPLY_RUNS=20
SERVER=

setup()
{
    common_setup
    # For the examples.
    export CRYPTO_TRACER=$TOOL
    export LC_ALL=C
}

teardown()
{
    if [ -n "$SERVER" ] && kill -KILL "$SERVER" 2>/dev/null; then wait "$SERVER" 2>/dev/null || :; fi
    common_teardown
}

# record NAME [OPTION...] -- COMMAND...: to $T/NAME.json.
record()
{
    local name=$1

    shift
    status=0
    "$TOOL" syscalls record --quiet -o "$T/$name.json" "$@" >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
    [ -s "$T/$name.json" ] || { echo "no recording, status $status: $(cat "$ERR")"; return 1; }
}

# policy_of NAME [OPTION...]: $T/NAME.policy of $T/NAME.json.
policy_of()
{
    local name=$1

    shift
    "$TOOL" syscalls policy --quiet "$@" -o "$T/$name.policy" "$T/$name.json" 2>"$ERR"
}

# ruled POLICY [OPTION...] -- COMMAND...: output in $OUT, messages in $ERR, status in $status.
ruled()
{
    local policy=$1

    shift
    status=0
    timeout -k 5 60 "$TOOL" syscalls run --quiet --policy "$policy" "$@" >"$OUT" 2>"$ERR" </dev/null 3>&- ||
        status=$?
}

# comply POLICY COMMAND...: where another call kills, COMMAND does what it does without a policy.
comply()
{
    local policy=$1 plain=0 i

    shift
    "$@" >"$T/plain" 2>"$T/plain.err" </dev/null 3>&- || plain=$?
    [ -s "$T/plain" ] || { echo "nothing to compare: $*: $(cat "$T/plain.err")"; return 1; }
    for ((i = 0; i < COMPLY_RUNS; i++)); do
        ruled "$policy" --action kill -- "$@"
        must_be "$plain" || { echo "$*: $(cat "$ERR")"; return 1; }
        cmp "$T/plain" "$OUT"
        # What the tool itself says has a time in front.
        cmp "$T/plain.err" <(grep -vE '^\[[0-9-]{10}T' "$ERR")
    done
}

# refused POLICY NAME COMMAND...: `verify` names that call, and `run --action kill` ends it.
refused()
{
    local policy=$1 name=$2

    shift 2
    status=0
    timeout -k 5 60 "$TOOL" syscalls verify --quiet --format json --policy "$policy" -o "$T/refused.json" \
        -- "$@" >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
    must_be 10
    jq -e --arg name "$name" 'any(.refused[]; .name == $name)' "$T/refused.json" >/dev/null || {
        echo "not refused: $name; $(jq -c '[.refused[].name]' "$T/refused.json")"
        return 1
    }
}

# phase_calls NAME PHASE: the names of the calls of that phase and later ones, a line each.
phase_calls()
{
    jq -r --argjson phase "$2" '[.nodes[] | select(.phase >= $phase) | .calls[] | select(.arch == "x86_64").name]
        | unique[]' "$T/$1.json"
}

# strace_counts FILE COMMAND...: "NAME COUNT" a line, of COMMAND and all it starts, without the
# execve by which it begins.
strace_counts()
{
    local file=$1

    shift
    strace -f -qq -o "$T/strace" "$@" >"$T/strace.out" 2>"$T/strace.err" </dev/null 3>&-
    grep -oE '^[0-9]+ +([a-z_0-9]+)\(' "$T/strace" | sed -E 's/^[0-9]+ +//; s/\($//' | sort | uniq -c |
        awk '$2 == "execve" { $1-- } $1 { print $2, $1 }' | sort >"$file"
}

# recorded_counts FILE NAME: the same of $T/NAME.json.
recorded_counts()
{
    jq -r '[.nodes[].calls[]] | group_by(.name)[] | "\(.[0].name) \(map(.count) | add)"' "$T/$2.json" |
        sort >"$1"
}

# seccomp_of PID KEY: "Seccomp" or "Seccomp_filters" of each of its threads.
seccomp_of()
{
    sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/task/"*/status
}
