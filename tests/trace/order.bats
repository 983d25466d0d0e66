#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The order of events: exact within a process, within a millisecond across CPUs.

load ../support/trace

LIBRARY_NAME=libcrypto.so.3

setup_file()
{
    trace_ready || return 0
    cd "$BATS_FILE_TMPDIR" || return
    LIBRARY=$(ldconfig -p | awk -v name="$LIBRARY_NAME" '$1 == name { print $NF; exit }')
    [ -n "$LIBRARY" ] || return 0
    export LIBRARY
    mkdir files
    trace_run events pids -- "$PROGRAMS/order" "$BATS_FILE_TMPDIR/files" "$LIBRARY" 6 60
}

setup()
{
    trace_need
    [ -n "${LIBRARY:-}" ] || skip "no $LIBRARY_NAME"
    cd "$BATS_FILE_TMPDIR" || return
}

@test "every process does what it did in the order in which it did it" {
    [ "$(wc -l <pids)" -eq 360 ]
    jq -rs --slurpfile pids pids '
        ($pids | map({key: (.pid | tostring), value: 1}) | from_entries) as $known |
        map(select(.pid and $known[.pid | tostring])) | group_by(.pid)[] |
        map(if .event_type == "file_open" then .file | sub(".*/"; "") else .event_type end) |
        join(" ")' events | sort | uniq -c >"$BATS_TEST_TMPDIR/orders"
    echo "    360 a.pem lib_load b.pem process_exec c.pem lib_load d.pem process_exit" \
        >"$BATS_TEST_TMPDIR/expected"
    same "$BATS_TEST_TMPDIR/expected" "$BATS_TEST_TMPDIR/orders"
}

# inversions JQ: how many events JQ selects to come after one that is later, and by how much.
seconds='def seconds: (.[11:13] | tonumber) * 3600 + (.[14:16] | tonumber) * 60 + (.[17:26] | tonumber);'

@test "within a process no event comes before an earlier one" {
    jq -e -s "$seconds"'
        map(select(.pid)) | length > 2000 and
        (group_by(.pid) | map([.[].timestamp | seconds]) |
         map(. as $t | [range(1; length)] | map(select($t[.] < $t[. - 1])) | length) | add == 0)' \
        events >/dev/null
}

@test "across CPUs no event comes more than a millisecond before an earlier one" {
    jq -e -s "$seconds"'
        [.[] | select(.pid) | .timestamp | seconds] |
        reduce .[] as $t ({last: 0, late: 0};
            if $t < .last - 0.001 then .late += 1 else . end | .last = ([.last, $t] | max)) |
        .late == 0' events >/dev/null
}

@test "the stream begins with its start and ends with its coverage" {
    [ "$(head -n 1 events | jq -r .event_type)" = start ]
    [ "$(tail -n 1 events | jq -r .event_type)" = coverage ]
    [ "$(jq -r 'select(.event_type == "start" or .event_type == "coverage") | 1' events | wc -l)" -eq 2 ]
    jq -e -s '.[0].timestamp as $start | .[-1].timestamp as $last |
              all(.[]; .timestamp >= $start and .timestamp <= $last)' events >/dev/null
}
