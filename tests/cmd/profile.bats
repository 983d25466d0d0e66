#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# `profile`: which processes, how it ends, its outputs. What it tells of a process is compared with
# the truth in inventory/profile.bats, trees of processes in inventory/trees.bats. What holds of every
# document is in support/profile.jq.

# shellcheck disable=SC2016 # sh -c expands for itself
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test is a subshell; variables are for the helpers

load helpers
load ../support/profile

setup_file()
{
    check_environment
    file_needs openssl strace setpriv || return 0
    D=$BATS_FILE_TMPDIR
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$D/rsa.key" -out "$D/rsa.pem" -days 400 \
        -subj /CN=rsa.example 2>/dev/null
    openssl ecparam -name prime256v1 -genkey -noout -out "$D/ec.key"
    openssl req -x509 -key "$D/ec.key" -out "$D/ec.pem" -days 500 -subj /CN=ec.example
    openssl req -x509 -newkey rsa:1024 -nodes -keyout "$D/weak.key" -out "$D/weak.pem" -days 400 \
        -subj /CN=weak.example 2>/dev/null
}

@test "the status of COMMAND is passed on, and told" {
    local script

    for script in 'exit 3' 'kill -9 $$'; do
        profile -q -- sh -c "$script"
        must_be "$(sh -c "$script" 2>/dev/null; echo $?)"
        doc_is .process.exit_code "$status"
    done
    must_be 137
}

@test "a COMMAND that cannot be executed: 127 and 126, and no other program is told as it" {
    profile -q -- no-such-program
    must_be 127
    grep -q "^Error: Cannot execute 'no-such-program'" "$ERR"
    refute grep -q crypto-tracer "$DOC"
    : >"$T/plain"
    profile -q -- "$T/plain"
    must_be 126
    refute grep -q crypto-tracer "$DOC"
}

@test "standard output of COMMAND: to standard error without --output, untouched with it" {
    profile -q -- sh -c 'echo out; echo err >&2'
    must_be 0
    [ "$(cat "$ERR")" = $'out\nerr' ]
    doc_is .process.name '"sh"'
    [ "$(wc -l <"$OUT")" -eq 1 ]
    profile -q --output "$T/doc" -- sh -c 'echo out; echo err >&2'
    must_be 0
    [ "$(cat "$OUT")" = out ]
    [ "$(cat "$ERR")" = err ]
    [ "$DOC" = "$T/doc" ]
    doc_is .process.name '"sh"'
}

@test "secrets in arguments are not told, whatever is asked for" {
    profile --no-redact -- sh -c 'exit 0' x --password=hunter2 --user=bob
    must_be 0
    refute grep -q hunter2 "$DOC"
    doc_has '.process.cmdline | test("--password=[^ ]+ --user=bob$")'
    # Of one that was there before, too.
    hold chdir / --token=hunter2
    profile --no-redact --pid "$held" --duration 0.1
    doc_has '.process.cmdline | test(" chdir / --token=[^ ]+$")'
    refute grep -q hunter2 "$DOC"
}

@test "home directories are replaced, unless --no-redact" {
    local option

    mkdir -p "$T/home"
    for option in --quiet --no-redact; do
        profile "$option" -- sh -c 'cat /home/bob/a.pem; :'
        must_be 0
        doc_lines '.files_accessed[].path' >>"$T/paths"
    done
    diff "$T/paths" <(printf '%s\n' /home/USER/a.pem /home/bob/a.pem)
}

@test "a target that ends early ends the run, status 0" {
    puppet_start p
    profile_start --pid "${PUPPET[p]}" --duration 1000
    puppet p open /last.pem
    puppet_exit p 5
    profile_wait
    must_be 0
    doc_is '[.process.exit_code, .files_accessed[0].path]' '[5,"/last.pem"]'
}

@test "nobody to profile: status 1, and no document" {
    local pid

    sleep 0 & pid=$!
    wait "$pid"
    profile --pid "$pid"
    must_be 1
    must_be_error
    grep -q "^Error: No process $pid$" "$ERR"
    [ ! -s "$OUT" ]
    profile --name "no such name"
    must_be 1
    must_be_error
    grep -q "^Error: No process whose name contains 'no such name'$" "$ERR"
    [ ! -s "$OUT" ]
    puppet_start p
    profile --pid "${PUPPET[p]},$pid"
    must_be 1
    grep -q "^Error: No process $pid$" "$ERR"
    [ ! -s "$OUT" ]
}

@test "a zombie: status 1, with advice" {
    # The child ends once its parent is a program that never waits; a shell may reap it.
    sh -c '(until grep -qs "^sleep" /proc/$$/comm; do sleep 0.01; done) & echo $! >"$0"
        exec sleep 100' "$T/zombie" 3>&- &
    HELD+=("$!")
    wait_for 5 sh -c 'grep -qs "State:.Z" "/proc/$(cat "$0")/status"' "$T/zombie"
    profile --pid "$(cat "$T/zombie")" --duration 0.1
    must_be 1
    must_be_error
    [ ! -s "$OUT" ]
}

@test "a thread's number: status 1, and the message says so" {
    local thread

    mkfifo "$T/fifo.pem"
    puppet_start p
    # It waits in its open.
    printf 'thread worker %s\n' "$T/fifo.pem" >&"${PUPPET_IN[p]}"
    wait_for 5 sh -c '[ "$(ls "/proc/$0/task" | wc -l)" -eq 2 ]' "${PUPPET[p]}"
    thread=$(find "/proc/${PUPPET[p]}/task" -mindepth 1 -maxdepth 1 -printf '%f\n' |
        grep -vx "${PUPPET[p]}")
    profile --pid "$thread"
    must_be 1
    must_be_error
    grep -q "^Error: $thread is a thread, not a process$" "$ERR"
    [ ! -s "$OUT" ]
}

# named_holds NAME COUNT: so many of that name, each with a file N.pem.
named_holds()
{
    local i

    cp "$PROGRAMS/hold" "$T/$1"
    for i in $(seq "$2"); do
        cp "$D/rsa.pem" "$T/$i.pem"
        HOLD=$T/$1 hold open "$T/$i.pem" open "$D/rsa.pem"
    done
}

@test "--name with several matches: a profile for each, and their sums" {
    named_holds manyholds 3
    profile --no-redact --name MANYHOLD --duration 0.3
    must_be 0
    doc_is '.profiles | map(.process.pid) | sort' "[$(printf '%s\n' "${HELD[@]}" | sort -n | paste -sd ,)]"
    diff <(doc_lines '.profiles[].files_accessed[].path') \
        <(printf '%s\n' "$D/rsa.pem" "$D/rsa.pem" "$D/rsa.pem" "$T"/{1,2,3}.pem | sort)
    doc_is '.summary' '{"total_events":0,"libraries_loaded":0,"files_accessed":6,"file_accesses":6,"failed_accesses":0,"api_calls_made":0,"tls_handshakes":0,"ssh_handshakes":0,"connections_before":0,"processes":3,"programs_executed":0}'
    doc_is 'keys_unsorted' '["schema_version","profile_version","generated_at","hostname","kernel","profiles","summary","coverage"]'
    doc_is '.profiles | map(.process.exe) | unique' "[\"$T/manyholds\"]"
}

@test "--name with one match: the document of one" {
    named_holds onlyhold 1
    profile --name onlyhold --duration 0.1
    must_be 0
    doc_is 'keys_unsorted' '["schema_version","profile_version","generated_at","hostname","kernel","duration_seconds","process","programs","libraries","files_accessed","api_calls","algorithms","crypto_providers","certificates","keys","tls_sessions","ssh_sessions","findings","statistics","coverage"]'
    doc_is '.process.pid' "$held"
}

@test "--name: a process of that name that starts later has a profile too" {
    named_holds laterhold 1
    profile_start --no-redact --name laterhold
    HOLD=$T/laterhold hold open "$D/ec.pem"
    profile_stop
    doc_is '.profiles | map([.process.pid, .process.uid, .process.exe])' \
        "[[${HELD[0]},0,\"$T/laterhold\"],[$held,0,\"$T/laterhold\"]]"
    doc_is '.profiles[1].files_accessed | map([.path, .origin])' "[[\"$D/ec.pem\",\"event\"]]"
}

@test "--name with --uid: only processes of that user" {
    cp "$PROGRAMS/hold" "$T/userhold"
    HOLD=$T/userhold hold open "$D/rsa.pem"
    AS=(setpriv --reuid 65533 --clear-groups)
    HOLD=$T/userhold hold open "$D/ec.pem"
    profile --name userhold --uid 65533 --duration 0.1
    must_be 0
    doc_is '[.process.pid, .process.uid]' "[$held,65533]"
}

@test "--pid of several: a profile for each, in any order, each once" {
    named_holds x 2
    profile --no-redact --pid "$held,${HELD[0]},$held" --duration 0.1
    must_be 0
    doc_is '.profiles | map(.process.pid) | sort' "[$(printf '%s\n' "${HELD[@]}" | sort -n | paste -sd ,)]"
    doc_is '.summary.file_accesses' 4
}

@test "--pid of several: what each does is in its own; the run goes on until all have ended" {
    puppet_start a
    puppet_start b
    profile_start --no-redact --pid "${PUPPET[a]},${PUPPET[b]}" --duration 60
    puppet a open /a.pem
    puppet_exit a 1
    puppet b open /b.pem
    puppet b open /a.pem
    puppet_exit b 2
    profile_wait
    must_be 0
    doc_is '.profiles | map([.process.pid, .process.exit_code, (.files_accessed | map(.path))]) | sort_by(.[1])' \
        "[[${PUPPET[a]},1,[\"/a.pem\"]],[${PUPPET[b]},2,[\"/a.pem\",\"/b.pem\"]]]"
    doc_is '.summary | [.files_accessed, .failed_accesses]' '[3,3]'
}

# A run of 0.6 s: never shorter, and at best shorter than 1.5 s.
lasts()
{
    local began ended

    began=$(date +%s%N)
    profile --pid "$held" --duration 0.6 || return 2
    ended=$(date +%s%N)
    must_be 0 && [ $((ended - began)) -gt 600000000 ] || return 2
    doc_is '.duration_seconds' 1
}

@test "--duration: that long" {
    hold
    at_best lasts
    # The end of a COMMAND that takes longer is not waited for.
    profile --duration 0.3 -- sleep 30
    must_be 0
    doc_is '[.process.name, .process.exit_code]' '["sleep",null]'
}

@test "--max-events: after so many, with status 0" {
    profile --no-redact --max-events 3 -- sh -c 'cat /a.pem /b.pem; sleep 2'
    must_be 0
    doc_is .statistics.total_events 3
}

# takes_interrupts PID: it has its handler of INT.
takes_interrupts()
{
    [ $(($(sed -n 's/^SigCgt:[[:space:]]*/0x/p' "/proc/$1/status") >> 1 & 1)) -eq 1 ]
}

@test "Ctrl-C while it looks at what is there: 130, and no error" {
    local delay errors=

    # Enough to be looked into that it takes a while.
    mkdir "$T/many"
    bash -c 'pem=$(<"$1"); for i in {1..700}; do echo "$pem" >"$0/$i.pem"; exec {fd}<"$0/$i.pem"; done
        echo >"$0/done"; exec sleep 100' "$T/many" "$D/rsa.pem" </dev/null >/dev/null 2>&1 3>&- &
    HELD+=("$!")
    wait_for 20 test -s "$T/many/done"
    for delay in 0.1 0.25 0.4; do
        profile_at --pid "${HELD[0]}"
        "$TOOL" profile --pid "${HELD[0]}" >"$OUT" 2>"$ERR" </dev/null 3>&- &
        TRACER=$!
        # A shell's jobs have INT ignored.
        wait_for 20 takes_interrupts "$TRACER"
        sleep "$delay"
        kill -INT "$TRACER"
        profile_wait
        [ "$status" -eq 130 ] || errors+="after $delay s: status $status: $(cat "$ERR")"
    done
    [ -z "$errors" ] || { echo "$errors"; return 1; }
}

@test "signals end the run; the document is complete" {
    puppet_start p
    profile_start --pid "${PUPPET[p]}" --duration 60 --output "$T/doc"
    puppet p open /last.pem
    profile_stop TERM
    doc_is '.files_accessed | map(.path)' '["/last.pem"]'
    [ ! -s "$OUT" ]
    # INT, and now: what was opened just before it is in.
    profile_start --pid "${PUPPET[p]}" --duration 60
    puppet p burst 100 /last.pem
    profile_stop INT
    doc_is '.files_accessed | map([.path, .failures])' '[["/last.pem",100]]'
}

@test "outputs that fail: 1, and 141 for a pipe that is closed" {
    profile -q --output /none/file -- touch "$T/ran"
    must_be 1
    must_be_error
    [ ! -e "$T/ran" ]
    status=0
    "$TOOL" profile -q -- true >/dev/full 2>"$ERR" </dev/null 3>&- || status=$?
    must_be 1
    must_be_error
    { status=0; "$TOOL" profile -q -- sleep 0.2 2>"$ERR" </dev/null 3>&- || status=$?
        echo "$status" >"$T/status"; } | true
    [ "$(cat "$T/status")" -eq 141 ]
    [ -z "$(messages)" ]
}

@test "wrong options: status 2, nothing done" {
    local words options

    for words in '' '--format text' '--format summary' '--format json-stream' '--pid' '--pid 0' \
        '--pid x' '--name' '--duration -1' '--no-such-option' 'operand' '--pid 1 operand' \
        '--follow-children' '--uid 0' '--event file_open --pid 1'; do
        read -ra options <<<"$words"
        echo "options: $words"
        profile --output "$T/new" "${options[@]}"
        must_be 2
        [ ! -e "$T/new" ]
    done
    profile
    must_be 2
    must_be_error
    [ ! -s "$OUT" ]
}

@test "json-pretty: as jq writes it" {
    profile -q --format json-pretty -- openssl x509 -in "$D/rsa.pem" -noout
    must_be 0
    diff "$OUT" <(jq . "$OUT")
    doc_is '.certificates | length' 1
}

@test "the document is as the schema says, for one and for several" {
    "$HERE/validate" --can || skip "python3-jsonschema is not installed"
    "$TOOL" schema >"$T/schema"
    profile -- sh -c 'cat "$0"/weak.pem "$0"/weak.key /none.pem >/dev/null; openssl version; :' "$D"
    must_be 0
    doc_has '(.findings | length) > 0 and (.keys | length) > 0 and (.libraries | length) > 1'
    "$HERE/validate" "$T/schema" "$DOC"
    named_holds x 2
    profile --pid "$held,${HELD[0]}" --duration 0.1
    doc_is '.profiles | length' 2
    "$HERE/validate" "$T/schema" "$DOC"
    doc '.profiles[0].process.pid = "1"' >"$T/wrong"
    refute "$HERE/validate" "$T/schema" "$T/wrong"
}

