#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# `files`: accesses to certificates and keys as they happen, with what the files contain; and with
# --open those that are open now, against lsof and /proc.

# shellcheck disable=SC2030,SC2031,SC2034 # each test is a subshell; variables are for helpers.bash

load helpers

setup_file()
{
    check_environment
    file_needs openssl || return 0
    D=$BATS_FILE_TMPDIR
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$D/server.key" -out "$D/server.pem" -days 400 \
        -subj /CN=server.example -addext subjectAltName=DNS:server.example 2>/dev/null
    openssl req -x509 -newkey rsa:1024 -nodes -keyout "$D/weak.key" -out "$D/weak.pem" -days 9 \
        -subj /CN=weak.example 2>/dev/null
    openssl ecparam -name prime256v1 -genkey -noout -out "$D/ec.key"
    chmod 644 "$D/weak.key"
    # By their names the other kind.
    cp -p "$D/ec.key" "$D/cert.pem"
    cp -p "$D/server.pem" "$D/key.pem"
}

setup()
{
    common_setup
    D=$BATS_FILE_TMPDIR
    HELD=()
}

teardown()
{
    local pid

    for pid in "${HELD[@]}"; do
        if kill -KILL "$pid" 2>/dev/null; then wait "$pid" 2>/dev/null || :; fi
    done
    common_teardown
}

# hold [VERB PATH]...: a process that has these; the last one is $held.
hold()
{
    : >"$T/ready"
    "${AS[@]}" "$PROGRAMS/hold" "$@" </dev/null >"$T/ready" 2>"$T/hold.err" 3>&- &
    held=$!
    HELD+=("$held")
    wait_for 10 test -s "$T/ready" || { cat "$T/hold.err"; return 1; }
}

# listed [OPTION...]: what is open now; status in $status, stream in $OUT.
listed()
{
    status=0
    timeout -k 5 60 "${RUN[@]}" "$TOOL" files --open --no-redact "$@" >"$OUT" 2>"$ERR" </dev/null 3>&- ||
        status=$?
}

# of_held JQ: of the events of $held.
of_held()
{
    jq -rc --argjson pid "$held" "select(.event_type == \"file_open\" and .pid == \$pid) | $1" "$OUT"
}

# at PATH: the selection of opens of that file that worked.
at()
{
    printf '.event_type == "file_open" and .file == "%s" and .result == "success"' "$1"
}

@test "--open: what lsof lists, of the processes of the test" {
    needs lsof
    mkdir "$T/dir.pem"
    mkfifo "$T/fifo.pem"
    cp "$D/server.pem" "$T/gone.pem"
    hold open "$D/server.pem" write "$D/server.pem" open "$D/server.key" open "$D/cert.pem" \
        open "$T/gone.pem" unlink "$T/gone.pem" open "$T/dir.pem" open "$T/fifo.pem" open /etc/passwd
    lsof -w -a -p "$held" -d '^cwd,^rtd,^txt,^mem' -Ftn | awk '
        /^t/ { type = substr($0, 2) } /^n/ && type == "REG" && /[.](pem|key)( [(]deleted[)])?$/ {
            sub(/ [(]deleted[)]$/, ""); print substr($0, 2) }' | sort >"$T/lsof"
    [ "$(wc -l <"$T/lsof")" -eq 5 ]
    for RUN in env "setpriv --bounding-set=-bpf,-perfmon,-sys_admin --inh-caps=-all"; do
        read -ra RUN <<<"$RUN"
        listed
        must_be 0
        diff "$T/lsof" <(of_held .file | sort)
        [ "$(of_held '[.event_type, .origin, .result, .process, .uid] | tojson' | sort -u)" = \
            '["file_open","snapshot","success","hold",0]' ]
    done
}

@test "--open: device, inode and flags are those of /proc" {
    hold open "$D/server.pem" write "$D/server.key"
    listed
    [ "$(of_held '"\(.file) \(.inode) \(.flags)"')" = \
        "$D/server.key $(stat -c %i "$D/server.key") O_WRONLY
$D/server.pem $(stat -c %i "$D/server.pem") O_RDONLY" ]
    [ "$(of_held .dev | sort -u)" = "$(stat -c '%Hd:%Ld' "$D/server.pem")" ]
}

@test "--open: a stream with start and coverage, in order" {
    hold open "$D/server.pem"
    for RUN in env "setpriv --bounding-set=-bpf,-perfmon,-sys_admin --inh-caps=-all"; do
        read -ra RUN <<<"$RUN"
        listed
        must_be 0
        STREAM=$OUT
        check_stream
        [ "$(head -n 1 "$OUT" | jq -r .event_type)" = start ]
        [ "$(tail -n 1 "$OUT" | jq -r '.event_type, .final' | tr '\n' ' ')" = 'coverage true ' ]
    done
}

@test "--open: the coverage comes after the events" {
    hold open "$D/server.pem"
    listed
    jq -e -s '.[-1].timestamp >= .[-2].timestamp and .[0].timestamp <= .[1].timestamp' "$OUT"
}

@test "--open: what the files contain" {
    hold open "$D/server.pem" open "$D/weak.key" open "$D/cert.pem" open "$D/key.pem"
    listed
    [ "$(of_held 'select(.file | endswith("/server.pem")) |
        [.file_type, .certificate_count, .certificates[0].subject, .keys, .findings] | tojson')" = \
        '["certificate",1,"CN=server.example",null,null]' ]
    [ "$(of_held 'select(.file | endswith("/weak.key")) |
        [.file_type, .keys[0].type, .keys[0].bits, ([.findings[].rule] | sort)] | tojson')" = \
        '["private_key","RSA",1024,["private_key_readable","rsa_key_short"]]' ]
    # By content, not by name.
    [ "$(of_held 'select(.file | endswith("/cert.pem")) | "\(.file_type) \(.file_kind)"')" = \
        'private_key private_key' ]
    [ "$(of_held 'select(.file | endswith("/key.pem")) | "\(.file_type) \(.file_kind)"')" = \
        'certificate certificate' ]
}

@test "--open: selected by pid, name, user and path" {
    local other

    AS=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
    chmod 644 "$D/server.pem"
    hold open "$D/server.pem" open "$D/weak.pem"
    other=$held
    AS=()
    hold open "$D/server.pem" open "$D/server.key"
    pids()
    {
        jq -r 'select(.event_type == "file_open").pid' "$OUT" | sort -nu | tr '\n' ' '
    }
    listed --pid "$other"
    [ "$(pids)" = "$other " ]
    listed --uid nobody --path "$D/*"
    [ "$(pids)" = "$other " ]
    listed --name hold --path "$D/server.key"
    [ "$(pids)" = "$held " ]
    listed --path "$D/weak.*"
    [ "$(pids)" = "$other " ]
    [ "$(jq -r 'select(.event_type == "file_open").file' "$OUT")" = "$D/weak.pem" ]
    listed --path "$D/none"
    must_be 0
    [ "$(pids)" = "" ]
}

@test "--open --max-events" {
    hold open "$D/server.pem" open "$D/server.key" open "$D/weak.pem"
    listed --max-events 2
    must_be 0
    [ "$(jq -r .event_type "$OUT" | grep -c file_open)" -eq 2 ]
}

@test "--open: formats" {
    hold open "$D/server.pem" open "$D/server.key"
    listed --format json-array
    jq -e --argjson pid "$held" '.[0].event_type == "start" and .[-1].event_type == "coverage" and
        ([.[] | select(.event_type == "file_open" and .pid == $pid)] | length) == 2' "$OUT"
    listed --format text
    [ "$(grep -c "hold\[$held\] file_open $D/server" "$OUT")" -eq 2 ]
    refute grep -q $'\033' "$OUT"
    listed --format json-pretty
    [ "$(jq -s --argjson pid "$held" '[.[] | select(.event_type == "file_open" and .pid == $pid)] |
        length' "$OUT")" -eq 2 ]
}

@test "--open, without privileges: one's own, and that there are others" {
    AS=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
    RUN=("${AS[@]}")
    hold open "$D/server.pem"
    listed
    must_be 0
    [ "$(of_held .file)" = "$D/server.pem" ]
    tail -n 1 "$OUT" | jq -e 'any(.not_seen[]; .what == "files of processes of other users" and .count > 2)'
}

@test "opens as they happen, of the files that match, until it is told to end or the time is over" {
    cp "$D/server.pem" "$T/data.bin"
    tracer_start files --no-redact --path "$T/*" --path '*/weak.pem'
    cat "$T/data.bin" "$D/weak.pem" "$D/server.pem" >/dev/null
    cat "$T/missing.pem" 2>/dev/null || :
    tracer_stop
    must_be 143
    must_count 1 "$(at "$T/data.bin") and .process == \"cat\""
    must_count 1 "$(at "$D/weak.pem")"
    must_count 1 "$(opens "$T/missing.pem") and .result == \"ENOENT\""
    must_count 0 "$(opens "$D/server.pem")"
    must_count 0 '.event_type | IN("start", "coverage", "file_open") | not'
    tracer files --duration 0.1
    must_be 0
}

@test "what files contain, also when the process lives for milliseconds" {
    local i name

    cd "$T"
    for i in $(seq 10); do
        cp "$D/server.pem" "server$i.pem"
        cp "$D/ec.key" "ec$i.key"
    done
    tracer_start files --no-redact --path "$T/*"
    for i in $(seq 10); do
        cat "$T/server$i.pem" "$T/ec$i.key" >/dev/null
    done
    openssl x509 -in "$T/server1.pem" -noout
    openssl pkey -in "$T/ec1.key" -noout
    wait_for 10 grep -q '"process":"openssl".*ec1.key' "$STREAM"
    tracer_stop INT
    for i in $(seq 10); do
        must_have "$(at "$T/server$i.pem") and .process == \"cat\" and .certificate_count == 1 and
            .certificates[0].subject == \"CN=server.example\" and
            .certificates[0].sans == [\"DNS:server.example\"]"
        must_have "$(at "$T/ec$i.key") and .process == \"cat\" and
            .keys == [{type: \"EC\", format: \"SEC1\", curve: \"P-256\", bits: 256, private: true,
                encrypted: false}]"
    done
    must_have "$(at "$T/server1.pem") and .process == \"openssl\" and .certificate_count == 1"
    must_have "$(at "$T/ec1.key") and .process == \"openssl\" and .keys[0].curve == \"P-256\""
    [ "$(events "$(at "$T/server1.pem")" | head -n 1 | jq -r '.certificates[0].fingerprint_sha256')" = \
        "$(openssl x509 -in "$D/server.pem" -outform DER | sha256sum | cut -d ' ' -f 1)" ]
}

@test "findings and kinds by content in events" {
    tracer_start files --no-redact --path "$D/*"
    cat "$D/weak.pem" "$D/weak.key" "$D/cert.pem" "$D/key.pem" >/dev/null
    wait_for 10 grep -q /key.pem "$STREAM"
    tracer_stop INT
    must_count 1 "$(at "$D/weak.pem") and ([.findings[].rule] | sort) ==
        [\"certificate_expires_soon\", \"rsa_key_short\"]"
    must_count 1 "$(at "$D/weak.key") and ([.findings[].rule] | sort) ==
        [\"private_key_readable\", \"rsa_key_short\"]"
    must_count 1 "$(at "$D/cert.pem") and .file_type == \"private_key\""
    must_count 1 "$(at "$D/key.pem") and .file_type == \"certificate\" and .findings == null"
}

@test "--no-inspect: by names alone" {
    tracer_start files --no-redact --no-inspect --path "$D/*"
    cat "$D/weak.pem" "$D/cert.pem" "$D/key.pem" >/dev/null
    wait_for 10 grep -q /key.pem "$STREAM"
    tracer_stop INT
    must_have "$(at "$D/weak.pem")"
    must_have "$(at "$D/cert.pem") and .file_type == \"certificate\""
    must_have "$(at "$D/key.pem") and .file_type == \"private_key\""
    must_count 0 '.certificates or .keys or .findings or .certificate_count'
}

@test "no byte of a key in the stream" {
    tracer_start files --no-redact --path "$D/*"
    cat "$D/server.key" "$D/ec.key" "$D/weak.key" >/dev/null
    wait_for 10 grep -q /weak.key "$STREAM"
    tracer_stop INT
    must_count 3 '.event_type == "file_open" and .keys'
    grep -vh -e ----- "$D"/{server,ec,weak}.key | cut -c 21-52 | grep . >"$T/lines"
    refute grep -oFf "$T/lines" "$STREAM"
    refute grep -oFf "$T/lines" "$ERR"
}

@test "wrong options: status 2" {
    local words options

    for words in '--format summary' '--open --format bogus' '--path' '--duration -1' '--diff x' \
        '--fail-on high' '--uid no-such-user-here'; do
        echo "$words"
        read -ra options <<<"$words"
        status=0
        timeout 60 "$TOOL" files "${options[@]}" >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
        must_be 2
        must_be_error
    done
}

# opens_by NAME FILE: how many opens of weak.pem by NAME are in that stream.
opens_by()
{
    jq -s --arg name "$1" --arg file "$D/weak.pem" 'map(select(.event_type == "file_open" and
        .process == $name and .file == $file)) | length' "$2"
}

told_by_both()
{
    [ "$(opens_by crypto-tracer:b "$STREAM")" -ge 1 ] && [ "$(opens_by crypto-tracer:b "$T/other")" -ge 1 ]
}

@test "two runs: what the other one looks into is told by its name, once, and starts nothing" {
    local other

    tracer_start files --quiet
    "$TOOL" files --quiet --output "$T/other" 2>/dev/null </dev/null 3>&- &
    other=$!
    HELD+=("$other")
    wait_for 20 test -s "$T/other"
    cat "$D/weak.pem" >/dev/null
    wait_for 20 told_by_both
    kill -TERM "$other"
    wait_for 20 has_ended "$other"
    tracer_stop
    for stream in "$STREAM" "$T/other"; do
        [ "$(opens_by cat "$stream")" -eq 1 ]
        [ "$(opens_by crypto-tracer:b "$stream")" -eq 1 ]
    done
}
