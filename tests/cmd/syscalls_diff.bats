#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# `syscalls diff`: what only one of two recordings has.

load helpers
load recordings

setup()
{
    common_setup
    recording 1 read=0 open=2 >"$T/old.json"
    recording 2 read=0=9=9 openat=257=3=3 >"$T/new.json"
}

compare()
{
    status=0
    "$TOOL" syscalls diff "$@" >"$OUT" 2>"$ERR" || status=$?
}

@test "text: what is new and what is gone, and the status says so" {
    compare "$T/old.json" "$T/new.json"
    must_be 11
    [ ! -s "$ERR" ]
    grep -qE '^  - open +1 time, in 1 of 1 run$' "$OUT"
    grep -qE '^  [+] openat +3 times, failed, in 1 of 1 run$' "$OUT"
    refute grep -qw read "$OUT"
    [ "$(tail -n 1 "$OUT")" = "1 new, 1 gone" ]
    [ "$(wc -L <"$OUT")" -le 80 ]
}

@test "how often a call was made is no difference" {
    recording 3 read=0=77=7 open=2=5=0 >"$T/more.json"
    compare "$T/old.json" "$T/more.json"
    must_be 0
    grep -qx 'no differences' "$OUT"
    compare "$T/old.json" "$T/old.json"
    must_be 0
}

@test "json: the same" {
    compare --format json "$T/old.json" "$T/new.json"
    must_be 11
    [ "$(jq -c '[.calls.new[].name, .calls.gone[].name, .summary]' "$OUT")" = \
        '["openat","open",{"new":1,"gone":1}]' ]
    [ "$(jq -c '[.old.exe, .old.libc, .new.runs, .phases[0].in, .programs[0].exe]' "$OUT")" = \
        '["/usr/bin/prog","glibc 2.36",1,"both","/usr/bin/prog"]' ]
    compare --format json "$T/old.json" "$T/old.json"
    must_be 0
    [ "$(jq -c '.summary' "$OUT")" = '{"new":0,"gone":0}' ]
}

@test "a call that moved to another phase is a difference of phases" {
    with_phase aeMain <"$T/old.json" >"$T/both.json"
    jq -c '(.nodes[1].calls, .each_run[0].calls[1].nr) |= .[:1]' "$T/both.json" >"$T/first.json"
    compare "$T/both.json" "$T/first.json"
    must_be 11
    [ "$(sed -n '/^Phase from aeMain$/,/^$/p' "$OUT" | sed -n 2p | awk '{ print $1, $2 }')" = \
        "- open" ]
    refute grep -q '^In all' "$OUT"
    [ "$(tail -n 1 "$OUT")" = "0 new, 0 gone" ]
}

@test "a program that only one runs is named" {
    jq -c '.nodes += [.nodes[0] | .id = 1 | .parent = 0 | .start = "exec" | .exe = "/bin/sh"]' \
        "$T/old.json" >"$T/shell.json"
    compare "$T/old.json" "$T/shell.json"
    must_be 11
    grep -qx 'Program /bin/sh: new only, 2 calls' "$OUT"
}

@test "two versions: programs of other paths are compared with each other" {
    jq -c '.exe = "/opt/prog" | .nodes[0].exe = "/opt/prog" | .libc = "musl"' "$T/new.json" \
        >"$T/musl.json"
    compare "$T/old.json" "$T/musl.json"
    must_be 11
    grep -qx 'old: /usr/bin/prog, 1 run, glibc 2.36, 6.1.0' "$OUT"
    grep -qx 'new: /opt/prog, 1 run, musl, 6.1.0' "$OUT"
    compare --format json "$T/old.json" "$T/musl.json"
    [ "$(jq -c '.programs | [length, .[0].exe, .[0].old_exe, .[0].in]' "$OUT")" = \
        '[1,"/opt/prog","/usr/bin/prog","both"]' ]
}

@test "what may mislead is noted" {
    jq -c '.each_run[0].lost = 3 | .engine = "ptrace"' "$T/new.json" >"$T/lost.json"
    compare "$T/old.json" "$T/lost.json"
    grep -q '^note: new: 3 calls were lost' "$OUT"
    grep -q '^note: they were recorded by different engines' "$OUT"
}

@test "standard input, and --output" {
    compare -o "$T/text" - "$T/new.json" <"$T/old.json"
    must_be 11
    [ ! -s "$OUT" ]
    grep -q openat "$T/text"
    compare -o /dev/full "$T/old.json" "$T/new.json"
    must_be 1
    must_be_error
}

@test "what cannot be read, and too few or many files" {
    compare "$T/old.json" "$T/missing"
    must_be 1
    must_be_error
    grep -qF "'$T/missing'" "$ERR"
    compare "$T/missing" "$T/new.json"
    must_be 1
    compare "$T/old.json"
    must_be 2
    must_be_error
    compare "$T/old.json" "$T/old.json" "$T/old.json"
    must_be 2
    compare --format yaml "$T/old.json" "$T/new.json"
    must_be 2
    [ ! -s "$OUT" ]
}

@test "real recordings: what the longer listing needs more, as strace says" {
    needs strace
    mkdir "$T/dir"
    touch "$T/dir/a"
    real "$T/short.json" ls "$T/dir"
    real "$T/long.json" ls -l "$T/dir"
    compare --format json "$T/short.json" "$T/long.json"
    must_be 11
    strace_counts ls "$T/dir" | cut -d ' ' -f 1 >"$T/short"
    strace_counts ls -l "$T/dir" | cut -d ' ' -f 1 >"$T/long"
    comm -13 "$T/short" "$T/long" >"$T/theirs"
    [ -s "$T/theirs" ]
    jq -r '.calls.new[].name' "$OUT" | sort | diff "$T/theirs" -
    jq -r '.calls.gone[].name' "$OUT" | sort | diff <(comm -23 "$T/short" "$T/long") -
    real "$T/again.json" ls -l "$T/dir"
    compare "$T/long.json" "$T/again.json"
    must_be 0
}
