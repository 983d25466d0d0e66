#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# `profile` and `snapshot` of processes that talk to each other: what was negotiated, against what
# openssl, curl and ssh say themselves; what was there before, against ss. What holds of every profile
# is in support/profile.jq.

# shellcheck disable=SC2016 # sh -c expands for itself
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test is a subshell; variables are for the helpers

load helpers
load ../support/profile

# The distribution's: its libraries are where those of other programs are, and anybody may run it.
PYTHON=/usr/bin/python3
NO_BPF=(setpriv '--bounding-set=-bpf,-perfmon,-sys_admin' --inh-caps=-all)
UNKNOWN='"unknown (before start)"'

setup_file()
{
    check_environment
    file_needs openssl "$PYTHON" curl ssh sshd ssh-keygen ss setpriv unshare || return 0
    D=$BATS_FILE_TMPDIR
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$D/server.key" \
        -out "$D/server.pem" -days 400 -subj /CN=server.example 2>/dev/null
    openssl req -x509 -newkey rsa:1024 -nodes -keyout "$D/weak.key" -out "$D/weak.pem" -days 400 \
        -subj /CN=weak.example 2>/dev/null
    ssh-keygen -q -t ed25519 -N '' -f "$D/host"
    ssh-keygen -q -t ed25519 -N '' -f "$D/user"
    cp "$D/user.pub" "$D/authorized"
    install -m 644 "$BATS_TEST_DIRNAME/handshakes/peer.py" "$D/peer.py"
}

# peer_start NAME [PREFIX...]: a peer.py of that name, to be told what to do by `puppet NAME`.
peer_start()
{
    local name=$1

    shift
    puppet_fifos "$name"
    "$@" "$PYTHON" "$D/peer.py" <"$T/$name.in" >"$T/$name.out" 2>>"$T/peers" 3>&- &
    PUPPET["$name"]=$!
    puppet_open "$name"
    read -r -t "$WAIT_SECONDS" answer <&"${PUPPET_OUT[$name]}" || { cat "$T/peers"; return 1; }
}

# serve [NAME CERTIFICATE [VERSION]]: a server with that certificate, of $D; its port is $port.
serve()
{
    local name=${1:-server} cert=${2:-server}

    peer_start "$name"
    puppet "$name" serve "$D/$cert.pem" "$D/$cert.key" "${@:3}"
    port=$answer
}

# s_client [OPTION...]: a connection to $port that ends at once; what it negotiated goes to $T/brief.
s_client()
{
    openssl s_client -connect "127.0.0.1:$port" -brief "$@" </dev/null 2>>"$T/brief" >/dev/null 3>&-
}

# said WHAT: what s_client has said of it, once for all connections.
said()
{
    sed -n "s/^$1: //p" "$T/brief" | sort -u
}

# established PID: ends of the connections that ss tells of that process.
established()
{
    ss -Htnp state established | awk -v pid="pid=$1," '
        index($0, pid) { sub(/\[::ffff:/, "", $3); sub(/\[::ffff:/, "", $4)
            if ($3 !~ /^\[/) sub(/\]/, "", $3)
            if ($4 !~ /^\[/) sub(/\]/, "", $4)
            print $3, $4 }' | sort
}

@test "client: five equal connections are one session, as openssl tells it" {
    local version

    serve
    for version in 1_2 1_3; do
        # Anew in each run.
        profile_whole -- sh -c ': >"$3"; for i in 1 2 3 4 5; do
            openssl s_client -connect "127.0.0.1:$1" -brief "$2" -servername a.example -alpn h2 \
                </dev/null 2>>"$3"; done; :' sh "$port" "-tls$version" "$T/brief"
        must_be 0
        [ "$(grep -c '^CONNECTION ESTABLISHED' "$T/brief")" -eq 5 ]
        doc_is '.tls_sessions | map([.role, .outcome, .version, .server_name, .peer, .count, .resumed_count, .origin])' \
            "[[\"client\",\"established\",\"$(said 'Protocol version')\",\"a.example\",\"127.0.0.1:$port\",5,0,\"event\"]]"
        # 1.2 has names that OpenSSL has others for.
        doc_is '.tls_sessions[0].cipher' "\"$(openssl ciphers -stdname |
            awk -v name="$(said Ciphersuite)" '$3 == name { print $1 }')\""
        doc_is '.tls_sessions[0].group' "\"$(said 'Server Temp Key' | sed 's/, .*//' |
            tr '[:upper:]' '[:lower:]')\""
        doc_is '.tls_sessions[0].library | sub(".*/"; "")' '"libssl.so.3"'
        doc_is '[.statistics.tls_handshakes, .statistics.connections_before, .ssh_sessions]' '[5,0,[]]'
        doc_has '.tls_sessions[0] | .first_time < .last_time and .duration_min_us > 0 and
            .duration_max_us >= .duration_min_us and .transport == "tcp" and (has("negotiated") | not)'
    done
    # Signed openly up to 1.2, encrypted since.
    doc_is '.tls_sessions[0] | [.signature_scheme, .certificate]' '[null,null]'
}

@test "server: clients of one address are one session for each that they agree on" {
    serve
    profile_start --pid "${PUPPET[server]}" --api none
    for _ in 1 2 3; do s_client -tls1_2; done
    for _ in 1 2; do s_client -tls1_3; done
    curl -sk --tlsv1.3 --curves P-256 "https://localhost:$port/" >/dev/null
    profile_stop
    # curl offers h2, which the server has not chosen.
    doc_is '.tls_sessions | map([.role, .version, .group, .peer, .server_name, .count]) | sort_by(.[1], .[2])' \
        '[["server","TLSv1.2","x25519","127.0.0.1",null,3],["server","TLSv1.3","secp256r1","127.0.0.1","localhost",1],["server","TLSv1.3","x25519","127.0.0.1",null,2]]'
    doc_is '.statistics.tls_handshakes' 6
    # The certificate is seen up to 1.2.
    doc_is '.tls_sessions[] | select(.version == "TLSv1.2").certificate' \
        "{\"subject\":\"CN=server.example\",\"fingerprint_sha256\":\"$(openssl x509 -in "$D/server.pem" \
            -noout -fingerprint -sha256 | sed 's/.*=//; s/://g' | tr '[:upper:]' '[:lower:]')\"}"
    doc_has '.tls_sessions | all(has("certificate") == (.version == "TLSv1.2"))'
}

# Of an event and of a session: what both have.
SAME='{role, outcome, version, version_id, cipher, cipher_id, group, group_id, signature_scheme,
    signature_scheme_id, server_name, alpn, transport, peer, library, family,
    verdicts: (.verdicts | with_entries(select(.value != null)))}'

@test "a session says what the event of its handshake says" {
    local monitor

    serve
    "$TOOL" monitor --event tls_handshake,ssh_handshake --pid "${PUPPET[server]}" --output "$T/events" \
        2>"$T/monitor.err" </dev/null 3>&- &
    monitor=$!
    HELD+=("$monitor")
    wait_for 10 grep -qs '"start"' "$T/events"
    profile_start --pid "${PUPPET[server]}" --api none
    s_client -tls1_2 -servername a.example -cipher ECDHE-ECDSA-AES128-SHA
    s_client -tls1_3 -servername a.example
    profile_stop
    kill -INT "$monitor"
    wait_for 10 has_ended "$monitor"
    # But for what is of one connection alone. To look at it takes each of the two its own time.
    jq -cS "select(.event_type == \"tls_handshake\") | .peer |= sub(\":[0-9]*$\"; \"\") | $SAME" \
        "$T/events" >"$T/told"
    [ "$(wc -l <"$T/told")" -eq 2 ]
    diff "$T/told" <(jq -cS ".tls_sessions | sort_by(.version)[] | $SAME" "$DOC")
    diff <(jq -cS 'select(.event_type == "tls_handshake").findings[]?' "$T/events" | sort -u) \
        <(jq -cS '.findings[]' "$DOC" | sort -u)
}

@test "resumed sessions are counted among the others" {
    serve
    profile_start --pid "${PUPPET[server]}" --api none
    # It stays until it has been given a ticket.
    wait_for 20 test -s "$T/ticket" | openssl s_client -connect "127.0.0.1:$port" -tls1_3 -sess_out "$T/ticket" >/dev/null 2>&1
    [ -s "$T/ticket" ]
    for _ in 1 2; do
        openssl s_client -connect "127.0.0.1:$port" -tls1_3 -sess_in "$T/ticket" </dev/null >"$T/said" 2>&1
        grep -q '^Reused, TLSv1.3' "$T/said"
    done
    profile_stop
    doc_is '.tls_sessions | map([.version, .count, .resumed_count])' '[["TLSv1.3",3,2]]'
}

@test "failed handshakes are sessions of their own, with the alert" {
    serve
    profile --pid "${PUPPET[server]}" --duration 0.1
    profile -- sh -c '
        curl -s "https://127.0.0.1:$0/"; curl -s "https://127.0.0.1:$0/"; curl -sk "https://127.0.0.1:$0/"
        openssl s_client -connect "127.0.0.1:$0" -tls1_2 -cipher AES128-SHA </dev/null >/dev/null 2>&1; :' "$port"
    must_be 0
    doc_is '.tls_sessions | map(select(.outcome == "failed" and .alert == "handshake_failure" and .alert_from == "server") | [.version, .cipher, .count])' \
        '[[null,null,1]]'
    doc_is '.tls_sessions | map(select(.outcome == "established")) | map(.count) | add >= 1' true
    doc_is '.statistics.tls_handshakes' 4
    doc_is '.tls_sessions | length' 3
}

@test "what is against a handshake is a finding, once, and --fail-on sees it" {
    serve weak weak 1.2
    profile --fail-on high --api none -- sh -c 'for i in 1 2 3; do
        curl -sk --ciphers DEFAULT@SECLEVEL=0 "https://127.0.0.1:$0/"; done; :' "$port"
    must_be 10
    doc_is '.findings | map(select(.rule == "rsa_key_short") | [.severity, .evidence])' \
        '[["high","RSA-1024, CN=weak.example"]]'
    doc_is '.tls_sessions | map([.version, .count, .certificate.subject])' '[["TLSv1.2",3,"CN=weak.example"]]'
    # That is all there is against it: of other certificates nothing is said.
    serve good
    profile --fail-on high --api none -- curl -sk "https://127.0.0.1:$port/"
    must_be 0
    doc_is '.statistics.tls_handshakes' 1
}

@test "--redact-sni hides the names of servers, in certificates too" {
    serve
    profile --redact-sni -- sh -c 'openssl s_client -connect "127.0.0.1:$0" -tls1_2 -servername a.example \
        </dev/null; :' "$port"
    must_be 0
    doc_is '.tls_sessions | map([.server_name, .version, has("certificate")])' '[["***","TLSv1.2",false]]'
    refute grep -q 'server.example' "$DOC"
}

@test "a connection that was there before is listed as unknown, a later one never" {
    serve
    peer_start client
    puppet client tls "$port"
    grep -q ' TLSv1.3 ' <<<"$answer"
    puppet client tls "$port"
    profile_start --pid "${PUPPET[client]},${PUPPET[server]}" --api none
    # One with TLS, and one that says nothing at all.
    puppet client tls "$port"
    puppet client plain "$port"
    profile_stop
    doc_is '.profiles[] | select(.process.pid == '"${PUPPET[client]}"').tls_sessions | map([.role, .peer, .count, .origin, .version, .negotiated])' \
        "[[\"client\",\"127.0.0.1:$port\",1,\"event\",\"TLSv1.3\",null],[\"client\",\"127.0.0.1:$port\",2,\"snapshot\",null,$UNKNOWN]]"
    doc_is '.profiles[] | select(.process.pid == '"${PUPPET[server]}"').tls_sessions | map([.role, .peer, .count, .origin, .version, .negotiated])' \
        "[[\"server\",\"127.0.0.1\",1,\"event\",\"TLSv1.3\",null],[\"server\",\"127.0.0.1\",2,\"snapshot\",null,$UNKNOWN]]"
    doc_is '.summary | [.tls_handshakes, .connections_before]' '[2,4]'
    doc_is '.coverage.not_seen[] | select(.what | test("before")).count' 4
}

nr_established()
{
    established "${PUPPET[client]}" | wc -l
}

has_established()
{
    [ "$(nr_established)" -ge "$1" ]
}

@test "connections that open while the run begins: each is told, and once" {
    local begun

    for _ in 1 2 3; do
        serve
        peer_start client
        puppet client storm "$port"
        wait_for 20 has_established 3
        profile_start --pid "${PUPPET[client]},${PUPPET[server]}" --api none
        wait_for 20 has_established $(($(nr_established) + 3))
        puppet client calm
        begun=$answer
        profile_stop
        doc_is '.profiles | map(.statistics.tls_handshakes + .statistics.connections_before)' "[$begun,$begun]"
        # Some of each, or nothing was tried.
        doc_is '.profiles[].statistics | .tls_handshakes > 0 and .connections_before > 0' $'true\ntrue'
        kill -KILL "${PUPPET[client]}" "${PUPPET[server]}"
        wait_for 5 has_ended "${PUPPET[client]}"
        wait_for 5 has_ended "${PUPPET[server]}"
        rm "$T"/client.* "$T"/server.*
    done
}

@test "a process without code of TLS has no sessions, whatever it is connected to" {
    serve
    exec {plain}<>"/dev/tcp/127.0.0.1/$port"
    [ "$(established $BASHPID | wc -l)" -eq 1 ]
    profile --pid "$BASHPID" --duration 0.1
    must_be 0
    doc_is '[.tls_sessions, .statistics.connections_before]' '[[],0]'
    # What COMMAND inherits was there before it: it is not its own.
    profile -- curl --version
    must_be 0
    doc_is '[.tls_sessions, .statistics.connections_before]' '[[],0]'
}

# sshd_start [OPTION...]: an SSH server at $port, whose pid is $sshd.
sshd_start()
{
    mkdir -p /run/sshd
    port=$("$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    "$(command -v sshd)" -D -e -f /dev/null -p "$port" -o ListenAddress=127.0.0.1 -h "$D/host" -o UsePAM=no \
        -o PidFile=none -o StrictModes=no -o AuthorizedKeysFile="$D/authorized" \
        -o PermitRootLogin=prohibit-password "$@" 2>"$T/sshd.log" </dev/null 3>&- &
    sshd=$!
    HELD+=("$sshd")
    wait_for 10 grep -q 'Server listening' "$T/sshd.log"
}

SSH=(ssh -F /dev/null -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes
    -o LogLevel=VERBOSE)

@test "ssh: sessions of client and server, as ssh itself tells them" {
    sshd_start
    profile_start --pid "$sshd" --follow-children --api none
    for _ in 1 2 3; do
        "${SSH[@]}" -v -i "$D/user" -p "$port" 127.0.0.1 true 2>"$T/ssh.log" </dev/null 3>&-
    done
    "${SSH[@]}" -i "$D/user" -p "$port" -o KexAlgorithms=diffie-hellman-group14-sha256 127.0.0.1 true \
        </dev/null 3>&-
    profile_stop
    doc_is '.ssh_sessions | map([.role, .outcome, .peer, .count]) | sort_by(.[3])' \
        '[["server","established","127.0.0.1",1],["server","established","127.0.0.1",3]]'
    doc_is '.ssh_sessions[] | select(.count == 3) | [.kex, .host_key, .cipher_c2s, .host_key_fingerprint]' \
        "$(sed -nE 's/^debug1: kex: algorithm: ([^ \r]*).*/"\1"/p; s/^debug1: kex: host key algorithm: ([^ \r]*).*/"\1"/p
            s/^debug1: kex: client->server cipher: ([^ ]*) .*/"\1"/p' "$T/ssh.log" | paste -sd , |
            sed "s|.*|[&,\"$(ssh-keygen -lf "$D/host.pub" | cut -d ' ' -f 2)\"]|")"
    doc_is '.ssh_sessions[] | select(.count == 1).kex' '"diffie-hellman-group14-sha256"'
    doc_is '[.statistics.ssh_handshakes, .tls_sessions]' '[4,[]]'
    profile -- "${SSH[@]}" -i "$D/user" -p "$port" 127.0.0.1 true
    must_be 0
    doc_is '.ssh_sessions | map([.role, .peer, .count, .outcome])' "[[\"client\",\"127.0.0.1:$port\",1,\"established\"]]"
}

@test "ssh: a weak key exchange is a finding" {
    sshd_start -o KexAlgorithms=diffie-hellman-group14-sha1
    profile --api none -- "${SSH[@]}" -i "$D/user" -p "$port" -o KexAlgorithms=+diffie-hellman-group14-sha1 \
        127.0.0.1 true
    must_be 0
    doc_is '.ssh_sessions | map(.kex)' '["diffie-hellman-group14-sha1"]'
    doc_has '.findings | map(select(.evidence // "" | test("group14-sha1"))) | length == 1'
}

@test "ssh: connections that were there before are listed as unknown" {
    sshd_start
    "${SSH[@]}" -i "$D/user" -p "$port" 127.0.0.1 'echo here; sleep 60' >"$T/here" 2>/dev/null </dev/null 3>&- &
    HELD+=("$!")
    wait_for 10 grep -q here "$T/here"
    profile --pid "$sshd,${HELD[-1]}" --follow-children --api none --duration 0.3
    must_be 0
    doc_is '.profiles | map(.ssh_sessions | map([.role, .peer, .count, .origin, .negotiated])) | sort' \
        "[[[\"client\",\"127.0.0.1:$port\",1,\"snapshot\",$UNKNOWN]],[[\"server\",\"127.0.0.1\",1,\"snapshot\",$UNKNOWN]]]"
    doc_is '.profiles | map(.tls_sessions) | add' '[]'
    doc_is '.summary | [.ssh_handshakes, .connections_before]' '[0,2]'
}

# snapshot FILE [OPTION...]: the document in FILE.
snapshot()
{
    timeout -k 5 60 "${AS[@]}" "$TOOL" snapshot "${@:2}" >"$1" 2>"$ERR" </dev/null 3>&-
}

# connections FILE PID: "LOCAL PEER" of that process.
connections()
{
    jq -r --argjson pid "$2" '.processes[] | select(.pid == $pid).connections[] | "\(.local) \(.peer)"' "$1" | sort
}

# Connections of every kind, half of which are the same process's other end.
make_connections()
{
    serve
    peer_start client
    puppet client tls "$port"
    puppet client plain "$port"
    puppet client pair 127.0.0.1
    puppet client pair ::1
    # An IPv4 client of a socket that listens on IPv6.
    puppet client pair :: 127.0.0.1
    peer_start apart unshare -n sh -c 'ip link set lo up && exec "$@"' sh
    puppet apart pair 127.0.0.1
}

@test "snapshot: connections are those of ss, by iterators and from /proc alike" {
    local name

    make_connections
    snapshot "$T/bpf"
    AS=("${NO_BPF[@]}")
    snapshot "$T/proc"
    [ "$(jq -r .coverage.method "$T/bpf" "$T/proc" | paste -sd ' ')" = 'bpf proc' ]
    for name in bpf proc; do
        diff <(established "${PUPPET[client]}") <(connections "$T/$name" "${PUPPET[client]}")
        diff <(established "${PUPPET[server]}") <(connections "$T/$name" "${PUPPET[server]}")
    done
    [ "$(connections "$T/bpf" "${PUPPET[client]}" | wc -l)" -eq 8 ]
    # In a network namespace of its own, of which ss has to be told.
    diff <(nsenter -t "${PUPPET[apart]}" -n ss -Htn state established | awk '{ print $3, $4 }' | sort) \
        <(connections "$T/bpf" "${PUPPET[apart]}")
    [ "$(connections "$T/bpf" "${PUPPET[apart]}" | wc -l)" -eq 2 ]
    for name in bpf proc; do
        jq -S --argjson pids "[${PUPPET[client]},${PUPPET[server]},${PUPPET[apart]}]" '[.processes[] |
            select(.pid | IN($pids[])) | {pid, connections, connection_count}]' "$T/$name" >"$T/$name.ours"
    done
    diff "$T/bpf.ours" "$T/proc.ours"
    jq -e 'length == 3 and all(.connection_count == (.connections | length)) and
        all(.[].connections[]; .negotiated == "unknown (before start)")' "$T/bpf.ours"
}

@test "snapshot: who listens is the server" {
    make_connections
    snapshot "$T/doc"
    jq -r --argjson pids "[${PUPPET[client]},${PUPPET[server]}]" '.processes[] |
        select(.pid | IN($pids[])).connections[] | "\(.local | sub(".*:"; "")) \(.role)"' "$T/doc" |
        sort -u >"$T/roles"
    [ "$(wc -l <"$T/roles")" -ge 9 ]
    ss -Htln | awk '{ sub(/.*:/, "", $4); print $4 }' | sort -u >"$T/listening"
    while read -r port role; do
        if grep -qx "$port" "$T/listening"; then [ "$role" = server ]; else [ "$role" = client ]; fi
    done <"$T/roles"
}

@test "snapshot: the summary says how many there are, each once" {
    local before

    snapshot "$T/doc"
    before=$(jq .summary.connections "$T/doc")
    serve
    peer_start client
    puppet client tls "$port"
    puppet client tls "$port"
    snapshot "$T/doc"
    jq -e --argjson before "$before" '.summary.connections == $before + 4' "$T/doc"
    snapshot "$T/text" --format summary
    grep -qx "Open connections of these processes: $((before + 4)); what was negotiated is" "$T/text"
}

@test "snapshot without privileges: one's own connections, and how much could not be seen" {
    serve
    peer_start client setpriv --reuid=nobody --regid=nogroup --clear-groups
    puppet client tls "$port"
    AS=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
    snapshot "$T/doc"
    [ "$(established "${PUPPET[client]}" | wc -l)" -eq 1 ]
    diff <(established "${PUPPET[client]}") <(connections "$T/doc" "${PUPPET[client]}")
    jq -e --argjson server "${PUPPET[server]}" '
        any(.coverage.not_seen[]; .what == "processes of other users" and .count > 0) and
        all(.processes[]; .pid != $server) and .coverage.processes_not_examined > 0' "$T/doc"
}

@test "snapshot --diff: connections come and go, and nothing has changed" {
    # In a pid namespace, where nobody else's processes are.
    cat >"$T/init" <<EOF
mkfifo "$T/in" "$T/out"
"$PYTHON" "$D/peer.py" <"$T/in" >"$T/out" 3>&- &
exec 5>"$T/in" 6<"$T/out"
read -r _ <&6
echo 'serve $D/server.pem $D/server.key' >&5
read -r port <&6
echo "tls \$port" >&5
read -r _ <&6
"$TOOL" snapshot --output "$T/old"
echo "tls \$port" >&5
read -r _ <&6
"$TOOL" snapshot --output "$T/new"
"$TOOL" snapshot --diff "$T/old" >"$T/diff"
echo "\$?" >"$T/status"
EOF
    timeout 60 unshare -pf --kill-child --mount-proc bash "$T/init" </dev/null >"$T/log" 2>&1 3>&-
    [ "$(jq .summary.connections "$T/old" "$T/new" | paste -sd ' ')" = '2 4' ]
    [ "$(cat "$T/status")" = 0 ]
    jq -e '.summary == {new: 0, gone: 0, changed: 0} and .notes == []' "$T/diff"
}

@test "documents with sessions are as the schema says" {
    "$HERE/validate" --can || skip "python3-jsonschema is not installed"
    "$TOOL" schema >"$T/schema"
    serve
    peer_start client
    puppet client tls "$port"
    profile_start --pid "${PUPPET[client]}" --api none
    puppet client tls "$port"
    puppet client tls "$port" a.example
    profile_stop
    doc_is '.tls_sessions | length' 3
    "$HERE/validate" "$T/schema" "$DOC"
    snapshot "$T/doc"
    jq -e '.summary.connections >= 6' "$T/doc"
    "$HERE/validate" "$T/schema" "$T/doc"
}
