#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# An application does not start because of its certificate: the tool, started first, tells which
# files it tried and what came of it.

load real

# The application's folder: its certificate under another name than it first looks for, and a key
# that only root may read. To be run by NOBODY.
NOBODY=(setpriv --reuid 65534 --regid 65534 --clear-groups)

application()
{
    needs setpriv
    cp "$PROGRAMS/myapp" .
    mkdir conf
    mv server.crt server.key conf
    chmod 644 conf/server.crt
    chmod 600 conf/server.key
}

# What there is to know about it, in the order in which it happens.
essence()
{
    jq -c --arg dir "$T/conf/" 'select(.event_type | IN("start", "coverage") | not) |
        [.event_type, .process, .uid, .pid, .argv, (.file // "" | ltrimstr($dir)), .flags, .result,
         .exit_code]' events
}

expected()
{
    cat <<EOL
["process_exec","myapp",65534,$1,["./myapp","$T/conf"],"",null,null,null]
["file_open","myapp",65534,$1,null,"cert.pem","O_RDONLY","ENOENT",null]
["file_open","myapp",65534,$1,null,"server.crt","O_RDONLY","success",null]
["file_open","myapp",65534,$1,null,"server.key","O_RDONLY","EACCES",null]
["process_exit","myapp",65534,$1,null,"",null,null,1]
EOL
}

@test "--name: what the application tried, what came of it, and nothing else" {
    local status=0
    application
    trace_start events --name myapp
    # Others that open the same files, in between.
    cat conf/server.key conf/server.crt >/dev/null
    "${STRACE[@]}" -o strace -- "${NOBODY[@]}" ./myapp "$T/conf" 2>messages &
    wait $! || status=$?
    [ "$status" -eq 1 ]
    trace_stop events
    # What the application itself has to say.
    grep -qx "$T/conf/cert.pem: No such file or directory" messages
    grep -qx "$T/conf/server.key: Permission denied" messages
    [ "$(wc -l <messages)" -eq 2 ]
    # The one process that strace followed.
    pid=$(echo strace.*)
    diff <(expected "${pid#strace.}") <(essence)
    valid
}

@test "--name with --duration, as text: the three files with their results" {
    local seconds

    application
    # The longer one is for a machine that stands still in the shorter.
    for seconds in 2 30; do
        rm -f events
        "$CT" monitor --name myapp --duration "$seconds" --format text --output events 2>events.err 3>&- &
        TRACER=$!
        until_true grep -qs ^start events
        "${NOBODY[@]}" ./myapp "$T/conf" 2>messages || :
        ! kill -0 "$TRACER" || seconds=enough
        wait "$TRACER"
        TRACER=
        [ "$seconds" != enough ] || break
    done
    [ "$(grep -c ' myapp\[[0-9]*\] ' events)" -eq 5 ]
    diff - <(sed -nE "s,.* file_open $T/conf/([^ ]*) .*\b(success|E[A-Z]+)\b.*,\1 \2,p" events) <<'EOL'
cert.pem ENOENT
server.crt success
server.key EACCES
EOL
}

missing_then_forbidden()
{
    local file

    # A link gives the process its name.
    ln -sf "$PYTHON" myapp
    for file in cert.pem server.crt; do
        ends_with 1 setpriv --reuid 65534 --regid 65534 --clear-groups ./myapp -c "
import ssl
ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain('conf/$file', 'conf/server.key')"
    done
}

@test "a real program that lacks its certificate, then may not read its key" {
    application
    needs "$PYTHON"
    observe missing_then_forbidden
    [ "$(grep -c '^FileNotFoundError' events.err)" -eq 1 ]
    [ "$(grep -c '^PermissionError' events.err)" -eq 1 ]
    diff - <(opened myapp) <<'EOL'
conf/cert.pem ENOENT
conf/server.crt success
conf/server.key EACCES
EOL
    [ "$(jq -r 'select(.process == "myapp") | .uid' events | sort -u)" = 65534 ]
    [ "$(ended myapp)" = "1 1" ]
}
