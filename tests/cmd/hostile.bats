#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Names that somebody chose to do harm: of processes, files, folders, programs, libraries, and
# arguments. In every format they come out as what they were, and act on nothing. The names and what
# has to be reported of them are in hostile-names. How they reach the tool is tested with each
# source.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and setup() sets the variables in it

load helpers

setup_file()
{
    local dir=$BATS_FILE_TMPDIR format

    check_environment
    file_needs python3 || return 0
    PROGRAMS=$PROGRAMS "$HERE/hostile-names" "$dir"
    for format in json-stream json-lines json-array json-pretty text; do
        "$TOOL" monitor --verbose --format "$format" --output "$dir/$format" \
            --event file_open,lib_load,process_exec -- "$PROGRAMS/puppet" \
            <"$dir/script" >"$dir/$format.out" 2>"$dir/$format.err" 3>&- &
    done
    wait
}

# essence FILE: what hostile-names tells of each event.
essence()
{
    jq -c -s 'flatten | .[] | select(.event_type != "start" and .event_type != "coverage")
        | [.event_type, .process] +
          if .event_type == "file_open" then [.file]
          elif .event_type == "lib_load" then [.library]
          elif .process == "true" then [.argv, .cmdline]
          else [.argv, .cmdline, .exe, .cwd] end' "$1" | tail -n +2
}

# inert FILE: valid UTF-8 without any character that acts on a terminal, but for line ends.
inert()
{
    iconv -f UTF-8 -t UTF-8 "$1" >/dev/null || { echo "not UTF-8: $1"; return 1; }
    # As bytes: in the C locale.
    refute env LC_ALL=C grep -qaP '[\x00-\x09\x0b-\x1f\x7f]' "$1"
    refute env LC_ALL=C grep -qaP '\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae]|\xe2\x81[\xa6-\xa9]' "$1"
}

@test "every format of JSON gives back every name" {
    local format

    jq -c . "$BATS_FILE_TMPDIR/json" >"$T/expected"
    [ "$(wc -l <"$T/expected")" -gt 150 ]
    for format in json-stream json-lines json-array json-pretty; do
        STREAM=$BATS_FILE_TMPDIR/$format
        check_stream
        diff "$T/expected" <(essence "$STREAM")
    done
}

@test "no name makes a line of its own" {
    local format

    for format in json-stream json-lines; do
        STREAM=$BATS_FILE_TMPDIR/$format
        [ "$(wc -l <"$STREAM")" -eq "$(jq -c . "$STREAM" | wc -l)" ]
        refute grep -qv '^{"event_type":"[a-z_]*",.*}$' "$STREAM"
    done
}

@test "no format has a byte that acts on a terminal" {
    local format

    for format in json-stream json-lines json-array json-pretty text; do
        [ -s "$BATS_FILE_TMPDIR/$format" ]
        inert "$BATS_FILE_TMPDIR/$format"
        inert "$BATS_FILE_TMPDIR/$format.err"
    done
}

@test "text tells every name, readable and in one way only" {
    local pid wanted line

    pid=$(sed -n 's/^ready //p' "$BATS_FILE_TMPDIR/text.out" | head -n 1)
    sed -nE '/^[0-9:.]{15} /s/^.{16}//p' "$BATS_FILE_TMPDIR/text" | tail -n +2 |
        sed "s/\\[$pid\\]/[PID]/; s/^\\(true\\|pro.*gram\\)\\[[0-9]*\\]/\\1[PID]/" >"$T/text"
    [ "$(wc -l <"$T/text")" -eq "$(wc -l <"$BATS_FILE_TMPDIR/text.expected")" ]
    while IFS= read -r wanted && IFS= read -r line <&4; do
        [[ $line == "$wanted"* ]] || { printf '%s\n' "wanted: $wanted" "got: $line"; return 1; }
    done <"$BATS_FILE_TMPDIR/text.expected" 4<"$T/text"
}

@test "text on a terminal has colours of the tool, and no sequence of anybody else" {
    needs script
    timeout 60 script -qec "'$TOOL' monitor --quiet --format text --event file_open -- \
        '$PROGRAMS/puppet' <'$BATS_FILE_TMPDIR/script' 2>/dev/null" /dev/null \
        >"$T/terminal" 2>"$ERR" </dev/null 3>&-
    [ "$(wc -l <"$T/terminal")" -gt 100 ]
    sed 's/\x1b\[\(0\|1\|[0-9][0-9]\)m//g; s/\r$//' "$T/terminal" >"$T/rest"
    refute cmp -s "$T/terminal" "$T/rest"
    inert "$T/rest"
}

@test "the start line and messages tell hostile arguments of the tool's own" {
    local format

    for format in json-stream json-pretty text; do
        tracer monitor --verbose --format "$format" --name $'\033[31m' --file $'*\n\377\342\200\256' \
            -- true $'\033]0;x\a' '","x":"'
        must_be 0
        inert "$OUT"
        inert "$ERR"
    done
    tracer monitor -- true $'\033]0;x\a' '","x":"' $'\377'
    must_count 1 '.event_type == "start"
                  and .options[-3:] == ["\u001b]0;x\u0007", "\",\"x\":\"", "\ufffd"]'
}
