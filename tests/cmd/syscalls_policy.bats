#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# `syscalls policy`: recordings in, a policy out, and what is refused. That all formats answer alike
# is tested in tests/syscalls/format_*_test.c.

load helpers
load recordings

setup()
{
    common_setup
    recording 1 read=0 write=1 close=3 brk=12 ioctl=16 openat=257 exit_group=231 >"$T/one.json"
}

# policy ARG...: runs it; output in $OUT, messages in $ERR, status in $status.
policy()
{
    status=0
    "$TOOL" syscalls policy "$@" >"$OUT" 2>"$ERR" || status=$?
}

# The calls that phase $2 of the policy in file $1 allows, in the list $3.
calls_of()
{
    jq -r --argjson phase "$2" --arg list "$3" '.phases[$phase].allowed[0][$list][]' "$1"
}

@test "a recording becomes a policy: what was seen, what was added, warnings" {
    policy "$T/one.json"
    must_be 0
    [ "$(jq -c '[.policy_version, .schema_version, .exe, .build_id, .runs, .action, .native,
        (.phases | length), .rules]' "$OUT")" = \
        '["1.0","1.0","/usr/bin/prog","00ff",1,"errno","x86_64",1,[]]' ]
    [ "$(calls_of "$OUT" 0 seen | sort | tr '\n' ' ')" = \
        "brk close exit_group ioctl openat read write " ]
    calls_of "$OUT" 0 added >"$T/added"
    for name in execve exit restart_syscall rt_sigreturn tgkill clock_gettime mmap rseq; do
        grep -qx "$name" "$T/added" || fail "$name is not allowed"
    done
    refute grep -qx ptrace "$T/added"
    grep -q 'WARN: a single run: ' "$ERR"
    grep -q "WARN: 'execve' is allowed to the end" "$ERR"
    grep -q 'INFO: phase 0: 7 calls seen, [0-9]* added: ' "$ERR"
    [ "$(jq -r '.warnings[0]' "$OUT" | cut -d : -f 1)" = "a single run" ]
}

@test "--exact adds what every program needs, --portable what other libraries call" {
    policy --exact "$T/one.json"
    calls_of "$OUT" 0 added | sort >"$T/exact"
    policy "$T/one.json"
    calls_of "$OUT" 0 added | sort >"$T/default"
    policy --portable "$T/one.json"
    calls_of "$OUT" 0 added | sort >"$T/portable"
    [ -z "$(comm -23 "$T/exact" "$T/default")" ]
    [ -z "$(comm -23 "$T/default" "$T/portable")" ]
    refute grep -qx mmap "$T/exact"
    grep -qx execve "$T/exact"
    refute grep -qx writev "$T/default"
    grep -qx writev "$T/portable"
    policy --exact --portable "$T/one.json"
    must_be 2
    grep -q "option '--portable' excludes --exact" "$ERR"
}

@test "several recordings are merged first" {
    recording 2 read=0 fsync=74 >"$T/two.json"
    policy "$T/one.json" "$T/two.json"
    must_be 0
    [ "$(jq .runs "$OUT")" = 2 ]
    calls_of "$OUT" 0 seen | grep -qx fsync
    grep -q 'WARN: seen in 1 of 2 runs only: .*fsync' "$ERR"
    refute grep -q 'single run' "$ERR"
    policy "$T/one.json" "$T/one.json"
    must_be 1
    grep -q 'it has a run that is in the ones before it already' "$ERR"
}

@test "phases shrink, and one that takes nothing away is left out" {
    recording 1 read=0 write=1 | with_phase aeMain |
        jq -c '.nodes[0].calls += [.nodes[0].calls[0] | .name = "openat" | .nr = 257] |
            .each_run[0].calls[0].nr += [257]' >"$T/phases.json"
    policy "$T/phases.json"
    must_be 0
    [ "$(jq -c '[.phases[].point]' "$OUT")" = '[null,"aeMain"]' ]
    calls_of "$OUT" 0 seen | grep -qx openat
    refute grep -qx openat < <(calls_of "$OUT" 1 seen)
    refute grep -qx execve < <(calls_of "$OUT" 1 added)
    refute grep -q 'no effect' "$ERR"
    grep -q "INFO: phase 1 from 'aeMain': 2 calls seen" "$ERR"

    # a second point after which the same calls are made
    jq -c '.phases += [.phases[1] | .phase = 2 | .point = "again"] |
        .nodes += [.nodes[1] | .id = 2 | .parent = 1 | .phase = 2] |
        .each_run[0].calls += [.each_run[0].calls[1] | .phase = 2]' "$T/phases.json" >"$T/again.json"
    policy "$T/again.json"
    must_be 0
    [ "$(jq -c '[.phases[].point]' "$OUT")" = '[null,"aeMain"]' ]
    grep -q "WARN: the point 'again' has no effect" "$ERR"
}

@test "a format with one phase says so, and --phase chooses another" {
    recording 1 read=0 write=1 | with_phase aeMain >"$T/phases.json"
    policy --format oci "$T/phases.json"
    must_be 0
    grep -q 'WARN: this format has one phase: it is phase 0 of 2, see --phase' "$ERR"
    jq -e '.syscalls[0].names | index("execve")' "$OUT" >/dev/null
    policy --format oci --phase 1 "$T/phases.json"
    must_be 0
    jq -e '.syscalls[0].names | index("execve") | not' "$OUT" >/dev/null
    policy --format oci --phase 2 "$T/phases.json"
    must_be 2
    grep -q 'There is no such phase' "$ERR"
    policy --format c "$T/phases.json"
    grep -qF 'int policy_enter_phase_1(void); /* at aeMain */' "$OUT"
    refute grep -q 'has one phase' "$ERR"
}

@test "a policy is a policy again, in every format" {
    "$TOOL" syscalls policy -q "$T/one.json" -o "$T/policy"
    [ "$(stat -c %a "$T/policy")" = 600 ]
    policy "$T/policy"
    must_be 0
    cmp "$OUT" "$T/policy"
    for format in c bpf bpf-text oci systemd minijail; do
        "$TOOL" syscalls policy -q --format $format "$T/one.json" >"$T/direct" 2>/dev/null
        policy --format $format "$T/policy"
        must_be 0
        [ -s "$OUT" ]
        cmp "$OUT" "$T/direct"
    done
    policy --exact "$T/policy"
    must_be 2
    grep -q 'What a policy allows is settled' "$ERR"
    policy "$T/policy" "$T/one.json"
    must_be 1
    grep -q 'it is a policy' "$ERR"
}

@test "actions: what becomes of other calls, and what cannot be said" {
    for action in errno kill log notify; do
        policy --action $action "$T/one.json"
        must_be 0
        [ "$(jq -r .action "$OUT")" = $action ]
    done
    policy --action log "$T/one.json"
    grep -q 'WARN: the action is log: nothing is refused' "$ERR"
    policy --action kill --format systemd "$T/one.json"
    grep -qx 'SystemCallErrorNumber=kill' "$OUT"
    policy --action notify --format systemd "$T/one.json"
    must_be 2
    policy --action log --format minijail "$T/one.json"
    must_be 2
    policy --action trap "$T/one.json"
    must_be 2
}

@test "rules about arguments: taken, and refused where they make no sense" {
    policy --arg ioctl:1=0x5401,0x5413 --arg openat:0=-100 "$T/one.json"
    must_be 0
    [ "$(jq -c '.rules[0]' "$OUT")" = \
        '{"arch":"x86_64","call":"ioctl","argument":1,"values":[21505,21523]}' ]
    [ "$(jq -c '.rules[1].values' "$OUT")" = '[4294967196,"18446744073709551516"]' ]
    for rule in openat:1=5 read:1=0 clone3:0=1 ioctl ioctl:9=1 ioctl:1=x kill:1=9; do
        policy --arg "$rule" "$T/one.json"
        must_be 2
        grep -qF "Cannot use --arg '$rule'" "$ERR"
    done
    policy --arg openat:1=5 "$T/one.json"
    grep -q 'is a pointer: a filter sees the address, not what is there' "$ERR"
    policy --arg getpid:0=5 "$T/one.json"
    must_be 2
    grep -q "'getpid' has no arguments" "$ERR"
}

@test "the filter in the kernel: a program runs under it, and what is not allowed is refused" {
    needs bwrap strace
    # shellcheck disable=SC2046 # a word for each call
    recording 1 $(strace -f -X raw -o "$T/trace" sh -c 'echo hello; :' >/dev/null
        awk -F '[( ]+' '$2 ~ /^[a-z_0-9]+$/ { print $2 }' "$T/trace" | sort -u | while read -r name; do
            nr=$(sed -n "s/^SYSCALL(\([0-9]*\), $name)$/\1/p" "$ROOT/src/syscalls/syscalls_x86_64.def")
            echo "$name=$nr"
        done) >"$T/sh.json"
    "$TOOL" syscalls policy -q "$T/sh.json" --format bpf -o "$T/sh.bpf" 2>/dev/null
    run bwrap --dev-bind / / --seccomp 9 sh -c 'echo hello; :' 9<"$T/sh.bpf"
    [ "$status" -eq 0 ]
    [ "$output" = hello ]
    run bwrap --dev-bind / / --seccomp 9 sh -c 'umask 7; cd /; echo alive' 9<"$T/sh.bpf"
    [[ $output == *alive* ]]
    run bwrap --dev-bind / / --seccomp 9 sh -c "mkdir '$T/forbidden'" 9<"$T/sh.bpf"
    [ "$status" -ne 0 ]
    [ ! -e "$T/forbidden" ]
    "$TOOL" syscalls policy -q "$T/sh.json" --action kill --format bpf -o "$T/kill.bpf" 2>/dev/null
    run bwrap --dev-bind / / --seccomp 9 sh -c 'echo hello; :' 9<"$T/kill.bpf"
    [ "$output" = hello ]
    run bwrap --dev-bind / / --seccomp 9 sh -c 'ulimit -n 5; (exit 3)' 9<"$T/kill.bpf"
    [ "$status" -eq 159 ]
}

@test "what is no recording is refused with a reason" {
    echo '{}' >"$T/empty"
    policy "$T/empty"
    must_be 1
    grep -q "cannot make a policy of '.*empty'" "$ERR"
    grep -q 'not a recording' "$ERR"
    policy "$T/absent"
    must_be 1
    grep -q 'No such file or directory' "$ERR"
    policy /dev/zero
    must_be 1
    head -c 100000 /dev/urandom >"$T/noise"
    policy "$T/noise"
    must_be 1
    grep -q 'not JSON' "$ERR"
    recording 1 >"$T/nothing"
    policy "$T/nothing"
    must_be 1
    grep -q 'no calls were recorded' "$ERR"
    [ ! -s "$OUT" ]
    policy
    must_be 2
    policy --format xml "$T/one.json"
    must_be 2
    grep -q 'Formats: json, c, bpf, bpf-text, oci, systemd, minijail' "$ERR"
}

@test "a broken policy is refused and not taken for something smaller" {
    "$TOOL" syscalls policy -q "$T/one.json" -o "$T/policy" 2>/dev/null
    sed 's/"read"/"reed"/' "$T/policy" >"$T/typo"
    policy "$T/typo"
    must_be 1
    grep -q 'a call that its architecture does not have' "$ERR"
    head -c 300 "$T/policy" >"$T/half"
    policy "$T/half"
    must_be 1
}

@test "foreign text cannot act on the terminal" {
    recording 1 read=0 | with_phase x | jq -c '.phases[1].point = "\u001b[31mred\u0007" |
        .phases[1].hits = 0' >"$T/hostile.json"
    for format in json c bpf-text systemd minijail oci; do
        policy --format $format "$T/hostile.json"
        must_be 0
        refute grep -q "$(printf '\033')" "$OUT"
        refute grep -q "$(printf '\033')" "$ERR"
    done
}

@test "output that fails is an error" {
    policy -o /dev/full "$T/one.json"
    must_be 1
    policy -o "$T/no/such/folder" "$T/one.json"
    must_be 1
    policy - <"$T/one.json"
    must_be 0
}

@test "a warning that names calls is printed to its end" {
    jq -c '.nodes[0].calls += [.nodes[0].calls[0] | .arch = "i386" | .nr = 3] |
        .each_run[0].calls += [{phase: 0, arch: "i386", nr: [3]}]' "$T/one.json" >"$T/mixed.json"
    policy --format systemd "$T/mixed.json"
    must_be 0
    grep 'names stand for the calls of all architectures' "$ERR" >"$T/warning"
    [ "$(wc -c <"$T/warning")" -gt 300 ]
    grep -q ' and [0-9]* more$' "$T/warning"
}
