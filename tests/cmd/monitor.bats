#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# `monitor`: what a stream is, in each of its formats.

load helpers

# One act that makes each kind of event, run below a tracer of every format, all at once.
setup_file()
{
    local format

    check_environment
    cp "$PROGRAMS/puppet" "$BATS_FILE_TMPDIR/libcrypto.so.3"
    printf '%s\n' "open $BATS_FILE_TMPDIR/server.pem" 'open /etc/ssl/certs/none.crt' \
        "map $BATS_FILE_TMPDIR/libcrypto.so.3" 'run true' 'exit 7' >"$BATS_FILE_TMPDIR/script"
    : >"$BATS_FILE_TMPDIR/server.pem"
    now >"$BATS_FILE_TMPDIR/before"
    for format in json-stream json-lines json-array json-pretty text; do
        "$TOOL" monitor --format "$format" --output "$BATS_FILE_TMPDIR/$format" -- \
            "$PROGRAMS/puppet" <"$BATS_FILE_TMPDIR/script" >"$BATS_FILE_TMPDIR/answers" \
            2>"$BATS_FILE_TMPDIR/$format.err" 3>&- &
    done
    wait
    now >"$BATS_FILE_TMPDIR/after"
    "$TOOL" schema >"$BATS_FILE_TMPDIR/schema.json"
}

now()
{
    date -u +%Y-%m-%dT%H:%M:%S.%6NZ
}

# use FORMAT: the stream that setup_file made of it.
use()
{
    STREAM=$BATS_FILE_TMPDIR/$1
    ERR=$STREAM.err
}

# What is the same in every run: the kinds of events and what they are about.
essence()
{
    jq -c -s 'flatten | .[] | [.event_type, .process, .file, .result, .library_name, .exit_code]' \
        "$1" | grep -v '"start"\|"coverage"'
}

@test "json-stream: one object a line, start first, coverage last, every event once" {
    use json-stream
    check_stream
    [ "$(head -n 1 "$STREAM" | jq -r .event_type)" = start ]
    [ "$(tail -n 1 "$STREAM" | jq -r .event_type)" = coverage ]
    [ "$(wc -l <"$STREAM")" -eq "$(jq -c . "$STREAM" | wc -l)" ]
    must_count 2 '.event_type == "process_exec"'
    must_count 2 '.event_type == "process_exit"'
    must_count 1 "$(opens "$BATS_FILE_TMPDIR/server.pem") and .result == \"success\""
    must_count 1 "$(opens /etc/ssl/certs/none.crt) and .result == \"ENOENT\""
    must_count 1 '.event_type == "lib_load" and .library_name == "libcrypto.so.3"
                  and .family == "openssl"'
    must_count 1 '.event_type == "process_exit" and .process == "puppet" and .exit_code == 7'
   
}

@test "the start line tells tool, host, kernel and options" {
    use json-stream
    [ "$(head -n 1 "$STREAM" | jq -r .tool)" = "crypto-tracer $("$TOOL" version |
        sed -n 's/^crypto-tracer version //p')" ]
    [ "$(head -n 1 "$STREAM" | jq -r .host)" = "$(uname -n)" ]
    [ "$(head -n 1 "$STREAM" | jq -r .kernel)" = "$(uname -r)" ]
    [ "$(head -n 1 "$STREAM" | jq -r .schema_version)" = 1.0 ]
    [ "$(head -n 1 "$STREAM" | jq -c '.options[:4]')" = \
        "[\"monitor\",\"--format\",\"json-stream\",\"--output\"]" ]
}

@test "coverage lists every source with its hook, attached" {
    use json-stream
    [ "$(tail -n 1 "$STREAM" | jq -r '.sources[].name' | sort)" = \
        "$(sources_listed | sort)" ]
    [ "$(tail -n 1 "$STREAM" | jq -r '.sources[] | select(.attached | not) | .name')" = "" ]
    [ "$(tail -n 1 "$STREAM" | jq '[.sources[] | select(.hook | length < 5)] | length')" -eq 0 ]
    # Libraries are seen of the whole host, so that what others do may be lost.
    [ "$(tail -n 1 "$STREAM" | jq '[.sources[] | select(.name != "lib_load").lost[]] | add')" -eq 0 ]
    [ "$(tail -n 1 "$STREAM" | jq '[.not_seen[] | select(.what == "io_uring opens")] | length')" -eq 0 ]
}

@test "every line is valid against the schema that the tool prints" {
    "$HERE/validate" --can || skip "python3-jsonschema is not installed"
    use json-stream
    "$HERE/validate" "$BATS_FILE_TMPDIR/schema.json" "$STREAM"
}

@test "file_open, lib_load and process_exec are valid against the specified schema" {
    "$HERE/validate" --can || skip "python3-jsonschema is not installed"
    use json-stream
    for event in file_open lib_load process_exec; do
        events ".event_type == \"$event\"" | "$HERE/validate" "$HERE/appendix-b.json"
    done
}

@test "json-lines is the same as json-stream" {
    use json-lines
    check_stream
    [ "$(wc -l <"$STREAM")" -eq "$(jq -c . "$STREAM" | wc -l)" ]
    diff <(essence "$BATS_FILE_TMPDIR/json-stream") <(essence "$STREAM")
}

@test "json-array is one array of the same events" {
    use json-array
    check_stream
    [ "$(jq -s length "$STREAM")" -eq 1 ]
    [ "$(jq -r type "$STREAM")" = array ]
    [ "$(tail -c 2 "$STREAM")" = "]" ]
    diff <(essence "$BATS_FILE_TMPDIR/json-stream") <(essence "$STREAM")
}

@test "json-pretty is indented and holds the same events" {
    use json-pretty
    check_stream
    grep -q '^  "event_type": "start"' "$STREAM"
    diff <(essence "$BATS_FILE_TMPDIR/json-stream") <(essence "$STREAM")
}

@test "text has one readable line an event, without colour when it is no terminal" {
    use text
    refute grep -qP '[\x00-\x09\x0b-\x1f\x7f]' "$STREAM"
    [ "$(grep -cE '^[0-9:.]{15} puppet\[[0-9]+\] ' "$STREAM")" -ge 5 ]
    grep -qE "\] file_open $BATS_FILE_TMPDIR/server.pem .*success" "$STREAM"
    grep -qE '\] file_open /etc/ssl/certs/none.crt .*ENOENT' "$STREAM"
    grep -qE '\] lib_load .*/libcrypto.so.3 openssl' "$STREAM"
    grep -qE '\] process_exec .*/puppet' "$STREAM"
    grep -qE '\] process_exit .*exit_code=7' "$STREAM"
    [ "$(grep -c '^start ' "$STREAM")" -eq 1 ]
    [ "$(grep -c '^coverage' "$STREAM")" -eq 1 ]
}

@test "text is coloured on a terminal" {
    needs script
    timeout 60 script -qec "'$TOOL' monitor --quiet --format text -- true" /dev/null \
        >"$OUT" 2>"$ERR" </dev/null 3>&-
    grep -q $'\033\\[' "$OUT"
    tr -d '\033\r' <"$OUT" | sed 's/\[[0-9;]*m//g' | grep -qE 'true\[[0-9]+\] process_exit'
}

@test "JSON is not coloured on a terminal" {
    needs script
    timeout 60 script -qec "'$TOOL' monitor --quiet -- true" /dev/null \
        >"$OUT" 2>"$ERR" </dev/null 3>&-
    refute grep -q $'\033' "$OUT"
    [ "$(tr -d '\r' <"$OUT" | jq -r .event_type | head -n 1)" = start ]
}

@test "all times lie within the run" {
    local before after

    read -r before <"$BATS_FILE_TMPDIR/before"
    read -r after <"$BATS_FILE_TMPDIR/after"
    use json-stream
    [ "$(jq -r .timestamp "$STREAM" | wc -l)" -ge 9 ]
    [ -z "$(jq -r --arg before "$before" --arg after "$after" \
        '.timestamp | select(. < $before or . > $after)' "$STREAM")" ]
    # The act comes after the start and before the final coverage.
    [ -z "$(jq -s -r '.[0].timestamp as $start | .[-1].timestamp as $end
        | .[].timestamp | select(. < $start or . > $end)' "$STREAM")" ]
}

@test "events come in the order of what was done" {
    use json-stream
    [ "$(jq -r 'select(.process == "puppet") | .event_type' "$STREAM" | tr '\n' ' ')" = \
        "process_exec file_open file_open lib_load process_exit " ]
    # Two streams of one run each: start_time_ns identifies the process.
    [ "$(jq -r 'select(.process == "puppet") | .start_time_ns // empty' "$STREAM" |
        sort -u | wc -l)" -eq 1 ]
}

@test "a stream shows its start at once, before any event" {
    # No process has this name, so there is none.
    tracer_start monitor --name no-such-name
    must_count 1 '.event_type == "start"'
    [ "$(wc -l <"$STREAM")" -eq 1 ]
    tracer_stop
    must_be 143
}

@test "events show while the run goes on" {
    puppet_start p
    tracer_start monitor --pid "${PUPPET[p]}"
    puppet p open "$T/live.pem"
    wait_for 5 grep -q live.pem "$STREAM"
    tracer_stop
    must_count 1 "$(opens "$T/live.pem")"
}

@test "json-array is one valid array when SIGINT ends it" {
    puppet_start p
    tracer_start monitor --format json-array --pid "${PUPPET[p]}"
    puppet p open "$T/last.pem"
    tracer_stop INT
    must_be 130
    [ "$(jq -r 'type, .[-1].event_type' "$STREAM" | tr '\n' ' ')" = "array coverage " ]
    [ "$(jq --arg file "$T/last.pem" '[.[] | select(.file == $file)] | length' "$STREAM")" -eq 1 ]
}
