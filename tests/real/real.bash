# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What the tests with real programs share. An act is a function of a test file that runs programs;
# observe() runs it below the tool and strace at once, and everything that one reports the other
# has to report too. Acts work in the test's folder, $T, with an environment that names no
# certificates.

load ../support/trace

HERE=$BATS_TEST_DIRNAME
CHECKS=$TREE/tests/cmd
# Read by bats: what hangs is ended, as a failure.
BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-300}
# Where distributions have nginx is not in everyone's path.
PATH=$PATH:/usr/sbin:/sbin
# Python without what the user has around it.
PYTHON=/usr/bin/python3
STRACE=(strace -ff -y -s 8192 -e 'trace=/^(open|openat|openat2|creat|mmap|execve|clone3?)$')

setup_file()
{
    trace_ready openssl || return 0
    "$CT" schema >"$BATS_FILE_TMPDIR/schema.json"
    cd "$BATS_FILE_TMPDIR" || return
    # The server's certificate is its own authority; another has signed nothing.
    certificate server
    certificate stranger
}

# certificate NAME: NAME.crt and NAME.key for localhost.
certificate()
{
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
        -subj /CN=localhost -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' \
        -keyout "$1.key" -out "$1.crt" 2>/dev/null
}

setup()
{
    trace_need
    needs openssl strace jq "$PYTHON"
    T=$BATS_TEST_TMPDIR
    cd "$T" || return
    chmod a+x .
    cp "$BATS_FILE_TMPDIR"/*.crt "$BATS_FILE_TMPDIR"/*.key .
    # shellcheck disable=SC2046 # names of variables
    unset $(compgen -e | grep -E 'SSL|CERT|_CA|CA_|GNUTLS|GNUPG|NSS|NODE|PYTHON|PROXY|proxy|^LD_')
    PORT=$(free_port)
    HOME=$T
    export HOME PATH PORT PYTHON T WAIT_SECONDS
    export -f until_true port_open ends_with start served stop maps
}

teardown()
{
    local file pid

    trace_clean
    # An act that was cut short: what strace followed and still works in this folder.
    for file in "$T"/strace.*; do
        pid=${file##*.}
        [ "$(readlink "/proc/$pid/cwd")" = "$T" ] && kill -KILL "$pid" 2>/dev/null
    done
    [ -n "${BATS_TEST_COMPLETED:-}" ] && return 0
    tail -n 20 out events.err 2>&1
    # A loss that the tool admits, on a host that gives it no time, explains what is missing.
    tail -n 1 events | jq -c '.sources[] | [.name, .filtered, .lost]' 2>&1
    return 0
}

# In an act, ends_with STATUS COMMAND...: runs it to its end.
ends_with()
{
    local wanted=$1 status=0

    shift
    "$@" </dev/null &
    wait $! || status=$?
    echo "$! $status" >>statuses
    [ "$status" -eq "$wanted" ] || { echo "status $status, not $wanted, of: $*"; return 1; }
}

# In an act, start COMMAND...: a server, until it listens on $PORT; its process is SERVER.
start()
{
    "$@" </dev/null &
    SERVER=$!
    trap 'kill -KILL $SERVER' EXIT
    until_true served
}

served()
{
    port_open "$PORT" || ! kill -0 "$SERVER"
}

# In an act, stop SIGNAL STATUS: ends the server, keeps what it had mapped.
stop()
{
    local status=0

    maps "$SERVER"
    kill -s "$1" "$SERVER"
    wait "$SERVER" || status=$?
    trap - EXIT
    echo "$SERVER $status" >>statuses
    [ "$status" -eq "$2" ] || { echo "status $status, not $2, of the server"; return 1; }
}

maps()
{
    cat "/proc/$1/maps" >"maps.$1"
}

# observe ACT: see above. The stream is in the file events.
observe()
{
    export -f "${1?}"
    trace_run events out -- "${STRACE[@]}" -o strace -- bash -euc "$1"
    agree
}

# The stream says what strace says, and what the shell and /proc say.
agree()
{
    local maps

    maps=$(find . -name 'maps.*')
    # shellcheck disable=SC2086 # a list of names
    "$HERE/compare" events strace $maps
    if [ -e statuses ]; then
        diff <(sort statuses) <(jq -r --rawfile of statuses '
            ($of | split("\n") | map(split(" ")[0])) as $pids |
            select(.event_type == "process_exit" and (.pid | tostring | IN($pids[]))) |
            "\(.pid) \(.exit_code)"' events | sort)
    fi
    valid
}

# Each line is JSON as the tool's own schema has it, and where it knows the event, as the specified
# one has it.
valid()
{
    local faults

    [ "$(jq -c . events | wc -l)" -eq "$(wc -l <events)" ]
    faults=$(jq -rs -f "$CHECKS/stream.jq" events)
    [ -z "$faults" ] || { echo "$faults" | head; return 1; }
    "$CHECKS/validate" "$BATS_FILE_TMPDIR/schema.json" events
    jq -c --slurpfile schema "$CHECKS/appendix-b.json" '
        [$schema[].oneOf[].properties.event_type.const] as $known |
        select(.event_type | IN($known[]))' events >known
    "$CHECKS/validate" "$CHECKS/appendix-b.json" known
}

# opened PROGRAM: what processes of that name opened, one a line, in order: FILE RESULT. Only files
# in the test's folder, by their names there.
opened()
{
    jq -r --arg program "$1" --arg dir "$T/" 'select(.event_type == "file_open" and
        .process == $program and (.file | startswith($dir))) |
        "\(.file | ltrimstr($dir)) \(.result)"' events
}

# has_loaded PROGRAM FAMILY...: processes of that name loaded libraries of each of them.
has_loaded()
{
    local program=$1 family

    shift
    for family; do
        jq -e -s --arg program "$program" --arg family "$family" 'any(.[];
            .event_type == "lib_load" and .process == $program and .family == $family)' events \
            >/dev/null || { echo "'$program' loaded nothing of '$family'"; return 1; }
    done
}

# ended PROGRAM: their statuses, in order.
ended()
{
    jq -r --arg program "$1" 'select(.event_type == "process_exit" and .process == $program) |
        .exit_code' events | paste -sd' '
}
