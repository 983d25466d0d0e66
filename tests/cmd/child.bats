#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# `monitor -- COMMAND`: how it is run, what it inherits, what becomes of its end, and --user.

# shellcheck disable=SC2016,SC2030,SC2031 # sh -c expands for itself; each test is a subshell
# shellcheck disable=SC2154 # puppet() of helpers.bash sets `answer`

load helpers

@test "COMMAND is traced from its first instruction to its end" {
    tracer monitor -- cat /first.pem
    must_be 1
    [ "$(jq -r 'select(.process == "cat") | .event_type' "$STREAM" | paste -sd ' ')" = \
        'process_exec file_open process_exit' ]
    must_count 1 '.event_type == "process_exit" and .exit_code == 1'
}

@test "with all descendants, but nothing beside them" {
    puppet_start other
    puppet_traced command monitor --output "$T/stream"
    puppet_fork command child
    puppet_fork child grandchild
    puppet grandchild open /grandchild.pem
    puppet other open /other.pem
    puppet other run true
    puppet_exit grandchild
    puppet_exit child
    puppet_exit command
    tracer_wait
    must_be 0
    must_count 1 '.event_type == "file_open"'
    must_count 1 "$(opens /grandchild.pem) and .pid == ${PUPPET[grandchild]}"
    must_count 3 '.event_type == "process_exit"'
}

@test "its exit status is passed on" {
    local wanted

    for wanted in 0 1 77 126 255; do
        tracer monitor --quiet -- sh -c "exit $wanted"
        must_be "$wanted"
        must_count 1 ".event_type == \"process_exit\" and .exit_code == $wanted"
        [ -z "$(messages)" ]
    done
}

@test "killed by a signal it gives 128 and the signal" {
    local signal

    for signal in TERM KILL SEGV; do
        tracer monitor -- sh -c "ulimit -c 0; kill -s $signal \$\$"
        must_be $((128 + $(kill -l "$signal")))
        must_count 1 ".event_type == \"process_exit\" and .signal == \"SIG$signal\"
                      and .exit_code == $((128 + $(kill -l "$signal")))"
    done
}

@test "not found: 127, with everything else as always" {
    tracer monitor -- "$T/no such program" with arguments
    must_be 127
    grep -qF "Error: Cannot execute '$T/no such program'" "$ERR"
    grep -q 'No such file or directory' "$ERR"
    must_count 0 '.event_type == "process_exec"'
    must_have '.event_type == "coverage" and .final'
    tracer monitor --format json-array -- no-such-program-in-path
    must_be 127
    [ "$(jq -r '.[-1].event_type' "$STREAM")" = coverage ]
}

@test "not executable: 126" {
    : >"$T/plain"
    tracer monitor -- "$T/plain"
    must_be 126
    grep -qF "Error: Cannot execute '$T/plain'" "$ERR"
    grep -q 'Permission denied' "$ERR"
    tracer monitor -- "$T"
    must_be 126
    printf '#!/no/such/interpreter\n' >"$T/script"
    chmod 755 "$T/script"
    tracer monitor -- "$T/script"
    must_be 127
}

@test "arguments arrive as they are" {
    tracer monitor -- printf '<%s>' -- --output '' 'a b' '*' $'\n' --
    must_be 0
    [ "$(grep -v '^\[' "$ERR" | head -n 1)" = '<--><--output><><a b><*><' ]
    must_count 1 '.event_type == "process_exec"
                  and .argv == ["printf", "<%s>", "--", "--output", "", "a b", "*", "\n", "--"]'
}

@test "without --output its standard output goes to standard error" {
    tracer monitor --quiet -- sh -c 'echo out; echo err >&2'
    must_be 0
    [ "$(messages)" = $'out\nerr' ]
    [ "$(jq -r .event_type "$OUT" | head -n 1)" = start ]
}

@test "with --output its standard output is untouched" {
    tracer monitor --quiet --output "$T/stream" -- sh -c 'echo out; echo err >&2'
    must_be 0
    [ "$(cat "$OUT")" = out ]
    [ "$(messages)" = err ]
}

@test "its standard input is the tool's" {
    echo 'for COMMAND' | "$TOOL" monitor --quiet -- cat >"$OUT" 2>"$ERR" 3>&-
    [ "$(messages)" = 'for COMMAND' ]
}

# inherits_the_same PREFIX...: run by it, with and without the tool, a program inherits the same.
inherits_the_same()
{
    (cd "$T" && "$@" "$PROGRAMS/inherited" <"$T/in" >"$T/plain" 2>"$T/plain.err" 3>&-)
    (cd "$T" && "$@" "$TOOL" monitor --quiet --output "$T/stream" -- "$PROGRAMS/inherited" \
        <"$T/in" >"$T/traced" 2>"$T/plain.err" 3>&-)
    # What tells the two apart: the name of the file.
    sed -i 's/\(fd 1 .*\)plain /\1traced /; /^env _=/d; /^group /d' "$T/plain" "$T/traced"
    [ "$(wc -l <"$T/plain")" -gt 30 ]
    diff "$T/plain" "$T/traced"
}

@test "it inherits what it would without the tool" {
    : >"$T/in"
    inherits_the_same env
    inherits_the_same env -i A=1
    inherits_the_same nice -n 7
    inherits_the_same sh -c 'ulimit -n 100 -c 0; umask 027; trap "" INT PIPE; exec "$0" "$@"'
    inherits_the_same sh -c 'exec 5</dev/null 9</dev/null; exec "$0" "$@"'
}

@test "rights that are missing before are missing after, and only those" {
    needs setpriv
    : >"$T/in"
    inherits_the_same setpriv --bounding-set -net_raw,-sys_time --groups 7,8
}

@test "--user: COMMAND runs as that user, with its groups, and without rights" {
    needs setpriv
    # With groups that it has to lose.
    setpriv --groups 0,4242 "$TOOL" monitor --quiet --user nobody -- sh -c 'id -u; id -g; id -G;
        grep -E "^Cap(Eff|Prm|Amb)" /proc/self/status | sort -u -k 2 | wc -l' \
        >"$OUT" 2>"$ERR" </dev/null 3>&-
    check_stream
    [ "$(messages | sed -n 1p)" = "$(id -u nobody)" ]
    [ "$(messages | sed -n 2p)" = "$(id -g nobody)" ]
    [ "$(messages | sed -n 3p)" = "$(id -G nobody)" ]
    [ "$(messages | sed -n 4p)" -eq 1 ]
    must_count 1 '.event_type == "process_exec" and .process == "sh" and .uid == 65534'
}

@test "--user takes a number too" {
    tracer monitor --quiet --user 65533 -- sh -c 'id -u'
    must_be 0
    [ "$(messages)" = 65533 ]
}

@test "--user: what that user may not execute is an error" {
    mkdir -m 700 "$T/closed"
    cp "$PROGRAMS/inherited" "$T/closed/program"
    tracer monitor --user nobody -- "$T/closed/program"
    must_be 126
    grep -q 'Permission denied' "$ERR"
}

@test "the run ends with COMMAND, not with what it leaves behind" {
    # Longer than tracer() waits.
    tracer monitor --quiet -- sh -c 'sleep 300 3>&- & echo $!'
    must_be 0
    # What it left lives on.
    kill "$(messages)"
    must_count 1 '.event_type == "process_exit"'
}

@test "COMMAND lives on when the tool ends first, whatever ends it" {
    local options

    for options in '--duration 0.1' '--max-events 1'; do
        # shellcheck disable=SC2086 # an option and its value
        tracer monitor --quiet $options -- sh -c 'echo $$; exec sleep 30'
        must_be 0
        wait_for 20 eval '[ -n "$(messages)" ]'
        kill "$(messages)"
    done
}

@test "signals to the tool are not handed on to COMMAND" {
    local signal

    for signal in INT TERM HUP QUIT; do
        puppet_traced "$signal" monitor --output "$T/$signal.stream"
        kill -s "$signal" "$TRACER"
        tracer_wait
        must_be $((128 + $(kill -l "$signal")))
        # It answers still, and may write where it always did.
        puppet "$signal" open /after.pem
        [ "$answer" = ENOENT ]
        must_count 0 '.event_type == "file_open"'
    done
}

@test "COMMAND lives on when the tool is killed, its events up to then are there" {
    puppet_traced p monitor --output "$T/stream"
    puppet p open /before.pem
    wait_for 5 grep -q /before.pem "$STREAM"
    kill -KILL "$TRACER"
    wait "$TRACER" || :
    TRACER=
    puppet p open /after.pem
    [ "$answer" = ENOENT ]
    must_count 1 "$(opens /before.pem)"
    must_count 0 "$(opens /after.pem)"
}

@test "COMMAND does not start when the tool cannot" {
    "$TOOL" monitor --output /none/file -- touch "$T/ran" >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
    must_be 1
    [ ! -e "$T/ran" ]
}

@test "a start that fails at its last step ends all that was started" {
    needs strace
    leaks_unseen
    # Only the tool itself is traced: its helper does get its rights off.
    timeout -k 5 60 strace -qq -o "$T/strace" -e trace=setresuid -e inject=setresuid:error=EPERM \
        "$TOOL" monitor -- touch "$T/ran" >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
    must_be 1
    grep -q '^Error: cannot start tracing' "$ERR"
    grep -q INJECTED "$T/strace"
    [ ! -e "$T/ran" ]
}

@test "a failure of the tool replaces only COMMAND's 0" {
    tracer monitor --output /dev/full -- true
    must_be 1
    tracer monitor --output /dev/full -- sh -c 'exit 9'
    must_be 9
}
