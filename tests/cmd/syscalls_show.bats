#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# `syscalls show`: what is printed of a recording, and what is refused. What each part of the table
# says is tested in tests/syscalls/show_test.c.

load helpers
load recordings

setup()
{
    common_setup
    recording 1 read=0=100=0 write=1=10=2 openat=257 >"$T/one.json"
}

# show ARG...: runs it; output in $OUT, messages in $ERR, status in $status.
show()
{
    status=0
    "$TOOL" syscalls show "$@" >"$OUT" 2>"$ERR" || status=$?
}

@test "text: calls by count, errors, the tree, a warning of a single run" {
    show "$T/one.json"
    must_be 0
    [ ! -s "$ERR" ]
    grep -qx '  program    /usr/bin/prog' "$OUT"
    grep -qx '  command    prog -x' "$OUT"
    [ "$(sed -n '/^System calls: 3 calls, made 111 times$/,/^$/p' "$OUT" | sed 1,2d |
        awk 'NF { print $1, $2, $3 }')" = "$(printf 'read 100 0\nwrite 10 2\nopenat 1 0')" ]
    grep -qE '^  /usr/bin/prog +1 +3 +111$' "$OUT"
    grep -q '^  - a single run: ' "$OUT"
    refute grep -q 'added' "$OUT"
}

@test "text is at most 80 columns wide and without color where it is no terminal" {
    show "$T/one.json"
    [ "$(wc -L <"$OUT")" -le 80 ]
    refute grep -q "$(printf '\033')" "$OUT"
}

@test "color on a terminal, and none where NO_COLOR is set" {
    needs script
    script -qec "env -u NO_COLOR '$TOOL' syscalls show '$T/one.json'" /dev/null >"$OUT" </dev/null
    grep -q "$(printf '\033')\[1mRecording" "$OUT"
    script -qec "env NO_COLOR=1 '$TOOL' syscalls show '$T/one.json'" /dev/null >"$OUT" </dev/null
    grep -q Recording "$OUT"
    refute grep -q "$(printf '\033')" "$OUT"
}

@test "json: the shape that is promised" {
    show --format json "$T/one.json"
    must_be 0
    [ "$(jq -c '[.runs, (.nodes | length), .nodes[0].id, .nodes[0].parent, .nodes[0].exe,
        .nodes[0].start, .nodes[0].phase]' "$OUT")" = \
        '[1,1,0,null,"/usr/bin/prog","command",0]' ]
    [ "$(jq -c '.nodes[0].calls[1]' "$OUT")" = \
        '{"name":"write","nr":1,"arch":"x86_64","count":10,"errors":2,"first_seen_ns":1000,"runs":1}' ]
    [ "$(jq -r '.warnings[0]' "$OUT" | cut -d : -f 1)" = "a single run" ]
}

@test "json is a recording again, and the same one" {
    show --format json "$T/one.json"
    cp "$OUT" "$T/again.json"
    show --format json "$T/again.json"
    must_be 0
    cmp "$OUT" "$T/again.json"
}

@test "several files are shown as one: support and growth" {
    recording 2 read=0 >"$T/two.json"
    recording 3 read=0 close=3 >"$T/three.json"
    show "$T/one.json" "$T/two.json" "$T/three.json"
    must_be 0
    grep -qE '^  read +102 +0 +1.0 us +3 of 3$' "$OUT"
    grep -qE '^  close +1 +0 +1.0 us +1 of 3$' "$OUT"
    grep -qx 'The last 2 runs added 1 of 4 calls.' "$OUT"
    refute grep -q 'single run' "$OUT"
}

@test "phases: a table each" {
    with_phase aeMain <"$T/one.json" >"$T/phases.json"
    show "$T/phases.json"
    must_be 0
    grep -qx 'Phase 0, from the start: 3 calls, made 111 times' "$OUT"
    grep -qx "Phase 1, from 'aeMain' on: 3 calls, made 111 times" "$OUT"
    grep -qE '^    from aeMain on +1 +3 +111 +1$' "$OUT"
}

@test "warnings: lost calls, a filter, io_uring, 32-bit calls, calls that always failed" {
    jq -c '.each_run[0] += {lost: 7, was_filtered: true, io_uring_calls: 1, is_complete: false,
            calls: [{phase: 0, arch: "x86_64", nr: [0]}, {phase: 0, arch: "i386", nr: [20]}]} |
        .nodes[0].calls |= [(.[0] | .errors = .count),
            (.[0] | .arch = "i386" | .nr = 20 | .name = "getpid")]' "$T/one.json" >"$T/bad.json"
    show "$T/bad.json"
    must_be 0
    grep -q '^  - 7 calls were lost' "$OUT"
    grep -q '^  - a seccomp filter was there before' "$OUT"
    grep -q '^  - 1 of 1 runs were cut short' "$OUT"
    grep -q '^  - io_uring was used' "$OUT"
    grep -q '^  - 32-bit calls: 1 of i386' "$OUT"
    grep -q '^  - always failed: read' "$OUT"
    grep -qE '^  i386 getpid +100 ' "$OUT"
}

@test "names that would act on the terminal are tamed" {
    jq -c '.exe = "/tmp/\u001b[31mx\u0007" | .command = ["a\nb", "\u202e"] |
        .nodes[0].exe = "/tmp/\u001b]0;t\u0007"' "$T/one.json" >"$T/bad.json"
    show "$T/bad.json"
    must_be 0
    refute grep -qP '[\x00-\x08\x0b-\x1f\x7f]' "$OUT"
}

@test "standard input, and a pipe" {
    show - <"$T/one.json"
    must_be 0
    cp "$OUT" "$T/expected"
    show "$T/one.json"
    cmp "$OUT" "$T/expected"
    show <(cat "$T/one.json")
    must_be 0
    cmp "$OUT" "$T/expected"
}

@test "--output writes to a file" {
    show -o "$T/out.txt" "$T/one.json"
    must_be 0
    [ ! -s "$OUT" ]
    grep -q '^Recording$' "$T/out.txt"
    show -o /dev/full "$T/one.json"
    must_be 1
    must_be_error
    show -o "$T/no/such/dir" "$T/one.json"
    must_be 1
    must_be_error
}

@test "what cannot be read is an error that says why" {
    local file

    echo '{"policy_version":"1.0","phases":[]}' >"$T/policy.json"
    head -c 1000 "$TOOL" >"$T/binary"
    : >"$T/empty"
    jq -c '.nodes[0].calls[0].nr = 5000' "$T/one.json" >"$T/number.json"
    for file in "$T/missing" "$T" /dev/null "$T/policy.json" "$T/binary" "$T/empty" \
        "$T/number.json"; do
        show "$file"
        must_be 1
        must_be_error
        [ ! -s "$OUT" ]
        grep -qF "'$file'" "$ERR"
    done
    show "$T/missing"
    grep -qx 'No such file or directory' "$ERR"
    show "$T/policy.json"
    grep -qx 'not a recording: it is a policy' "$ERR"
    show "$T/binary"
    grep -qx 'not a recording: it is not JSON' "$ERR"
    show "$T/number.json"
    grep -qx "a call's 'nr' is not a number below 1024" "$ERR"
}

@test "a file of gigabytes is refused at once" {
    truncate -s 300M "$T/large"
    show "$T/large"
    must_be 1
    must_be_error
    grep -qx 'larger than 256 MiB' "$ERR"
    show - < <(head -c 300M /dev/zero)
    must_be 1
    grep -qx 'larger than 256 MiB' "$ERR"
}

@test "no file, or another format, is a wrong use" {
    show
    must_be 2
    must_be_error
    show --format xml "$T/one.json"
    must_be 2
    must_be_error
    [ ! -s "$OUT" ]
}

@test "an output that is closed ends it silently" {
    status=0
    (trap '' PIPE; "$TOOL" syscalls show "$T/one.json" 2>"$ERR"; echo $? >"$T/status") |
        head -c 0 || status=$?
    wait_for 5 test -s "$T/status"
    case $(cat "$T/status") in 0 | 141) ;; *) cat "$ERR"; return 1 ;; esac
    [ ! -s "$ERR" ]
}

@test "a real recording: the calls that strace counts, as often" {
    needs strace
    mkdir "$T/dir"
    touch "$T/dir/a" "$T/dir/b"
    real "$T/real.json" ls -l "$T/dir"
    strace_counts ls -l "$T/dir" >"$T/theirs"
    [ "$(wc -l <"$T/theirs")" -ge 15 ]
    show "$T/real.json"
    must_be 0
    sed -n '/^System calls/,/^$/p' "$OUT" | sed 1,2d | awk 'NF { print $1, $2 }' | sort >"$T/ours"
    diff "$T/theirs" "$T/ours"
}
