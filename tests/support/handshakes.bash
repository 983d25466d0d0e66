# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What the live tests of handshakes share: servers on a port of this host alone, and the events of
# that port: others of the host are nobody's here. Needs trace.bash.

# shellcheck disable=SC2034 # for those that load this
PYTHON=/usr/bin/python3
# The stream that told() reads.
EVENTS=events

# For setup_file(): the server's certificate and another, and OpenSSL's own names of suites with
# those of events.
handshakes_setup_file()
{
    trace_ready openssl || return 0
    cd "$BATS_FILE_TMPDIR" || return
    certificate localhost -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1'
    certificate user
    openssl ciphers -stdname -s ALL:COMPLEMENTOFALL:@SECLEVEL=0 | awk '{ print $3, $1 }' >suites
}

# For setup(): a folder, certificates that setup_file() has made, a port.
handshakes_setup()
{
    trace_need
    needs jq openssl "$@"
    T=$BATS_TEST_TMPDIR
    cd "$T" || return
    chmod a+x .
    # shellcheck disable=SC2046 # names of variables
    unset $(compgen -e | grep -E 'SSL|CERT|_CA|CA_|GNUTLS|PYTHON|PROXY|proxy|^LD_')
    HOME=$T
    PORT=$(free_port)
    export HOME PORT
    cp "$BATS_FILE_TMPDIR"/*.crt "$BATS_FILE_TMPDIR"/*.key "$BATS_FILE_TMPDIR/suites" .
    chmod a+r ./*.crt ./*.key
}

# For teardown(): what a failing test leaves to look at.
handshakes_teardown()
{
    trace_clean
    [ -n "${BATS_TEST_COMPLETED:-}" ] && return 0
    tail -n 5 ./*.err ./*.said 2>/dev/null | head -n 80
    told 'del(.offered_ciphers, .offered_groups, .offered_signature_schemes, .certificates)' \
        2>/dev/null | head -n 8 | cut -c 1-900
    tail -n 1 "$EVENTS" 2>/dev/null | jq -c '.sources[] | [.name, .seen, .lost]' 2>/dev/null
    return 0
}

# certificate NAME OPTION...: NAME.crt and NAME.key, self-signed unless an option says otherwise.
certificate()
{
    local name=$1

    shift
    openssl req -x509 -newkey rsa:2048 -nodes -days 90 -subj "/CN=$name" \
        -keyout "$name.key" -out "$name.crt" "$@" 2>/dev/null
}

# serve COMMAND...: a server, until something listens on $PORT; its process is SERVER.
serve()
{
    "$@" </dev/null >server.said 2>&1 3>&- &
    SERVER=$!
    KILL="${KILL:-} $SERVER"
    until_true served
}

served()
{
    port_open "$PORT" || udp_open "$PORT" || ! kill -0 "$SERVER" 2>/dev/null
}

# udp_open PORT: is there a socket of UDP on it?
udp_open()
{
    grep -qE "^ *[0-9]+: [0-9A-F]+$(printf ':%04X ' "$1")" /proc/net/udp /proc/net/udp6
}

# told [JQ]: the handshakes of the stream whose port is $PORT, sorted by pid, one a line; those
# that JQ selects.
told()
{
    jq -cS --arg port ":$PORT" 'select((.event_type == "tls_handshake" or
        .event_type == "ssh_handshake") and
        ([.local, .peer] | any(endswith($port)))) | '"${1:-.}" "$EVENTS"
}

# tell JQ [JQ-SELECTION]: what JQ makes of each of them, in order, joined by spaces.
tell()
{
    told "select(${2:-true}) | $1" | jq -r . | paste -sd' '
}

# has_told N [JQ]: for until_true: so many of them are there.
has_told()
{
    [ "$(told "select(${2:-true})" | wc -l)" -ge "$1" ]
}

# must_tell EXPECTED JQ [JQ-SELECTION]: tell() says EXPECTED.
must_tell()
{
    local found

    found=$(tell "$2" "${3:-}")
    [ "$found" = "$1" ] || { echo "'$found', not '$1', of: $2 ${3:+with $3}"; return 1; }
}

# both_told N: each end of N connections was told exactly once, with the other's address as its
# peer.
both_told()
{
    local clients servers

    clients=$(told 'select(.role == "client") | [.local, .peer]' | sort)
    servers=$(told 'select(.role == "server") | [.peer, .local]' | sort)
    [ "$clients" = "$servers" ] || { echo "at the two ends: $clients / $servers"; return 1; }
    [ "$(grep -c . <<<"$clients")/$(sort -u <<<"$clients" | grep -c .)" = "$1/$1" ] || {
        echo "not $1: $clients"
        return 1
    }
}

# watch NAME [OPTION...]: starts a tool besides others; its stream is NAME. unwatch NAME ends it.
watch()
{
    trace_start "$@"
    KILL="${KILL:-} $TRACER"
    eval "WATCH_$1=$TRACER"
    TRACER=
}

unwatch()
{
    local name="WATCH_$1"

    TRACER=${!name}
    trace_stop "$1"
}

# same_at_both JQ: what JQ makes of the events is the same at both ends of each connection.
same_at_both()
{
    diff <(told 'select(.role == "client") | [.local, ('"$1"')]' | sort) \
        <(told 'select(.role == "server") | [.peer, ('"$1"')]' | sort)
}

# valid_events FILE SCHEMA: each line is JSON as the tool's own schema has it.
valid_events()
{
    "$TREE/tests/cmd/validate" --can || { echo "# no python3-jsonschema" >&3; return 0; }
    "$TREE/tests/cmd/validate" "$2" "$1"
}

# www OPTION...: openssl s_server on $PORT with the certificate of localhost.
www()
{
    serve openssl s_server -accept "$PORT" -cert localhost.crt -key localhost.key -quiet "$@"
}

# client LABEL OPTION...: openssl s_client; what it says is in LABEL.said, its process in LABEL.pid,
# its status in LABEL.status. It talks to $ADDRESS and reads $INPUT, where they are set.
client()
{
    local label=$1 status=0

    shift
    openssl s_client -connect "${ADDRESS:-127.0.0.1}:$PORT" -brief "$@" <"${INPUT:-/dev/null}" \
        >"$label.said" 2>&1 3>&- &
    echo $! >"$label.pid"
    wait $! || status=$?
    echo "$status" >"$label.status"
}

# The same, which has to succeed.
client_well()
{
    client "$@"
    [ "$(cat "$1.status")" -eq 0 ] || { cat "$1.said"; return 1; }
}

# said LABEL KEY: what `s_client -brief` said behind KEY.
said()
{
    sed -n "s/^$2: //p" "$1.said" | head -n 1
}

# of LABEL JQ [ROLE]: what JQ makes of the event of that client, or of the server it talked to.
of()
{
    local pid peer

    pid=$(cat "$1.pid")
    peer=$(told "select(.pid == $pid and .role == \"client\") | .local")
    [ "$(grep -c . <<<"$peer")" -eq 1 ] || { echo "not one event of '$1': $peer" >&2; return 1; }
    if [ "${3:-client}" = client ]; then
        told "select(.pid == $pid and .role == \"client\") | $2" | jq -r .
    else
        told "select(.role == \"server\" and .peer == $peer) | $2" | jq -r .
    fi
}
