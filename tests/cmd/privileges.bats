#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Rights: what the tool needs, what it says without them, and what is left of them while it runs, as
# docs/privileges.md has it.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and setup() sets the variables in it

load helpers
load rights

# Bits of the capabilities, linux/capability.h.
CAP_PERFMON=38
CAP_BPF=39
NEEDED='bpf perfmon dac_read_search'

setup_file()
{
    check_environment
    rights_setup_file
}

teardown()
{
    common_teardown
    [ ! -d "$T/full" ] || umount -l "$T/full"
}

# field PID NAME: of its status, without blanks at the ends.
field()
{
    sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status" | tr -s ' \t' ' ' | sed 's/ *$//'
}

# must_have_field PID NAME VALUE
must_have_field()
{
    [ "$(field "$1" "$2")" = "$3" ] || { echo "$2 of $1: '$(field "$1" "$2")', not '$3'"; return 1; }
}

# helper: the process that the tool started beside itself.
helper()
{
    pgrep -P "$TRACER" -x crypto-tracer:b
}

# settled: whether the helper has given up what it does not need.
settled()
{
    [ "$(field "$(helper)" Seccomp)" = 2 ]
}

@test "started as root it becomes nobody, without any right" {
    local name nobody

    tracer_start monitor --name no-such-name
    nobody="$(id -u nobody) $(id -u nobody) $(id -u nobody) $(id -u nobody)"
    must_have_field "$TRACER" Uid "$nobody"
    must_have_field "$TRACER" Gid "${nobody//$(id -u nobody)/$(id -g nobody)}"
    must_have_field "$TRACER" Groups ''
    for name in CapInh CapPrm CapEff CapBnd CapAmb; do
        must_have_field "$TRACER" "$name" 0000000000000000
    done
    must_have_field "$TRACER" NoNewPrivs 1
    must_have_field "$TRACER" Seccomp 2
    must_have_field "$TRACER" Threads 1
    # Not dumpable: what /proc has of it is root's, proc(5).
    [ "$(stat -c %U "/proc/$TRACER/mem")" = root ]
    tracer_stop
}

@test "its broker has the capabilities to look into processes, and nothing else" {
    local bits=0 cap name pid

    tracer_start monitor --name no-such-name
    wait_for 5 settled
    pid=$(helper)
    [ "$(pgrep -c -P "$TRACER")" -eq 1 ]
    # Those of these that this machine's root has.
    for cap in 2 3 19 "$CAP_PERFMON" "$CAP_BPF" 40; do
        bits=$((bits | 1 << cap))
    done
    bits=$(printf %016x $((bits & 0x$(field $$ CapEff))))
    must_have_field "$pid" CapPrm "$bits"
    must_have_field "$pid" CapEff "$bits"
    for name in CapInh CapBnd CapAmb; do
        must_have_field "$pid" "$name" 0000000000000000
    done
    [ "$(field "$pid" Uid | tr ' ' '\n' | sort -u)" = "$(id -u nobody)" ]
    must_have_field "$pid" Groups ''
    must_have_field "$pid" NoNewPrivs 1
    [ "$(stat -c %U "/proc/$pid/mem")" = root ]
    tracer_stop
}

@test "no file is open but the output, and no folder that can be read" {
    local fd target mode

    tracer_start monitor --name no-such-name --output "$T/stream"
    for fd in "/proc/$TRACER/fd/"*; do
        target=$(readlink "$fd")
        # What the test itself has open is inherited.
        ! readlink "/proc/$BASHPID/fd/"* | grep -qxF "$target" || continue
        mode=$(stat -c %A "$fd")
        case ${fd##*/}:$target in
        [012]:* | *:anon_inode:* | *:socket:* | *:pipe:*) ;;
        *:"$T/stream") [ "$mode" = l-wx------ ] ;;
        *:/dev/null) [ "$mode" = lr-x------ ] ;;
        # Read once a second: whether a CPU came that has no ring.
        *:/sys/devices/system/cpu/online) [ "$mode" = lr-x------ ] ;;
        # O_PATH, tracefs: a name, nothing that can be read.
        *:/ | *:*/tracing) [ "$mode" = l--------- ] ;;
        *) echo "descriptor ${fd##*/} is $target, $mode"; return 1 ;;
        esac
    done
    [ -n "${target:-}" ]
    tracer_stop
}

@test "system calls beyond what it does are refused, for it and its broker" {
    not_sanitized "the filter is another"
    tracer_start monitor --name no-such-name
    wait_for 5 settled
    "$PROGRAMS/inject" "$TRACER" >"$T/attempts"
    [ "$(head -n 1 "$T/attempts")" = 'getpid allowed' ]
    [ "$(wc -l <"$T/attempts")" -gt 20 ]
    [ "$(grep -cv ' EPERM$' "$T/attempts")" -eq 1 ]
    # The broker opens, for reading.
    "$PROGRAMS/inject" "$(helper)" >"$T/attempts"
    [ "$(head -n 1 "$T/attempts")" = 'getpid allowed' ]
    grep -qx 'openat_write EPERM' "$T/attempts"
    [ "$(grep -v ' EPERM$' "$T/attempts" | cut -d ' ' -f 1 | paste -sd ,)" = getpid,openat ]
    # They go on as if nothing had been.
    tracer_stop
    must_be 143
}

@test "the same attempts of another process are not all refused" {
    # The precondition of the test before: what says EPERM there is the filter.
    puppet_start p
    "$PROGRAMS/inject" "${PUPPET[p]}" >"$T/attempts"
    [ "$(grep -c ' EPERM$' "$T/attempts")" -lt 6 ]
}

@test "--verbose prints the capabilities before and after" {
    tracer monitor --verbose -- true
    grep -qE 'DEBUG: capabilities before start-up: uid 0, =' "$ERR"
    grep -qE "DEBUG: capabilities after start-up: uid $(id -u nobody), =\$" "$ERR"
}

@test "COMMAND keeps the rights that the tool gives up" {
    tracer monitor --quiet -- cat /proc/self/status
    [ "$(grep -E '^(Uid|Cap|NoNew|Seccomp:)' "$ERR")" = \
        "$(grep -E '^(Uid|Cap|NoNew|Seccomp:)' /proc/self/status)" ]
}

@test "without rights: status 3, what is missing, what to do; nothing was done" {
    local name

    needs setpriv
    mkdir -m 777 "$T/open"
    as_user '' monitor --output "$T/open/file" -- touch "$T/open/ran"
    must_be 3
    must_be_error
    grep -q '^Error: Insufficient privileges' "$ERR"
    grep -q "uid $USER_ID" "$ERR"
    for name in $NEEDED; do
        grep -q "^  CAP_${name^^} " "$ERR"
    done
    grep -q 'sudo crypto-tracer monitor' "$ERR"
    grep -q 'setcap cap_bpf,cap_perfmon,cap_net_admin,cap_dac_read_search+ep' "$ERR"
    [ "$(wc -L <"$ERR")" -le 80 ]
    [ ! -s "$OUT" ]
    [ -z "$(ls "$T/open")" ]
}

@test "an output that is there is not emptied without rights" {
    needs setpriv
    echo precious >"$T/file"
    chmod 666 "$T/file"
    as_user '' monitor --output "$T/file"
    must_be 3
    [ "$(cat "$T/file")" = precious ]
}

@test "without one of the capabilities: that one is named, and no other" {
    local name missing

    needs setpriv
    # From 1 on system-wide events need CAP_PERFMON, Documentation/admin-guide/sysctl/kernel.rst.
    [ "$(cat /proc/sys/kernel/perf_event_paranoid)" -ge 1 ] || skip "perf_event_paranoid is below 1"
    [ "$(cat /proc/sys/kernel/unprivileged_bpf_disabled)" -ge 1 ] || skip "everybody may use BPF"
    for missing in $NEEDED; do
        # shellcheck disable=SC2086 # a list of words
        as_user "$(printf '%s\n' $NEEDED | grep -vx "$missing")" monitor
        must_be 3
        must_be_error
        for name in $NEEDED; do
            if [ "$name" = "$missing" ]; then
                grep -q "^  CAP_${name^^} " "$ERR"
            else
                refute grep -q "^  CAP_${name^^} " "$ERR"
            fi
        done
    done
}

@test "where the tracing file system is not mounted, that is what is said" {
    needs setpriv
    status=0
    # shellcheck disable=SC2016 # the other shell expands it
    unshare -m bash -c 'umount -q /sys/kernel/tracing; umount -q -R /sys/kernel/debug
        [ ! -e /sys/kernel/tracing/events ] || exit 99
        setpriv --reuid "$1" --clear-groups --inh-caps "+bpf,+perfmon,+dac_read_search" \
            --ambient-caps "+bpf,+perfmon,+dac_read_search" "$2" monitor' \
        - "$USER_ID" "$BATS_FILE_TMPDIR/crypto-tracer" >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
    [ "$status" -ne 99 ] || skip "it cannot be unmounted"
    must_be 3
    must_be_error
    grep -q '^  CAP_SYS_ADMIN to mount the tracing file system' "$ERR"
    grep -q 'sudo mount -t tracefs tracefs /sys/kernel/tracing' "$ERR"
    refute grep -q CAP_DAC_READ_SEARCH "$ERR"
    [ "$(wc -L <"$ERR")" -le 80 ]
}

@test "what needs no rights works without" {
    local word

    needs setpriv
    for word in version help schema --help --version; do
        as_user '' "$word"
        must_be 0
        [ -s "$OUT" ]
    done
    # Wrong use is said before missing rights.
    as_user '' monitor --nonsense
    must_be 2
}

@test "the three capabilities are enough for an ordinary user" {
    needs setpriv
    mkdir -m 777 "$T/open"
    as_user "$NEEDED" monitor --verbose --output "$T/open/stream" -- \
        sh -c 'cat /a.pem; openssl version'
    must_be 0
    check_stream
    must_count 1 "$(opens /a.pem) and .uid == $USER_ID"
    # Of what needs one more, the reason is told.
    must_count 1 '.event_type == "coverage" and
        (.sources | map(select(.attached | not) | .name)) ==
            ["tap", "tls_handshake", "ssh_handshake"] and
        all(.sources[]; .attached or (.reason | test("Operation not permitted, needs CAP_NET_ADMIN")))'
    # It stays who it is, without rights.
    grep -q "DEBUG: capabilities after start-up: uid $USER_ID, =\$" "$ERR"
    # The output is its own.
    [ "$(stat -c '%u %a' "$STREAM")" = "$USER_ID 600" ]
}

@test "CAP_SYS_ADMIN stands in for CAP_BPF and CAP_PERFMON" {
    needs setpriv
    mkdir -m 777 "$T/open"
    as_user "sys_admin dac_read_search" monitor --verbose --output "$T/open/stream" -- cat /a.pem
    # Of COMMAND, which there is not to read.
    must_be 1
    check_stream
    must_count 1 "$(opens /a.pem) and .uid == $USER_ID and .result == \"ENOENT\""
    grep -q "DEBUG: capabilities after start-up: uid $USER_ID, =\$" "$ERR"
}

@test "a kernel without bpf(2): status 4, what it lacks, which kernels have it" {
    needs strace
    leaks_unseen
    status=0
    strace -f -qq -o "$T/strace" -e trace=bpf -e inject=bpf:error=ENOSYS "$TOOL" monitor -- \
        touch "$T/ran" >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
    grep -q '^[0-9]* *bpf(.*ENOSYS.*(INJECTED)' "$T/strace"
    must_be 4
    must_be_error
    grep -q '^Error: Kernel not supported$' "$ERR"
    grep -q "^Detected kernel: $(uname -r)\$" "$ERR"
    grep -q 'bpf(2)' "$ERR"
    grep -qE '^Minimum required: [0-9]+[.][0-9]+' "$ERR"
    grep -q '^Solution: upgrade the kernel' "$ERR"
    [ ! -e "$T/ran" ]
}

@test "with CAP_NET_ADMIN an ordinary user sees handshakes too" {
    needs setpriv
    mkdir -m 777 "$T/open"
    as_user "$NEEDED net_admin" monitor --output "$T/open/stream" -- true
    must_be 0
    must_count 0 '.event_type == "coverage" and any(.sources[]; .attached | not)'
}

@test "as file capabilities they are enough too, and end with start-up" {
    local name status=0

    needs setpriv setcap
    cp "$TOOL" "$T/crypto-tracer"
    chmod 755 "$T/crypto-tracer"
    setcap cap_bpf,cap_perfmon,cap_net_admin,cap_dac_read_search+ep "$T/crypto-tracer" 2>/dev/null ||
        skip "no file capabilities here"
    # shellcheck disable=SC2016 # for the inner shell
    with_tracefs setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups "$T/crypto-tracer" \
        monitor --quiet -- sh -c 'cat "/proc/$PPID/status"' >"$OUT" 2>"$ERR" </dev/null 3>&- ||
        status=$?
    [ "$status" -ne 99 ] || skip "the tracing file system cannot be mounted"
    must_be 0
    check_stream
    grep -qE "^Uid:\s$USER_ID\s$USER_ID\s$USER_ID\s$USER_ID\$" "$ERR"
    for name in CapInh CapPrm CapEff CapAmb; do
        grep -qE "^$name:\s0+\$" "$ERR"
    done
    grep -qE '^NoNewPrivs:\s1$' "$ERR"
    grep -qE '^Seccomp:\s2$' "$ERR"
}

@test "root of a user namespace has not the rights, and is told so" {
    unshare -Ur true 2>/dev/null || skip "no user namespaces here"
    timeout 60 unshare -Ur "$BATS_FILE_TMPDIR/crypto-tracer" monitor >"$OUT" 2>"$ERR" </dev/null 3>&- ||
        status=$?
    must_be 3
    must_be_error
    [ ! -s "$OUT" ]
}

@test "it is not installed with rights of its own" {
    [ ! -u "$TOOL" ]
    [ ! -g "$TOOL" ]
    ! command -v getcap >/dev/null || [ -z "$(getcap "$TOOL")" ]
}

@test "a new output belongs to who started it, an existing one to whom it did" {
    tracer monitor --output "$T/new" -- true
    [ "$(stat -c '%u %g %a' "$T/new")" = "0 0 600" ]
    : >"$T/old"
    chown "$USER_ID:$USER_ID" "$T/old"
    chmod 640 "$T/old"
    tracer monitor --output "$T/old" -- true
    [ "$(stat -c '%u %g %a' "$T/old")" = "$USER_ID $USER_ID 640" ]
}

# refusals FILE: the calls in it that were refused since the filter is there. Not counted is what
# libbpf does before it closes a perf event: closing stops it too; nor what rt_sigreturn gives back,
# the result of the call before the signal.
refusals()
{
    awk '/seccomp\(SECCOMP_SET_MODE_FILTER/ { is_on = 1 }
         /PR_SET_SECCOMP/ { is_on = 1 }
         is_on && /= -1 (EPERM|ENOSYS)/ && !/^(seccomp|rt_sigreturn|clone3.*ENOSYS|ioctl\([0-9]+, PERF_EVENT_IOC_DISABLE)/' "$1"
}

@test "nothing that it does runs into its own filter" {
    local file format signal traced

    needs strace
    leaks_unseen
    mkdir "$T/full"
    mount -t tmpfs -o size=16k crypto-tracer-test "$T/full"
    puppet_start p
    for format in json-stream json-array text; do
        rm -f "$T/full/out" "$T/trace."*
        : >"$ERR"
        strace -ff -qq -o "$T/trace" "$TOOL" monitor --verbose --format "$format" \
            --pid "${PUPPET[p]}" --follow-children --output "$T/full/out" \
            >"$OUT" 2>"$ERR" </dev/null 3>&- &
        TRACER=$!
        wait_for 20 grep -q 'monitoring started' "$ERR"
        traced=$(pgrep -P "$TRACER" -x crypto-tracer)
        puppet p run true
        puppet p map "$PROGRAMS/puppet"
        # A full disk, signals that say nothing, a stop, the end.
        puppet p series 500 /full
        wait_for 20 grep -q 'No space left' "$ERR"
        for signal in WINCH CHLD STOP CONT URG PIPE TERM; do
            kill -s "$signal" "$traced"
        done
        STREAM=$T/none
        tracer_wait
        must_be 1
        # Two processes, both filtered.
        [ "$(grep -lE 'SECCOMP_SET_MODE_FILTER|PR_SET_SECCOMP' "$T/trace."* | wc -l)" -eq 2 ]
        for file in "$T/trace."*; do
            [ -z "$(refusals "$file")" ] || { refusals "$file" | head -n 5; return 1; }
        done
    done
}
