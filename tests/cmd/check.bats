#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# `check`: what it tells against what the other commands then do, as root, with less, in containers;
# and that what it says to do helps.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and setup() sets the variables in it

load helpers
load rights

setup_file()
{
    check_environment
    rights_setup_file
}

# try ARG...: `check`, to its end.
try()
{
    try_as "$TOOL" "$@"
}

# try_as PROGRAM [WORD...] ARG...: the same, run by another command.
try_as()
{
    status=0
    timeout -k 5 90 "${@:1:$#}" >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
}

# of FEATURE KEY: of the document in $OUT.
of()
{
    jq -r --arg name "$1" ".features[] | select(.name == \$name) | .$2 // \"\"" "$OUT"
}

# must_tell FEATURE STATUS [CAUSE]
must_tell()
{
    [ "$(of "$1" status),$(of "$1" cause)" = "$2,${3:-}" ] || {
        echo "$1 is '$(of "$1" status)' for '$(of "$1" cause)', not '$2' for '${3:-}'"
        of "$1" why
        return 1
    }
}

# The exit status that the document in $OUT should have gone with.
status_of_document()
{
    jq '[.features[] | select(.status != "works")] as $bad |
        [.features[] | select(.name | IN($events[]))] as $events_shown |
        if ($events_shown | length) > 0 and
            all($events_shown[]; .status == "unavailable" and .cause == "kernel") then 4
        elif any($bad[]; .cause == "privileges") then 3
        elif ($bad | length) > 0 then 1 else 0 end' \
        --argjson events "$(sources_listed | jq -R . | jq -s .)" "$OUT"
}

# A document, of the shape that the schema has, whose sums are right.
must_be_document()
{
    "$TOOL" schema >"$T/schema"
    [ "$(jq -c '[.oneOf[] | select(.title == "check").properties | keys[]]' "$T/schema")" = \
        "$(jq -c keys "$OUT")" ]
    if "$HERE/validate" --can; then jq -c . "$OUT" | "$HERE/validate" "$T/schema"; fi
    [ "$(jq '.summary | .works + .limited + .unavailable' "$OUT")" -eq \
        "$(jq '.features | length' "$OUT")" ]
    # Who fails says why.
    [ "$(jq '[.features[] | select(.status != "works" and .why == null)] | length' "$OUT")" -eq 0 ]
    [ "$(status_of_document)" -eq "$status" ]
}

# must_be_for_people FILE: narrow, printable, without colour.
must_be_for_people()
{
    [ "$(wc -L <"$1")" -le 80 ] || { awk 'length > 80' "$1"; return 1; }
    refute grep -qP '[^\x20-\x7e\n]' "$1"
}

@test "as root: what it says of each event is what a run then finds" {
    local source attached

    try check --format json
    must_be_document
    cp "$OUT" "$T/document"
    tracer monitor --quiet --event "$(sources_listed | paste -sd ,)" -- true
    must_be 0
    for source in $(sources_listed); do
        attached=$(events '.event_type == "coverage"' |
            jq -r --arg name "$source" '.sources[] | select(.name == $name).attached')
        [ "$(jq -r --arg name "$source" '.features[] | select(.name == $name) |
            .status != "unavailable"' "$T/document")" = "$attached" ] ||
            { echo "$source: a run says attached: $attached"; return 1; }
    done
    # Every way that is told works: the tools of this host do, too.
    mv "$T/document" "$OUT"
    must_tell sandbox works
    must_tell syscalls_record_ptrace works
    must_tell syscalls_run works
    must_tell syscalls_verify works
    [ "$(of snapshot hook)" = "$([ "$("$TOOL" snapshot --no-inspect 2>"$ERR" |
        jq -r .coverage.method)" = bpf ] && echo 'BPF iterators' || echo /proc)" ]
}

@test "for people it is a table that fits, with the same answers" {
    local name answer shown='snapshot content host_crypto sandbox syscalls_run syscalls_patch' status_of_text

    # shellcheck disable=SC2086 # a list of words
    try check $shown
    cp "$OUT" "$T/text"
    must_be_for_people "$T/text"
    [ ! -s "$ERR" ]
    status_of_text=$status
    # shellcheck disable=SC2086 # as above
    try check --format json-pretty $shown
    [ "$status" -eq "$status_of_text" ]
    [ "$(jq -r '.features[].name' "$OUT" | wc -l)" -eq 6 ]
    for name in $(jq -r '.features[].name' "$OUT"); do
        answer=$(of "$name" status)
        grep -qE "^  $name +$answer +[^ ]" "$T/text"
    done
    for name in BTF tracefs cgroup2 /proc lockdown capabilities container; do
        grep -qF "$name" "$T/text"
    done
}

@test "with names only those, and their status" {
    try check syscalls_run syscalls_record_ptrace
    must_be 0
    [ "$(grep -cE '^  [a-z_]+ +works ' "$OUT")" -eq 2 ]
    refute grep -q 'what to do' "$OUT"
    try check --format json file_open lib_load
    [ "$(jq -c '[.features[].name]' "$OUT")" = '["file_open","lib_load"]' ]
    must_be "$(status_of_document)"
    must_be 0
}

no_broker_is_left()
{
    [ -z "$(pgrep -x crypto-tracer:b -P 1)" ]
}

@test "it leaves nothing in the kernel, and no process" {
    "$TOOL" check file_open >"$OUT" 2>"$ERR" </dev/null 3>&- &
    TRACER=$!
    while ! has_ended "$TRACER"; do bpf_held "$TRACER"; done | sort -u >"$T/held"
    wait "$TRACER"
    TRACER=
    grep -q ^prog "$T/held"
    grep -q ^link "$T/held"
    wait_for 10 bpf_gone "$T/held"
    # One of a test before may still let go of its probes.
    wait_for 20 no_broker_is_left
}

@test "it has no rights when it writes" {
    local fifo=$T/fifo

    # The reader of the output does not read: it waits, at the end.
    mkfifo "$fifo"
    "$TOOL" check --verbose syscalls_run snapshot >"$fifo" 2>"$ERR" </dev/null 3>&- &
    TRACER=$!
    exec {reader}<"$fifo"
    wait "$TRACER" || :
    TRACER=
    exec {reader}<&-
    grep -qE "capabilities after start-up: uid $(id -u nobody), =\$" "$ERR"
}

@test "without rights: status 3, no event, and all that is missing" {
    needs setpriv
    as_user '' check --format json
    must_be 3
    must_be_document
    [ "$(jq -c '[.features[] | select(.name | IN("syscalls_run", "syscalls_verify",
        "syscalls_record_ptrace", "syscalls_patch", "sandbox")) | .status] | unique' "$OUT")" = '["works"]' ]
    for name in $(sources_listed) monitor profile syscalls_record_bpf; do
        must_tell "$name" unavailable privileges
    done
    must_tell snapshot limited privileges
    [ "$(of snapshot hook)" = /proc ]
    must_tell content limited privileges
    for name in bpf perfmon dac_read_search net_admin sys_ptrace fowner checkpoint_restore; do
        jq -e --arg name "cap_$name" '.host.capabilities_missing | index($name)' "$OUT"
    done
    [ "$(jq -c .host.capabilities "$OUT")" = '[]' ]
    as_user '' check
    must_be 3
    must_be_for_people "$OUT"
    as_user '' check syscalls_run
    must_be 0
}

@test "without one capability: that one is missing, for what takes it" {
    local name missing all='bpf perfmon dac_read_search net_admin'

    needs setpriv
    [ "$(cat /proc/sys/kernel/perf_event_paranoid)" -ge 1 ] || skip "perf_event_paranoid is below 1"
    [ "$(cat /proc/sys/kernel/unprivileged_bpf_disabled)" -ge 1 ] || skip "everybody may use BPF"
    for missing in bpf perfmon dac_read_search; do
        # shellcheck disable=SC2086 # a list of words
        as_user "$(printf '%s\n' $all | grep -vx "$missing")" check --format json file_open
        must_be 3
        [ "$(of file_open why)" = "missing: CAP_${missing^^}" ]
        [ "$(jq -c .host.capabilities_missing "$OUT" | tr -d '[]"' | tr , '\n' |
            grep -xE 'cap_(bpf|perfmon|dac_read_search|net_admin)')" = "cap_$missing" ]
    done
    as_user 'bpf perfmon dac_read_search' check --format json file_open tls_handshake tap monitor
    must_be 3
    must_tell file_open works
    must_tell tls_handshake unavailable privileges
    [ "$(of tls_handshake why)" = 'missing: CAP_NET_ADMIN' ]
    must_tell monitor limited privileges
    grep -q ssh_handshake <<<"$(of monitor why)"
    # shellcheck disable=SC2046 # a list of words
    as_user "$all" check --format json $(sources_listed) monitor profile
    must_be 0
}

@test "CAP_SYS_ADMIN stands for those that came of it" {
    needs setpriv
    as_user 'sys_admin dac_read_search' check --format json file_open lib_load tls_handshake
    must_be 0
    mkdir -m 777 "$T/open"
    as_user 'sys_admin dac_read_search' monitor --quiet --output "$T/open/stream" -- \
        sh -c 'cat /a.pem'
    check_stream
    must_count 1 "$(opens /a.pem)"
    must_count 0 '.event_type == "coverage" and any(.sources[]; .attached | not)'
}

@test "what it says to type is right, in both forms, and helps" {
    local command clauses

    needs setpriv getcap
    mkdir -m 755 "$T/bin" "$T/stub"
    cp "$TOOL" "$T/bin/crypto-tracer"
    # Instead of becoming root; the test is it already.
    printf '#!/bin/sh\nexec "$@"\n' >"$T/stub/sudo"
    chmod 755 "$T/stub/sudo"
    as_user '' check --format json file_open content
    command=$(of content command)
    PATH=$T/bin:$T/stub:$PATH sh -c "$command"
    clauses=$(getcap "$T/bin/crypto-tracer")
    grep -q cap_checkpoint_restore <<<"$clauses"
    setcap -r "$T/bin/crypto-tracer"
    # The same, from the lines that people see.
    as_user '' check content
    sed -n '/^ *sudo setcap/,/[^\\]$/p' "$OUT" >"$T/command"
    [ "$(wc -l <"$T/command")" -gt 1 ]
    PATH=$T/bin:$T/stub:$PATH sh "$T/command"
    [ "$(getcap "$T/bin/crypto-tracer")" = "$clauses" ]
    status=0
    with_tracefs setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups --inh-caps=-all \
        "$T/bin/crypto-tracer" check file_open tls_handshake >"$OUT" 2>"$ERR" || status=$?
    must_be 0
}

@test "where the tracing file system is nowhere: that, and how to mount it" {
    needs setpriv
    # shellcheck disable=SC2016 # the other shell expands it
    try_as unshare -m bash -c 'umount -q /sys/kernel/tracing; umount -q -R /sys/kernel/debug
        [ ! -e /sys/kernel/tracing/events ] || exit 99
        exec setpriv --reuid "$1" --clear-groups --inh-caps "+bpf,+perfmon,+dac_read_search" \
            --ambient-caps "+bpf,+perfmon,+dac_read_search" "$2" check --format json file_open' \
        - "$USER_ID" "$BATS_FILE_TMPDIR/crypto-tracer"
    [ "$status" -ne 99 ] || skip "it cannot be unmounted"
    must_be 3
    must_tell file_open unavailable privileges
    grep -q 'not mounted' <<<"$(of file_open why)"
    [ "$(of file_open command)" = 'sudo mount -t tracefs tracefs /sys/kernel/tracing' ]
    jq -e '.host.tracefs | startswith("not mounted: ")' "$OUT"
}

@test "root without the right to become nobody: no run, and check tells which" {
    needs capsh
    status=0
    # shellcheck disable=SC2016 # the other shell expands it
    capsh --drop=cap_setuid -- -c '"$0" monitor --duration 1' "$TOOL" >"$OUT" 2>"$ERR" </dev/null \
        3>&- || status=$?
    must_be 1
    must_be_error
    grep -q 'crypto-tracer check' "$ERR"
    # shellcheck disable=SC2016 # as above
    try_as capsh --drop=cap_setuid -- -c '"$0" check --format json sandbox snapshot monitor' "$TOOL"
    must_be 3
    must_tell sandbox unavailable privileges
    grep -q 'CAP_SETUID' <<<"$(of sandbox why)"
    must_tell monitor unavailable privileges
    must_tell snapshot unavailable privileges
}

@test "root of a user namespace: its capabilities do not count" {
    unshare -Ur true 2>/dev/null || skip "no user namespaces here"
    try_as unshare -Ur "$BATS_FILE_TMPDIR/crypto-tracer" check --format json monitor syscalls_run
    must_be 3
    must_tell monitor unavailable privileges
    grep -q 'user namespace' <<<"$(of monitor why)"
    must_tell syscalls_run works
    [ "$(jq .host.user_namespace "$OUT")" = true ]
}

@test "under a filter that refuses bpf: the filter is named, not a capability" {
    local errno nr=321

    [ "$(uname -m)" = x86_64 ] || nr=280
    for errno in 1 38; do
        status=0
        "$PROGRAMS/refuse" "$nr" "$errno" "$TOOL" monitor >"$OUT" 2>"$ERR" </dev/null 3>&- ||
            status=$?
        must_be 3
        must_be_error
        grep -q 'a seccomp filter refuses bpf(2)' "$ERR"
        refute grep -q CAP_ "$ERR"
        must_be_for_people "$ERR"
        try_as "$PROGRAMS/refuse" "$nr" "$errno" "$TOOL" check --format json file_open snapshot
        must_be 3
        must_tell file_open unavailable privileges
        grep -q 'seccomp filter refuses bpf(2)' <<<"$(of file_open why)"
        [ "$(of snapshot hook)" = /proc ]
        [ "$(jq -c '[.host.seccomp_filter, .host.capabilities_missing]' "$OUT")" = '[true,[]]' ]
    done
}

# without_btf COMMAND...: where /sys/kernel/btf is empty. libbpf looks elsewhere for it, too.
without_btf()
{
    ls /boot/vmlinux-* /lib/modules/*/vmlinux* >/dev/null 2>&1 &&
        skip "the kernel's type information is elsewhere, too"
    status=0
    unshare -m sh -c 'mount -t tmpfs none /sys/kernel/btf || exit 99; exec "$@"' sh "$@" \
        >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
}

@test "without type information: both use what old kernels have, and say so" {
    without_btf "$TOOL" monitor --duration 1
    must_be 0
    grep -q 'WARN: this kernel is too old for all of it, or has no type information (BTF)' "$ERR"
    [ "$(tail -n 1 "$OUT" | jq -r '.sources[] | select(.name == "file_open") | .hook')" = \
        tp/syscalls/sys_enter_openat ]
    without_btf "$TOOL" check --format json file_open process_exec
    must_be 1
    must_tell file_open limited kernel
    grep -q /sys/kernel/btf/vmlinux <<<"$(of file_open why)"
    [ "$(jq .host.btf "$OUT")" = false ]
    without_btf "$TOOL" check --format json syscalls_record_ptrace syscalls_run
    must_be 0
}

# How many CPUs there are is in /sys, too.
@test "without /sys, as in a plain chroot: the same, and that it can be mounted" {
    local one

    # shellcheck disable=SC2016 # the other shell expands it
    try_as unshare -m bash -c 'mount -t tmpfs none /sys || exit 99; exec "$0" "$@"' "$TOOL" \
        check --format json file_open process_exec api_call snapshot syscalls_record_bpf
    [ "$status" -ne 99 ] || skip "/sys cannot be hidden"
    must_be 1
    must_tell process_exec limited kernel
    must_tell file_open limited kernel
    for one in api_call syscalls_record_bpf; do
        must_tell "$one" unavailable kernel
        [[ $(of "$one" why) = *'no type information (BTF)' ]]
        [[ $(of "$one" remedy) = *'mount -t sysfs sysfs /sys'* ]]
    done
    must_tell snapshot limited kernel
    [[ $(of snapshot why) = 'BPF iterators: no type information (BTF)'* ]]
    status=0
    # shellcheck disable=SC2016 # the other shell expands it
    unshare -m bash -c 'mount -t tmpfs none /sys && exec "$0" "$@"' "$TOOL" \
        profile --output "$OUT" -- cat /nowhere.pem 2>"$ERR" 3>&- || status=$?
    must_be 1
    [ "$(jq -r ".files_accessed[].path" "$OUT")" = /nowhere.pem ] || { cat "$OUT"; return 1; }
}

@test "without /proc and /sys: that, and how to mount it" {
    # shellcheck disable=SC2016 # the other shell expands it
    try_as unshare -m bash -c 'mount -t tmpfs none /sys && mount -t tmpfs none /proc || exit 99
        exec "$0" "$@"' "$TOOL" \
        check --format json file_open content
    [ "$status" -ne 99 ] || skip "/proc cannot be hidden"
    must_be 1
    must_tell file_open unavailable environment
    [ "$(of file_open command)" = 'sudo mount -t proc proc /proc' ]
    for one in 'monitor --duration 1' snapshot; do
        status=0
        # shellcheck disable=SC2016,SC2086 # the other shell expands it; words
        unshare -m bash -c 'mount -t tmpfs none /sys && mount -t tmpfs none /proc && exec "$0" "$@"' \
            "$TOOL" $one >"$OUT" 2>"$ERR" 3>&- || status=$?
        must_be 1
        grep -q '^  mount -t proc proc /proc$' "$ERR"
    done
}

@test "in a container with pids and a /proc of its own" {
    try_as unshare --pid --fork --mount-proc --cgroup "$TOOL" check --format json \
        monitor process_exec content
    must_be_document
    must_be 1
    must_tell process_exec works
    must_tell monitor limited environment
    grep -q -- '--pid=host' <<<"$(of monitor remedy)"
    must_tell content limited environment
    [ "$(jq -c '.host | [.pid_namespace, .cgroup_namespace, .proc]' "$OUT")" = \
        '[true,true,"processes of this pid namespace only"]' ]
    [ "$(jq '.host.container == null' "$OUT")" = false ]
}

@test "in bubblewrap, without /sys and without rights" {
    needs bwrap setpriv
    try_as setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups --inh-caps=-all \
        bwrap --unshare-user --unshare-pid --ro-bind / / --proc /proc --dev /dev --tmpfs /sys \
        --setenv container oci --die-with-parent "$BATS_FILE_TMPDIR/crypto-tracer" check
    ! grep -qE 'bwrap: .*(permission|Operation not permitted)' "$ERR" || skip "no user namespaces here"
    must_be 3
    must_be_for_people "$OUT"
    grep -q '^  process_exec *unavailable' "$OUT"
    grep -q '^  tracefs: not mounted: ' "$OUT"
    grep -q '^  type information (BTF): no$' "$OUT"
}

@test "where /proc hides processes" {
    needs setpriv
    # shellcheck disable=SC2016 # the other shell expands it
    try_as unshare -m sh -c 'mount -t proc -o hidepid=2 proc /proc || exit 99
        exec setpriv --reuid "$1" --regid "$1" --clear-groups --inh-caps=-all "$2" \
            check --format json content' - "$USER_ID" "$BATS_FILE_TMPDIR/crypto-tracer"
    [ "$status" -ne 99 ] || skip "/proc cannot be mounted"
    must_be 3
    must_tell content limited privileges
    grep -q hidepid <<<"$(of content why)"
    grep -q 'hidepid=0' <<<"$(of content command)"
}

@test "where no control groups can be had" {
    needs setpriv
    # shellcheck disable=SC2016 # the other shell expands it
    try_as unshare -m sh -c 'mount -t tmpfs none /sys/fs/cgroup &&
        { [ -e /sys/kernel/tracing/events ] || mount -t tracefs tracefs /sys/kernel/tracing; } ||
            exit 99
        exec setpriv --bounding-set=-sys_admin "$1" check --format json file_open tls_handshake' \
        - "$TOOL"
    [ "$status" -ne 99 ] || skip "nothing can be mounted"
    must_be 3
    must_tell file_open works
    must_tell tls_handshake unavailable privileges
    grep -q 'no cgroup2' <<<"$(of tls_handshake why)"
    grep -q 'mount -t cgroup2' <<<"$(of tls_handshake command)"
}

@test "wrong use" {
    local words

    for words in nonsense 'file_open nonsense' '--format xml' '--format jsonl' '--format summary' \
        '--duration 1' '--verbose --quiet' '-- true'; do
        # shellcheck disable=SC2086 # several words
        try check $words
        must_be 2
        must_be_error
        [ ! -s "$OUT" ]
    done
    try check file_open --help
    must_be 0
    grep -q '^crypto-tracer check - ' "$OUT"
}

@test "outputs: a file, a full disk, a reader that is gone" {
    try check --format json -o "$T/file" syscalls_patch
    must_be 0
    [ ! -s "$OUT" ]
    [ "$(stat -c %a "$T/file")" = 600 ]
    [ "$(jq -r '.features[].name' "$T/file")" = syscalls_patch ]
    status=0
    "$TOOL" check syscalls_patch >/dev/full 2>"$ERR" || status=$?
    must_be 1
    must_be_error
    set -o pipefail
    status=0
    "$TOOL" check syscalls_patch 2>"$ERR" | true || status=$?
    [ "$status" -eq 0 ] || [ "$status" -eq 141 ]
    [ ! -s "$ERR" ]
    [ "$("$TOOL" check syscalls_patch 2>"$ERR" | head -n 1 | cut -d ' ' -f 1)" = crypto-tracer ]
    [ ! -s "$ERR" ]
}
