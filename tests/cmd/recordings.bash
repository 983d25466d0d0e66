# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Recordings made up for the tests of `syscalls`, without the tool and without root's rights to
# record.

# recording ID CALL...: a recording of one run, number ID, of /usr/bin/prog, whose process made each
# CALL, NAME=NR or NAME=NR=COUNT=ERRORS, of x86_64.
recording()
{
    local id=$1

    shift
    jq -n -c --arg id "$(printf '%032x' "$id")" --argjson number "$id" '
        [$ARGS.positional[] | split("=") | {name: .[0], nr: (.[1] | tonumber), arch: "x86_64",
            count: (.[2] // "1" | tonumber), errors: (.[3] // "0" | tonumber),
            first_seen_ns: 1000, runs: 1}] | sort_by(.nr) as $calls |
        {recording_version: "1.0", schema_version: "1.0", engine: "bpf", kernel: "6.1.0",
         libc: "glibc 2.36", command: ["prog", "-x"], exe: "/usr/bin/prog", build_id: "00ff",
         exe_sha256: null, is_mixed: false, runs: 1,
         phases: [{phase: 0, point: null, reason: null, hits: 0}],
         nodes: [{id: 0, parent: null, exe: "/usr/bin/prog", start: "command", entry: null,
             phase: 0, instances: 1, runs: 1, calls: $calls}],
         each_run: [{id: $id, started_at: "2026-11-21T09:00:\($number | tostring | "0" + . | .[-2:]).000000Z",
             duration_ns: 1000000, status: 0, lost: 0, is_complete: true, was_filtered: false,
             io_uring_calls: 0, calls: (if $calls == [] then []
                 else [{phase: 0, arch: "x86_64", nr: [$calls[].nr]}] end)}]}' --args "$@"
}

# with_phase POINT: the recording on standard input, and what its process calls from POINT on.
with_phase()
{
    jq -c --arg point "$1" '
        .phases += [{phase: 1, point: $point, reason: null, hits: 1}] |
        .nodes += [.nodes[0] | .id = 1 | .parent = 0 | .start = "phase" | .phase = 1] |
        .each_run[0].calls += [.each_run[0].calls[0] | .phase = 1]'
}

# The names of all calls of the recording in FILE, in all nodes, one a line.
names_in()
{
    jq -r '[.nodes[].calls[].name] | unique[]' "$1"
}

# real FILE COMMAND...: records COMMAND, its output in $T/real.out.
real()
{
    local file=$1

    shift
    "$TOOL" syscalls record -o "$file" -- "$@" >"$T/real.out" 2>"$ERR" </dev/null
}

# strace_counts COMMAND...: "NAME COUNT" of each call that strace sees COMMAND make, its output as
# above, sorted: without the execve that starts it, and with the exit_group that does not return.
strace_counts()
{
    strace -f -c -U name,calls -o "$T/strace" "$@" >"$T/real.out" 2>/dev/null </dev/null
    {
        awk 'NR > 2 && NF == 2 && $1 != "total" && $1 !~ /^-/ { print $1, $2 }' "$T/strace" |
            sed '/^execve 1$/d'
        echo exit_group 1
    } | sort
}
