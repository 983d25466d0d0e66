#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# `syscalls merge`: recordings put together, in any order, and what is refused.

load helpers
load recordings

setup()
{
    common_setup
    recording 1 read=0=100=0 write=1=10=2 >"$T/one.json"
    recording 2 read=0=5=1 close=3 >"$T/two.json"
    recording 3 openat=257 >"$T/three.json"
}

merge()
{
    status=0
    "$TOOL" syscalls merge "$@" >"$OUT" 2>"$ERR" || status=$?
}

@test "counts are summed, runs counted, support is per call" {
    merge "$T/one.json" "$T/two.json"
    must_be 0
    [ ! -s "$ERR" ]
    [ "$(jq -c '[.runs, .nodes[0].instances, .nodes[0].runs]' "$OUT")" = '[2,2,2]' ]
    [ "$(jq -c '.nodes[0].calls[] | [.name, .count, .errors, .runs]' "$OUT")" = "$(printf '%s\n' \
        '["read",105,1,2]' '["write",10,2,1]' '["close",1,0,1]')" ]
    [ "$(jq -c '.growth' "$OUT")" = '{"runs":1,"added":1,"calls":3}' ]
}

@test "any order gives the same bytes" {
    local order

    merge -o "$T/all.json" "$T/one.json" "$T/two.json" "$T/three.json"
    must_be 0
    for order in "one three two" "two one three" "two three one" "three one two" "three two one"; do
        # shellcheck disable=SC2086 # names without blanks
        set -- $order
        merge "$T/$1.json" "$T/$2.json" "$T/$3.json"
        must_be 0
        cmp "$OUT" "$T/all.json"
    done
}

@test "merges of merges are the same too" {
    merge -o "$T/all.json" "$T/one.json" "$T/two.json" "$T/three.json"
    merge -o "$T/later.json" "$T/two.json" "$T/three.json"
    merge "$T/later.json" "$T/one.json"
    must_be 0
    cmp "$OUT" "$T/all.json"
}

@test "thirty runs: support and growth add up" {
    local i files=()

    for i in $(seq 1 30); do
        recording "$i" read=0 "$([ $((i % 3)) -ne 0 ] && echo write=1 || echo close=3)" \
            "$([ "$i" -eq 28 ] && echo futex=202 || echo read=0)" |
            jq -c '.nodes[0].calls |= unique_by(.nr) | .each_run[0].calls[0].nr |= unique' \
            >"$T/$i.json"
        files+=("$T/$i.json")
    done
    merge "${files[@]}"
    must_be 0
    [ "$(jq -c '[.nodes[0].calls[] | [.name, .runs]]' "$OUT")" = \
        '[["read",30],["write",20],["close",10],["futex",1]]' ]
    [ "$(jq -c '.growth' "$OUT")" = '{"runs":5,"added":1,"calls":4}' ]
}

@test "a file may be written over what was read" {
    merge -o "$T/one.json" "$T/one.json" "$T/two.json"
    must_be 0
    [ "$(jq .runs "$T/one.json")" = 2 ]
}

@test "standard input is one of them" {
    merge "$T/one.json" - <"$T/two.json"
    must_be 0
    [ "$(jq .runs "$OUT")" = 2 ]
}

@test "runs of other builds are merged, and marked" {
    jq -c '.build_id = "aa11"' "$T/two.json" >"$T/other.json"
    merge "$T/one.json" "$T/other.json"
    must_be 0
    [ "$(jq -c '[.is_mixed, .build_id, .exe]' "$OUT")" = '[true,null,"/usr/bin/prog"]' ]
    jq -e '.warnings[] | select(startswith("the runs are of different programs"))' "$OUT"
}

@test "the same run twice is refused" {
    merge -o "$T/out.json" "$T/one.json" "$T/two.json" "$T/one.json"
    must_be 1
    must_be_error
    grep -q 'a run that is in the ones before it already' "$ERR"
    grep -qF "'$T/one.json'" "$ERR"
    [ ! -e "$T/out.json" ]
}

@test "other phases are refused" {
    with_phase aeMain <"$T/two.json" >"$T/phases.json"
    merge "$T/one.json" "$T/phases.json"
    must_be 1
    must_be_error
    grep -q 'other phases' "$ERR"
    [ ! -s "$OUT" ]
}

@test "one that cannot be read leaves no file behind" {
    echo '{"policy_version":"1.0"}' >"$T/policy.json"
    merge -o "$T/out.json" "$T/one.json" "$T/policy.json"
    must_be 1
    must_be_error
    grep -qx 'not a recording: it is a policy' "$ERR"
    [ ! -e "$T/out.json" ]
}

@test "one file is a wrong use" {
    merge "$T/one.json"
    must_be 2
    must_be_error
    merge -o "$T/out.json"
    must_be 2
    [ ! -e "$T/out.json" ]
}

@test "real recordings of other inputs: each call, and in how many of them it was" {
    needs strace
    echo text >"$T/file"
    real "$T/a.json" cat "$T/file"
    real "$T/b.json" cat "$T/file" "$T/file"
    real "$T/c.json" cat /dev/null
    merge "$T/a.json" "$T/b.json" "$T/c.json"
    must_be 0
    {
        strace_counts cat "$T/file"
        strace_counts cat "$T/file" "$T/file"
        strace_counts cat /dev/null
    } | awk '{ sum[$1] += $2; runs[$1]++ } END { for (name in sum) print name, sum[name], runs[name] }' |
        sort >"$T/theirs"
    jq -r '.nodes[].calls[] | "\(.name) \(.count) \(.runs)"' "$OUT" | sort >"$T/ours"
    diff "$T/theirs" "$T/ours"
    [ "$(jq -c '[.runs, (.nodes | length), .is_mixed]' "$OUT")" = '[3,1,false]' ]
}
