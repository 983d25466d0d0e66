#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# ssh_handshake: an sshd of the test's own and ssh, compared with what `ssh -vv` says, at both ends.

# shellcheck disable=SC2030,SC2031,SC2034 # each test is a subshell; variables are for what is loaded

load ../../support/trace
load ../../support/handshakes

# Read by bats: what hangs is ended, as a failure.
BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-300}
# Where distributions have sshd is not in everyone's path.
PATH=$PATH:/usr/sbin:/sbin

setup_file()
{
    trace_ready ssh-keygen || return 0
    cd "$BATS_FILE_TMPDIR" || return
    ssh-keygen -q -t ed25519 -N '' -f ed25519
    ssh-keygen -q -t rsa -b 3072 -N '' -f rsa
    ssh-keygen -q -t ecdsa -b 256 -N '' -f ecdsa
    ssh-keygen -q -t ed25519 -N '' -f user
}

setup()
{
    trace_need
    needs ssh sshd
    T=$BATS_TEST_TMPDIR
    cd "$T" || return
    cp "$BATS_FILE_TMPDIR"/* .
    cp user.pub authorized
    PORT=$(free_port)
    # Where it gives up its rights; distributions make it when they start the service.
    mkdir -p /run/sshd
}

teardown()
{
    handshakes_teardown
}

# allowed KIND NAME: do ssh and sshd have it?
allowed()
{
    ssh -Q "$1" | grep -qx -- "$2"
}

# daemon LINE...: sshd on $PORT, with these lines of configuration.
daemon()
{
    local key
    {
        printf '%s\n' "Port $PORT" 'ListenAddress 127.0.0.1' "PidFile $T/sshd.pid" \
            "AuthorizedKeysFile $T/authorized" 'StrictModes no' 'UsePAM no' \
            'PermitRootLogin yes' 'LogLevel DEBUG1' 'UseDNS no'
        for key in ed25519 rsa ecdsa; do
            echo "HostKey $T/$key"
        done
        printf '%s\n' "$@"
    } >sshd.conf
    chmod 600 ed25519 rsa ecdsa user
    # It executes itself anew for each connection: only with its whole path.
    serve "$(command -v sshd)" -D -e -f sshd.conf
    kill -0 "$SERVER" || { cat server.said; return 1; }
}

# connect LABEL OPTION...: ssh; what it says is in LABEL.said, its process in LABEL.pid, its status
# in LABEL.status.
connect()
{
    local label=$1 status=0

    shift
    ssh -vv -F none -p "$PORT" -i user -o IdentitiesOnly=yes -o BatchMode=yes \
        -o UserKnownHostsFile=known -o StrictHostKeyChecking=no "$@" 127.0.0.1 true \
        </dev/null >"$label.said" 2>&1 3>&- &
    echo $! >"$label.pid"
    wait $! || status=$?
    echo "$status" >"$label.status"
}

connect_well()
{
    connect "$@"
    [ "$(cat "$1.status")" -eq 0 ] || { tail -n 5 "$1.said" server.said; return 1; }
}

# said LABEL KEY: what `ssh -vv` said of its key exchange: "debug1: kex: KEY: VALUE".
said()
{
    sed -nE "s/^debug1: kex: $2: ([^ ]*).*/\1/p" "$1.said" | tr -d '\r' | head -n 1
}

# said_of LABEL DIRECTION KEY: "debug1: kex: client->server cipher: X MAC: Y compression: Z".
said_of()
{
    sed -nE "s/^debug1: kex: $2 .*\b$3: ([^ ]*).*/\1/p" "$1.said" | tr -d '\r' | head -n 1
}

# of LABEL JQ [ROLE]: what JQ makes of the event of that client, or of the server it talked to.
of()
{
    local peer

    peer=$(told "select(.pid == $(cat "$1.pid")) | .local")
    [ "$(grep -c . <<<"$peer")" -eq 1 ] || { echo "not one event of '$1': $peer" >&2; return 1; }
    if [ "${3:-client}" = client ]; then
        told "select(.local == $peer) | $2" | jq -r .
    else
        told "select(.role == \"server\" and .peer == $peer) | $2" | jq -r .
    fi
}

# as_said LABEL: both ends tell of that client what it said itself.
as_said()
{
    local role mac_up mac_down

    mac_up=$(said_of "$1" 'client->server' MAC)
    mac_down=$(said_of "$1" 'server->client' MAC)
    for role in client server; do
        diff - <(of "$1" '.outcome, .kex, .host_key, .cipher_c2s, .cipher_s2c, .mac_c2s, .mac_s2c,
            .compression_c2s, .host_key_fingerprint, .client_ident, .server_ident' "$role") <<EOL
established
$(said "$1" algorithm)
$(said "$1" 'host key algorithm')
$(said_of "$1" 'client->server' cipher)
$(said_of "$1" 'server->client' cipher)
${mac_up/#<implicit>/implicit}
${mac_down/#<implicit>/implicit}
$(said_of "$1" 'client->server' compression)
$(sed -nE 's/^debug1: Server host key: [^ ]* (SHA256:[^ ]*).*/\1/p' "$1.said" | tr -d '\r')
$(sed -nE 's/^debug1: Local version string //p' "$1.said" | tr -d '\r')
SSH-$(sed -nE 's/^debug1: Remote protocol version ([0-9.]*), remote software version (.*)/\1-\2/p' \
            "$1.said" | tr -d '\r')
EOL
    done
}

# findings LABEL: their rules, in order, joined by spaces.
findings()
{
    of "$1" '[.findings // [] | .[].rule] | sort | join(" ")'
}

@test "what ssh says of its key exchange is what is told, at both ends, once" {
    trace_start events --event ssh_handshake
    daemon
    connect_well default
    connect_well ecdh -o KexAlgorithms=ecdh-sha2-nistp384 -o Ciphers=aes256-gcm@openssh.com \
        -o HostKeyAlgorithms=ecdsa-sha2-nistp256
    connect_well etm -o KexAlgorithms=curve25519-sha256 -o Ciphers=aes128-ctr \
        -o MACs=hmac-sha2-512-etm@openssh.com -o HostKeyAlgorithms=rsa-sha2-512 \
        -o Compression=yes
    connect_well group -o KexAlgorithms=diffie-hellman-group16-sha512 \
        -o Ciphers=aes192-ctr -o MACs=umac-128@openssh.com -o HostKeyAlgorithms=rsa-sha2-256
    connect_well gex -o KexAlgorithms=diffie-hellman-group-exchange-sha256 \
        -o Ciphers=chacha20-poly1305@openssh.com -o HostKeyAlgorithms=ssh-ed25519
    trace_stop events
    both_told 5
    for label in default ecdh etm group gex; do
        as_said "$label"
        [ -z "$(findings "$label")" ]
    done
    same_at_both '.group_bits, .host_key_bits, .signature, .post_quantum, .strict_kex, .findings'
    [ "$(of etm .compression_c2s)" = zlib@openssh.com ]
    [ "$(of etm '.host_key_bits, .signature' | paste -sd,)" = 3072,rsa-sha2-512 ]
    [ "$(of group '.group_bits, .signature' | paste -sd,)" = 4096,rsa-sha2-256 ]
    [ "$(of gex .group_bits)" -ge 2048 ]
    [ "$(of ecdh '.host_key_bits, .group_bits' | paste -sd,)" = 256,null ]
    [ "$(of default .host_key_fingerprint)" = "$(ssh-keygen -l -f ed25519.pub | awk '{ print $2 }')" ]
}

@test "the client's process and the server's: the one that reads, not the one that listens" {
    trace_start events --event ssh_handshake,process_exec
    daemon
    connect_well c
    trace_stop events
    both_told 1
    must_tell "$(cat c.pid)" .pid '.role == "client"'
    must_tell ssh .process '.role == "client"'
    [[ $(tell .process '.role == "server"') = sshd* ]]
    # sshd makes a process for each connection, which executes sshd anew and may make another, with
    # fewer rights, for the key exchange.
    [ "$(tell .pid '.role == "server"')" != "$SERVER" ]
    jq -r --argjson server "$SERVER" 'select(.event_type == "process_exec" and
        .ppid == $server) | .pid' events >connections
    grep -qxF -e "$(tell .pid '.role == "server"')" -e "$(tell .ppid '.role == "server"')" connections
    must_tell "127.0.0.1:$PORT" .local '.role == "server"'
}

@test "what is weak is a finding, at both ends" {
    allowed kex diffie-hellman-group14-sha1 || skip "no diffie-hellman-group14-sha1"
    allowed cipher 3des-cbc || skip "no 3des-cbc"
    allowed mac hmac-md5 || skip "no hmac-md5"
    trace_start events --event ssh_handshake
    daemon 'KexAlgorithms +diffie-hellman-group14-sha1' 'Ciphers +3des-cbc,aes128-cbc' \
        'MACs +hmac-md5,hmac-sha1' 'HostKeyAlgorithms +ssh-rsa'
    connect_well weak -o KexAlgorithms=diffie-hellman-group14-sha1 -o Ciphers=3des-cbc \
        -o MACs=hmac-md5 -o HostKeyAlgorithms=ssh-rsa
    connect_well old -o KexAlgorithms=curve25519-sha256 -o Ciphers=aes128-cbc -o MACs=hmac-sha1
    trace_stop events
    both_told 2
    as_said weak
    as_said old
    same_at_both .findings
    [ "$(findings weak | tr ' ' '\n' | sort -u | paste -sd' ')" = \
        'ssh_cipher_64bit ssh_cipher_cbc ssh_kex_sha1 ssh_mac_md5 ssh_signature_sha1' ] ||
        [ "$(findings weak | tr ' ' '\n' | sort -u | paste -sd' ')" = \
            'ssh_cipher_64bit ssh_kex_sha1 ssh_mac_md5 ssh_signature_sha1' ]
    [ "$(findings old | tr ' ' '\n' | sort -u | paste -sd' ')" = 'ssh_cipher_cbc ssh_mac_sha1' ]
    [ "$(of weak '.findings[] | select(.rule == "ssh_kex_sha1") | .evidence')" = \
        diffie-hellman-group14-sha1 ]
    [ "$(of weak .group_bits)" = 2048 ]
}

@test "post-quantum key exchange" {
    local name
    trace_start events --event ssh_handshake
    daemon
    for name in sntrup761x25519-sha512@openssh.com mlkem768x25519-sha256; do
        if allowed kex "$name"; then connect_well "$name" -o KexAlgorithms="$name"; fi
    done
    connect_well classic -o KexAlgorithms=curve25519-sha256
    trace_stop events
    [ "$(of classic .post_quantum)" = false ]
    same_at_both .post_quantum
    [ -n "$(compgen -G '*25519-sha*.pid')" ] || skip "this ssh has no post-quantum key exchange"
    for name in sntrup761x25519-sha512@openssh.com mlkem768x25519-sha256; do
        [ -e "$name.pid" ] || continue
        [ "$(of "$name" .post_quantum)" = true ]
        [ "$(of "$name" .post_quantum server)" = true ]
    done
}

@test "what fails says why, at both ends" {
    trace_start events --event ssh_handshake
    daemon 'KexAlgorithms curve25519-sha256' 'Ciphers aes128-ctr' 'MACs hmac-sha2-256' \
        'HostKeyAlgorithms ssh-ed25519'
    connect kex -o KexAlgorithms=ecdh-sha2-nistp256
    connect cipher -o Ciphers=aes256-ctr
    connect mac -o MACs=hmac-sha2-512
    connect key -o HostKeyAlgorithms=rsa-sha2-512
    trace_stop events
    both_told 4
    same_at_both '.outcome, .failure, .kex'
    [ "$(tell .outcome | tr ' ' '\n' | sort -u)" = failed ]
    [ "$(of kex .failure)" = 'no common kex' ]
    [ "$(of cipher .failure)" = 'no common cipher' ]
    [ "$(of mac .failure)" = 'no common MAC' ]
    [ "$(of key .failure)" = 'no common host key' ]
    grep -q 'no matching key exchange method found' kex.said
    grep -q 'no matching cipher found' cipher.said
    grep -q 'no matching MAC found' mac.said
    grep -q 'no matching host key type found' key.said
    # Nothing was agreed on.
    [ "$(of kex '.kex, .post_quantum, .host_key_fingerprint' | paste -sd,)" = null,null,null ]
    [ "$(of cipher .kex)" = curve25519-sha256 ]
}

@test "who only looks at the greeting, or says something else, has no handshake" {
    trace_start events --event ssh_handshake
    daemon
    "$PYTHON" -c "
import socket
for words in b'', b'GET / HTTP/1.0\r\n\r\n', b'\x16\x03\x01\x00\x05\x01':
    with socket.create_connection(('127.0.0.1', $PORT)) as peer:
        peer.recv(100)
        try:
            peer.sendall(words)
            peer.shutdown(socket.SHUT_WR)
            while peer.recv(1000):
                pass
        except OSError:
            pass"
    connect_well c
    trace_stop events
    both_told 1
}

@test "one that names itself and hangs up was reset" {
    trace_start events --event ssh_handshake
    daemon
    "$PYTHON" -c "
import socket
with socket.create_connection(('127.0.0.1', $PORT)) as peer:
    peer.sendall(b'SSH-2.0-scan\r\n')
    while peer.recv(1000).find(b'SSH') < 0:
        pass
    peer.shutdown(socket.SHUT_WR)
    while peer.recv(1000):
        pass"
    trace_stop events
    both_told 1
    must_tell 'reset reset' .outcome
    must_tell 'SSH-2.0-scan SSH-2.0-scan' .client_ident
    must_tell 'null null' .kex
}

@test "selection: the client alone, the server alone, COMMAND" {
    daemon
    watch by_pid --event ssh_handshake --pid "$SERVER" --follow-children
    watch by_name --event ssh_handshake --name sshd
    trace_run of_command out --event ssh_handshake -- ssh -F none -p "$PORT" -i user \
        -o BatchMode=yes -o UserKnownHostsFile=known -o StrictHostKeyChecking=no 127.0.0.1 true
    unwatch by_pid
    unwatch by_name
    for name in by_pid by_name; do
        EVENTS=$name
        must_tell server .role
    done
    EVENTS=of_command
    must_tell client .role
}

@test "every format: JSON by the letter, and as the schema has it" {
    local format
    "$CT" schema >schema.json
    daemon
    for format in json-lines json-array json-pretty text json-stream; do
        timeout 60 "$CT" monitor --event ssh_handshake --format "$format" --output "as.$format" -- \
            ssh -F none -p "$PORT" -i user -o BatchMode=yes -o UserKnownHostsFile=known \
            -o StrictHostKeyChecking=no 127.0.0.1 true </dev/null >out 2>err 3>&-
    done
    for format in json-lines json-array json-pretty json-stream; do
        jq -c 'if type == "array" then .[] else . end' "as.$format" >events
        must_tell established .outcome
        trace_accounts events
        valid_events events schema.json
    done
    [ "$(grep -cE '] ssh_handshake client established "?SSH-2.0-' as.text)" -eq 1 ]
}
