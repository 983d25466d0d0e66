# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Shared by the tests of `syscalls patch`. Files of calls have a name a line.

# What a program may do that strace does not see each time.
ALWAYS=(exit exit_group rt_sigreturn restart_syscall futex rt_sigprocmask getpid gettid tgkill kill write)

setup()
{
    patch_setup
}

patch_setup()
{
    common_setup
    [ "$(uname -m)" = x86_64 ] || skip "only x86-64 can be patched"
}

# calls_of FILE COMMAND...: what strace sees of COMMAND and all it starts. The first execve is the
# shell's, not the command's.
calls_of()
{
    local file=$1

    shift
    needs strace
    strace -f -qq -o "$T/strace" "$@" >"$T/strace.out" 2>"$T/strace.err" </dev/null 3>&- || :
    calls_in "$T/strace" >"$file"
    [ "$(wc -l <"$file")" -ge 10 ]
}

# calls_in FILE: those of what `strace -f -o FILE` wrote.
calls_in()
{
    local names

    # Where somebody probes a library these two are made, too, which strace may not know by name and
    # no filter sees: uretprobe, uprobe.
    names=$(sed -nE 's/^[0-9]+ +([a-z_0-9]+)\(.*/\1/p' "$1" | grep -vxE 'u(ret)?probe|syscall_0x1(4f|50)')
    [ "$(grep -cx execve <<<"$names")" -gt 1 ] || names=$(grep -vx execve <<<"$names")
    printf '%s\n' "${ALWAYS[@]}" "$names" | sort -u
}

# all_but NAME...: every call of x86_64 that the tool knows, but these.
all_but()
{
    local names

    names=$(sed -nE 's/^SYSCALL\(([0-9]+), *([a-z_0-9]+)\).*/\2/p' "$ROOT/src/syscalls/syscalls_x86_64.def")
    [ "$(wc -l <<<"$names")" -ge 300 ] || { echo "no names of calls" >&2; return 1; }
    grep -vxF "$(printf '%s\n' "${@:-none}")" <<<"$names"
}

# make_policy FILE ACTION CALLS [POINT CALLS]...: a policy with a phase for each file of calls.
make_policy()
{
    local file=$1 action=$2 point='' nr=0

    shift 2
    while [ $# -gt 0 ]; do
        jq -n --arg point "$point" --argjson nr "$nr" --rawfile calls "$1" '
            { phase: $nr, point: (if $nr == 0 then null else $point end), allowed:
                [{ arch: "x86_64", seen: ($calls | split("\n") | map(select(. != "")) | unique), added: [] }] }'
        point=${2:-}
        shift $(($# > 1 ? 2 : 1))
        nr=$((nr + 1))
    done | jq -s --arg action "$action" '{ policy_version: "1.0", schema_version: "1.0",
        tool: "a test", exe: null, build_id: null, exe_sha256: null, runs: 1, action: $action, native: "x86_64",
        architectures: [{ arch: "x86_64", last: 451 }], warnings: [], phases: ., rules: [] }' >"$file"
}

# patch_ok POLICY OUT PROGRAM
patch_ok()
{
    "$TOOL" syscalls patch --policy "$1" -o "$2" "$3" >"$OUT" 2>"$ERR" || {
        echo "not patched: $(cat "$ERR")"
        return 1
    }
    [ -x "$2" ]
    [ ! -s "$OUT" ]
}

# patch_refused POLICY PROGRAM WHY: with a reason, an extended regular expression, status 1 and no file.
# shellcheck disable=SC2034 # must_be reads the status
patch_refused()
{
    status=0
    "$TOOL" syscalls patch --policy "$1" -o "$T/refused" "$2" >"$OUT" 2>"$ERR" || status=$?
    must_be 1
    grep -qE '^Error: Cannot ' "$ERR"
    grep -qE "$3" "$ERR" || { echo "not because '$3': $(cat "$ERR")"; return 1; }
    [ ! -e "$T/refused" ]
    refute ls "$T"/.ct-* 2>/dev/null
}

# must_agree ORIGINAL COPY ARG...: same output, messages but for the name, and status.
must_agree()
{
    local original=$1 copy=$2 plain=0 copied=0

    shift 2
    "$original" "$@" >"$T/plain" 2>"$T/plain.err" </dev/null 3>&- || plain=$?
    "$copy" "$@" >"$T/copied" 2>"$T/copied.err" </dev/null 3>&- || copied=$?
    cmp "$T/plain" "$T/copied"
    diff <(sed "s,$original,,g" "$T/plain.err") <(sed "s,$copy,,g" "$T/copied.err")
    [ "$plain" -eq "$copied" ] || { echo "status $copied, not $plain"; return 1; }
}

# seccomp_of PID KEY: "Seccomp" or "Seccomp_filters" of its threads, each once.
seccomp_of()
{
    sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/task/"*/status | sort -u
}
