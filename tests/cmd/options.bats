#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Options of `monitor`: each has an effect, each wrong use is refused before anything is done.
# What --pid, --name, --uid and --follow-children select is in select.bats, what --event, --file and
# --library keep in filters.bats, COMMAND and --user in child.bats, --output in output.bats.

load helpers

# refused STATUS WORD...: `monitor` with these options ends with STATUS, a message in the usual form
# and nothing on standard output.
refused()
{
    local want=$1 words

    shift
    words=$*
    status=0
    timeout -k 5 60 "$TOOL" monitor "$@" >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
    [ "$status" -eq "$want" ] || { echo "status $status for: $*"; return 1; }
    [ ! -s "$OUT" ] || { echo "wrote to standard output: $*"; return 1; }
    must_be_error || { echo "for: $*"; return 1; }
    # Room for what was typed, which is not ours.
    [ "$(wc -L <"$ERR")" -le $((80 + ${#words})) ] || { echo "long lines for: $*"; return 1; }
}

# says TEXT: the first line of the message has it.
says()
{
    head -n 1 "$ERR" | grep -qF -- "$1" || { echo "'$1' is not in: $(head -n 1 "$ERR")"; return 1; }
}

@test "every option has a test" {
    # Where the effect of each is tested. A new option has to be entered here.
    cat >"$T/tested" <<'EOF'
--pid select.bats
--name select.bats
--uid select.bats
--follow-children select.bats
--user child.bats
--event filters.bats
--file filters.bats
--library filters.bats
--api options.bats
--resolve options.bats
--duration ends.bats
--max-events ends.bats
--output output.bats
--format monitor.bats
--no-inspect files.bats
--no-redact redact.bats
--redact-sni redact.bats
--buffer-size options.bats
--max-processes options.bats
--hook options.bats
--verbose options.bats
--quiet options.bats
--help help.bats
EOF
    "$TOOL" monitor --help | grep -oE '^ {2}(-.,|   ) --[a-z-]+' | grep -oE -- '--[a-z-]+' |
        sort >"$T/options"
    [ "$(wc -l <"$T/options")" -ge 20 ]
    diff <(cut -d ' ' -f 1 "$T/tested" | sort) "$T/options"
    while read -r option file; do
        grep -qE -- "$option\b" "$HERE/$file"
    done <"$T/tested"
}

@test "unknown options are named" {
    refused 2 --nonsense
    says "'--nonsense'"
    refused 2 --durations 1
    refused 2 --dur 1
    refused 2 -Z
    says "'-Z'"
    refused 2 --=1
    refused 2 --duration1
    grep -q 'Try: crypto-tracer monitor --help' "$ERR"
}

@test "a missing value is an error, for every option that takes one" {
    local option

    for option in $("$TOOL" monitor --help | grep -oE -- '--[a-z-]+ [A-Z]{2,}' | cut -d ' ' -f 1); do
        refused 2 "$option"
        says "option '$option' needs a value"
    done
    for option in -p -n -u -e -d -o; do
        refused 2 "$option"
        says 'needs a value'
    done
}

@test "an empty value is an error, for every option that takes one" {
    local option

    for option in $("$TOOL" monitor --help | grep -oE -- '--[a-z-]+ [A-Z]{2,}' | cut -d ' ' -f 1); do
        [ "$option" != --user ] || continue
        refused 2 "$option" ''
        refused 2 "$option="
    done
    refused 2 --user '' -- true
}

@test "a value where none is taken is an error" {
    local option

    for option in --follow-children --resolve --no-redact --verbose --quiet --help; do
        refused 2 "$option=1"
        says "option '$option' takes no value"
    done
    refused 2 -vq
}

@test "--duration takes seconds with up to three decimals and nothing else" {
    local value

    for value in -1 x 1x '1 ' ' 1' 1s 0x10 1e3 1,5 . .5 1. 1.2345 inf nan 99999999999 \
        18446744073709551616 99999999999999999999999; do
        refused 2 --duration "$value"
        says "'$value' for --duration"
    done
    for value in 0 1 0.5 0.001 3600 315360000; do
        "$TOOL" monitor --duration "$value" --help >/dev/null
    done
}

@test "--max-events takes a positive number" {
    local value

    for value in 0 -1 x 1.5 18446744073709551616; do
        refused 2 --max-events "$value"
    done
    "$TOOL" monitor --max-events 18446744073709551615 --help >/dev/null
}

@test "--pid takes process ids, at most 256" {
    local value

    for value in 0 -1 x 1x ',' '1,' ',1' '1,,2' 4194305 99999999999999999999; do
        refused 2 --pid "$value"
    done
    refused 2 --pid "$(seq -s , 257)"
    says 256
    "$TOOL" monitor --pid "$(seq -s , 256)" --help >/dev/null
}

@test "--uid and --user take users that there are" {
    refused 2 --uid no-such-user
    says "'no-such-user' for --uid"
    refused 2 --uid root,no-such-user
    refused 2 --uid -1
    refused 2 --uid 4294967295
    refused 2 --uid "$(seq -s , 17)"
    refused 2 --user no-such-user -- true
    refused 2 --user 1x -- true
    "$TOOL" monitor --uid root,nobody,12345 --help >/dev/null
}

@test "--event takes events that there are" {
    refused 2 --event no_such_event
    says "'no_such_event' for --event"
    refused 2 --event file_open,
    refused 2 --event file_open,FILE_OPEN
    refused 2 --event "$(head -c 200 /dev/zero | tr '\0' x)"
}

@test "--format takes formats that there are" {
    refused 2 --format xml
    says "'xml' for --format"
    refused 2 --format JSON
    refused 2 --format json-stream,text
}

@test "--api takes default, all, none or nothing" {
    local value

    for value in some DEFAULT defaultx default,all 1 ' all' no; do
        refused 2 "--api=$value"
        says "'$value' for --api"
    done
    refused 2 --api=
    for value in --api --api=default --api=all --api=none; do
        "$TOOL" monitor "$value" --help >/dev/null
        "$TOOL" profile "$value" --help >/dev/null
    done
    for value in default all none; do
        "$TOOL" monitor --api "$value" --help >/dev/null
    done
    # What is none of its words is not its own: an option, and a word that nobody takes.
    refused 2 --api --nonsense
    says "'--nonsense'"
    refused 2 --api some
    says "'some'"
    refused 2 --api all none
    # Of other commands it is none.
    run "$TOOL" snapshot --api
    [ "$status" -eq 2 ]
}

# What the tool reports of openssl(1) with the options given: the names of the functions.
calls_with()
{
    tracer monitor "$@" -- openssl dgst -sha256 "$TOOL"
    must_be 0
    jq -r 'select(.event_type == "api_call") | .function_name' "$STREAM" >"$T/calls"
}

@test "--api: calls are told where processes are selected, unless it says none" {
    calls_with
    grep -qx EVP_DigestFinal_ex "$T/calls"
    refute grep -qx RAND_bytes "$T/calls"
    must_count 1 '.event_type == "api_call" and .algorithm == "SHA-256"'
    calls_with --api none
    [ ! -s "$T/calls" ]
    must_count 1 '.event_type == "process_exec" and .process == "openssl"'
    calls_with --event process_exec
    [ ! -s "$T/calls" ]
    calls_with --event process_exec --api
    grep -qx EVP_DigestFinal_ex "$T/calls"
    calls_with --event api_call --library gnutls
    [ ! -s "$T/calls" ]
}

@test "--api all counts what happens for every operation" {
    calls_with --api all
    grep -qx EVP_DigestFinal_ex "$T/calls"
    must_count 1 '.event_type == "api_call" and .function_name == "SHA256_Init" and .count >= 1'
    must_count 0 '.event_type == "api_call" and .function_name == "EVP_DigestFinal_ex" and has("count")'
}

@test "--buffer-size takes powers of two from 64K to 64M" {
    local value

    for value in 0 1 32K 100K 65535 128M 1G 1T 1KB -1M x 99999999999999999999K; do
        refused 2 --buffer-size "$value"
    done
    for value in 65536 64K 64k 1m 64M; do
        "$TOOL" monitor --buffer-size "$value" --help >/dev/null
    done
}

@test "--max-processes takes 1 to 4194304" {
    refused 2 --max-processes 0
    refused 2 --max-processes 4194305
    refused 2 --max-processes x
}

@test "more than 16 patterns are an error" {
    local many=() i

    for i in $(seq 17); do many+=(--file "*.$i"); done
    refused 2 "${many[@]}"
    many=()
    for i in $(seq 17); do many+=(--library "lib$i"); done
    refused 2 "${many[@]}"
}

@test "options that exclude or need each other" {
    refused 2 --verbose --quiet
    refused 2 -q -v
    refused 2 --user root
    says --user
    refused 2 --follow-children
    says --follow-children
    refused 2 --follow-children --uid 0
    refused 2 --
    says 'no command'
    refused 2 nginx
    refused 2 ''
    refused 2 -
}

@test "a process that does not exist is an error, and its output is left alone" {
    local pid

    sleep 0 3>&- &
    pid=$!
    wait "$pid"
    refused 1 --pid "$pid"
    says "$pid"
    refused 1 --pid "$$,$pid"
    echo precious >"$T/file"
    refused 1 --pid "$pid" --output "$T/file"
    [ "$(cat "$T/file")" = precious ]
}

@test "messages repeat no byte that acts on a terminal" {
    refused 2 --pid $'\033[31m'
    says '\x1b[31m'
    refused 2 $'--\033[31m'
    refused 2 $'a\nb\r\t\177\302\233'
    refused 1 --output "$T/none/"$'\033]0;title\a'
}

@test "the short forms are the long ones" {
    puppet_start p
    ln -s "$PROGRAMS/puppet" "$T/Named-Puppet"
    tracer_start monitor -p"${PUPPET[p]}" -e file_open,process_exec -u 0 -n med-pup -o "$T/o" -q -d 30
    puppet p open "$T/before.pem"
    puppet_exec p "$T/Named-Puppet"
    puppet p open "$T/after.pem"
    tracer_stop
    must_be 143
    [ ! -s "$OUT" ]
    [ -z "$(messages)" ]
    must_count 0 "$(opens "$T/before.pem")"
    must_count 1 "$(opens "$T/after.pem")"
    must_count 1 '.event_type == "process_exec" and .process == "Named-Puppet"'
    must_count 0 '.event_type == "process_exit"'
}

@test "--option=value, --option value and the last of several" {
    tracer monitor --output "$T/first" --format text --format=json-array "--output=$T/second" -- true
    must_be 0
    [ ! -e "$T/first" ]
    [ "$(jq -r type "$T/second")" = array ]
    # Everything behind -- is COMMAND's.
    tracer monitor -q -- echo --nonsense -o "$T/third"
    must_be 0
    grep -qx -- "--nonsense -o $T/third" "$ERR"
    [ ! -e "$T/third" ]
}

@test "by default there is information, --quiet leaves errors, --verbose adds detail" {
    local form='^\[[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z\] (ERROR|WARN|INFO|DEBUG): '

    tracer monitor -- true
    must_be 0
    grep -qE "$form"'monitoring started' "$ERR"
    grep -qE "$form"'monitoring stopped, 2 events written' "$ERR"
    [ "$(grep -cvE "$form" "$ERR")" -eq 0 ]
    refute grep -q DEBUG "$ERR"
    tracer monitor --quiet -- true
    [ -z "$(messages)" ]
    tracer monitor --quiet -- "$T/no such program"
    must_be 127
    must_be_error_without_advice
    tracer monitor --verbose -- true
    grep -qE "$form"'monitoring started' "$ERR"
    [ "$(grep -cE "$form" "$ERR")" -gt 3 ]
    grep -q 'DEBUG: capabilities before' "$ERR"
    [ "$(grep -cvE "$form" "$ERR")" -eq 0 ]
}

# What cannot be helped by other options has no advice.
must_be_error_without_advice()
{
    head -n 1 "$ERR" | grep -qE '^Error: .+[^.]$'
}

@test "--quiet names no event less" {
    tracer monitor --quiet -- true
    must_count 1 '.event_type == "process_exec"'
    must_count 1 '.event_type == "process_exit"'
}

@test "--resolve tells where a symbolic link led" {
    : >"$T/target.pem"
    ln -s target.pem "$T/link.pem"
    ln -s "$T" "$T/dir"
    tracer monitor --resolve -- cat "$T/link.pem" "$T/dir/target.pem" "$T/none.pem"
    must_count 1 "$(opens "$T/link.pem") and .real_path == \"$T/target.pem\""
    must_count 1 "$(opens "$T/dir/target.pem") and .real_path == \"$T/target.pem\""
    must_count 1 "$(opens "$T/none.pem") and (has(\"real_path\") | not)"
    tracer monitor -- cat "$T/link.pem"
    must_count 1 "$(opens "$T/link.pem") and (has(\"real_path\") | not)"
}

# The size of the ring buffer that the tool holds: map type 27 of linux/bpf.h.
ring_size()
{
    cat "/proc/$TRACER/fdinfo/"* 2>/dev/null |
        awk '/^map_type:/ { type = $2 } /^max_entries:/ && type == 27 { print $2; exit }'
}

@test "--buffer-size sizes the buffer, by default 4M with handshakes and else 1M" {
    tracer_start monitor --name no-such-name --buffer-size 64K
    [ "$(ring_size)" -eq 65536 ]
    tracer_stop
    tracer_start monitor --name no-such-name
    [ "$(ring_size)" -eq 4194304 ]
    tracer_stop
    tracer_start monitor --name no-such-name --event file_open
    [ "$(ring_size)" -eq 1048576 ]
    tracer_stop
}

@test "a full buffer loses events, counts them and says so" {
    local lost

    # While the tool is stopped nothing is read.
    puppet_start p
    tracer_start monitor --buffer-size 64K --pid "${PUPPET[p]}"
    kill -STOP "$TRACER"
    puppet p burst 2000 "$T/burst.pem"
    kill -CONT "$TRACER"
    tracer_stop
    lost=$(tail -n 1 "$STREAM" | jq '.sources[] | select(.name == "file_open") | .lost.ring_full')
    [ "$lost" -gt 1000 ]
    must_count $((2000 - lost)) "$(opens "$T/burst.pem")"
}

@test "growing loss is warned of while the run goes on" {
    local began

    puppet_start p
    began=$SECONDS
    tracer_start monitor --buffer-size 64K --pid "${PUPPET[p]}"
    kill -STOP "$TRACER"
    puppet p burst 2000 "$T/burst.pem"
    kill -CONT "$TRACER"
    wait_for 5 grep -qE 'WARN: [0-9]+ events lost' "$ERR"
    tracer_stop
    # At most once a second: a burst makes one, what others do meanwhile may make more.
    [ "$(grep -c 'events lost' "$ERR")" -le $((SECONDS - began + 1)) ]
}

@test "--max-processes bounds what is remembered and says so" {
    tracer monitor --max-processes 1 -- sh -c 'true & true & wait; cat /x.pem'
    must_be 1
    must_count 1 "$(opens /x.pem)"
    must_have '.event_type == "coverage"
               and any(.not_seen[]; (.why | test("--max-processes")) and .count > 0)'
    tracer monitor -- true
    must_count 0 '.event_type == "coverage" and any(.not_seen[]; .why | test("--max-processes"))'
}

@test "--hook: the one that is named is used, and coverage names it" {
    local hook

    for hook in tp/syscalls/sys_exit_openat tp_btf/sys_exit; do
        tracer monitor --hook "file_open=${hook%%/*}" --event file_open --no-redact -- \
            "$PROGRAMS/opens" 3 "$BATS_FILE_TMPDIR"
        must_be 0
        events '.event_type == "coverage" and .final' |
            jq -e --arg hook "$hook" '.sources[] | select(.name == "file_open") |
                .hook == $hook and .attached and .reason == null and .seen >= 3' >/dev/null
    done
}

@test "--hook: what is no hook is refused with a list of those that are" {
    local value

    for value in file_open=none file_open= file_open=t process_exec=tp; do
        refused 2 --hook "$value"
        says "'$value' for --hook: not a hook of ${value%%=*}"
        grep -q '^    [a-z_.]*/' "$ERR"
    done
    grep -qx '    tp_btf/sched_process_exec' "$ERR"
    refused 2 --hook file_open
    says 'not SOURCE=HOOK'
    refused 2 --hook none=tp
    says 'not an event'
}

@test "--hook: one that the kernel does not take ends the run and says so" {
    local hook found=

    for hook in $("$TOOL" monitor --hook 'file_open=?' 2>&1 | sed -n 's/^    //p'); do
        status=0
        timeout -k 5 60 "$TOOL" monitor --duration 0.1 --event file_open --hook "file_open=$hook" \
            >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
        [ "$status" -ne 0 ] || continue
        must_be 5
        must_be_error
        says "file_open cannot be seen at $hook"
        found=$hook
    done
    [ -n "$found" ] || skip "this kernel takes every hook"
}
