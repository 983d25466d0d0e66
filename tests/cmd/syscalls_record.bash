# shellcheck shell=bash disable=SC2034 # `status` is for the tests
# SPDX-License-Identifier: MIT
#
# For the tests of `syscalls record`: running it, and the truth that it is compared with: strace, and
# what the programs in tests/programs/calls_*.c say of themselves.

# record ARG...: records into $R; output in $OUT, messages in $ERR, status in $status.
record()
{
    R=${R:-$T/recording}
    status=0
    timeout -k 5 60 "$TOOL" syscalls record -o "$R" "$@" >"$OUT" 2>"$ERR" </dev/null 3>&- ||
        status=$?
}

# record_start WORD ARG...: starts it; returns when COMMAND has said WORD.
record_start()
{
    local word=$1

    shift
    R=${R:-$T/recording}
    # What a run before said is not this one's.
    : >"$OUT"
    "$TOOL" syscalls record -o "$R" "$@" >"$OUT" 2>"$ERR" </dev/null 3>&- &
    TRACER=$!
    wait_for 20 grep -qs "$word" "$OUT"
}

# record_end: waits for its end; status in $status.
record_end()
{
    wait_for 20 has_ended "$TRACER"
    status=0
    wait "$TRACER" || status=$?
    TRACER=
}

# recorded FILTER: what jq says of the recording.
recorded()
{
    jq -c "$1" "$R"
}

# recorded_is FILTER VALUE
recorded_is()
{
    local value

    value=$(recorded "$1")
    [ "$value" = "$2" ] || { echo "$1 is $value, not $2"; return 1; }
}

# calls_of NODES CALL: how often the nodes for which the jq expression holds made it.
calls_of()
{
    jq --arg call "$2" "[.nodes[] | select($1) | .calls[] | select(.name == \$call) | .count] | add // 0" "$R"
}

# The calls of all nodes, a line each: name, count, errors. Those that never return are left out, as
# strace leaves them out.
recorded_calls()
{
    jq -r '[.nodes[].calls[]] | group_by(.name)[] |
        "\(.[0].name) \(map(.count) | add) \(map(.errors) | add)"' "$R" |
        grep -vE '^(exit|exit_group) ' | LC_ALL=C sort
}

# strace_calls COMMAND...: the same by strace; the execve of COMMAND itself is not recorded.
strace_calls()
{
    strace -f -c -U name,calls,errors -o "$T/strace" "$@" >/dev/null 2>&1 </dev/null 3>&- || :
    awk '$2 ~ /^[0-9]+$/ && $1 != "total" {
        if ($1 == "execve" && --$2 == 0) next
        print $1, $2, $3 + 0
    }' "$T/strace" | LC_ALL=C sort
}

# must_equal_strace COMMAND...: each call as often, and with as many errors, as strace counts. What
# $PREPARE says is done before each of both.
must_equal_strace()
{
    ${PREPARE:-:}
    timeout -k 5 60 "$TOOL" syscalls record ${ENGINE:+--engine "$ENGINE"} -o "$T/recording" -- "$@" \
        >/dev/null 2>"$ERR" </dev/null 3>&- || :
    R=$T/recording
    ${PREPARE:-:}
    strace_calls "$@" >"$T/want"
    recorded_calls >"$T/got"
    [ "$(wc -l <"$T/got")" -ge 10 ] || { echo "hardly anything was recorded"; return 1; }
    diff "$T/want" "$T/got"
}

# must_be_as_said: what the program printed, in $OUT, is what the recording has. Lines: START CALL
# COUNT, see tests/programs/calls.h; PHASE CALL COUNT; ARCH CALL COUNT; entry ENTRY INSTANCES.
must_be_as_said()
{
    local kind name count value nr=0

    while read -r kind name count; do
        case $kind in
        entry)
            value=$(jq --arg entry "$name" \
                '[.nodes[] | select(.entry == $entry) | .instances] | add' "$R")
            ;;
        depth)
            count=$name
            value=$(recorded '[.nodes[] | select(.start == "fork")] | length')
            ;;
        refused)
            value=$(jq --arg call "$name" \
                '[.nodes[].calls[] | select(.name == $call and .errors == .count) | .count] | add' "$R")
            ;;
        i386 | x86_64 | x32)
            value=$(jq --arg arch "$kind" --arg call "$name" \
                '[.nodes[].calls[] | select(.arch == $arch and .name == $call) | .count] | add' "$R")
            ;;
        [0-9]*) value=$(calls_of ".phase == $kind" "$name") ;;
        *) value=$(calls_of ".start == \"$kind\"" "$name") ;;
        esac
        [ "$value" = "$count" ] || { echo "$kind $name: $value, not $count"; return 1; }
        nr=$((nr + 1))
    done <"$OUT"
    [ "$nr" -gt 0 ] || { echo "the program said nothing"; return 1; }
}

# bytes_at FILE OFFSET: 16 bytes of it.
bytes_at()
{
    dd if="$1" iflag=skip_bytes bs=16 count=1 skip="$2" status=none | od -An -v -tx1
}

# code_of PID OFFSET: the same of the memory of PID where its program has OFFSET mapped.
code_of()
{
    local range offset

    read -r range _ offset _ < <(grep -E 'r-xp .*/sys_loop$' "/proc/$1/maps")
    bytes_at "/proc/$1/mem" $((0x${range%%-*} + $2 - 0x$offset))
}

# stops_asleep PID: stops what becomes sleep(1), while it sleeps; false when that has ended before, on
# a machine that stood still meanwhile.
stops_asleep()
{
    wait_for 20 is_sleep_or_over "$1"
    kill -STOP "$1" 2>/dev/null || :
    wait_for 20 is_stopped_or_over "$1"
    ! has_ended "$1"
}

is_sleep_or_over()
{
    has_ended "$1" || grep -qsx sleep "/proc/$1/comm"
}

is_stopped_or_over()
{
    has_ended "$1" || grep -qs '^State:.*[Tt]' "/proc/$1/status"
}
