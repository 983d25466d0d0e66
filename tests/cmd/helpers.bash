# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Shared by the command tests. A test runs the tool with `tracer` (to its end) or with `tracer_start`
# and `tracer_stop`; whatever JSON the run wrote is checked by stream.jq, accounting included, so
# that no test passes on a stream that does not add up. Puppets (tests/programs/puppet.c) are
# processes that open, map, run and rename on demand.
#
# Nothing waits for a fixed time: wait_for polls a condition up to a deadline that no test means.

HERE=$BATS_TEST_DIRNAME
ROOT=$(cd "$HERE/../.." && pwd)
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$ROOT/$BUILD ;; esac
# CRYPTO_TRACER names another binary to test, such as an installed one.
TOOL=${CRYPTO_TRACER:-$BUILD/crypto-tracer}
PROGRAMS=$BUILD/tests/programs
# Seconds after which a condition is taken for never to come true.
WAIT_SECONDS=60
# Read by bats: what hangs is ended, as a failure.
BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-300}

# shellcheck source=tests/support/needs.bash
. "$ROOT/tests/support/needs.bash"
# shellcheck source=tests/support/sanitized.bash
. "$ROOT/tests/support/sanitized.bash"

setup()
{
    common_setup
}

teardown()
{
    common_teardown
}

# What every test needs; for setup_file() too.
check_environment()
{
    [ "$(id -u)" -eq 0 ] || { echo "these tests need root"; return 1; }
    [ -x "$TOOL" ] || { echo "there is no '$TOOL': run make"; return 1; }
    [ -x "$PROGRAMS/puppet" ] || { echo "no '$PROGRAMS': run make test-programs"; return 1; }
    # What a traced process with other rights has to reach.
    chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR"
}

common_setup()
{
    file_lacks
    check_environment
    needs jq
    T=$BATS_TEST_TMPDIR
    chmod 755 "$T"
    OUT=$T/out
    ERR=$T/err
    STREAM=$OUT
    TRACER=
    declare -gA PUPPET=() PUPPET_IN=() PUPPET_OUT=()
}

common_teardown()
{
    local pid

    for pid in $TRACER "${PUPPET[@]}"; do
        if kill -KILL "$pid" 2>/dev/null; then wait "$pid" 2>/dev/null || :; fi
    done
    [ -n "${BATS_TEST_COMPLETED:-}" ] && return 0
    echo "--- standard error:"
    tail -n 15 "$ERR" 2>/dev/null | cut -c 1-300
    echo "--- the end of the stream:"
    tail -n 8 "$STREAM" 2>/dev/null | cut -c 1-600
    return 0
}

# wait_for SECONDS COMMAND...: until COMMAND succeeds; fails when it has not by then, but never before
# WAIT_SECONDS: a machine may be slow, or stand still for some seconds.
wait_for()
{
    local deadline=$((SECONDS + ($1 > WAIT_SECONDS ? $1 : WAIT_SECONDS) + 1))

    shift
    until "$@"; do
        if [ "$SECONDS" -ge "$deadline" ]; then
            echo "not within its time: $*"
            return 1
        fi
        sleep 0.02
    done
}

# at_best COMMAND...: whether it succeeds once in five times. For what takes no longer than it must:
# on a machine that stands still meanwhile it takes longer, but not each time. A status above 1 is a
# failure at once.
at_best()
{
    local result

    for _ in 1 2 3 4 5; do
        result=0
        "$@" || result=$?
        [ "$result" -eq 1 ] || return "$result"
    done
    echo "never: $*"
    return 1
}

# refute COMMAND...: fails when COMMAND succeeds. A plain `! COMMAND` fails no test.
refute()
{
    if "$@"; then
        echo "succeeded but must not: $*"
        return 1
    fi
}

# Whether a process is gone, or waits to be reaped.
has_ended()
{
    local state

    state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) || :
    [ -z "$state" ] || [ "$state" = Z ]
}

# The file that ARGs send the stream to; standard output, or something that cannot be read again,
# gives $OUT.
stream_of()
{
    local file=$OUT

    while [ $# -gt 0 ]; do
        case $1 in
        --) break ;;
        -o | --output) file=${2:-} && shift ;;
        --output=*) file=${1#*=} ;;
        esac
        shift
    done
    STREAM=$OUT
    case $file in
    - | /dev/* | /proc/*) ;;
    *) [ -e "$file" ] && [ ! -f "$file" ] || STREAM=$file ;;
    esac
}

# What stream.jq says about $STREAM, of any JSON format.
check_stream()
{
    local faults

    faults=$(jq -r -s -f "$HERE/stream.jq" "$STREAM" 2>&1) || {
        echo "jq cannot read '$STREAM': $faults"
        return 1
    }
    [ -z "$faults" ] || { echo "$faults" | head -n 20; return 1; }
}

# Checks the stream unless there is none or it is text.
check_run()
{
    case $(head -c 1 "$STREAM" 2>/dev/null | tr -d '\0') in
    '{' | '[') check_stream ;;
    esac
}

# tracer ARG...: runs the tool to its end: output in $OUT, messages in $ERR, status in $status.
tracer()
{
    stream_of "$@"
    status=0
    timeout -k 5 60 "$TOOL" "$@" >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
    check_run
}

# Whether the stream has its first line: all hooks report from then on.
has_begun()
{
    grep -qsE '"event_type": ?"start"|^start ' "$STREAM" || has_ended "$TRACER"
}

# tracer_start ARG...: starts the tool; returns when it reports.
tracer_start()
{
    stream_of "$@"
    # The first line of a run before is not this one's.
    [ ! -s "$STREAM" ] || : >"$STREAM"
    "$TOOL" "$@" >"$OUT" 2>"$ERR" </dev/null 3>&- &
    TRACER=$!
    wait_for 20 has_begun
    ! has_ended "$TRACER" || { echo "the tool has ended: $(cat "$ERR")"; return 1; }
}

# Waits for the tool's end; status in $status.
tracer_wait()
{
    wait_for 20 has_ended "$TRACER"
    status=0
    wait "$TRACER" || status=$?
    TRACER=
    check_run
}

# tracer_stop [SIGNAL]
tracer_stop()
{
    kill -s "${1:-TERM}" "$TRACER"
    tracer_wait
}

# must_be STATUS: the status of the last run.
must_be()
{
    [ "$status" -eq "$1" ] || { echo "status $status, not $1"; return 1; }
}

# events FILTER: the events of the stream for which the jq expression holds, a line each.
events()
{
    jq -c "select($1)" "$STREAM"
}

# must_count N FILTER: exactly so many of them.
must_count()
{
    local count

    count=$(events "$2" | wc -l)
    [ "$count" -eq "$1" ] || { echo "$count events, not $1, with: $2"; return 1; }
}

# must_have FILTER: at least one of them.
must_have()
{
    events "$1" | grep -q . || { echo "no event with: $1"; return 1; }
}

# opens PATH: the selection of file_open events of that file.
opens()
{
    printf '.event_type == "file_open" and .file == "%s"' "$1"
}

# What is in $ERR, but for losses: libraries are seen of the whole host, where others may map more of
# them than can be taken.
messages()
{
    grep -v ' WARN: [0-9]* events lost: ' "$ERR" || :
}

# The form of every error: what happened, an empty line, what to do. Log lines may stand around it.
must_be_error()
{
    local text

    text=$(grep -vE '^\[[0-9-]{10}T' "$ERR") || { echo "no message"; return 1; }
    sed -n 1p <<<"$text" | grep -qE '^Error: .+[^.]$' || { echo "not an error: $text"; return 1; }
    [ -z "$(sed -n 2p <<<"$text")" ] || { echo "no empty line below the first"; return 1; }
    grep -qE '^(Try|Solution): ' <<<"$text" || { echo "no advice: $text"; return 1; }
    refute grep -qP '[^\x20-\x7e\n]' "$ERR"
}

# The identifiers of all programs, maps and links that a process and its children hold, a line each.
bpf_held()
{
    local pid

    for pid in "$1" $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
        cat "/proc/$pid/fdinfo/"* 2>/dev/null
    done | sed -nE 's/^(prog|map|link)_id:[[:space:]]*([0-9]+)$/\1 \2/p' | sort -u
}

# Those that exist on the host.
bpf_existing()
{
    local kind

    for kind in prog map link; do
        bpftool -j "$kind" show | jq -r --arg kind "$kind" '.[] | "\($kind) \(.id)"'
    done | sort -u
}

# bpf_left FILE: which of those in FILE (from bpf_held) still exist.
bpf_left()
{
    comm -12 "$1" <(bpf_existing)
}

# Whether none of them does.
bpf_gone()
{
    [ -z "$(bpf_left "$1")" ]
}

# puppet_start NAME [PREFIX...]: a puppet of that name; PREFIX is a command that runs it.
puppet_start()
{
    local name=$1

    shift
    puppet_fifos "$name"
    "$@" "$PROGRAMS/puppet" <"$T/$name.in" >"$T/$name.out" 2>>"$T/puppets" 3>&- &
    PUPPET[$name]=$!
    puppet_open "$name"
    read -r -t "$WAIT_SECONDS" _ "PUPPET[$name]" <&"${PUPPET_OUT[$name]}"
}

# puppet_traced NAME ARG...: starts the tool with a puppet as its COMMAND.
puppet_traced()
{
    local name=$1

    shift
    puppet_fifos "$name"
    stream_of "$@"
    "$TOOL" "$@" -- "$PROGRAMS/puppet" <"$T/$name.in" >"$T/$name.out" 2>"$ERR" 3>&- &
    TRACER=$!
    puppet_open "$name"
    read -r -t "$WAIT_SECONDS" _ "PUPPET[$name]" <&"${PUPPET_OUT[$name]}"
}

puppet_fifos()
{
    mkfifo -m 666 "$T/$1.in" "$T/$1.out"
}

# Both sides open at once: neither blocks the other.
puppet_open()
{
    local in out

    exec {in}>"$T/$1.in"
    exec {out}<"$T/$1.out"
    PUPPET_IN[$1]=$in
    PUPPET_OUT[$1]=$out
}

# puppet NAME COMMAND...: has it do that; its answer is in $answer.
puppet()
{
    local name=$1

    shift
    printf '%s\n' "$*" >&"${PUPPET_IN[$name]}"
    answer=
    read -r -t "$WAIT_SECONDS" answer <&"${PUPPET_OUT[$name]}" || { echo "puppet $name: no answer"; return 1; }
}

# puppet_fork PARENT CHILD: PARENT makes the puppet CHILD.
puppet_fork()
{
    puppet_fifos "$2"
    printf 'fork %s %s\n' "$T/$2.in" "$T/$2.out" >&"${PUPPET_IN[$1]}"
    puppet_open "$2"
    read -r -t "$WAIT_SECONDS" answer <&"${PUPPET_OUT[$1]}"
    PUPPET[$2]=$answer
    read -r -t "$WAIT_SECONDS" answer <&"${PUPPET_OUT[$2]}"
}

# puppet_exec NAME PROGRAM...: it becomes another puppet.
puppet_exec()
{
    local name=$1

    shift
    puppet "$name" exec "$@"
    [ "${answer%% *}" = ready ]
}

# puppet_exit NAME [STATUS]
puppet_exit()
{
    printf 'exit %s\n' "${2:-0}" >&"${PUPPET_IN[$1]}"
    wait_for 10 has_ended "${PUPPET[$1]}"
}

# escape BYTES: for a puppet's word: every byte as %XX.
escape()
{
    printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n' | sed 's/../%&/g'
}

# sources_listed: prints those that `version` names, one a line. They take more than one line there.
sources_listed()
{
    "$TOOL" version | sed -n '/^Sources:/,/^Formats:/{/^Formats:/!{s/^Sources://;p}}' |
        tr -s ' ' '\n' | grep .
}
