# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What the tests of api_call share: a run of programs whose algorithms are known beforehand, and the
# set of those that were told, for each process. What is expected is what the program was asked for,
# or what it says itself of what it made, in the spelling of the catalogue.
#
# In a set are the algorithms of calls that use them; calls that only allow some for TLS, load a key
# or set something up are not in it.

load real

USES='["cipher","digest","mac","kdf","signature","key_generation","derive","encapsulate"]'

# calls ACT [OPTION...]: runs ACT, a function or a command, below the tool. All calls were told: no
# event was lost, no probe taken off or late. A program of the name LATE, of which there are several,
# may have run before it had its probes.
calls()
{
    local act=$1

    shift
    [ "$(type -t "$act")" != function ] || export -f "${act?}"
    trace_run events out "$@" -- bash -euc "$act" || return
    told
}

told()
{
    tail -n 1 events | jq -e --arg late "${LATE:-}" '(.detached // []) == [] and
        all(.late_attach[]?; .process == $late) and (.late_attach // [] | length <= 1) and
        all(.sources[] | select(.name == "api_call"); .lost | add == 0)' >/dev/null || {
        tail -n 1 events | jq -c '.detached, .late_attach, .sources[]' >&2
        return 1
    }
}

# sets PROGRAM: the algorithms that each process of that name used, a line each, in the order in
# which they were started.
sets()
{
    local pid

    for pid in $(jq -r --arg program "$1" 'select(.event_type == "process_exec" and
        .process == $program) | .pid' events); do
        set_of "$pid"
    done
}

# set_of PID: the algorithms that the process used, on one line.
set_of()
{
    jq -rn --argjson pid "$1" --argjson uses "$USES" '[inputs | select(.event_type == "api_call" and
        .pid == $pid and (.kind | IN($uses[]))) | .algorithm // empty] | unique | join(" ")' events
}

# findings PROGRAM [NUMBER]: RULE SEVERITY EVIDENCE, each once, sorted; of all processes of that name,
# or of one of them, from 0.
findings()
{
    jq -rn --arg program "$1" --argjson number "${2:-null}" '[inputs] as $events |
        [$events[] | select(.event_type == "process_exec" and .process == $program) | .pid] |
        (if $number then [.[$number]] else . end) as $pids |
        $events[] | select(.event_type == "api_call" and (.pid | IN($pids[]))) |
        .findings[]? | "\(.rule) \(.severity) \(.evidence)"' events | sort -u
}

# called PROGRAM FUNCTION [JQ]: what JQ makes of each such call.
called()
{
    jq -c --arg program "$1" --arg function "$2" 'select(.event_type == "api_call" and
        .process == $program and .function_name == $function) | '"${3:-.}" events
}

# serve COMMAND...: a server that goes on until the test ends, from when it listens on $PORT.
serve()
{
    "$@" </dev/null >"$T/server.log" 2>&1 3>&- &
    SERVER=$!
    KILL="${KILL:-} $SERVER"
    until_true served
    kill -0 "$SERVER"
}
